internal import LinearAlgebra

/// From the hidden rows of an edge's two ends to the probability that they share a cluster.
///
///     q = V PReLU( S hⱼ + s + T hᵢ + t ) + v,   (z₀, z₁) = C PReLU(q) + c,   p = softmax(z)₁
///
/// The paper concatenates the two ends, the authors' code adds two linear maps: the same thing.
/// The maps are applied once per node, not once per edge.      [Xing et al. 2021; hilander]
public struct LinkageDecoder: Sendable {
  /// S, s: of the neighbour, the source of the edge. Shape `[h2 × hidden]`.
  public let source: LinearMap
  /// T, t: of the node whose list it is. Shape `[h2 × hidden]`.
  public let destination: LinearMap
  /// A slope per channel, before V. Shape `[h2]`.
  public let firstSlope: [Float]
  /// V, v. Shape `[h2 × h2]`.
  public let middle: LinearMap
  /// A slope per channel, after V. Shape `[h2]`.
  public let secondSlope: [Float]
  /// C, c. Shape `[2 × h2]`.
  public let output: LinearMap

  public init(
    source: LinearMap, destination: LinearMap, firstSlope: [Float], middle: LinearMap,
    secondSlope: [Float], output: LinearMap
  ) {
    self.source = source
    self.destination = destination
    self.firstSlope = firstSlope
    self.middle = middle
    self.secondSlope = secondSlope
    self.output = output
  }

  /// The channels of the hidden layers of the decoder.
  public var width: Int { middle.inputWidth }

  /// The row of C that gives z₁ − z₀, all that the softmax of two classes needs. Shape `[h2]`.
  var logitDifference: [Float] { zip(output.weight.row(1), output.weight.row(0)).map(-) }

  /// c₁ − c₀.
  var biasDifference: Float { output.bias[1] - output.bias[0] }
}
