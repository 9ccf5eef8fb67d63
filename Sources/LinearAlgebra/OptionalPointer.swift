/// Hands `body` the first of some elements, for kernels with an argument that may be left out: nil where
/// there are no elements.
///
/// The pointer is good until `body` returns; how many elements are behind it the caller has checked.
@unsafe package func withOptionalPointer<R>(
  to elements: [Float]?, _ body: (UnsafePointer<Float>?) throws -> R
) rethrows -> R {
  guard let elements else { return try body(nil) }
  return try unsafe elements.withUnsafeBufferPointer { try unsafe body($0.baseAddress) }
}
