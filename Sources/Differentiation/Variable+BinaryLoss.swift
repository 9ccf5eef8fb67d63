internal import LinearAlgebra
internal import Parallelism

extension Variable {
  /// Cross entropy of two classes from one logit each: −scale · Σ w ln σ(±z).
  ///
  ///     L = scale · Σ w (max(z, 0) − y z + ln(1 + e^−|z|)),   ∂z = scale · w (σ(z) − y)
  ///
  /// In this form no exponential overflows and no probability rounds to 0 first; the sum runs in double
  /// precision, in order.
  ///
  /// - Parameters:
  ///   - truths: y of every row.
  ///   - weights: w of every row.
  ///   - scale: 1 over the weights of the rows of all ranks, for the mean.
  /// - Returns: Shape `[1 × 1]`.
  @specialized(where Scalar == Float)
  public func binaryCrossEntropy(of truths: [Bool], weights: [Scalar], scale: Scalar) -> Variable {
    precondition(
      truths.count == rowCount && weights.count == rowCount && columnCount == 1,
      "\(truths.count) truths, \(weights.count) weights for [\(rowCount) × \(columnCount)]")
    var gradient = DenseMatrix<Scalar>(rows: rowCount, columns: 1)
    var total = 0.0
    for row in 0..<rowCount {
      let z = value[row, 0]
      let small = Scalar.exponential(-abs(z))
      total += Double(
        weights[row] * (max(z, 0) - (truths[row] ? z : 0) + Scalar.logarithm(1 + small)))
      let p = z >= 0 ? 1 / (1 + small) : small / (1 + small)
      gradient[row, 0] = scale * weights[row] * (p - (truths[row] ? 1 : 0))
    }
    let workers = workers
    let loss = DenseMatrix<Scalar>(rows: 1, columns: 1, elements: [Scalar(total) * scale])
    return tape.record(loss, from: [self]) { outer, _ in
      let factor = outer[0, 0]
      return [factor == 1 ? gradient : gradient.map(using: workers, Multiple(factor: factor))]
    }
  }
}
