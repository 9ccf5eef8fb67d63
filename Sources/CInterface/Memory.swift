internal import CHighland
internal import Evaluation
internal import Glibc
internal import HierarchicalClustering
internal import NeighborSearch

/// Elements that stay where they are until the last reference goes.
// @unchecked: written once, when they are made.
@safe final class FixedArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  let base: UnsafeMutablePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    count = elements.count
    unsafe base = .allocate(capacity: max(elements.count, 1))
    unsafe base.initialize(from: elements, count: elements.count)
  }

  deinit { unsafe base.deallocate() }
}

/// A copy in C's memory, for the caller to free.
func copy(of text: String) -> UnsafeMutablePointer<CChar>? { unsafe strdup(text) }

/// A copy in C's memory, for the caller to free.
func copy(of bytes: [UInt8]) -> UnsafeMutableRawPointer? {
  guard let memory = unsafe malloc(max(bytes.count, 1)) else { return nil }
  unsafe memory.copyMemory(from: bytes, byteCount: bytes.count)
  return unsafe memory
}

/// The least divided search whose work fits into the memory that is free.
///
/// - Parameters:
///   - purpose: What the memory is for.
///   - free: What this process may take; nil if that is unknown.
///   - need: What grows with the rows, in bytes.
/// - Throws: ``Failure`` if nothing fits: what would be needed.
func leastDivision(
  for purpose: String, in free: Int? = AvailableMemory.bytes(), _ need: (SearchDivision) -> Double
) throws -> SearchDivision {
  guard let free else { return SearchDivision() }
  if let division = SearchDivision.all.first(where: { need($0) <= Double(free) }) {
    return division
  }
  func gigabytes(_ bytes: Double) -> String { "\(decimal(bytes / 1e9, places: 1)) GB" }
  throw Failure(
    HIGHLAND_OUT_OF_MEMORY,
    "\(purpose) need \(gigabytes(SearchDivision.all.map(need).min()!)); \(gigabytes(Double(free))) "
      + "of memory are free")
}
