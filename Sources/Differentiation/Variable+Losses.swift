public import LinearAlgebra
internal import Parallelism

// Losses. Each is a sum of terms times a factor, so that ranks that hold shares of the terms pass
// 1 over the number of all terms and add up their losses.

extension Variable {
  /// Cross entropy of rows of logits: −scale · Σ over chosen rows of ln p at the row's class.
  ///
  ///     ln p = x − max − ln Σ exp(x − max);  ∂x = scale · (p − one-hot) in chosen rows, 0 elsewhere
  ///
  /// Computed through logarithms of sums, so that no probability rounds to 0 first.
  ///
  /// - Parameters:
  ///   - classes: The true class of every row; rows of −1 do not count.
  ///   - scale: 1 over the number of rows that count, of all ranks, for the mean.
  /// - Returns: Shape `[1 × 1]`.
  @specialized(where Scalar == Float)
  public func crossEntropy(of classes: [Int32], scale: Scalar) -> Variable {
    classLoss(of: classes, scale: scale) { logarithm in (-logarithm, -1) }
  }

  /// The focal loss: −scale · Σ (1 − q)ᵞ ln q with q the probability of the true class.
  /// [Lin et al. 2017, arXiv:1708.02002; α = 1]
  ///
  ///     d/d(ln q) = −(1 − q)ᵞ + γ (1 − q)ᵞ⁻¹ q ln q,  ∂x = that · scale · (one-hot − p)
  ///
  /// - Parameter focus: γ, a whole number; 2 by default, 0 for cross entropy.
  @specialized(where Scalar == Float)
  public func focalLoss(of classes: [Int32], focus: Int = 2, scale: Scalar) -> Variable {
    precondition(focus >= 0, "a focus of \(focus)")
    return classLoss(of: classes, scale: scale) { logarithm in
      let q = Scalar.exponential(logarithm)
      let rest = 1 - q
      let smaller = (0..<max(focus - 1, 0)).reduce(Scalar(1)) { power, _ in power * rest }
      let power = focus > 0 ? smaller * rest : 1
      return (-power * logarithm, -power + Scalar(focus) * smaller * q * logarithm)
    }
  }

  /// - Parameter term: The loss of a row and its derivative, by ln q of the true class.
  @inline(__always)
  private func classLoss(
    of classes: [Int32], scale: Scalar, _ term: (_ logarithm: Scalar) -> (Scalar, Scalar)
  ) -> Variable {
    precondition(classes.count == rowCount, "\(classes.count) classes for \(rowCount) rows")
    let width = columnCount
    var gradient = DenseMatrix<Scalar>(rows: rowCount, columns: width)
    var total = 0.0
    for row in 0..<rowCount where classes[row] >= 0 {
      let truth = Int(classes[row])
      precondition(truth < width, "class \(truth) of \(width)")
      let largest = (0..<width).reduce(-Scalar.infinity) { max($0, value[row, $1]) }
      let sum = (0..<width).reduce(Scalar(0)) {
        $0 + Scalar.exponential(value[row, $1] - largest)
      }
      let (loss, derivative) = term(value[row, truth] - largest - Scalar.logarithm(sum))
      total += Double(loss)
      for column in 0..<width {
        let p = Scalar.exponential(value[row, column] - largest) / sum
        gradient[row, column] = scale * derivative * ((column == truth ? 1 : 0) - p)
      }
    }
    let workers = workers
    let loss = DenseMatrix<Scalar>(rows: 1, columns: 1, elements: [Scalar(total) * scale])
    return tape.record(loss, from: [self]) { outer, _ in
      let factor = outer[0, 0]
      return [factor == 1 ? gradient : gradient.map(using: workers, Multiple(factor: factor))]
    }
  }

  /// scale · Σ (x − target)².   ∂x = 2 · scale · (x − target)
  ///
  /// The sum runs in double precision, in order.
  ///
  /// - Parameters:
  ///   - scale: 1 over the number of elements, of all ranks, for the mean.
  @specialized(where Scalar == Float)
  public func squaredError(from target: DenseMatrix<Scalar>, scale: Scalar) -> Variable {
    let workers = workers
    let difference = value.zip(target, using: workers, Difference())
    let total = difference.elements.reduce(0.0) { $0 + Double($1) * Double($1) }
    let loss = DenseMatrix(rows: 1, columns: 1, elements: [Scalar(total) * scale])
    return tape.record(loss, from: [self]) { outer, _ in
      let factor = 2 * scale * outer[0, 0]
      return [difference.map(using: workers, Multiple(factor: factor))]
    }
  }
}
