internal import LinearAlgebra
internal import Parallelism

// Products and sums.

extension Variable {
  /// x · wᵀ + b, with w as files hold it.
  ///
  ///     ∂x = ∂y · w,  ∂w = ∂yᵀ · x,  ∂b = Σ rows of ∂y
  ///
  /// - Parameters:
  ///   - weight: Shape `[out × in]`.
  ///   - bias: Shape `[1 × out]`.
  ///   - isRectified: Whether ReLU follows, in the same pass over memory: ∂y = 0 where y is.
  /// - Returns: Shape `[rows × out]`.
  /// - Complexity: 2 · rows · in · out flops; as many again for each gradient.
  @specialized(where Scalar == Float)
  public func linear(
    _ weight: Variable, bias: Variable? = nil, isRectified: Bool = false
  ) -> Variable {
    let (x, w, workers) = (value, weight.value, workers)
    precondition(x.columnCount == w.columnCount, "\(x.columnCount) columns of \(w.columnCount)")
    var y = Scalar.product(x, byRowsOf: w, bias: bias?.value.elements, using: workers)
    if isRectified { y.update(using: workers, PositivePart()) }
    let result = y
    return tape.record(y, from: [self, weight] + (bias.map { [$0] } ?? [])) { gradient, wants in
      if isRectified { gradient.update(by: result, using: workers, WherePositive()) }
      return [
        wants[0] ? Scalar.product(gradient, w, using: workers) : nil,
        wants[1] ? Scalar.transposedProduct(gradient, x, using: workers) : nil,
      ] + (wants.count > 2 ? [wants[2] ? gradient.sumOfRows(using: workers) : nil] : [])
    }
  }

  /// x · y.
  ///
  ///     ∂x = ∂z · yᵀ,  ∂y = xᵀ · ∂z
  ///
  /// - Complexity: 2 · rows · inner · columns flops.
  public func times(_ other: Variable) -> Variable {
    let (x, y, workers) = (value, other.value, workers)
    precondition(x.columnCount == y.rowCount, "\(x.columnCount) columns by \(y.rowCount) rows")
    return tape.record(Scalar.product(x, y, using: workers), from: [self, other]) {
      gradient, wants in
      [
        wants[0] ? Scalar.product(gradient, byRowsOf: y, bias: nil, using: workers) : nil,
        wants[1] ? Scalar.transposedProduct(x, gradient, using: workers) : nil,
      ]
    }
  }

  /// x + y.   ∂x = ∂y = ∂z
  @specialized(where Scalar == Float)
  public static func + (x: Variable, y: Variable) -> Variable {
    x.tape.record(x.value.zip(y.value, using: x.workers, Sum()), from: [x, y]) {
      gradient, _ in [gradient, gradient]
    }
  }

  /// x − y.   ∂x = ∂z,  ∂y = −∂z
  @specialized(where Scalar == Float)
  public static func - (x: Variable, y: Variable) -> Variable {
    let workers = x.workers
    return x.tape.record(x.value.zip(y.value, using: workers, Difference()), from: [x, y]) {
      gradient, wants in [gradient, wants[1] ? gradient.map(using: workers, Negative()) : nil]
    }
  }

  /// x ∘ y, element by element.   ∂x = ∂z ∘ y,  ∂y = ∂z ∘ x
  @specialized(where Scalar == Float)
  public static func * (x: Variable, y: Variable) -> Variable {
    let (a, b, workers) = (x.value, y.value, x.workers)
    return x.tape.record(a.zip(b, using: workers, Product()), from: [x, y]) { gradient, wants in
      [
        wants[0] ? gradient.zip(b, using: workers, Product()) : nil,
        wants[1] ? gradient.zip(a, using: workers, Product()) : nil,
      ]
    }
  }

  /// c · x.   ∂x = c · ∂y
  @specialized(where Scalar == Float)
  public func scaled(by factor: Scalar) -> Variable {
    let workers = workers
    return tape.record(value.map(using: workers, Multiple(factor: factor)), from: [self]) {
      gradient, _ in
      [gradient.map(using: workers, Multiple(factor: factor))]
    }
  }

  /// x + b in every row.   ∂x = ∂y,  ∂b = Σ rows of ∂y
  ///
  /// - Parameter bias: Shape `[1 × columns]`.
  @specialized(where Scalar == Float)
  public func addingToRows(_ bias: Variable) -> Variable {
    let workers = workers
    return tape.record(
      value.zipRow(bias.value, using: workers, Sum()), from: [self, bias]
    ) { gradient, wants in
      [gradient, wants[1] ? gradient.sumOfRows(using: workers) : nil]
    }
  }

  /// The sum of all elements. Shape `[1 × 1]`.   ∂x = ∂y everywhere
  @specialized(where Scalar == Float)
  public func sum() -> Variable {
    let (workers, rows, columns) = (workers, rowCount, columnCount)
    let total = DenseMatrix(rows: 1, columns: 1, elements: [value.sum(using: workers)])
    return tape.record(total, from: [self]) { gradient, _ in
      let g = gradient[0, 0]
      return [
        DenseMatrix(
          rows: rows, columns: columns, elements: Array(repeating: g, count: rows * columns))
      ]
    }
  }
}
