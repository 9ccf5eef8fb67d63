internal import Communication
internal import LinearAlgebra
internal import Parallelism

extension Variable where Scalar: PoolingScalar {
  /// A dense layer in one pass: the sum of linear maps, and where wanted ReLU.
  ///
  ///     y = max(0, b + Σ x · wᵀ);  ∂ = ∂y where y > 0,  ∂x = ∂ · w,  ∂w = ∂ᵀ · x,  ∂b = Σ rows of ∂
  ///
  /// The same function as ``linear(_:bias:)``, `+` and ``rectified(leak:)`` one after the other; each of
  /// them would write and read all rows once more.
  ///
  /// **The gradients of weights and bias are those of all ranks' rows**, not a rank's part of them, and
  /// have the same bits on any number of ranks: see ``RowParts``.
  ///
  /// > Collective: the gradient, as ``PartSums/totals(over:on:)``. The layer itself sends nothing.
  ///
  /// - Parameters:
  ///   - terms: At least one; all x have as many rows. Shapes `[rows × in]`, `[out × in]`.
  ///   - bias: Shape `[1 × out]`.
  ///   - parts: Of the rows.
  /// - Returns: Shape `[rows × out]`.
  /// - Complexity: 2 · rows · in · out flops for each term; as many again for each gradient.
  public static func affine(
    _ terms: [(x: Variable, weight: Variable)], bias: Variable, isRectified: Bool,
    parts: RowParts
  ) -> Variable {
    let (tape, workers) = (bias.tape, bias.workers)
    let values = terms.map { (x: $0.x.value, weight: $0.weight.value) }
    let wants = terms.map { tape.isDifferentiable($0.x) }
    let biasValue = bias.value
    let y = Scalar.affine(values, bias: biasValue, isRectified: isRectified, using: workers)
    return tape.recordCollective(
      y, from: terms.map(\.x) + terms.map(\.weight) + [bias]
    ) { (gradient: inout DenseMatrix<Scalar>, communicator: any Communicator) in
      let part = Scalar.affineGradient(
        &gradient, of: isRectified ? y : nil, values, wants: wants, parts: parts.blocks,
        using: workers)
      let sums = try part.sums.totals(over: parts, on: communicator)
      var first = 0
      func next(_ shape: DenseMatrix<Scalar>) -> DenseMatrix<Scalar> {
        defer { first += shape.count }
        return DenseMatrix(
          rows: shape.rowCount, columns: shape.columnCount,
          rounding: sums[first..<first + shape.count])
      }
      return part.inputs + values.map { next($0.weight) } + [next(biasValue)]
    }
  }
}

extension DenseMatrix {
  /// Numbers of double precision, rounded.
  @specialized(where Scalar == Float)
  package init(rows: Int, columns: Int, rounding elements: ArraySlice<Double>) {
    precondition(
      elements.count == rows * columns, "\(elements.count) elements for [\(rows) × \(columns)]")
    self.init(uninitializedRows: rows, columns: columns)
    unsafe elements.withUnsafeBufferPointer { elements in
      unsafe withUnsafeMutableBufferPointer {
        for place in elements.indices { unsafe $0[place] = Scalar(elements[place]) }
      }
    }
  }
}
