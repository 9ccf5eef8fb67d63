public import Datasets
internal import LinearAlgebra
internal import SimilarityStructure

/// The input family of a model file.
public enum ModelInput: String, Sendable {
  /// The paper's: the rows of the embedding themselves.
  case coordinates
  /// ``StructureNetwork``.
  case structure

  /// The family that the file's metadata give under `input`. A file without it is a model of
  /// coordinates, like those of the authors' code.
  ///
  /// - Throws: ``ModelError`` for another word, for another file of this program's, or for a model of
  ///   structure whose metadata were lost.
  public init(_ file: TensorFile) throws {
    if let format = file.metadata["format"] {
      if format.hasPrefix("highland graph classifier") {
        throw ModelError(
          path: file.path,
          reason:
            "a classifier of whole graphs, which does not cluster; highland graphs evaluate and "
            + "predict take it as --model")
      }
      if format.hasPrefix("highland checkpoint") {
        throw ModelError(
          path: file.path,
          reason:
            "a checkpoint, from which the same highland train resumes; the model is what it writes "
            + "as --output")
      }
    }
    guard let word = file.metadata["input"] else {
      if file.names.contains("node.hidden.weight"), file.names.contains("edge.output.weight") {
        throw ModelError(
          path: file.path,
          reason: "a model of structure by its tensors, but it has lost its metadata ("
            + (file.metadata.isEmpty ? "there are none" : "there is no 'input'")
            + "): they say what it is, and its k, context, tau and features; keep them when a model "
            + "is saved again")
      }
      self = .coordinates
      return
    }
    guard let input = ModelInput(rawValue: word) else {
      throw ModelError(
        path: file.path,
        reason: "its input is '\(word)'; expected 'coordinates' or 'structure'")
    }
    self = input
  }
}

extension StructureNetwork {
  /// Reads a network of structure.
  ///
  /// - Throws: ``ModelError`` naming the tensor or the metadata that is missing or not as expected.
  public init(_ file: TensorFile) throws {
    guard try ModelInput(file) == .structure else {
      throw ModelError(path: file.path, reason: "not a model of structure: no 'input' says so")
    }
    let settings = try Settings(file)
    let reader = StructureReader(file: file)
    try reader.checkNames("node_features", NodeFeature.allCases.map(\.name))
    try reader.checkNames("edge_features", EdgeFeature.allCases.map(\.name))
    let nodeScale = try reader.scale("node.scale", StructureFeatures.nodeWidth)
    let edgeScale = try reader.scale("edge.scale", StructureFeatures.edgeWidth)
    let h = try file.shape(of: "node.output.weight").first ?? 0
    guard h > 0 else {
      throw ModelError(path: file.path, reason: "tensor 'node.output.weight' has no rows")
    }
    self.init(
      nodeScale: nodeScale, edgeScale: edgeScale,
      nodeHidden: try reader.map("node.hidden", h, 2 * nodeScale.count),
      nodeOutput: try reader.map("node.output", h, h),
      edgeFirst: try reader.map("edge.first", h, 2 * h + edgeScale.count),
      edgeSecond: try reader.map("edge.second", h, h),
      edgeThird: try reader.map("edge.third", h, h),
      output: try reader.map("edge.output", 1, h), settings: settings)
  }

  /// The tensors of this network's file; its metadata are ``metadata``.
  public var tensors: [Tensor] {
    func map(_ name: String, _ map: LinearMap) -> [Tensor] {
      [
        Tensor(name: "\(name).weight", map.weight),
        Tensor(name: "\(name).bias", shape: [map.outputWidth], elements: map.bias),
      ]
    }
    func scale(_ name: String, _ scale: FeatureScale) -> [Tensor] {
      [
        Tensor(name: "\(name).mean", shape: [scale.count], elements: scale.mean),
        Tensor(name: "\(name).deviation", shape: [scale.count], elements: scale.deviation),
      ]
    }
    return scale("node.scale", nodeScale) + scale("edge.scale", edgeScale)
      + map("node.hidden", nodeHidden) + map("node.output", nodeOutput)
      + map("edge.first", edgeFirst) + map("edge.second", edgeSecond)
      + map("edge.third", edgeThird) + map("edge.output", output)
  }

  /// The metadata of this network's file.
  public var metadata: [String: String] {
    var metadata = [
      "input": ModelInput.structure.rawValue,
      "k": "\(settings.neighborCount)",
      "context": "\(settings.contextLength)",
      "tau": "\(settings.threshold)",
      "tau_later": "\(settings.laterThreshold)",
      "node_features": NodeFeature.allCases.map(\.name).joined(separator: " "),
      "edge_features": EdgeFeature.allCases.map(\.name).joined(separator: " "),
    ]
    if let resolution = settings.resolution { metadata["resolution"] = "\(resolution)" }
    if settings.mergesFewNodes { metadata["few_nodes"] = "merged" }
    if settings.fewestPoints > 1 { metadata["fewest_points"] = "\(settings.fewestPoints)" }
    return metadata
  }
}

extension StructureNetwork.Settings {
  /// - Throws: ``ModelError`` for metadata that are missing or out of range.
  fileprivate init(_ file: TensorFile) throws {
    func number<T: LosslessStringConvertible>(
      _ name: String, _ expected: String, where isValid: (T) -> Bool
    ) throws -> T {
      guard let text = file.metadata[name], let value = T(text), isValid(value) else {
        throw ModelError(
          path: file.path,
          reason: "its metadata say '\(file.metadata[name] ?? "nothing")' of '\(name)'; "
            + "expected \(expected)")
      }
      return value
    }
    let k: Int = try number("k", "2 ... 1000") { (2...1000).contains($0) }
    self.init(
      neighborCount: k,
      contextLength: try number("context", "\(k - 1) ... 1000") { (k - 1...1000).contains($0) },
      threshold: try number("tau", "0 ... 1") { (0.0...1).contains($0) },
      laterThreshold: try number("tau_later", "0 ... 1") { (0.0...1).contains($0) },
      resolution: file.metadata["resolution"] == nil
        ? nil : try number("resolution", "more than 0, up to 1") { $0 > 0 && $0 <= 1 },
      mergesFewNodes: file.metadata["few_nodes"] == "merged",
      fewestPoints: file.metadata["fewest_points"] == nil
        ? 1 : try number("fewest_points", "1 ... 1000000") { (1...1_000_000).contains($0) })
  }
}

/// Takes tensors of known shapes out of a file.
private struct StructureReader {
  let file: TensorFile

  /// A network judges by the features that it was trained with, in their order.
  func checkNames(_ key: String, _ expected: [String]) throws {
    let found = file.metadata[key].map { $0.split(separator: " ").map(String.init) } ?? []
    guard found != expected else { return }
    let missing = found.first { !expected.contains($0) }.map { "'\($0)', which is unknown here" }
    let absent = expected.first { !found.contains($0) }.map { "no '\($0)'" }
    throw ModelError(
      path: file.path,
      reason: "its \(key) are not this version's: it has "
        + (missing ?? absent ?? "them in another order"))
  }

  func scale(_ name: String, _ count: Int) throws -> FeatureScale {
    let deviation = try values("\(name).deviation", [count])
    if let least = deviation.min(), least < 0 {
      throw ModelError(
        path: file.path, reason: "tensor '\(name).deviation' holds \(least); expected 0 or more")
    }
    return FeatureScale(mean: try values("\(name).mean", [count]), deviation: deviation)
  }

  func map(_ name: String, _ outputs: Int, _ inputs: Int) throws -> LinearMap {
    LinearMap(
      weight: Matrix(
        rows: outputs, columns: inputs,
        elements: try values("\(name).weight", [outputs, inputs])),
      bias: try values("\(name).bias", [outputs]))
  }

  private func values(_ name: String, _ expected: [Int]) throws -> [Float] {
    let shape = try file.shape(of: name)
    guard shape == expected else {
      throw ModelError(
        path: file.path, reason: "tensor '\(name)' has shape \(shape), expected \(expected)")
    }
    let values = try file.tensor(name).elements
    guard values.allSatisfy(\.isFinite) else {
      throw ModelError(path: file.path, reason: "tensor '\(name)' holds NaN or infinite values")
    }
    return values
  }
}
