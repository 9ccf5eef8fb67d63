public import LinearAlgebra

/// A sparse pattern and its transpose, which the gradient of a product with it needs: made once for a
/// graph, used in every step.
public struct Adjacency: Equatable, Sendable {
  public let pattern: SparsePattern
  /// The transpose. Shape `[columnCount]` rows.
  public let transpose: SparsePattern
  /// The place in ``pattern`` of every entry of ``transpose``.
  public let transposeEntries: [Int32]
  /// Whether row i has the one entry i: selecting by it changes nothing.
  public let isIdentity: Bool

  /// - Complexity: O(rows + columns + entries).
  public init(_ pattern: SparsePattern) {
    self.pattern = pattern
    (transpose, transposeEntries) = pattern.transposed()
    isIdentity =
      pattern.rowCount == pattern.columnCount && pattern.entryCount == pattern.rowCount
      && pattern.columns.indices.allSatisfy { Int(pattern.columns[$0]) == $0 }
      && pattern.rowOffsets.indices.allSatisfy { pattern.rowOffsets[$0] == $0 }
  }

  /// Row i of a product with it is row `rows[i]` of the other matrix.
  public init(selecting rows: [Int32], of rowCount: Int) {
    self.init(SparsePattern(selecting: rows, of: rowCount))
  }

  /// Row i of a product with it is the sum of the rows of segment i.
  public init(segments offsets: [Int]) { self.init(SparsePattern(segments: offsets)) }

  public var rowCount: Int { pattern.rowCount }
  public var columnCount: Int { pattern.columnCount }
  public var entryCount: Int { pattern.entryCount }
}
