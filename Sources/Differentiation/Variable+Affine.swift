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
  /// do not depend on the number of ranks as long as each holds whole parts: see ``RowScalar``.
  ///
  /// > Collective: the gradient, two rounds for each weight and two for the bias: about twice their size
  /// > in `Double` to and from every rank. The layer itself sends nothing.
  ///
  /// - Parameters:
  ///   - terms: At least one; all x have as many rows. Shapes `[rows × in]`, `[out × in]`.
  ///   - bias: Shape `[1 × out]`.
  ///   - parts: Of the rows.
  /// - Returns: Shape `[rows × out]`.
  /// - Complexity: 2 · rows · in · out flops for each term; as many again for each gradient.
  public static func affine(
    _ terms: [(x: Variable, weight: Variable)], bias: Variable, isRectified: Bool,
    parts: RowBlocks
  ) -> Variable {
    let (tape, workers) = (bias.tape, bias.workers)
    let values = terms.map { (x: $0.x.value, weight: $0.weight.value) }
    let wants = terms.map { tape.isDifferentiable($0.x) }
    let y = Scalar.affine(values, bias: bias.value, isRectified: isRectified, using: workers)
    return tape.recordCollective(
      y, from: terms.map(\.x) + terms.map(\.weight) + [bias]
    ) { (gradient: DenseMatrix<Scalar>, communicator: any Communicator) in
      let (passed, sums) =
        isRectified
        ? Scalar.rectifiedGradient(gradient, of: y, parts: parts, using: workers)
        : (gradient, Scalar.columnSums(gradient, parts: parts, using: workers))
      let inputs = values.indices.map { term in
        wants[term] ? Scalar.product(passed, values[term].weight, using: workers) : nil
      }
      let weights = try values.map { x, _ in
        try weightGradient(passed, x, parts: parts, using: workers, on: communicator)
      }
      let bias = DenseMatrix(
        rows: 1, columns: sums.count, elements: try communicator.sums(sums).map { Scalar($0) })
      return inputs + weights + [bias]
    }
  }
}

/// ∂ᵀ · x over all ranks' rows, part by part. Shape `[out × in]`.
///
/// > Collective: over `communicator`. Two rounds.
private func weightGradient<Scalar: PoolingScalar>(
  _ gradient: DenseMatrix<Scalar>, _ x: DenseMatrix<Scalar>, parts: RowBlocks,
  using workers: Workers, on communicator: some Communicator
) throws -> DenseMatrix<Scalar> {
  // The kernel makes products 64 columns wide: few of them are better rows than columns.
  let isTurned = x.columnCount < gradient.columnCount
  let (a, b) = isTurned ? (x, gradient) : (gradient, x)
  let stack = Scalar.blockProducts(.transposed, a, b, blocks: parts, using: workers)
  let sums = try communicator.sums(stack.sumsOfRows(times: a.columnCount))
  let product = DenseMatrix(
    rows: a.columnCount, columns: b.columnCount, elements: sums.map { Scalar($0) })
  return isTurned ? product.transposed() : product
}
