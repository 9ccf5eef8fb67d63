import Communication
import Datasets
import DistributedGraphs
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Parallelism

/// One level of an answer, all ranks' shares together. Equal answers have equal bits.
struct LevelAnswer: Equatable, Sendable {
  var nodes: [GlobalNode] = []
  var neighbors: [GlobalNode] = []
  var similarities: [Float] = []
  /// 1 − p of the edges, in list order.
  var distance: [Float] = []
  var edgeCounts: [Int] = []
  var density: [Float] = []
  var parent: [GlobalNode] = []
  var labels: [Int64] = []

  static func == (a: LevelAnswer, b: LevelAnswer) -> Bool {
    func bits(_ level: LevelAnswer) -> [[UInt32]] {
      [level.similarities, level.distance, level.density].map { $0.map(\.bitPattern) }
    }
    return bits(a) == bits(b) && a.nodes == b.nodes && a.neighbors == b.neighbors
      && a.edgeCounts == b.edgeCounts && a.parent == b.parent && a.labels == b.labels
  }

  mutating func append(_ other: LevelAnswer) {
    nodes += other.nodes
    neighbors += other.neighbors
    similarities += other.similarities
    distance += other.distance
    edgeCounts += other.edgeCounts
    density += other.density
    parent += other.parent
    labels += other.labels
  }
}

struct ClusterAnswer: Equatable, Sendable {
  var labels: [Int64] = []
  var levels: [LevelAnswer] = []
  var stopReason = StopReason.fewNodes
}

/// Keeps every level that it is shown.
final class LevelKeeper: ClusteringObserver {
  var levels: [LevelAnswer] = []
  let wantsLevels = true

  func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}

  func finished(
    _ record: LevelRecord, labels: [Int64], of points: NodePartition,
    on communicator: some Communicator
  ) throws {
    levels.append(
      LevelAnswer(
        nodes: record.inputPoint, neighbors: record.neighbors.neighbors,
        similarities: record.neighbors.similarities, distance: record.linkage.distance,
        edgeCounts: (0..<record.graph.ownedCount).map { record.graph.edges(into: $0).count },
        density: record.linkage.density, parent: record.parent, labels: labels))
  }
}

/// Clusters on ranks as threads and puts the shares together.
func clusterOnThreads(
  _ source: some EmbeddingSource, with model: Lander, options: ClusteringOptions, ranks: Int
) throws -> ClusterAnswer {
  try clusterOnThreads(source, with: .coordinates(model), options: options, ranks: ranks)
}

/// Clusters on ranks as threads and puts the shares together.
func clusterOnThreads(
  _ source: some EmbeddingSource, with model: LinkageModel, options: ClusteringOptions,
  ranks: Int
) throws -> ClusterAnswer {
  let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let keeper = LevelKeeper()
    let clustering = try cluster(
      source, with: model, options: options, observer: keeper, on: communicator)
    return ClusterAnswer(
      labels: clustering.labels, levels: keeper.levels, stopReason: clustering.stopReason)
  }
  var answer = shares[0]
  for share in shares.dropFirst() {
    answer.labels += share.labels
    for level in share.levels.indices { answer.levels[level].append(share.levels[level]) }
  }
  return answer
}

/// Where the fixtures of the repository are, and the shared material if it is there: see
/// Tests/Fixtures/README.md.
enum Material {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  static let fixtures = root.appending(path: "Tests/Fixtures")
  static let shared: URL = {
    if let path = ProcessInfo.processInfo.environment["HIGHLAND_SHARED"] {
      return URL(filePath: path)
    }
    return root.deletingLastPathComponent().appending(path: "shared")
  }()
  static var hasShared: Bool {
    FileManager.default.fileExists(atPath: shared.appending(path: "golden").path)
  }
}
