internal import Communication
internal import LinearAlgebra
internal import Parallelism

extension Variable where Scalar: RowScalar {
  /// s + (1 + ε) x with a learned ε, s being this value.
  ///
  ///     ∂s = ∂y,  ∂x = (1 + ε) ∂y,  ∂ε = Σ x · ∂y
  ///
  /// **The gradient of ε is that of all ranks' rows**, with the same bits on any number of ranks: see
  /// ``RowParts``.
  ///
  /// > Collective: the gradient, as ``PartSums/totals(over:on:)`` of one sum. The rows themselves send nothing.
  ///
  /// - Parameters:
  ///   - excess: ε. Shape `[1 × 1]`.
  ///   - parts: Of the rows.
  public func adding(_ x: Variable, timesOnePlus excess: Variable, parts: RowParts) -> Variable {
    precondition(excess.value.count == 1, "ε of \(excess.value.count) numbers")
    let (workers, values, wantsX) = (workers, x.value, tape.isDifferentiable(x))
    let multiple = Multiple(factor: 1 + excess.value[0, 0])
    let y = value.zip(values.map(using: workers, multiple), using: workers, Sum())
    return tape.recordCollective(y, from: [self, x, excess]) {
      (gradient: inout DenseMatrix<Scalar>, communicator: any Communicator) in
      let own = gradient
      let sums = PartSums<Scalar>(parts: parts.blocks) { [values.dot(own, $0)] }
      let total = try sums.totals(over: parts, on: communicator)
      return [
        own, wantsX ? own.map(using: workers, multiple) : nil,
        DenseMatrix(rows: 1, columns: 1, elements: [Scalar(total[0])]),
      ]
    }
  }
}
