import Datasets
import DistributedGraphs
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Parallelism
import Testing

/// A run of the reference: its input, its parameters and its numbers level by level.
struct GoldenCase: CustomTestStringConvertible, Sendable {
  let folder: URL
  let metrics: Metrics

  struct Metrics: Decodable, Sendable {
    var k: Int
    var tau: Double
    var earlyStop: Bool
    var levels: Int
    var stop: String
    var clusters: Int
    var pairwise: [Double?]
    var bcubed: [Double]
    var nmi: Double
    var perLevel: [Level]

    struct Level: Decodable, Sendable {
      var nodes: Int
      var edges: Int?
      var edgesKept: Int
      var edgesAdded: Int
      var peaks: Int
    }
  }

  init(_ folder: URL) throws {
    self.folder = folder
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    metrics = try decoder.decode(
      Metrics.self, from: Data(contentsOf: folder.appending(path: "metrics.json")))
  }

  /// All cases of a folder, by name.
  static func all(in folder: URL) -> [GoldenCase] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().compactMap { try? GoldenCase(folder.appending(path: $0)) }
  }

  var testDescription: String {
    "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)"
  }

  var features: FeatureFile {
    get throws {
      try FeatureFile(
        path: folder.deletingLastPathComponent().appending(path: "features.npy").path)
    }
  }

  func model(dimensions: Int) throws -> Lander {
    try Lander(
      TensorFile(path: folder.appending(path: "model.safetensors").path), dimensions: dimensions)
  }

  var truth: [Int64] {
    get throws {
      let file = try LabelFile(
        path: folder.deletingLastPathComponent().appending(path: "labels.npy").path)
      return try file.labels(0..<file.count)
    }
  }

  func options(threads: Int = 1) -> ClusteringOptions {
    ClusteringOptions(
      neighborCount: metrics.k, threshold: metrics.tau,
      maximumLevels: metrics.stop == "levels" ? metrics.levels : 20,
      stopsEarly: metrics.earlyStop, workers: Workers(threads))
  }

  func integers(_ name: String, level: Int? = nil) throws -> [Int64] {
    let file = try ArrayFile(path: url(name, level).path)
    return try file.integers(rows: 0..<file.rowCount)
  }

  func floats(_ name: String, level: Int? = nil) throws -> [Float] {
    let file = try ArrayFile(path: url(name, level).path)
    return try file.floats(rows: 0..<file.rowCount).elements
  }

  func has(_ name: String, level: Int? = nil) -> Bool {
    FileManager.default.fileExists(atPath: url(name, level).path)
  }

  private func url(_ name: String, _ level: Int?) -> URL {
    (level.map { folder.appending(path: "level\($0)") } ?? folder).appending(path: "\(name).npy")
  }
}

/// What a level of ours differs in from the reference's.
struct LevelDifference: Equatable {
  /// Places of lists whose neighbour differs and whose similarity does too.
  var neighbors = 0
  /// Places that differ at equal similarity, within rounding.
  var ties = 0
  var largestLinkage: Float = 0
  var largestDensity: Float = 0
  /// Nodes with another parent where the decision was not within rounding.
  var parents = 0
  /// Nodes with another parent where it was.
  var closeParents = 0
}

extension GoldenCase {
  /// Compares one level of an answer with the reference's.
  func difference(_ answer: LevelAnswer, level: Int) throws -> LevelDifference {
    var difference = LevelDifference()
    let k = metrics.k
    let nodeCount = answer.nodes.count
    if has("nbrs", level: level) {
      let neighbors = try integers("nbrs", level: level)
      let distances = try floats("dists", level: level)
      for node in 0..<nodeCount {
        // The reference's list holds the node itself; ours does not.
        let places = (node * k..<(node + 1) * k).filter { neighbors[$0] != Int64(node) }
          .prefix(k - 1)
        for (rank, place) in places.enumerated() {
          let own = node * (k - 1) + rank
          guard answer.neighbors[own] != GlobalNode(neighbors[place]) else { continue }
          if abs(answer.similarities[own] - (1 - distances[place])) < 1e-6 {
            difference.ties += 1
          } else {
            difference.neighbors += 1
          }
        }
      }
    }
    if has("prob_conn1", level: level) {
      let sources = try integers("src", level: level)
      let destinations = try integers("dst", level: level)
      let probabilities = try floats("prob_conn1", level: level)
      var reference: [GlobalNode: [GlobalNode: Float]] = [:]
      for (edge, source) in sources.enumerated() {
        reference[GlobalNode(destinations[edge]), default: [:]][GlobalNode(source)] =
          probabilities[edge]
      }
      var edge = 0
      for node in 0..<nodeCount {
        for place in 0..<answer.edgeCounts[node] {
          let source = answer.neighbors[node * (k - 1) + place]
          if let expected = reference[GlobalNode(node)]?[source] {
            difference.largestLinkage = max(
              difference.largestLinkage, abs(1 - answer.distance[edge] - expected))
          }
          edge += 1
        }
      }
    }
    for (own, expected) in zip(answer.density, try floats("pred_den", level: level)) {
      difference.largestDensity = max(difference.largestDensity, abs(own - expected))
    }
    var parents = (0..<nodeCount).map { GlobalNode($0) }
    for (child, parent) in zip(
      try integers("tree_dst", level: level), try integers("tree_src", level: level))
    { parents[Int(child)] = GlobalNode(parent) }
    for node in 0..<nodeCount where answer.parent[node] != parents[node] {
      difference.parents += 1
    }
    return difference
  }
}

/// Labels renumbered in the order of first appearance: equal partitions become equal arrays.
func byFirstAppearance(_ labels: [Int64]) -> [Int64] {
  var numbers: [Int64: Int64] = [:]
  return labels.map { label in
    if let number = numbers[label] { return number }
    numbers[label] = Int64(numbers.count)
    return numbers[label]!
  }
}
