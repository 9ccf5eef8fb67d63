internal import Communication
public import LinearAlgebra
public import Parallelism

/// An undirected graph with symmetric weights, whose parts are not joined to each other: what a layer may
/// go through part by part.
public struct PartedGraph<Scalar: DifferentiableScalar>: Sendable {
  public let pattern: SparsePattern
  /// One per entry.
  public let weights: [Scalar]
  /// Of the nodes.
  public let parts: RowParts

  /// - Parameters:
  ///   - pattern: Symmetric; that is not checked.
  ///   - weights: Symmetric; that is not checked.
  /// - Precondition: No entry joins nodes of different parts.
  @specialized(where Scalar == Float)
  public init(_ pattern: SparsePattern, weights: [Scalar], parts: RowParts) {
    let blocks = parts.blocks
    precondition(
      pattern.rowCount == pattern.columnCount && blocks.rowCount == pattern.rowCount
        && weights.count == pattern.entryCount,
      "[\(pattern.rowCount) × \(pattern.columnCount)] with \(weights.count) weights of "
        + "\(pattern.entryCount) in parts of \(blocks.rowCount) rows")
    for part in 0..<blocks.count {
      let rows = blocks[part]
      let (first, end) = (Int32(rows.lowerBound), Int32(rows.upperBound))
      var isInside = true
      for entry in pattern.rowOffsets[rows.lowerBound]..<pattern.rowOffsets[rows.upperBound] {
        let column = pattern.columns[entry]
        isInside = isInside && column >= first && column < end
      }
      precondition(isInside, "an edge that leaves part \(part)")
    }
    self.pattern = pattern
    self.weights = weights
    self.parts = parts
  }
}

extension Variable where Scalar: RowScalar {
  /// A graph convolution, with ReLU where wanted.      [Kipf and Welling 2017, arXiv:1609.02907]
  ///
  ///     s = A x,  y = max(0, s Wᵀ + b);  ∂ = ∂y where y > 0,  ∂x = A ∂ W,  ∂W = ∂ᵀ s,  ∂b = Σ rows of ∂
  ///
  /// The same function as ``neighborSums(_:transposed:over:)`` and ``affine(_:bias:isRectified:parts:)`` one
  /// after the other, in passes of rows that stay in the cache; of the gradient each part is done at
  /// once, and its result takes the place of what came in.
  ///
  /// > Collective: as ``affine(_:bias:isRectified:parts:)``, whose gradients of weight and bias are those of
  /// > all ranks' rows, too.
  ///
  /// - Parameters:
  ///   - graph: A.
  ///   - weight: W. Shape `[out × in]`.
  ///   - bias: Shape `[1 × out]`.
  /// - Returns: Shape `[rows × out]`.
  /// - Complexity: 2 · entries · in + 2 · rows · in · out flops; in the gradient twice as many.
  public func convolved(
    over graph: PartedGraph<Scalar>, weight: Variable, bias: Variable, isRectified: Bool
  ) -> Variable {
    let (w, b, workers) = (weight.value, bias.value, workers)
    let wantsInput = tape.isDifferentiable(self)
    let (sums, y) = Scalar.convolution(
      value, over: graph, weight: w, bias: b, isRectified: isRectified, using: workers)
    return tape.recordCollective(y, from: [self, weight, bias]) {
      (gradient: inout DenseMatrix<Scalar>, communicator: any Communicator) in
      let part = Scalar.convolutionGradient(
        &gradient, of: isRectified ? y : nil, sums: sums, over: graph, weight: w,
        wantsInput: wantsInput, using: workers)
      let all = try part.sums.totals(over: graph.parts, on: communicator)
      return [
        part.inputs[0],
        DenseMatrix(rows: w.rowCount, columns: w.columnCount, rounding: all[..<w.count]),
        DenseMatrix(rows: 1, columns: b.count, rounding: all[w.count...]),
      ]
    }
  }
}

// The plain loops: `Double`'s, and the twins of the kernels.
extension RowScalar {
  package static func plainConvolution(
    _ x: DenseMatrix<Self>, over graph: PartedGraph<Self>, weight: DenseMatrix<Self>,
    bias: DenseMatrix<Self>, isRectified: Bool
  ) -> (sums: DenseMatrix<Self>, result: DenseMatrix<Self>) {
    let sums = plainWeightedSums(graph.weights, of: x, over: graph.pattern)
    return (sums, plainAffine([(sums, weight)], bias: bias, isRectified: isRectified))
  }

  package static func plainConvolutionGradient(
    _ gradient: inout DenseMatrix<Self>, of y: DenseMatrix<Self>?, sums: DenseMatrix<Self>,
    over graph: PartedGraph<Self>, weight: DenseMatrix<Self>, wantsInput: Bool
  ) -> AffineGradient<Self> {
    var part = plainAffineGradient(
      &gradient, of: y, [(sums, weight)], wants: [wantsInput], parts: graph.parts.blocks)
    part.inputs = part.inputs.map {
      $0.map { plainWeightedSums(graph.weights, of: $0, over: graph.pattern) }
    }
    return part
  }
}

extension Double {
  public static func convolution(
    _ x: DenseMatrix<Double>, over graph: PartedGraph<Double>, weight: DenseMatrix<Double>,
    bias: DenseMatrix<Double>, isRectified: Bool, using workers: Workers
  ) -> (sums: DenseMatrix<Double>, result: DenseMatrix<Double>) {
    plainConvolution(x, over: graph, weight: weight, bias: bias, isRectified: isRectified)
  }

  public static func convolutionGradient(
    _ gradient: inout DenseMatrix<Double>, of y: DenseMatrix<Double>?,
    sums: DenseMatrix<Double>, over graph: PartedGraph<Double>, weight: DenseMatrix<Double>,
    wantsInput: Bool, using workers: Workers
  ) -> AffineGradient<Double> {
    plainConvolutionGradient(
      &gradient, of: y, sums: sums, over: graph, weight: weight, wantsInput: wantsInput)
  }
}
