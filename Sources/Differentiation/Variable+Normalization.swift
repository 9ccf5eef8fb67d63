public import LinearAlgebra
internal import Parallelism

/// What batch normalisation saw: to normalise by when there is no batch.
public struct BatchStatistics<Scalar: DifferentiableScalar>: Sendable {
  /// Shape `[1 × columns]`.
  public var mean: DenseMatrix<Scalar>
  /// Over the number of rows; its unbiased estimate divides by one less. Shape `[1 × columns]`.
  public var variance: DenseMatrix<Scalar>
  public var rowCount: Int

  public init(mean: DenseMatrix<Scalar>, variance: DenseMatrix<Scalar>, rowCount: Int) {
    self.mean = mean
    self.variance = variance
    self.rowCount = rowCount
  }
}

extension Variable {
  /// Batch normalisation over all rows.      [Ioffe and Szegedy 2015, arXiv:1502.03167]
  ///
  ///     x̂ = (x − μ) / √(σ² + ε),  y = γ x̂ + β
  ///     ∂γ = Σ x̂ ∂y,  ∂β = Σ ∂y,  ∂x = γ / √(σ² + ε) · (∂y − (∂β + x̂ ∂γ) / rows)
  ///
  /// - Parameters:
  ///   - scale: γ. Shape `[1 × columns]`.
  ///   - shift: β. Shape `[1 × columns]`.
  /// - Returns: The rows, and mean and variance of the batch.
  public func batchNormalized(
    scale: Variable, shift: Variable, epsilon: Scalar = 1e-5
  ) -> (rows: Variable, statistics: BatchStatistics<Scalar>) {
    let statistics = value.batchStatistics(using: workers)
    let (normalized, factors) = value.normalized(by: statistics, epsilon, using: workers)
    let workers = workers
    let count = Scalar(max(rowCount, 1))
    let y = normalized.scaledRows(scale.value, plus: shift.value, using: workers)
    let gamma = scale.value
    let rows = tape.record(y, from: [self, scale, shift]) { gradient, wants in
      let shiftGradient = gradient.sumOfRows(using: workers)
      let scaleGradient = gradient.sumOfProducts(with: normalized, using: workers)
      guard wants[0] else { return [nil, scaleGradient, shiftGradient] }
      let x = gradient.throughNormalization(
        normalized, shiftGradient, scaleGradient, factors: factors, scale: gamma, count: count,
        using: workers)
      return [x, scaleGradient, shiftGradient]
    }
    return (rows, statistics)
  }

  /// (x − μ) / √(σ² + ε) · γ + β with constants μ and σ².   ∂x = γ / √(σ² + ε) ∂y
  public func normalized(
    by statistics: BatchStatistics<Scalar>, scale: Variable, shift: Variable,
    epsilon: Scalar = 1e-5
  ) -> Variable {
    let workers = workers
    let (normalized, factors) = value.normalized(by: statistics, epsilon, using: workers)
    let y = normalized.scaledRows(scale.value, plus: shift.value, using: workers)
    let product = factors.times(scale.value)
    return tape.record(y, from: [self, scale, shift]) { gradient, wants in
      [
        wants[0] ? gradient.scaledRows(product, plus: nil, using: workers) : nil,
        wants[1] ? gradient.sumOfProducts(with: normalized, using: workers) : nil,
        wants[2] ? gradient.sumOfRows(using: workers) : nil,
      ]
    }
  }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  @specialized(where Scalar == Float)
  fileprivate func batchStatistics(using workers: Workers) -> BatchStatistics<Scalar> {
    let count = Scalar(Swift.max(rowCount, 1))
    var mean = sumOfRows(using: workers)
    for column in 0..<columnCount { mean[0, column] /= count }
    let centered = zipRow(mean, using: workers, Difference())
    var variance = centered.sumOfProducts(with: centered, using: workers)
    for column in 0..<columnCount { variance[0, column] /= count }
    return BatchStatistics(mean: mean, variance: variance, rowCount: rowCount)
  }

  /// x̂, and 1 / √(σ² + ε).
  @specialized(where Scalar == Float)
  fileprivate func normalized(
    by statistics: BatchStatistics<Scalar>, _ epsilon: Scalar, using workers: Workers
  ) -> (Self, Self) {
    var factors = statistics.variance
    for column in 0..<columnCount {
      factors[0, column] = 1 / (factors[0, column] + epsilon).squareRoot()
    }
    let centered = zipRow(statistics.mean, using: workers, Difference())
    return (centered.zipRow(factors, using: workers, Product()), factors)
  }

  @specialized(where Scalar == Float)
  fileprivate func scaledRows(_ scale: Self, plus shift: Self?, using workers: Workers) -> Self {
    let scaled = zipRow(scale, using: workers, Product())
    return shift.map { scaled.zipRow($0, using: workers, Sum()) } ?? scaled
  }

  /// The products of the elements of two rows.
  fileprivate func times(_ other: Self) -> Self {
    var product = self
    for column in 0..<columnCount { product[0, column] *= other[0, column] }
    return product
  }

  /// Σ over rows of x ∘ y. Shape `[1 × columns]`.
  @specialized(where Scalar == Float)
  fileprivate func sumOfProducts(with other: Self, using workers: Workers) -> Self {
    unsafe other.withUnsafeBufferPointer { y in
      let y = unsafe Shared(y)
      return unsafe columnSums(using: workers) { row, elements, sums in
        let first = row * elements.count
        for column in elements.indices {
          unsafe sums[column] += elements[column] * y.all[first + column]
        }
      }
    }
  }

  @specialized(where Scalar == Float)
  fileprivate func throughNormalization(
    _ normalized: Self, _ shiftGradient: Self, _ scaleGradient: Self, factors: Self, scale: Self,
    count: Scalar, using workers: Workers
  ) -> Self {
    let slope = normalized.zipRow(scaleGradient, using: workers, ProductShare(count: count))
    let offset = zip(slope, using: workers, Difference())
    let centered = offset.zipRow(shiftGradient, using: workers, DifferenceFromShare(count: count))
    return centered.zipRow(factors.times(scale), using: workers, Product())
  }
}
