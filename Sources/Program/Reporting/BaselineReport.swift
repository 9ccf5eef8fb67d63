import Communication
import DistributedGraphs
import Evaluation
import HierarchicalClustering
import NeighborSearch

/// What `highland cluster` did by a method with parameters, and what it cost: the JSON of `--report`.
struct BaselineReport: Encodable {
  /// What was asked for, and what is usual.
  struct Parameters: Encodable {
    var features: String
    var transform: String?
    var method: String
    /// k of the lists, if it counts.
    var k: Int?
    /// By the names that `highland benchmark` has for them.
    var setting: [String: Double]
  }

  var highland = highlandVersion
  var parameters: Parameters
  /// The ranks that clustered; and those that waited, as there were too few points for them.
  var rankCount: Int
  var waitingRankCount = 0
  /// `--nodes-per-rank`.
  var nodesPerRank = 1
  var threadCount: Int
  var pointCount: Int
  var dimensions: Int
  var clusterCount: Int
  var singletonCount: Int
  /// How neighbours were searched; nil if the method needs none.
  var search: SearchSummary?
  /// Of hdbscan: whether it compared all pairs; else it saw the neighbour lists alone.
  var comparesAllPairs: Bool?
  /// By name: `read`, `neighbors`, `cluster` and `label`.
  var phases: [String: PhaseCost]
  /// From the first row that is read to the labels: neither opening the files before that, nor writing.
  var elapsedSeconds: Double
  var memory: MemoryReport
  /// Against `--truth`.
  var metrics: ClusteringMetrics?
  /// The setting for people.
  private let settingText: String

  private enum CodingKeys: CodingKey {
    case highland, parameters, rankCount, waitingRankCount, nodesPerRank, threadCount, pointCount
    case dimensions, clusterCount, singletonCount, search, comparesAllPairs, phases, elapsedSeconds
    case memory, metrics
  }

  /// > Collective: over `communicator`, as ``MemoryReport``.
  init(
    of clustering: BaselineClustering, features: String, transform: String?, threadCount: Int,
    on communicator: some Communicator
  ) throws {
    parameters = Parameters(
      features: features, transform: transform, method: clustering.method.rawValue,
      k: clustering.neighborCount, setting: clustering.setting.parameters)
    settingText = clustering.setting.text
    rankCount = communicator.size
    self.threadCount = threadCount
    pointCount = clustering.points.nodeCount
    dimensions = clustering.input.source.dimensions
    clusterCount = clustering.clusterCount
    singletonCount = clustering.singletonCount
    search = clustering.input.neighbors?.search
    comparesAllPairs = clustering.method == .hdbscan ? clustering.input.comparesAllPairs : nil
    phases = clustering.phases
    elapsedSeconds = clustering.elapsedSeconds
    memory = try MemoryReport(on: communicator)
  }

  /// The lines for people.
  var account: String {
    let lists = parameters.k.map { ", along lists of k = \($0)" } ?? ""
    let ofListsAlone =
      comparesAllPairs == false
      ? "\nAll pairs are too many to compare: hdbscan saw the neighbour lists alone." : ""
    let seconds = ["read", "neighbors", "cluster", "label"].compactMap { name in
      phases[name].map { "\(name) \(decimal($0.elapsedSeconds, places: 3)) s" }
    }
    let elapsed = elapsedAccount(
      ofSeconds: elapsedSeconds, rankCount: rankCount, threadCount: threadCount,
      waitingRankCount: waitingRankCount, nodesPerRank: nodesPerRank)
    let peak = decimal(Double(memory.peakBytesOfAllRanks) / 1e6, places: 0)
    return (search?.account.map { $0 + "\n" } ?? "") + """
      By \(parameters.method), \(settingText)\(lists).\(ofListsAlone)
      \(pointCount) points in \(clusterCount) clusters, \(singletonCount) of one point.
      \(seconds.joined(separator: ", "))
      \(elapsed); peak memory \(peak) MB over all ranks.
      """
  }
}
