import Datasets
import Foundation
import GraphNetworks
import Testing

/// The tensors of a model file by name: shape and elements.
private typealias Tensors = [String: (shape: [Int], elements: [Float])]

/// Elements 0, 1/8, 2/8, …
private func counting(_ shape: [Int]) -> (shape: [Int], elements: [Float]) {
  (shape, (0..<shape.reduce(1, *)).map { Float($0) / 8 })
}

private func decoderTensors(hidden: Int) -> Tensors {
  let shapes: [String: [Int]] = [
    "src_mlp.weight": [3, hidden], "src_mlp.bias": [3],
    "dst_mlp.weight": [3, hidden], "dst_mlp.bias": [3],
    "classifier_conn.0.weight": [3],
    "classifier_conn.1.weight": [3, 3], "classifier_conn.1.bias": [3],
    "classifier_conn.2.weight": [3],
    "classifier_conn.3.weight": [2, 3], "classifier_conn.3.bias": [2],
  ]
  return shapes.mapValues(counting)
}

/// Mean layers, four dimensions without averages or two with them.
private let meanTensors = decoderTensors(hidden: 6).merging([
  "conv.0.gcn_layer.mlp.weight": counting([6, 8]),
  "conv.0.gcn_layer.mlp.bias": counting([6]),
]) { $1 }

/// Two heads of three outputs, twice.
private let attentionTensors = decoderTensors(hidden: 3).merging(
  [
    "conv.0.gcn_layer.fc.weight": [6, 4], "conv.1.gcn_layer.fc.weight": [6, 3],
    "conv.0.gcn_layer.attn_l": [1, 2, 3], "conv.1.gcn_layer.attn_l": [1, 2, 3],
    "conv.0.gcn_layer.attn_r": [1, 2, 3], "conv.1.gcn_layer.attn_r": [1, 2, 3],
    "conv.0.gcn_layer.bias": [6], "conv.1.gcn_layer.bias": [6],
    "conv.0.bias": [2, 3], "conv.1.bias": [2, 3],
  ].mapValues(counting)
) { $1 }

/// Writes a model, reads it, and returns what the reader says without the file's name.
private func complaint(
  _ tensors: Tensors, metadata: [String: String] = [:], dimensions: Int = 4
) throws -> String? {
  let path = NSTemporaryDirectory() + "/model-\(UUID().uuidString).safetensors"
  defer { try? FileManager.default.removeItem(atPath: path) }
  let list = tensors.sorted { $0.key < $1.key }.map { name, tensor in
    Tensor(
      name: name, shape: tensor.shape,
      elements: tensor.elements)
  }
  try TensorFile.write(list, metadata: metadata, to: path, overwrite: false)
  do {
    _ = try Lander(TensorFile(path: path), dimensions: dimensions)
    return nil
  } catch {
    let text = "\(error)"
    #expect(text.hasPrefix("\(path): "))
    return String(text.dropFirst(path.count + 2))
  }
}

@Suite struct ReadingAModel {
  @Test func takesEitherKindOfLayer() throws {
    #expect(try complaint(meanTensors) == nil)
    #expect(try complaint(meanTensors, dimensions: 2) == nil)
    #expect(
      try complaint(meanTensors, metadata: ["use_cluster_feat": "true"], dimensions: 2) == nil)
    #expect(try complaint(attentionTensors) == nil)
  }

  @Test(arguments: meanTensors.keys.sorted().filter { !$0.hasPrefix("conv.0.gcn_layer.mlp.w") })
  func namesAMissingTensorOfTheMeanKind(name: String) throws {
    var tensors = meanTensors
    tensors[name] = nil
    let text = try #require(try complaint(tensors))
    #expect(text.hasPrefix("no tensor '\(name)'; there are 'classifier_conn."), "\(text)")
  }

  @Test(
    arguments: attentionTensors.keys.sorted().filter { !$0.hasSuffix("fc.weight") })
  func namesAMissingTensorOfTheAttentionKind(name: String) throws {
    var tensors = attentionTensors
    tensors[name] = nil
    let text = try #require(try complaint(tensors))
    #expect(text.hasPrefix("no tensor '\(name)'; there are "), "\(text)")
  }

  @Test func knowsAFileThatHoldsNoSuchNetwork() throws {
    var tensors = meanTensors
    tensors["conv.0.gcn_layer.mlp.weight"] = nil
    #expect(
      try complaint(tensors)
        == "no tensor 'conv.0.gcn_layer.mlp.weight' (mean layer) or "
        + "'conv.0.gcn_layer.fc.weight' (attention layer): not a LANDER model")
  }

  @Test(arguments: [
    ("conv.0.gcn_layer.mlp.bias", [5], "[6]"), ("src_mlp.weight", [3, 5], "[any, 6]"),
    ("src_mlp.weight", [3], "[any, 6]"), ("src_mlp.weight", [0, 6], "[any, 6]"),
    ("dst_mlp.weight", [4, 6], "[3, 6]"), ("classifier_conn.0.weight", [1], "[3]"),
    ("classifier_conn.1.weight", [3, 4], "[3, 3]"), ("classifier_conn.3.weight", [1, 3], "[2, 3]"),
    ("classifier_conn.3.bias", [2, 1], "[2]"),
  ])
  func namesATensorOfAnotherShape(name: String, shape: [Int], expected: String) throws {
    var tensors = meanTensors
    tensors[name] = counting(shape)
    #expect(
      try complaint(tensors) == "tensor '\(name)' has shape \(shape), expected \(expected)")
  }

  @Test func saysWhichDimensionsDoNotFit() throws {
    #expect(
      try complaint(meanTensors, dimensions: 3)
        == "takes 4 dimensions, or 2 and their averages, but the features have 3 dimensions")
    #expect(
      try complaint(meanTensors, metadata: ["use_cluster_feat": "True"])
        == "takes 2 dimensions and their averages, but the features have 4 dimensions")
    #expect(
      try complaint(meanTensors, metadata: ["use_cluster_feat": "false"], dimensions: 2)
        == "takes 4 dimensions, but the features have 2 dimensions")
    var odd = meanTensors
    odd["conv.0.gcn_layer.mlp.weight"] = counting([6, 7])
    #expect(
      try complaint(odd)
        == "tensor 'conv.0.gcn_layer.mlp.weight' of shape [6, 7], expected [out, 2 · in]")
  }

  @Test func saysWhichHeadsDoNotFit() throws {
    var tensors = attentionTensors
    tensors["conv.0.gcn_layer.attn_l"] = counting([1, 4, 3])
    #expect(
      try complaint(tensors)
        == "tensors 'conv.0.gcn_layer.fc.weight' of shape [6, 4] and "
        + "'conv.0.gcn_layer.attn_l' of shape [1, 4, 3], expected [heads · out, in] and "
        + "[1, heads, out]")
    // Two heads cannot share seven rows, though everything else would fit three each.
    tensors = attentionTensors
    tensors["conv.1.gcn_layer.fc.weight"] = counting([7, 3])
    #expect(
      try complaint(tensors)
        == "tensor 'conv.1.gcn_layer.fc.weight' has 7 rows, expected a multiple of 2, "
        + "the number of heads")
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func refusesWhatIsNotFinite(value: Float) throws {
    var tensors = meanTensors
    tensors["dst_mlp.weight"]!.elements[11] = value
    #expect(
      try complaint(tensors) == "tensor 'dst_mlp.weight' holds NaN or infinite values")
  }
}
