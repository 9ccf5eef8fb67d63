internal import CKernels
public import Differentiation
public import LinearAlgebra

/// How parameters follow their gradients.
public enum OptimizerRule: Equatable, Sendable {
  /// v ← μ v + g + λ θ,  θ ← θ − η v: the authors' choice, with μ = 0.9 and λ = 10⁻⁵.
  case sgd(momentum: Double = 0.9, weightDecay: Double = 1e-5)
  /// m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,
  /// θ ← (1 − η λ) θ − η m̂ / (√v̂ + ε), with m̂ and v̂ corrected for their start at 0.
  /// [Kingma and Ba 2015, arXiv:1412.6980; decay apart from the gradient: Loshchilov and Hutter 2019,
  /// arXiv:1711.05101]
  case adam(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0)

  /// How many matrices it remembers for each parameter.
  public var momentCount: Int {
    switch self {
    case .sgd: 1
    case .adam: 2
    }
  }
}

/// A rule and what it remembers of former steps. Replicated.
public struct Optimizer<Scalar: DifferentiableScalar>: Equatable, Sendable {
  public let rule: OptimizerRule
  /// Updates so far.
  public private(set) var stepCount: Int
  /// Running means, per parameter: v of SGD; m, then v of Adam.
  public private(set) var moments: [[DenseMatrix<Scalar>]]

  public init(_ rule: OptimizerRule, for parameters: Parameters<Scalar>) {
    self.rule = rule
    stepCount = 0
    moments = parameters.all.map { parameter in
      (0..<rule.momentCount).map { _ in
        DenseMatrix(rows: parameter.value.rowCount, columns: parameter.value.columnCount)
      }
    }
  }

  /// Goes on where another one stopped.
  ///
  /// - Precondition: The moments have the shapes of the parameters.
  public init(
    _ rule: OptimizerRule, for parameters: Parameters<Scalar>, stepCount: Int,
    moments: [[DenseMatrix<Scalar>]]
  ) {
    self.init(rule, for: parameters)
    precondition(
      zip(moments, self.moments).allSatisfy { given, expected in
        given.map(\.count) == expected.map(\.count)
      } && moments.count == self.moments.count, "moments of other parameters")
    self.stepCount = stepCount
    self.moments = moments
  }

  /// One step.
  ///
  /// - Parameters:
  ///   - gradients: In the order of the parameters.
  ///   - learningRate: η.
  public mutating func update(
    _ parameters: inout Parameters<Scalar>, by gradients: [DenseMatrix<Scalar>],
    learningRate: Double
  ) {
    precondition(gradients.count == parameters.all.count, "\(gradients.count) gradients")
    stepCount += 1
    let corrections =
      switch rule {
      case .sgd: (Scalar(1), Scalar(1))
      case .adam(let beta1, let beta2, _, _):
        (Scalar(1 - power(beta1, stepCount)), Scalar(1 - power(beta2, stepCount)))
      }
    for index in gradients.indices {
      switch rule {
      case .sgd(let momentum, let decay):
        parameters.all[index].value.followMomentum(
          gradients[index], &moments[index][0], Scalar(momentum), decay: Scalar(decay),
          rate: Scalar(learningRate))
      case .adam(let beta1, let beta2, let epsilon, let decay):
        parameters.all[index].value.followMoments(
          gradients[index], &moments[index], (Scalar(beta1), Scalar(beta2)),
          corrections: corrections, epsilon: Scalar(epsilon),
          decay: Scalar(1 - learningRate * decay),
          rate: Scalar(learningRate))
      }
    }
  }
}

/// By squaring: no library of mathematics, whose last bit may differ.
private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  @specialized(where Scalar == Float)
  fileprivate mutating func followMomentum(
    _ gradient: Self, _ velocity: inout Self, _ momentum: Scalar, decay: Scalar, rate: Scalar
  ) {
    precondition(gradient.count == count, "\(gradient.count) gradients of \(count) elements")
    unsafe withUnsafeMutableBufferPointer { value in
      unsafe velocity.withUnsafeMutableBufferPointer { velocity in
        unsafe gradient.withUnsafeBufferPointer { gradient in
          for place in value.indices {
            unsafe velocity[place] =
              momentum * velocity[place] + (gradient[place] + decay * value[place])
            unsafe value[place] -= rate * velocity[place]
          }
        }
      }
    }
  }

  @specialized(where Scalar == Float)
  fileprivate mutating func followMoments(
    _ gradient: Self, _ moments: inout [Self], _ betas: (Scalar, Scalar),
    corrections: (Scalar, Scalar), epsilon: Scalar, decay: Scalar, rate: Scalar
  ) {
    precondition(gradient.count == count, "\(gradient.count) gradients of \(count) elements")
    var (mean, square) = (moments[0], moments[1])
    moments = []
    defer { moments = [mean, square] }
    unsafe withUnsafeMutableBufferPointer { value in
      unsafe mean.withUnsafeMutableBufferPointer { mean in
        unsafe square.withUnsafeMutableBufferPointer { square in
          unsafe gradient.withUnsafeBufferPointer { gradient in
            if let step = highland_adam(betas, corrections, epsilon, decay, rate) {
              unsafe follow(step, gradient, value, mean, square)
              return
            }
            for place in value.indices {
              let g = unsafe gradient[place]
              unsafe mean[place] = betas.0 * mean[place] + (1 - betas.0) * g
              unsafe square[place] = betas.1 * square[place] + (1 - betas.1) * g * g
              let step = unsafe mean[place] / corrections.0
              let spread = unsafe (square[place] / corrections.1).squareRoot()
              unsafe value[place] = decay * value[place] - rate * step / (spread + epsilon)
            }
          }
        }
      }
    }
  }
}

extension highland_adam {
  /// Nil for another scalar than `Float`, which has the plain loop.
  fileprivate init?<Scalar: DifferentiableScalar>(
    _ betas: (Scalar, Scalar), _ corrections: (Scalar, Scalar), _ epsilon: Scalar, _ decay: Scalar,
    _ rate: Scalar
  ) {
    guard Scalar.self == Float.self else { return nil }
    self.init(
      beta1: Float(betas.0), beta2: Float(betas.1), correction1: Float(corrections.0),
      correction2: Float(corrections.1), epsilon: Float(epsilon), decay: Float(decay),
      rate: Float(rate))
  }
}

/// The kernel over `Float`, bit for bit the plain loop.
@unsafe private func follow<Scalar>(
  _ step: highland_adam, _ gradient: UnsafeBufferPointer<Scalar>,
  _ value: UnsafeMutableBufferPointer<Scalar>, _ mean: UnsafeMutableBufferPointer<Scalar>,
  _ square: UnsafeMutableBufferPointer<Scalar>
) {
  precondition(mean.count == value.count && square.count == value.count, "moments of others")
  func floats(_ elements: UnsafeMutableBufferPointer<Scalar>) -> UnsafeMutablePointer<Float> {
    unsafe UnsafeMutableRawPointer(elements.baseAddress!).assumingMemoryBound(to: Float.self)
  }
  unsafe highland_follow_moments(
    UnsafeRawPointer(gradient.baseAddress!).assumingMemoryBound(to: Float.self), value.count, step,
    floats(value), floats(mean), floats(square))
}

/// Scales gradients down to a norm, all by the same factor.
///
/// - Parameter norm: The largest that √(Σ g²) over all of them may be.
/// - Returns: Their norm as it was; not finite if one of them is not, and then they are left alone.
@specialized(where Scalar == Float)
@discardableResult
public func clip<Scalar: DifferentiableScalar>(
  _ gradients: inout [DenseMatrix<Scalar>], toNorm norm: Double
) -> Double {
  let length = gradients.reduce(0.0) { sum, gradient in
    gradient.elements.reduce(sum) { $0 + Double($1) * Double($1) }
  }.squareRoot()
  guard length > norm, length.isFinite else { return length }
  let factor = Scalar(norm / length)
  for index in gradients.indices {
    let gradient = gradients[index]
    gradients[index] = DenseMatrix(
      rows: gradient.rowCount, columns: gradient.columnCount,
      elements: gradient.elements.map { factor * $0 })
  }
  return length
}
