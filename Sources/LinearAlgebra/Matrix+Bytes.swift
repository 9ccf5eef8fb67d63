// A matrix as bytes: what a communicator moves.

extension DenseMatrix {
  /// The elements as bytes, row after row, without a copy.
  public func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try unsafe withUnsafeBufferPointer { elements throws(E) in
      try unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(elements)))
    }
  }

  /// The elements as bytes for writing, row after row.
  public mutating func withMutableBytes<R, E: Error>(
    _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    try unsafe withUnsafeMutableBufferPointer { elements throws(E) in
      var bytes = unsafe MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(elements))
      return try body(&bytes)
    }
  }
}
