public import Differentiation
public import GraphCollections
public import LinearAlgebra

/// How much a step's batch holds over all ranks: what means divide by. Replicated.
public struct BatchTotals: Equatable, Sendable {
  public var graphCount: Int
  public var nodeCount: Int
  /// Elements of the graphs' adjacency matrices: Σ n².
  public var squaredNodeCount: Int

  public init(graphCount: Int, nodeCount: Int, squaredNodeCount: Int) {
    self.graphCount = graphCount
    self.nodeCount = nodeCount
    self.squaredNodeCount = squaredNodeCount
  }

  /// Of some graphs of a collection.
  public init(_ graphs: [Int], of collection: GraphCollection) {
    let sizes = graphs.map { collection.nodes(of: $0).count }
    self.init(
      graphCount: graphs.count, nodeCount: sizes.reduce(0, +),
      squaredNodeCount: sizes.reduce(0) { $0 + $1 * $1 })
  }
}

/// A rank's graphs of a batch, as a network takes them.
public struct GraphInput<Scalar: PoolingScalar>: Sendable {
  /// The nodes of each graph.
  public let blocks: RowBlocks
  /// Shape `[nodeCount × width]`.
  public let features: DenseMatrix<Scalar>
  /// Neighbours; symmetric.
  public let adjacency: SparsePattern
  /// The class of each graph; −1 where unknown.
  public let classes: [Int32]
  /// Replicated.
  public let totals: BatchTotals
  /// Runs of graphs; sums over rows run part by part.
  public let parts: RowParts

  /// - Parameters:
  ///   - totals: Of all ranks' graphs; nil if these are all.
  ///   - parts: Of the graphs; nil for one part.
  public init(_ batch: GraphBatch, totals: BatchTotals? = nil, parts: RowParts? = nil) {
    self.parts = parts ?? RowParts(RowBlocks(offsets: [0, batch.graphCount]))
    precondition(
      self.parts.blocks.rowCount == batch.graphCount,
      "parts of \(self.parts.blocks.rowCount) graphs of \(batch.graphCount)")
    blocks = RowBlocks(offsets: batch.nodeOffsets)
    features =
      (batch.features as? DenseMatrix<Scalar>)
      ?? DenseMatrix(
        rows: batch.features.rowCount, columns: batch.features.columnCount,
        elements: batch.features.elements.map { Scalar($0) })
    adjacency = SparsePattern(
      rowOffsets: batch.rowOffsets, columns: batch.columns, columnCount: batch.nodeCount)
    classes = batch.classes.map { Int32($0) }
    self.totals =
      totals
      ?? BatchTotals(
        graphCount: batch.graphCount, nodeCount: batch.nodeCount,
        squaredNodeCount: (0..<batch.graphCount).reduce(0) {
          $0 + batch.nodes(of: $1).count * batch.nodes(of: $1).count
        })
  }

  public var graphCount: Int { blocks.count }

  /// 1 / degree for each neighbour of a node, which makes the mean of neighbours; and the same for
  /// each entry of the transpose: 1 / degree of the neighbour.
  @specialized(where Scalar == Float)
  public func meanWeights() -> (weights: [Scalar], transposed: [Scalar]) {
    let factors = factors { 1 / Scalar(max($0, 1)) }
    var weights = Array(repeating: Scalar(0), count: adjacency.entryCount)
    var transposed = weights
    // Indexed loops, here and below: appending costs several times as much.
    for row in 0..<adjacency.rowCount {
      for entry in adjacency.rowOffsets[row]..<adjacency.rowOffsets[row + 1] {
        weights[entry] = factors[row]
        transposed[entry] = factors[Int(adjacency.columns[entry])]
      }
    }
    return (weights, transposed)
  }

  /// D^(−1/2) (A + I) D^(−1/2), D the degrees of A + I.   [Kipf and Welling 2017, arXiv:1609.02907]
  ///
  /// Symmetric. A row begins with the node itself.
  @specialized(where Scalar == Float)
  public func normalizedGraph(parts: RowParts) -> PartedGraph<Scalar> {
    let factors = factors { 1 / Scalar($0 + 1).squareRoot() }
    var offsets = Array(repeating: 0, count: adjacency.rowCount + 1)
    var columns = Array(repeating: Int32(0), count: adjacency.entryCount + adjacency.rowCount)
    var weights = Array(repeating: Scalar(0), count: columns.count)
    var place = 0
    for row in 0..<adjacency.rowCount {
      columns[place] = Int32(row)
      weights[place] = factors[row] * factors[row]
      place += 1
      for entry in adjacency.rowOffsets[row]..<adjacency.rowOffsets[row + 1] {
        let column = adjacency.columns[entry]
        columns[place] = column
        weights[place] = factors[row] * factors[Int(column)]
        place += 1
      }
      offsets[row + 1] = place
    }
    return PartedGraph(
      SparsePattern(rowOffsets: offsets, columns: columns, columnCount: adjacency.rowCount),
      weights: weights, parts: parts)
  }

  /// A function of every node's degree.
  @inline(__always)
  private func factors(_ function: (Int) -> Scalar) -> [Scalar] {
    var factors: [Scalar] = []
    factors.reserveCapacity(adjacency.rowCount)
    for row in 0..<adjacency.rowCount {
      factors.append(function(adjacency.rowOffsets[row + 1] - adjacency.rowOffsets[row]))
    }
    return factors
  }
}
