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
  ///
  /// - Parameter startsFromDistance: Whether ``startFromDistance(_:seed:)`` follows, where it can.
  public func initialParameters(seed: UInt64, startsFromDistance: Bool = false) -> Parameters<Float>
  {
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
    var parameters = Parameters(maker.parameters)
    if startsFromDistance, canStartFromDistance { startFromDistance(&parameters, seed: seed) }
    return parameters
  }

  /// Whether the encoder is one mean layer.
  public var canStartFromDistance: Bool { headCount == nil && layerCount == 1 }

  /// Initialises a network whose linkage falls with the distance between an edge's ends.
  ///
  /// Hidden channels are ReLU(±P f) with random directions P, the decoder's inputs their differences
  /// P (fⱼ − fᵢ), slopes of −1 turn these into absolute values, and the logit is 2 (1 − their sum / its
  /// value at a distance of 0.8). Weights for neighbours' means and average features are a tenth of their
  /// usual size. A network with random weights memorises its training points before it finds that
  /// distance matters.
  private func startFromDistance(_ parameters: inout Parameters<Float>, seed: UInt64) {
    let (half, channels) = (decoderWidth, hidden / 2)
    func change(_ name: String, _ body: (inout Matrix) -> Void) {
      for index in parameters.all.indices where parameters.all[index].name == name {
        body(&parameters.all[index].value)
      }
    }
    var stream = RandomStream(
      seed: seed, purpose: RandomPurpose.initial.rawValue, index: 1 << 20)
    let scale = 1 / Double(dimensions).squareRoot()
    change("conv.0.gcn_layer.mlp.weight") { weight in
      for row in 0..<weight.rowCount {
        for column in 0..<weight.columnCount { weight[row, column] *= 0.1 }
      }
      for row in 0..<channels {
        for column in 0..<dimensions {
          let value = Float(stream.normal() * scale)
          weight[row, column] = value
          weight[channels + row, column] = -value
        }
      }
    }
    for name in ["conv.0.gcn_layer.mlp.bias", "src_mlp.bias", "dst_mlp.bias"] {
      change(name) { bias in for column in 0..<bias.columnCount { bias[0, column] = 0 } }
    }
    for (name, sign) in [("src_mlp.weight", Float(1)), ("dst_mlp.weight", -1)] {
      change(name) { weight in
        for row in 0..<half {
          for column in 0..<hidden {
            weight[row, column] = column == row ? sign : column == channels + row ? -sign : 0
          }
        }
      }
    }
    change("classifier_conn.0.weight") { slopes in
      for column in 0..<half { slopes[0, column] = -1 }
    }
    // The mean of |P (fⱼ − fᵢ)| is √(2/π) |fⱼ − fᵢ| / √D.
    let typical = Double(half) * 0.8 * 0.8 * scale
    change("classifier_conn.1.weight") { weight in
      for column in 0..<half { weight[0, column] = Float(-1 / typical) }
    }
    change("classifier_conn.1.bias") { $0[0, 0] = 1 }
    change("classifier_conn.2.weight") { $0[0, 0] = 1 }
    change("classifier_conn.3.weight") { weight in
      for row in 0..<2 {
        for column in 0..<half { weight[row, column] *= 0.1 }
        weight[row, 0] = row == 0 ? -1 : 1
      }
    }
    change("classifier_conn.3.bias") { bias in for column in 0..<2 { bias[0, column] = 0 } }
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
  /// - Parameter prefix: The prefix of the names in the file.
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

/// Makes parameters one after the other, each with its own random numbers.
struct ParameterMaker {
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
