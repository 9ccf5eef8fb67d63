public import LinearAlgebra

/// One layer of the encoder: from the features of a node and of its neighbours to a hidden row.
public enum ConvolutionLayer: Sendable {
  case mean(MeanLayer)
  case attention(AttentionLayer)

  public var inputWidth: Int {
    switch self {
    case .mean(let layer): layer.selfWeight.columnCount
    case .attention(let layer): layer.weight.columnCount
    }
  }

  public var outputWidth: Int {
    switch self {
    case .mean(let layer): layer.selfWeight.rowCount
    case .attention(let layer): layer.outputWidth
    }
  }
}

/// The authors' default layer.
///
///     hᵢ = ReLU( W [xᵢ , Σⱼ wᵢⱼ xⱼ] + b ),  wᵢⱼ = aᵢⱼ / Σⱼ aᵢⱼ      [Xing et al. 2021; hilander]
public struct MeanLayer: Sendable {
  /// The half of W that sees the node. Shape `[out × in]`.
  public let selfWeight: Matrix
  /// The half of W that sees the neighbours. Shape `[out × in]`.
  public let neighborWeight: Matrix
  /// Shape `[out]`.
  public let bias: [Float]

  public init(selfWeight: Matrix, neighborWeight: Matrix, bias: [Float]) {
    precondition(
      selfWeight.rowCount == neighborWeight.rowCount
        && selfWeight.columnCount == neighborWeight.columnCount
        && bias.count == selfWeight.rowCount, "halves of one weight")
    self.selfWeight = selfWeight
    self.neighborWeight = neighborWeight
    self.bias = bias
  }
}

/// Graph attention with K heads, averaged.
///
///     zⱼ = W xⱼ,  eᵢⱼ = LeakyReLU₀.₂( aₗ · zⱼ + aᵣ · zᵢ ),  αᵢⱼ = softmaxⱼ eᵢⱼ   (per head)
///     hᵢ = ReLU( mean over heads of ( Σⱼ αᵢⱼ zⱼ + b ) )              [hilander; Veličković 2018]
///
/// The layer adds two biases; only their sum over heads matters.
public struct AttentionLayer: Sendable {
  public let headCount: Int
  /// W, head after head. Shape `[headCount · out × in]`.
  public let weight: Matrix
  /// aₗ, applied to the source. Shape `[headCount × out]`.
  public let sourceAttention: Matrix
  /// aᵣ, applied to the destination. Shape `[headCount × out]`.
  public let destinationAttention: Matrix
  /// The mean over heads of both biases. Shape `[out]`.
  public let bias: [Float]

  public init(
    headCount: Int, weight: Matrix, sourceAttention: Matrix, destinationAttention: Matrix,
    bias: [Float]
  ) {
    precondition(
      weight.rowCount == headCount * bias.count
        && [sourceAttention, destinationAttention].allSatisfy {
          $0.rowCount == headCount && $0.columnCount == bias.count
        }, "\(headCount) heads of \(bias.count) outputs")
    self.headCount = headCount
    self.weight = weight
    self.sourceAttention = sourceAttention
    self.destinationAttention = destinationAttention
    self.bias = bias
  }

  public var outputWidth: Int { bias.count }

  /// W of one head, its share of the mean. Shape `[out × in]`.
  func averagedWeight(ofHead head: Int) -> Matrix {
    weight.slice(rows: head * outputWidth..<(head + 1) * outputWidth)
      .slice(columns: 0..<weight.columnCount, times: 1 / Float(headCount))
  }

  /// The vectors that give aₗ · zⱼ and aᵣ · zⱼ straight from xⱼ: Wᵀ a, per head, sources first.
  /// Shape `[2 · headCount × in]`.
  var logitWeights: Matrix {
    var logits = Matrix(rows: 2 * headCount, columns: weight.columnCount)
    for (side, attention) in [sourceAttention, destinationAttention].enumerated() {
      for head in 0..<headCount {
        for column in 0..<weight.columnCount {
          var sum = 0.0
          for output in 0..<outputWidth {
            sum +=
              Double(attention[head, output])
              * Double(weight[head * outputWidth + output, column])
          }
          logits[side * headCount + head, column] = Float(sum)
        }
      }
    }
    return logits
  }
}
