public import LinearAlgebra
internal import Parallelism

// Products with the adjacency of undirected graphs: a pattern that is its own transpose.

extension Variable {
  /// The weighted sums over neighbours in an undirected graph.
  ///
  ///     yᵢ = Σ over entries e of row i of wₑ · x at column(e);  ∂x = the same of ∂y with the weights of
  ///     the transpose
  ///
  /// As ``weightedSums(_:over:)``, without making the transpose.
  ///
  /// - Parameters:
  ///   - weights: One per entry; nil for ones.
  ///   - transposed: The weight of the entry (j, i) for every entry (i, j); nil if weights are
  ///     symmetric.
  ///   - pattern: Symmetric: where it has (i, j), it has (j, i).
  /// - Complexity: 2 · entries · columns flops.
  public func neighborSums(
    _ weights: [Scalar]?, transposed: [Scalar]? = nil, over pattern: SparsePattern
  ) -> Variable {
    precondition(pattern.rowCount == pattern.columnCount, "a pattern that is not square")
    let workers = workers
    let backward = transposed ?? weights
    return tape.record(
      Scalar.weightedSums(weights, of: value, over: pattern, using: workers), from: [self]
    ) { gradient, _ in
      [Scalar.weightedSums(backward, of: gradient, over: pattern, using: workers)]
    }
  }
}

extension Variable where Scalar: RowScalar {
  /// The mean of every block of rows; 0 of an empty one.
  ///
  ///     y_g = Σ x / n_g;  ∂x = ∂y_g / n_g
  ///
  /// - Returns: Shape `[blocks × columns]`.
  public func means(of blocks: RowBlocks) -> Variable {
    precondition(blocks.rowCount == rowCount, "blocks of \(blocks.rowCount) rows of \(rowCount)")
    let workers = workers
    return tape.record(Scalar.means(value, of: blocks, using: workers), from: [self]) {
      gradient, _ in [Scalar.spread(gradient, over: blocks, using: workers)]
    }
  }
}
