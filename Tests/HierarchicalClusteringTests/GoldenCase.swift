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

  struct TooFewCases: Error {
    var folder: URL
    var count: Int
  }

  /// All cases of a folder, by name; every directory in it is one.
  static func all(in folder: URL, atLeast count: Int) throws -> [GoldenCase] {
    let cases = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: [.isDirectoryKey]
    )
    .filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
    .sorted { $0.lastPathComponent < $1.lastPathComponent }
    .map { try GoldenCase($0) }
    guard cases.count >= count else { throw TooFewCases(folder: folder, count: cases.count) }
    return cases
  }

  /// The cases of the repository.
  static func tiny() throws -> [GoldenCase] {
    try all(in: Material.fixtures.appending(path: "tiny"), atLeast: 7)
  }

  static func tiny(_ name: String) throws -> GoldenCase {
    try GoldenCase(Material.fixtures.appending(path: "tiny/\(name)"))
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

/// An edge's ends.
struct Ends: Hashable {
  var source: GlobalNode
  var destination: GlobalNode
}

extension LevelAnswer {
  /// 1 − p of every edge.
  func distances(listLength: Int) -> [Ends: Float] {
    var distances: [Ends: Float] = [:]
    var edge = 0
    for (node, count) in edgeCounts.enumerated() {
      for source in neighbors[node * listLength..<node * listLength + count] {
        distances[Ends(source: source, destination: GlobalNode(node))] = distance[edge]
        edge += 1
      }
    }
    return distances
  }

  /// How many edges come from a denser node and are probable enough.
  func keptEdgeCount(above threshold: Double, listLength: Int) -> Int {
    distances(listLength: listLength).count { ends, distance in
      density[Int(ends.source.index)] > density[Int(ends.destination.index)]
        && distance < Float(1 - threshold)
    }
  }
}

/// What a level of ours differs in from the reference's.
struct LevelDifference: Equatable {
  /// Places of lists whose neighbour differs and whose similarity does too.
  var neighbors = 0
  /// Places that differ at equal similarity, within 1e-6.
  var ties = 0
  /// Edges that only one of the two has.
  var edges = 0
  var largestSimilarity: Float = 0
  var largestLinkage: Float = 0
  var largestDensity: Float = 0
  /// Nodes with another parent where the decision was not within rounding.
  var parents = 0
  /// Nodes with another parent where it was.
  var closeParents = 0
}

extension GoldenCase {
  /// The places of a node's list in ours: k counts the node itself.
  var listLength: Int { metrics.k - 1 }

  /// Compares one level of an answer with the reference's.
  func difference(_ answer: LevelAnswer, level: Int) throws -> LevelDifference {
    var difference = LevelDifference()
    let nodeCount = answer.nodes.count
    if has("nbrs", level: level) {
      try compareLists(answer, level: level, into: &difference)
    }
    let distances = answer.distances(listLength: listLength)
    if has("prob_conn1", level: level) {
      try compareEdges(distances, level: level, into: &difference)
    }
    let density = try floats("pred_den", level: level)
    try #require(answer.density.count == density.count)
    for (own, expected) in zip(answer.density, density) {
      difference.largestDensity = max(difference.largestDensity, abs(own - expected))
    }
    let children = try integers("tree_dst", level: level)
    let above = try integers("tree_src", level: level)
    try #require(children.count == above.count && answer.parent.count == nodeCount)
    var parents = (0..<nodeCount).map { GlobalNode($0) }
    for (child, parent) in zip(children, above) { parents[Int(child)] = GlobalNode(parent) }
    for node in 0..<nodeCount where answer.parent[node] != parents[node] {
      let margin = decisionMargin(
        of: GlobalNode(node), between: [answer.parent[node], parents[node]],
        density: answer.density, distances: distances)
      if margin < 1e-5 { difference.closeParents += 1 } else { difference.parents += 1 }
    }
    return difference
  }

  private func compareLists(
    _ answer: LevelAnswer, level: Int, into difference: inout LevelDifference
  ) throws {
    let neighbors = try integers("nbrs", level: level)
    let distances = try floats("dists", level: level)
    let (k, nodeCount) = (metrics.k, answer.nodes.count)
    try #require(neighbors.count == nodeCount * k && distances.count == nodeCount * k)
    try #require(answer.neighbors.count == nodeCount * listLength)
    for node in 0..<nodeCount {
      // The reference's list holds the node itself; ours does not.
      let places = (node * k..<(node + 1) * k).filter { neighbors[$0] != Int64(node) }
        .prefix(listLength)
      for (rank, place) in places.enumerated() {
        let own = node * listLength + rank
        let gap = abs(answer.similarities[own] - (1 - distances[place]))
        difference.largestSimilarity = max(difference.largestSimilarity, gap)
        guard answer.neighbors[own] != GlobalNode(neighbors[place]) else { continue }
        if gap < 1e-6 { difference.ties += 1 } else { difference.neighbors += 1 }
      }
    }
  }

  private func compareEdges(
    _ distances: [Ends: Float], level: Int, into difference: inout LevelDifference
  ) throws {
    let sources = try integers("src", level: level)
    let destinations = try integers("dst", level: level)
    let probabilities = try floats("prob_conn1", level: level)
    try #require(sources.count == destinations.count && sources.count == probabilities.count)
    var unseen = Set(distances.keys)
    for (edge, probability) in probabilities.enumerated() {
      let ends = Ends(
        source: GlobalNode(sources[edge]), destination: GlobalNode(destinations[edge]))
      unseen.remove(ends)
      if let distance = distances[ends] {
        difference.largestLinkage = max(
          difference.largestLinkage, abs(1 - distance - probability))
      } else {
        difference.edges += 1
      }
    }
    difference.edges += unseen.count
  }

  /// The least difference of two quantities that decided between two parents of a node: density of
  /// a parent and the node, linkage of a parent and τ, linkage of both.
  private func decisionMargin(
    of node: GlobalNode, between parents: [GlobalNode], density: [Float],
    distances: [Ends: Float]
  ) -> Float {
    let others = parents.filter { $0 != node }
    let own = others.compactMap { distances[Ends(source: $0, destination: node)] }
    // A parent that is no neighbour is not a matter of rounding.
    guard own.count == others.count else { return .infinity }
    var margins = own.map { abs($0 - Float(1 - metrics.tau)) }
    margins += others.map { abs(density[Int($0.index)] - density[Int(node.index)]) }
    if own.count == 2 { margins.append(abs(own[0] - own[1])) }
    return margins.min() ?? .infinity
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
