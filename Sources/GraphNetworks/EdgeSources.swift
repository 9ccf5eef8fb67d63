internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra

/// Rows of some local nodes, the sources of some edges: of the owned nodes, or of a piece of the ghosts.
struct EdgeSources {
  let rows: Matrix
  private let ownedCount: Int
  /// The row of every ghost, −1 for those of other pieces; nil for the rows of owned nodes.
  private let rowOfGhost: [Int32]?

  fileprivate init(owned: Matrix) {
    rows = owned
    ownedCount = owned.rowCount
    rowOfGhost = nil
  }

  fileprivate init(_ rows: Matrix, of piece: GhostPiece, in halo: Halo) {
    self.rows = rows
    ownedCount = halo.ownedCount
    rowOfGhost = halo.places(in: piece)
  }

  /// The row of a local node, if it is among these.
  func row(of node: LocalNode) -> Int? {
    let index = Int(node.index)
    guard let rowOfGhost else { return index < ownedCount ? index : nil }
    guard index >= ownedCount, rowOfGhost[index - ownedCount] >= 0 else { return nil }
    return Int(rowOfGhost[index - ownedCount])
  }
}

extension NeighborGraph {
  /// Calls `body` with the rows of the owned nodes, and then with those of each piece of the ghosts as it
  /// arrives.
  ///
  /// > Collective: over `communicator`. A round to agree on the number of pieces, one per piece;
  /// > `4 · columns` bytes per ghost in all.
  ///
  /// - Parameter rows: Owned. Shape `[ownedCount × columns]`.
  func forEachSources(
    _ rows: Matrix, on communicator: some Communicator, _ body: (EdgeSources) throws -> Void
  ) throws {
    try body(EdgeSources(owned: rows))
    let columns = 0..<rows.columnCount
    for piece in try halo.pieces(
      rowByteCount: columns.count * MemoryLayout<Float>.size, on: communicator)
    {
      let arrived = try halo.receive(rows, columns: columns, of: piece, on: communicator)
      try body(EdgeSources(arrived, of: piece, in: halo))
    }
  }
}
