public import LinearAlgebra
internal import Parallelism

extension Variable {
  /// x where it is positive, `leak` · x elsewhere: ReLU, and LeakyReLU.
  ///
  ///     ∂x = ∂y · (x > 0 ? 1 : leak)
  @specialized(where Scalar == Float)
  public func rectified(leak: Scalar = 0) -> Variable {
    let (x, workers) = (value, workers)
    return tape.record(x.map(using: workers, Rectification(leak: leak)), from: [self]) {
      gradient, _ in
      gradient.update(by: x, using: workers, WherePositiveOrLess(leak: leak))
      return [gradient]
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
    let y = x.zipRow(a, using: workers, RectificationBySlope())
    return tape.record(y, from: [self, slopes]) { gradient, wants in
      let slopeGradient = gradient.passSlopes(of: x, a, using: workers)
      return [wants[0] ? gradient : nil, wants[1] ? slopeGradient : nil]
    }
  }

  /// x ∘ m for a constant m: dropout, with m of zeros and of 1 / (1 − p).   ∂x = ∂y ∘ m
  ///
  /// - Parameter mask: Of the same shape.
  @specialized(where Scalar == Float)
  public func masked(by mask: DenseMatrix<Scalar>) -> Variable {
    let workers = workers
    return tape.record(value.zip(mask, using: workers, Product()), from: [self]) { gradient, _ in
      gradient.update(by: mask, using: workers, Product())
      return [gradient]
    }
  }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// Turns ∂y of PReLU into ∂x; returns ∂a.
  @specialized(where Scalar == Float)
  fileprivate mutating func passSlopes(of x: Self, _ slopes: Self, using workers: Workers) -> Self {
    unsafe slopes.withUnsafeBufferPointer { slopes in
      unsafe x.withUnsafeBufferPointer { x in
        let (x, slopes) = unsafe (Shared(x), Shared(slopes))
        return unsafe updateRows(using: workers) { row, gradient, sums in
          let first = row * gradient.count
          for column in gradient.indices {
            let value = unsafe x.all[first + column]
            let outer = unsafe gradient[column]
            unsafe gradient[column] = value > 0 ? outer : slopes.all[column] * outer
            unsafe sums[column] += value > 0 ? 0 : value * outer
          }
        }
      }
    }
  }
}
