public import Communication
internal import LinearAlgebra
internal import Parallelism

extension Variable where Scalar: RowScalar {
  /// Batch normalisation over the rows of all ranks.      [Ioffe and Szegedy 2015, arXiv:1502.03167]
  ///
  ///     x̂ = (x − μ) / √(σ² + ε),  y = γ x̂ + β
  ///     ∂γ = Σ x̂ ∂y,  ∂β = Σ ∂y,  ∂x = γ / √(σ² + ε) · (∂y − (∂β + x̂ ∂γ) / rows)
  ///
  /// with all ranks' ∂β and ∂γ in ∂x, and a rank's own as its parts of the gradients. On one rank the
  /// same function as ``batchNormalized(scale:shift:epsilon:)``. Ranks' means and squares are put
  /// together in double precision, in rank order [Chan, Golub and LeVeque 1983].
  ///
  /// > Collective: over `communicator`. One round of 16 bytes per column and rank, and in the gradient
  /// > another.
  ///
  /// - Parameters:
  ///   - scale: γ. Shape `[1 × columns]`.
  ///   - shift: β. Shape `[1 × columns]`.
  /// - Returns: The rows, and mean and variance over all ranks' rows.
  public func batchNormalized(
    scale: Variable, shift: Variable, epsilon: Scalar = 1e-5, on communicator: some Communicator
  ) throws -> (rows: Variable, statistics: BatchStatistics<Scalar>) {
    let workers = workers
    let statistics = try sharedStatistics(
      own: Scalar.moments(value, using: workers), rowCount: rowCount, on: communicator)
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
      (gradient: DenseMatrix<Scalar>, communicator: any Communicator) in
      // Σ ∂y, and Σ x̂ ∂y.
      var own = Scalar.normalizationSums(gradient, x, mean: mean, using: workers)
      for column in 0..<width { own[1, column] *= inverse[0, column] }
      let all = try communicator.sums(own.elements.map { Double($0) })
      // γ f (∂y − s₀ − x̂ s₁) as a ∂y + b x + c.
      var coefficients = DenseMatrix<Scalar>(rows: 3, columns: width)
      for column in 0..<width {
        let slope = product[0, column]
        let linear = -slope * inverse[0, column] * Scalar(all[width + column] / count)
        coefficients[0, column] = slope
        coefficients[1, column] = linear
        coefficients[2, column] = -slope * Scalar(all[column] / count) - linear * mean[0, column]
      }
      let part = Scalar.normalizationGradient(
        gradient, x, coefficients: coefficients, using: workers)
      return [part, own.copy(ofRows: 1..<2), own.copy(ofRows: 0..<1)]
    }
    return (rows, statistics)
  }
}

/// Mean and variance of all ranks' rows, from each rank's mean and sum of squares round its mean.
///
/// > Collective: over `communicator`. One round.
private func sharedStatistics<Scalar: DifferentiableScalar>(
  own: DenseMatrix<Scalar>, rowCount: Int, on communicator: some Communicator
) throws -> BatchStatistics<Scalar> {
  let width = own.columnCount
  let all = try communicator.allGather(
    [Double(rowCount)] + own.elements.map { Double($0) })
  var count = 0.0
  var mean = Array(repeating: 0.0, count: width)
  var squares = mean
  for rank in communicator.ranks {
    let theirs = Array(all[rank])
    let n = theirs[0]
    guard n > 0 else { continue }
    for column in 0..<width {
      let distance = theirs[1 + column] - mean[column]
      squares[column] +=
        theirs[1 + width + column] + distance * distance * count * n / (count + n)
      mean[column] += distance * n / (count + n)
    }
    count += n
  }
  return BatchStatistics(
    mean: DenseMatrix(rows: 1, columns: width, elements: mean.map { Scalar($0) }),
    variance: DenseMatrix(
      rows: 1, columns: width, elements: squares.map { Scalar($0 / max(count, 1)) }),
    rowCount: Int(count))
}
