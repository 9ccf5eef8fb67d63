public import Datasets
public import Differentiation
public import GraphNetworks
internal import LinearAlgebra
public import Optimization
internal import RandomNumbers

/// The sizes of a LANDER network that is to be trained.
public struct LanderShape: Equatable, Sendable {
  /// D of the embeddings.
  public let dimensions: Int
  /// H: outputs of the first layers.
  public let hidden: Int
  /// L: 1 ... 4.
  public let layerCount: Int
  /// Attention heads of every layer; nil for mean layers.
  public let headCount: Int?
  /// Whether the input is [f, g].
  public let usesAverageFeature: Bool

  public init(
    dimensions: Int, hidden: Int, layerCount: Int = 1, headCount: Int? = nil,
    usesAverageFeature: Bool = true
  ) {
    precondition(dimensions > 0 && hidden > 1, "\(dimensions) dimensions, \(hidden) hidden")
    precondition((1...4).contains(layerCount), "\(layerCount) layers")
    precondition(headCount ?? 1 > 0, "\(headCount ?? 0) heads")
    self.dimensions = dimensions
    self.hidden = hidden
    self.layerCount = layerCount
    self.headCount = headCount
    self.usesAverageFeature = usesAverageFeature
  }

  /// Columns of the network's input.
  public var inputWidth: Int { (usesAverageFeature ? 2 : 1) * dimensions }

  /// Inputs and outputs of every layer: (in, H), (H, H), (H, H/2), (H/2, H/2), from the left.
  public var layerWidths: [(inputs: Int, outputs: Int)] {
    let half = hidden / 2
    return Array(
      [(inputWidth, hidden), (hidden, hidden), (hidden, half), (half, half)].prefix(layerCount))
  }

  /// Channels of the decoder.
  public var decoderWidth: Int { hidden / 2 }

  /// Random parameters, in the names of the authors' checkpoints.
  ///
  /// Linear maps uniform in ±1/√inputs; attention normal of variance 2 · 2 / (inputs + outputs)
  /// (Glorot's, with the gain of ReLU), its biases 0; slopes 0.25.      [the defaults of PyTorch and DGL]
  public func initialParameters(seed: UInt64) -> Parameters<Float> {
    var maker = ParameterMaker(seed: seed)
    for (index, width) in layerWidths.enumerated() {
      let prefix = "conv.\(index).gcn_layer"
      guard let heads = headCount else {
        maker.linear("\(prefix).mlp", outputs: width.outputs, inputs: 2 * width.inputs)
        continue
      }
      let all = heads * width.outputs
      maker.normal(
        "\(prefix).fc.weight", shape: [all, width.inputs], rows: all, fan: width.inputs + all)
      for name in ["attn_l", "attn_r"] {
        maker.normal(
          "\(prefix).\(name)", shape: [1, heads, width.outputs], rows: 1,
          fan: heads * width.outputs + width.outputs)
      }
      maker.constant("\(prefix).bias", shape: [all], 0)
      maker.constant("conv.\(index).bias", shape: [heads, width.outputs], 0)
    }
    let (hidden, half) = (layerWidths[layerCount - 1].outputs, decoderWidth)
    maker.linear("src_mlp", outputs: half, inputs: hidden)
    maker.linear("dst_mlp", outputs: half, inputs: hidden)
    maker.constant("classifier_conn.0.weight", shape: [half], 0.25)
    maker.linear("classifier_conn.1", outputs: half, inputs: half)
    maker.constant("classifier_conn.2.weight", shape: [half], 0.25)
    maker.linear("classifier_conn.3", outputs: 2, inputs: half)
    return Parameters(maker.parameters)
  }

  /// The network that inference runs.
  public func network(_ parameters: Parameters<Float>) throws -> Lander {
    try Lander(
      TensorList(parameters.tensors, name: "the network in training"), dimensions: dimensions)
  }
}

extension Parameters<Float> {
  /// The parameters of a file, in the order and layout of others.
  ///
  /// - Parameter prefix: What the names in the file have before them.
  /// - Throws: ``DataError`` that names the tensor that is missing or of another shape.
  public init(
    _ file: some NamedTensors, prefix: String = "", like template: Parameters<Float>
  ) throws {
    self.init(
      try template.all.map { parameter in
        let tensor = try file.tensor(prefix + parameter.name)
        guard tensor.shape == parameter.shape else {
          throw DataError(
            path: file.path,
            problem:
              "tensor '\(tensor.name)' has shape \(tensor.shape), expected \(parameter.shape)")
        }
        return Parameter(
          name: parameter.name, shape: parameter.shape,
          value: Matrix(
            rows: parameter.value.rowCount, columns: parameter.value.columnCount,
            elements: tensor.elements))
      })
  }

  /// As files hold them.
  public var tensors: [Tensor] {
    all.map { Tensor(name: $0.name, shape: $0.shape, elements: $0.value.elements) }
  }
}

/// Makes parameters one after the other, each with random numbers of its own.
private struct ParameterMaker {
  let seed: UInt64
  var parameters: [Parameter<Float>] = []

  init(seed: UInt64) { self.seed = seed }

  mutating func linear(_ name: String, outputs: Int, inputs: Int) {
    let bound = 1 / Double(inputs).squareRoot()
    append("\(name).weight", [outputs, inputs], rows: outputs) {
      Float((2 * $0.uniform() - 1) * bound)
    }
    append("\(name).bias", [outputs], rows: 1) { Float((2 * $0.uniform() - 1) * bound) }
  }

  mutating func normal(_ name: String, shape: [Int], rows: Int, fan: Int) {
    let deviation = (2 * 2 / Double(fan)).squareRoot()
    append(name, shape, rows: rows) { Float($0.normal() * deviation) }
  }

  mutating func constant(_ name: String, shape: [Int], _ value: Float) {
    append(name, shape, rows: 1) { _ in value }
  }

  private mutating func append(
    _ name: String, _ shape: [Int], rows: Int, _ value: (inout RandomStream) -> Float
  ) {
    var stream = RandomStream(
      seed: seed, purpose: RandomPurpose.initial.rawValue, index: parameters.count)
    let count = shape.reduce(1, *)
    parameters.append(
      Parameter(
        name: name, shape: shape,
        value: Matrix(
          rows: rows, columns: count / rows, elements: (0..<count).map { _ in value(&stream) })))
  }
}
