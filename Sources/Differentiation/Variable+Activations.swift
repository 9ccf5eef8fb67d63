public import LinearAlgebra
internal import Parallelism

extension Variable {
  /// x where it is positive, `leak` · x elsewhere: ReLU, and LeakyReLU.
  ///
  ///     ∂x = ∂y · (x > 0 ? 1 : leak)
  @specialized(where Scalar == Float)
  public func rectified(leak: Scalar = 0) -> Variable {
    let (x, workers) = (value, workers)
    return tape.record(x.map(using: workers) { $0 > 0 ? $0 : leak * $0 }, from: [self]) {
      gradient, _ in
      [gradient.zip(x, using: workers) { g, x in x > 0 ? g : leak * g }]
    }
  }

  /// PReLU: a slope per channel for what is not positive.      [He et al. 2015, arXiv:1502.01852]
  ///
  ///     ∂x = ∂y · (x > 0 ? 1 : a),  ∂a = Σ over x ≤ 0 of x · ∂y
  ///
  /// - Parameter slopes: Shape `[1 × columns]`.
  @specialized(where Scalar == Float)
  public func rectified(slopes: Variable) -> Variable {
    let (x, a, workers) = (value, slopes.value, workers)
    let y = x.zipRow(a, using: workers) { x, a in x > 0 ? x : a * x }
    return tape.record(y, from: [self, slopes]) { gradient, wants in
      [
        wants[0] ? gradient.throughSlopes(of: x, a, using: workers) : nil,
        wants[1] ? gradient.slopeGradient(of: x, using: workers) : nil,
      ]
    }
  }

  /// x ∘ m for a constant m: dropout, with m of zeros and of 1 / (1 − p).   ∂x = ∂y ∘ m
  ///
  /// - Parameter mask: Of the same shape.
  @specialized(where Scalar == Float)
  public func masked(by mask: DenseMatrix<Scalar>) -> Variable {
    let workers = workers
    return tape.record(value.zip(mask, using: workers) { $0 * $1 }, from: [self]) { gradient, _ in
      [gradient.zip(mask, using: workers) { $0 * $1 }]
    }
  }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// ∂x of PReLU, from ∂y.
  @inline(__always)
  fileprivate func throughSlopes(of x: Self, _ slopes: Self, using workers: Workers) -> Self {
    let factors = x.zipRow(slopes, using: workers) { x, a in x > 0 ? 1 : a }
    return zip(factors, using: workers) { $0 * $1 }
  }

  /// ∂a of PReLU, from ∂y.
  @inline(__always)
  fileprivate func slopeGradient(of x: Self, using workers: Workers) -> Self {
    unsafe x.withUnsafeBufferPointer { x in
      let x = unsafe Shared(x)
      return columnSums(using: workers) { gradient, place in
        let x = unsafe x.all[place]
        return x > 0 ? 0 : gradient * x
      }
    }
  }
}
