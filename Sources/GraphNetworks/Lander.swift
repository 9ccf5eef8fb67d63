public import Datasets
internal import LinearAlgebra

/// The network of Hi-LANDER: an encoder of graph convolutions and a decoder of linkages.
///
/// Xing et al., "Learning Hierarchical Graph Neural Networks for Image Clustering", ICCV 2021,
/// arXiv:2107.01319.
public struct Lander: Sendable {
  public let layers: [ConvolutionLayer]
  public let decoder: LinkageDecoder
  /// Whether the input is [f, g], the average feature beside the node's own.
  public let usesAverageFeature: Bool
  /// D, the dimension of the embeddings it clusters.
  public let dimensions: Int

  public init(
    layers: [ConvolutionLayer], decoder: LinkageDecoder, usesAverageFeature: Bool, dimensions: Int
  ) {
    precondition(!layers.isEmpty, "an encoder of no layers")
    precondition(
      layers[0].inputWidth == (usesAverageFeature ? 2 : 1) * dimensions,
      "\(layers[0].inputWidth) inputs for \(dimensions) dimensions")
    self.layers = layers
    self.decoder = decoder
    self.usesAverageFeature = usesAverageFeature
    self.dimensions = dimensions
  }
}

/// The architecture of a network, read from the tensors of a model file.
public struct LanderArchitecture: Equatable, Sendable {
  /// Attention heads of every layer; nil for mean layers.
  public let headCount: Int?
  public let layerCount: Int
  /// Inputs of the first layer: D, or 2D with the average feature.
  public let inputWidth: Int
  /// Outputs of the first layer.
  public let hidden: Int
  /// Whether the average feature is used, if the metadata says so.
  public let usesAverageFeature: Bool?

  /// - Throws: ``ModelError`` if the file holds no LANDER network.
  public init(_ file: some NamedTensors) throws {
    func has(_ name: String) -> Bool { file.names.contains(name) }
    var count = 0
    while has("conv.\(count).gcn_layer.mlp.weight") || has("conv.\(count).gcn_layer.fc.weight") {
      count += 1
    }
    guard count > 0 else {
      throw ModelError(
        path: file.path,
        reason: "no tensor 'conv.0.gcn_layer.mlp.weight' (mean layer) or "
          + "'conv.0.gcn_layer.fc.weight' (attention layer): not a LANDER model")
    }
    layerCount = count
    if has("conv.0.gcn_layer.mlp.weight") {
      let shape = try file.shape(of: "conv.0.gcn_layer.mlp.weight")
      guard shape.count == 2, shape[1].isMultiple(of: 2) else {
        throw ModelError(
          path: file.path,
          reason: "tensor 'conv.0.gcn_layer.mlp.weight' of shape \(shape), expected [out, 2 · in]")
      }
      headCount = nil
      inputWidth = shape[1] / 2
      hidden = shape[0]
    } else {
      let shape = try file.shape(of: "conv.0.gcn_layer.fc.weight")
      let attention = try file.shape(of: "conv.0.gcn_layer.attn_l")
      guard shape.count == 2, attention.count == 3, attention[1] > 0,
        shape[0] == attention[1] * attention[2]
      else {
        throw ModelError(
          path: file.path,
          reason: "tensors 'conv.0.gcn_layer.fc.weight' of shape \(shape) and "
            + "'conv.0.gcn_layer.attn_l' of shape \(attention), "
            + "expected [heads · out, in] and [1, heads, out]")
      }
      headCount = attention[1]
      inputWidth = shape[1]
      hidden = attention[2]
    }
    usesAverageFeature = try file.metadata["use_cluster_feat"].map { word in
      switch word.lowercased() {
      case "true", "1", "yes": true
      case "false", "0", "no": false
      default:
        throw ModelError(
          path: file.path,
          reason: "its metadata say '\(word)' of 'use_cluster_feat'; expected true or false")
      }
    }
    try checkMetadata(of: file)
  }
}

extension LanderArchitecture {
  /// Finds out whether the metadata that describe the network describe this one.
  private func checkMetadata(of file: some NamedTensors) throws {
    func check(_ key: String, _ expected: [String], _ found: String) throws {
      guard let text = file.metadata[key], !expected.contains(text) else { return }
      throw ModelError(
        path: file.path,
        reason:
          "its metadata say '\(text)' of '\(key)'; expected \(expected.last!), as its tensors have "
          + found)
    }
    let (kind, heads) = (headCount == nil ? "mean" : "attention", headCount ?? 1)
    try check("network", [kind], "layers of that kind")
    try check("layers", ["\(layerCount)"], "that many layers")
    try check("heads", ["\(heads)"], "that many heads")
    try check("hidden", ["\(hidden)"], "that many channels")
    switch usesAverageFeature {
    case true?: try check("dimensions", ["\(inputWidth / 2)"], "twice as many inputs")
    case false?: try check("dimensions", ["\(inputWidth)"], "that many inputs")
    case nil:
      try check(
        "dimensions", ["\(inputWidth / 2)", "\(inputWidth)"],
        "that many inputs, or averages beside "
          + "half of them")
    }
  }
}

extension Lander {
  /// Reads a network in the tensor names of the authors' checkpoints.
  ///
  /// Whether the average feature is used follows from the width of the first layer: D or 2D.
  ///
  /// - Parameter dimensions: D of the embeddings to cluster.
  /// - Throws: ``ModelError`` naming the tensor that is missing or of another shape, or the two
  ///   dimensions that do not fit.
  public init(_ file: some NamedTensors, dimensions: Int) throws {
    let architecture = try LanderArchitecture(file)
    let width = architecture.inputWidth
    let usesAverage = architecture.usesAverageFeature ?? (width == 2 * dimensions)
    guard width == (usesAverage ? 2 : 1) * dimensions else {
      let fits =
        switch architecture.usesAverageFeature {
        case true?: "\(width / 2) dimensions and their averages"
        case false?: "\(width) dimensions"
        case nil: "\(width) dimensions, or \(width / 2) and their averages"
        }
      throw ModelError(
        path: file.path,
        reason: "takes \(fits), but the features have \(dimensions) dimensions")
    }
    let reader = ParameterReader(file: file)
    var layers: [ConvolutionLayer] = []
    var layerInput = width
    for index in 0..<architecture.layerCount {
      layers.append(try reader.layer(index, inputs: layerInput, heads: architecture.headCount))
      layerInput = layers[index].outputWidth
    }
    self.init(
      layers: layers, decoder: try reader.decoder(hidden: layerInput),
      usesAverageFeature: usesAverage, dimensions: dimensions)
  }
}

/// Takes tensors of known shapes out of a file.
private struct ParameterReader<File: NamedTensors> {
  let file: File

  func layer(_ index: Int, inputs: Int, heads: Int?) throws -> ConvolutionLayer {
    let prefix = "conv.\(index).gcn_layer"
    guard let heads else {
      let weight = try matrix("\(prefix).mlp.weight", [nil, 2 * inputs])
      return .mean(
        MeanLayer(
          selfWeight: weight.slice(columns: 0..<inputs),
          neighborWeight: weight.slice(columns: inputs..<2 * inputs),
          bias: try vector("\(prefix).mlp.bias", count: weight.rowCount)))
    }
    let weight = try matrix("\(prefix).fc.weight", [nil, inputs])
    guard weight.rowCount.isMultiple(of: heads) else {
      throw ModelError(
        path: file.path,
        reason: "tensor '\(prefix).fc.weight' has \(weight.rowCount) rows, expected a multiple of "
          + "\(heads), the number of heads")
    }
    let outputs = weight.rowCount / heads
    func attention(_ name: String) throws -> Matrix {
      Matrix(
        rows: heads, columns: outputs,
        elements: try values("\(prefix).\(name)", [1, heads, outputs]))
    }
    let inner = try values("\(prefix).bias", [heads * outputs])
    let outer = try values("conv.\(index).bias", [heads, outputs])
    let bias = (0..<outputs).map { output in
      (0..<heads).reduce(Float(0)) { sum, head in
        sum + (inner[head * outputs + output] + outer[head * outputs + output]) / Float(heads)
      }
    }
    return .attention(
      AttentionLayer(
        headCount: heads, weight: weight, sourceAttention: try attention("attn_l"),
        destinationAttention: try attention("attn_r"), bias: bias))
  }

  func decoder(hidden: Int) throws -> LinkageDecoder {
    let source = try linear("src_mlp", inputs: hidden)
    let width = source.outputWidth
    return LinkageDecoder(
      source: source,
      destination: try linear("dst_mlp", outputs: width, inputs: hidden),
      firstSlope: try vector("classifier_conn.0.weight", count: width),
      middle: try linear("classifier_conn.1", outputs: width, inputs: width),
      secondSlope: try vector("classifier_conn.2.weight", count: width),
      output: try linear("classifier_conn.3", outputs: 2, inputs: width))
  }

  private func linear(_ name: String, outputs: Int? = nil, inputs: Int) throws -> LinearMap {
    let weight = try matrix("\(name).weight", [outputs, inputs])
    return LinearMap(
      weight: weight, bias: try vector("\(name).bias", count: weight.rowCount))
  }

  private func matrix(_ name: String, _ expected: [Int?]) throws -> Matrix {
    let shape = try file.shape(of: name)
    return Matrix(
      rows: shape.first ?? 0, columns: shape.count > 1 ? shape[1] : 1,
      elements: try values(name, expected))
  }

  private func vector(_ name: String, count: Int) throws -> [Float] {
    try values(name, [count])
  }

  /// - Parameter expected: The shape, with nil for any size.
  private func values(_ name: String, _ expected: [Int?]) throws -> [Float] {
    let shape = try file.shape(of: name)
    guard shape.count == expected.count,
      zip(shape, expected).allSatisfy({ $0 > 0 && ($1 == nil || $0 == $1) })
    else {
      let wanted = expected.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw ModelError(
        path: file.path,
        reason: "tensor '\(name)' has shape \(shape), expected [\(wanted)]")
    }
    let values = try file.tensor(name).elements
    guard values.allSatisfy(\.isFinite) else {
      throw ModelError(path: file.path, reason: "tensor '\(name)' holds NaN or infinite values")
    }
    return values
  }
}
