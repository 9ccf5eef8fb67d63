internal import LinearAlgebra
internal import Parallelism

extension Variable where Scalar: RowScalar {
  /// A dense layer in one pass: the sum of linear maps, and ReLU.
  ///
  ///     y = max(0, b + Σ x · wᵀ);  ∂ = ∂y where y > 0,  ∂x = ∂ · w,  ∂w = ∂ᵀ · x,  ∂b = Σ rows of ∂
  ///
  /// The same function as ``linear(_:bias:)``, `+` and ``rectified(leak:)`` one after the other; each of
  /// them would write and read all rows once more.
  ///
  /// - Parameters:
  ///   - terms: At least one; all x have as many rows. Shapes `[rows × in]`, `[out × in]`.
  ///   - bias: Shape `[1 × out]`.
  /// - Returns: Shape `[rows × out]`.
  /// - Complexity: 2 · rows · in · out flops for each term; as many again for each gradient.
  public static func rectifiedSum(
    _ terms: [(x: Variable, weight: Variable)], bias: Variable
  ) -> Variable {
    let (tape, workers) = (bias.tape, bias.workers)
    let values = terms.map { (x: $0.x.value, weight: $0.weight.value) }
    let y = Scalar.affine(values, bias: bias.value, isRectified: true, using: workers)
    return tape.record(y, from: terms.map(\.x) + terms.map(\.weight) + [bias]) {
      gradient, wants in
      let (passed, sums) = Scalar.rectifiedGradient(gradient, of: y, using: workers)
      return values.indices.map { term in
        wants[term] ? Scalar.product(passed, values[term].weight, using: workers) : nil
      }
        + values.indices.map { term in
          wants[values.count + term]
            ? Scalar.transposedProduct(passed, values[term].x, using: workers) : nil
        } + [sums]
    }
  }
}
