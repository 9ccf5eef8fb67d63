import Communication
import Datasets
import Differentiation
import DistributedGraphs
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Optimization
import Testing
import Training

/// The reference's training runs: nine graphs of 300 points, four networks.
enum GoldenTraining {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/train")

  /// In the order of steps.
  static let graphNames = [
    "k10_level0", "k10_level1", "k5_level0", "k5_level1", "k5_level2", "k3_level0", "k3_level1",
    "k3_level2", "k3_level3",
  ]

  static func floats(_ graph: String, _ name: String) throws -> Matrix {
    let file = try ArrayFile(path: folder.appending(path: "graphs/\(graph)/\(name).npy").path)
    return try file.floats(rows: 0..<file.rowCount)
  }

  static func integers(_ graph: String, _ name: String) throws -> [Int64] {
    let file = try ArrayFile(path: folder.appending(path: "graphs/\(graph)/\(name).npy").path)
    return try file.integers(rows: 0..<file.rowCount)
  }

  static func source() throws -> EmbeddingsInMemory {
    EmbeddingsInMemory(try floats("k10_level0", "features"))
  }

  static func labels() throws -> [Int64] { try integers("k10_level0", "labels") }

  static func graphs(
    usesTrueLinks: Bool = false, needsAverages: Bool = true, on communicator: some Communicator
  ) throws -> [TrainingGraph] {
    try trainingGraphs(
      of: source(), labels: labels(), chains: TrainingChain.authors, usesTrueLinks: usesTrueLinks,
      needsAverages: needsAverages, on: communicator)
  }
}

/// One network that the reference trained.
struct GoldenNetwork: CustomTestStringConvertible, Sendable {
  let name: String
  let shape: LanderShape
  let loss: LinkageLoss
  var testDescription: String { name }

  static let all = [
    GoldenNetwork(
      name: "sage_cf", shape: LanderShape(dimensions: 16, hidden: 16), loss: LinkageLoss()),
    GoldenNetwork(
      name: "sage_cf_focal", shape: LanderShape(dimensions: 16, hidden: 16),
      loss: LinkageLoss(focus: 2)),
    GoldenNetwork(
      name: "gat1_cf_conv2",
      shape: LanderShape(dimensions: 16, hidden: 16, layerCount: 2, headCount: 1),
      loss: LinkageLoss()),
    GoldenNetwork(
      name: "gat2_nocf",
      shape: LanderShape(
        dimensions: 16, hidden: 16, headCount: 2, usesAverageFeature: false),
      loss: LinkageLoss()),
  ]

  var folder: URL { GoldenTraining.folder.appending(path: name) }

  func parameters(_ file: String) throws -> Parameters<Float> {
    try Parameters(
      TensorFile(path: folder.appending(path: "\(file).safetensors").path),
      like: shape.initialParameters(seed: 0))
  }

  struct Log: Decodable {
    var log: [Step]

    struct Step: Decodable {
      var step: Int
      var graph: String
      var lr: Double
      var lossDen: Double
      var lossConn: Double
      var maskedEdges: Int
    }
  }

  func log() throws -> [Log.Step] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(
      Log.self, from: Data(contentsOf: folder.appending(path: "log.json"))
    ).log
  }

  var options: TrainingOptions {
    TrainingOptions(shape: shape, loss: loss, learningRate: 0.05, epochCount: 4)
  }
}

/// The largest difference of any element, relative to the largest element of its matrix.
func distance(_ a: [Matrix], _ b: [Matrix]) -> Float {
  zip(a, b).reduce(0) { worst, pair in
    let scale = max(1e-3, pair.1.elements.reduce(0) { max($0, abs($1)) })
    return zip(pair.0.elements, pair.1.elements).reduce(worst) {
      max($0, abs($1.0 - $1.1) / scale)
    }
  }
}

func distance(_ a: Parameters<Float>, _ b: Parameters<Float>) -> Float {
  distance(a.all.map(\.value), b.all.map(\.value))
}
