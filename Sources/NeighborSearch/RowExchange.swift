package import Communication
package import LinearAlgebra

// Rows that travel.

extension Communicator {
  /// Moves rows between pairs of ranks that both know their number.
  ///
  /// > Collective: one message per pair of ranks with rows.
  ///
  /// - Parameters:
  ///   - rows: Those for rank 0, then those for rank 1, and so on.
  ///   - counts: How many each rank gets, and how many it has for this one. Shape `[size]`.
  func exchange(rows: Matrix, counts: [Int], receiving: [Int]) throws -> Matrix {
    let stride = rows.columnCount * MemoryLayout<Float>.stride
    func segments(_ counts: [Int]) -> [Segment] {
      counts.indices.filter { counts[$0] * stride > 0 }.map {
        Segment(rank: Rank($0), byteCount: counts[$0] * stride)
      }
    }
    var arrived = Matrix(uninitializedRows: receiving.reduce(0, +), columns: rows.columnCount)
    try rows.withBytes { outgoing in
      try arrived.withMutableBytes { incoming in
        try exchange(outgoing, to: segments(counts), into: &incoming, from: segments(receiving))
      }
    }
    return arrived
  }

  /// The rows of every rank, in rank order, on every rank.
  ///
  /// > Collective: two rounds: 8 bytes per rank, then the rows, to every rank.
  package func allGather(rows: Matrix) throws -> Matrix {
    let counts = try gatherOne(rows.rowCount)
    let stride = rows.columnCount * MemoryLayout<Float>.stride
    var all = Matrix(uninitializedRows: counts.reduce(0, +), columns: rows.columnCount)
    try rows.withBytes { own in
      try all.withMutableBytes { gathered in
        try allGather(own, byteCounts: counts.map { $0 * stride }, into: &gathered)
      }
    }
    return all
  }
}
