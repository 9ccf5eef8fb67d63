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
  /// Neighbours.
  public let adjacency: Adjacency
  /// 1 / degree for each neighbour of a node: their mean.
  public let meanWeights: [Scalar]
  /// The class of each graph; −1 where unknown.
  public let classes: [Int32]
  /// Replicated.
  public let totals: BatchTotals

  /// - Parameter totals: Of all ranks' graphs; nil if these are all.
  public init(_ batch: GraphBatch, totals: BatchTotals? = nil) {
    blocks = RowBlocks(offsets: batch.nodeOffsets)
    features =
      (batch.features as? DenseMatrix<Scalar>)
      ?? DenseMatrix(
        rows: batch.features.rowCount, columns: batch.features.columnCount,
        elements: batch.features.elements.map { Scalar($0) })
    adjacency = Adjacency(
      SparsePattern(
        rowOffsets: batch.rowOffsets, columns: batch.columns, columnCount: batch.nodeCount))
    meanWeights = (0..<batch.nodeCount).flatMap { node in
      repeatElement(1 / Scalar(max(batch.degree(node), 1)), count: batch.degree(node))
    }
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

  /// D^(−1/2) (A + I) D^(−1/2), D the degrees of A + I.   [Kipf and Welling 2017, arXiv:1609.02907]
  ///
  /// A row begins with the node itself.
  public func normalizedAdjacency() -> (adjacency: Adjacency, weights: [Scalar]) {
    let pattern = adjacency.pattern
    let factors = (0..<pattern.rowCount).map {
      1 / Scalar(pattern.entries(ofRow: $0).count + 1).squareRoot()
    }
    var columns: [Int32] = []
    var weights: [Scalar] = []
    columns.reserveCapacity(pattern.entryCount + pattern.rowCount)
    weights.reserveCapacity(pattern.entryCount + pattern.rowCount)
    for row in 0..<pattern.rowCount {
      columns.append(Int32(row))
      weights.append(factors[row] * factors[row])
      for entry in pattern.entries(ofRow: row) {
        columns.append(pattern.columns[entry])
        weights.append(factors[row] * factors[Int(pattern.columns[entry])])
      }
    }
    return (
      Adjacency(
        SparsePattern(
          rowOffsets: pattern.rowOffsets.enumerated().map { $0 + $1 }, columns: columns,
          columnCount: pattern.rowCount)), weights
    )
  }
}
