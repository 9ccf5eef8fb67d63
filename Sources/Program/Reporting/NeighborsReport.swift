import Communication
import Evaluation
import HierarchicalClustering
import NeighborSearch
import Parallelism

/// What `highland knn` did: the JSON of `--report`.
struct NeighborsReport: Codable {
  var highland = highlandVersion
  var features: String
  var transform: String?
  var k: Int
  var rankCount: Int
  var threadCount: Int
  var pointCount: Int
  var dimensions: Int
  /// The search alone, without files; or reading what an earlier run has found.
  var search: PhaseCost
  /// Whether the neighbours are those of a checkpoint, so that nothing was searched.
  var isFromCheckpoint: Bool
  /// Exact or approximate, why, and how many of the true neighbours were found.
  var method: SearchSummary
  /// 2 · N² · D: the similarities of all ordered pairs, whichever way they are found.
  var usefulFlops: Double
  /// Of the pairs that were compared: N² · D if all are, each once.
  var computedFlops: Double
  /// Useful flops by elapsed time, all ranks together, in 10⁹ per second; nothing if nothing was searched.
  var usefulGigaflopsPerSecond: Double?
  var memory: MemoryReport
}

extension PhaseCost {
  /// What `body` costs on all ranks, and what it returns.
  ///
  /// > Collective: over `communicator`. What `body` sends, and then three rounds of 56 bytes.
  static func measuring<Base: Communicator, R>(
    on communicator: Base, _ body: (CountingCommunicator<Base>) throws -> R
  ) throws -> (cost: Self, result: R) {
    let counting = CountingCommunicator(communicator)
    let start = ContinuousClock.now
    let startCPU = processorSeconds()
    let result = try body(counting)
    let elapsed = start.duration(to: .now) / .seconds(1)
    let cpu = processorSeconds() - startCPU
    let traffic = try communicator.allReduce(counting.traffic) { $0 + $1 }
    let cost = Self(
      elapsedSeconds: try communicator.maximum(elapsed),
      cpuSeconds: try communicator.allReduce(cpu, +), traffic, rounds: counting.traffic.rounds)
    return (cost, result)
  }
}

extension SearchSummary {
  /// A line about an approximate search, for people.
  var account: String? {
    guard let approximate else { return nil }
    let (recall, count) = (approximate.recall, approximate.recallByPartition.count)
    func percent(_ share: Double) -> String { decimal(100 * share, places: 2) }
    let falls = recall.lower < approximate.wantedRecall
    return """
      approximate neighbours: \(percent(recall.mean)) % of the true ones \
      (\(percent(recall.lower)) ... \(percent(recall.upper)) %, by \(recall.rowCount) points), from \
      \(count) partition\(count == 1 ? "" : "s") of \(approximate.cellCount) cells\
      \(falls ? "; \(percent(approximate.wantedRecall)) % were wanted" : "") (\(reason))
      """
  }
}
