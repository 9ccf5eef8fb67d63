internal import LinearAlgebra
internal import Parallelism

// Products of the blocks of several graphs, each graph for itself.

extension Variable where Scalar: PoolingScalar {
  /// aᵀ · b of every block: what a soft assignment makes of rows.
  ///
  ///     C_g = A_gᵀ B_g;  ∂A_g = B_g ∂C_gᵀ,  ∂B_g = A_g ∂C_g
  ///
  /// - Parameter other: As many rows as this.
  /// - Returns: The blocks' products one below the other. Shape `[blocks · columns × other.columns]`.
  /// - Complexity: 2 · rows · columns · other.columns flops.
  public func transposedProduct(with other: Variable, blocks: RowBlocks) -> Variable {
    let (a, b, workers) = (value, other.value, workers)
    let c = Scalar.blockProducts(.transposed, a, b, blocks: blocks, using: workers)
    return tape.record(c, from: [self, other]) { gradient, wants in
      [
        wants[0]
          ? Scalar.blockProducts(
            .byRows(height: a.columnCount), b, gradient, blocks: blocks, using: workers) : nil,
        wants[1] ? Scalar.blockProducts(.plain, a, gradient, blocks: blocks, using: workers) : nil,
      ]
    }
  }

  /// a · b of every block.
  ///
  ///     C_g = A_g B_g;  ∂A_g = ∂C_g B_gᵀ,  ∂B_g = A_gᵀ ∂C_g
  ///
  /// - Parameter other: `columnCount` rows for each block, one block below the other.
  /// - Returns: Shape `[rowCount × other.columns]`.
  /// - Complexity: 2 · rows · columns · other.columns flops.
  public func times(_ other: Variable, blocks: RowBlocks) -> Variable {
    let (a, b, workers) = (value, other.value, workers)
    let c = Scalar.blockProducts(.plain, a, b, blocks: blocks, using: workers)
    return tape.record(c, from: [self, other]) { gradient, wants in
      [
        wants[0]
          ? Scalar.blockProducts(
            .byRows(height: a.columnCount), gradient, b, blocks: blocks, using: workers) : nil,
        wants[1]
          ? Scalar.blockProducts(.transposed, a, gradient, blocks: blocks, using: workers) : nil,
      ]
    }
  }

  /// Every row divided by the sum of a row of weights, or by 1 where that is less: the mean of
  /// neighbours, from their sum.
  ///
  ///     yᵢ = xᵢ / max(1, Σⱼ aᵢⱼ);  ∂x = ∂y / max(1, Σ a),  ∂aᵢⱼ = −⟨∂yᵢ, yᵢ⟩ / Σ a where Σ a > 1
  ///
  /// - Parameter weights: Shape `[rowCount × any]`.
  @specialized(where Scalar == Float)
  public func divided(bySumsOf weights: Variable) -> Variable {
    precondition(weights.rowCount == rowCount, "\(weights.rowCount) and \(rowCount) rows")
    let sums = (0..<rowCount).map { row in
      (0..<weights.columnCount).reduce(Scalar(0)) { $0 + weights.value[row, $1] }
    }
    var y = value
    for row in 0..<rowCount where sums[row] > 1 {
      for column in 0..<columnCount { y[row, column] /= sums[row] }
    }
    let quotient = y
    let width = weights.columnCount
    return tape.record(y, from: [self, weights]) { gradient, wants in
      var x = gradient
      var a = DenseMatrix<Scalar>(rows: gradient.rowCount, columns: width)
      for row in 0..<gradient.rowCount where sums[row] > 1 {
        var dot: Scalar = 0
        for column in 0..<gradient.columnCount {
          dot += gradient[row, column] * quotient[row, column]
          x[row, column] /= sums[row]
        }
        for column in 0..<width { a[row, column] = -dot / sums[row] }
      }
      return [wants[0] ? x : nil, wants[1] ? a : nil]
    }
  }
}
