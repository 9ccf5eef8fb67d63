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

  /// The mean of every block of rows; 0 of an empty one.
  ///
  ///     y_g = Σ x / n_g;  ∂x = ∂y_g / n_g
  ///
  /// - Returns: Shape `[blocks × columns]`.
  @specialized(where Scalar == Float)
  public func means(of blocks: RowBlocks) -> Variable {
    precondition(blocks.rowCount == rowCount, "blocks of \(blocks.rowCount) rows of \(rowCount)")
    let width = columnCount
    var y = DenseMatrix<Scalar>(rows: blocks.count, columns: width)
    unsafe value.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        for block in 0..<blocks.count {
          let factor = 1 / Scalar(max(blocks[block].count, 1))
          for row in blocks[block] {
            for column in 0..<width {
              unsafe y[block * width + column] += x[row * width + column]
            }
          }
          for column in 0..<width { unsafe y[block * width + column] *= factor }
        }
      }
    }
    return tape.record(y, from: [self]) { gradient, _ in
      [gradient.spread(over: blocks)]
    }
  }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// Row g divided by the number of rows of block g, in each of them.
  @specialized(where Scalar == Float)
  fileprivate func spread(over blocks: RowBlocks) -> Self {
    let width = columnCount
    var x = Self(uninitializedRows: blocks.rowCount, columns: width)
    unsafe withUnsafeBufferPointer { g in
      unsafe x.withUnsafeMutableBufferPointer { x in
        for block in 0..<blocks.count {
          let factor = 1 / Scalar(Swift.max(blocks[block].count, 1))
          for row in blocks[block] {
            for column in 0..<width {
              unsafe x[row * width + column] = factor * g[block * width + column]
            }
          }
        }
      }
    }
    return x
  }
}
