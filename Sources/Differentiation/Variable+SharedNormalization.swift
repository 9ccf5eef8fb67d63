public import Communication
internal import LinearAlgebra
internal import Parallelism

extension Variable where Scalar: RowScalar {
  /// Batch normalisation over the rows of all ranks.      [Ioffe and Szegedy 2015, arXiv:1502.03167]
  ///
  ///     x̂ = (x − μ) / √(σ² + ε),  y = γ x̂ + β
  ///     ∂γ = Σ x̂ ∂y,  ∂β = Σ ∂y,  ∂x = γ / √(σ² + ε) · (∂y − (∂β + x̂ ∂γ) / rows)
  ///
  /// On one rank the same function as ``batchNormalized(scale:shift:epsilon:)``. **The gradients of γ
  /// and β are those of all ranks' rows**, not a rank's part of them, and like the statistics they have the
  /// same bits on any number of ranks: see ``RowParts``.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes, and twice ``PartSums/totals(over:on:)`` of a sum
  /// > per column; in the gradient once of two sums per column.
  ///
  /// - Parameters:
  ///   - scale: γ. Shape `[1 × columns]`.
  ///   - shift: β. Shape `[1 × columns]`.
  ///   - parts: Of the rows.
  /// - Returns: The rows, and mean and variance over all ranks' rows.
  public func batchNormalized(
    scale: Variable, shift: Variable, parts: RowParts, epsilon: Scalar = 1e-5,
    on communicator: some Communicator
  ) throws -> (rows: Variable, statistics: BatchStatistics<Scalar>) {
    let workers = workers
    let statistics = try sharedStatistics(
      of: value, parts: parts, using: workers, on: communicator)
    let width = columnCount
    var factors = statistics.variance
    for column in 0..<width {
      factors[0, column] = 1 / (factors[0, column] + epsilon).squareRoot()
    }
    let (x, gamma, mean) = (value, scale.value, statistics.mean)
    var slope = factors
    for column in 0..<width { slope[0, column] *= gamma[0, column] }
    let y = Scalar.normalize(x, mean: mean, slope: slope, shift: shift.value, using: workers)
    let (inverse, product) = (factors, slope)
    let count = Double(max(statistics.rowCount, 1))
    let rows = tape.recordCollective(y, from: [self, scale, shift]) {
      (gradient: inout DenseMatrix<Scalar>, communicator: any Communicator) in
      // Σ ∂y, and Σ x̂ ∂y.
      var all = try Scalar.normalizationSums(
        gradient, x, mean: mean, parts: parts.blocks, using: workers
      ).totals(over: parts, on: communicator)
      for column in 0..<width { all[width + column] *= Double(inverse[0, column]) }
      // γ f (∂y − s₀ − x̂ s₁) as a ∂y + b x + c.
      var coefficients = DenseMatrix<Scalar>(rows: 3, columns: width)
      for column in 0..<width {
        let slope = product[0, column]
        let linear = -slope * inverse[0, column] * Scalar(all[width + column] / count)
        coefficients[0, column] = slope
        coefficients[1, column] = linear
        coefficients[2, column] = -slope * Scalar(all[column] / count) - linear * mean[0, column]
      }
      Scalar.turnNormalizationGradient(
        &gradient, x, coefficients: coefficients, using: workers)
      func row(_ sums: ArraySlice<Double>) -> DenseMatrix<Scalar> {
        DenseMatrix(rows: 1, columns: width, elements: sums.map { Scalar($0) })
      }
      return [gradient, row(all[width...]), row(all[..<width])]
    }
    return (rows, statistics)
  }
}

/// Mean and variance of all ranks' rows.
///
/// > Collective: over `communicator`. One round, and twice ``PartSums/totals(over:on:)``.
private func sharedStatistics<Scalar: RowScalar>(
  of x: DenseMatrix<Scalar>, parts: RowParts, using workers: Workers,
  on communicator: some Communicator
) throws -> BatchStatistics<Scalar> {
  let rowCount = try communicator.sum(x.rowCount)
  let count = Double(max(rowCount, 1))
  func mean(_ sums: PartSums<Scalar>) throws -> DenseMatrix<Scalar> {
    DenseMatrix(
      rows: 1, columns: x.columnCount,
      elements: try sums.totals(over: parts, on: communicator).map { Scalar($0 / count) })
  }
  let center = try mean(Scalar.columnSums(x, parts: parts.blocks, using: workers))
  let variance = try mean(Scalar.squares(x, mean: center, parts: parts.blocks, using: workers))
  return BatchStatistics(mean: center, variance: variance, rowCount: rowCount)
}
