public import LinearAlgebra

/// A layer's input for the nodes: column blocks side by side, each a matrix of its own.
///
///     xᵢ = [fᵢ , gᵢ]
///
/// Two blocks may be the same matrix, as identity and average feature are at level 0; it is then
/// held, summed over neighbours and sent once.
public struct NodeInput: Sendable {
  /// Owned. The distinct matrices, one row per owned node.
  public private(set) var sources: [Matrix]
  /// Replicated. Which source each column block shows.
  public let blocks: [Int]

  /// - Parameters:
  ///   - identity: Owned. f, unit rows. Shape `[ownedCount × D]`.
  ///   - average: Owned. g, or nil if it equals f. Shape `[ownedCount × D]`.
  ///   - usesAverage: Whether the network takes g at all.
  public init(identity: consuming Matrix, average: consuming Matrix?, usesAverage: Bool) {
    if !usesAverage {
      sources = [identity]
      blocks = [0]
    } else if let average {
      sources = [identity, average]
      blocks = [0, 1]
    } else {
      sources = [identity]
      blocks = [0, 0]
    }
  }

  /// The output of the layer before.
  public init(hidden: consuming Matrix) {
    sources = [hidden]
    blocks = [0]
  }

  public var ownedCount: Int { sources[0].rowCount }

  /// The columns of all blocks.
  public var width: Int { blocks.reduce(0) { $0 + sources[$1].columnCount } }

  /// Where each block starts in a weight matrix over all columns.
  var blockColumns: [Range<Int>] {
    var first = 0
    return blocks.map { block in
      defer { first += sources[block].columnCount }
      return first..<first + sources[block].columnCount
    }
  }
}
