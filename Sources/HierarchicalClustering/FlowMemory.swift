public import NeighborSearch

/// The memory that clustering by flow needs on the rank with the most points, as far as it grows with the points,
/// once neighbours are found. Ghosts are taken to be as many as there can be.
///
/// Docs/Algorithms/Flow.md has the formula.
public struct FlowMemory: Sendable {
  public let bytes: Double
  /// Of an edge, while its graph is made and nodes move.
  static let edgeByteCount = 110.0

  /// - Parameter search: Of the longest lists.
  public init(_ search: SearchMemory) {
    let (n, places) = (Double(search.rowCount), Double(search.listLength))
    let ghosts = min(n * places, Double(search.nodeCount - search.rowCount))
    let sample = Double(min(search.nodeCount, SilhouetteSample.size))
    let trials = 8 * Double(ListLengthChoice.candidates.count)
    bytes =
      n * (search.bytesPerRow + Self.edgeByteCount * places + trials) + 12 * (places + 1) * ghosts
      + 4 * Double(search.columnCount) * sample
  }
}
