import Communication
import Evaluation
import HierarchicalClustering

/// A setting, and how well it does.
struct BenchmarkTrial {
  let setting: BenchmarkSetting
  let metrics: ClusteringMetrics

  /// The mean of both F, of which one that is 0/0 counts as 0.
  var score: Double {
    [metrics.pairwise.f, metrics.bcubed.f].reduce(0) { $0 + ($1.isNaN ? 0 : $1) } / 2
  }
}

extension [BenchmarkTrial] {
  /// The one of the highest score; of equal ones the first.
  var best: BenchmarkTrial? {
    reduce(nil) { best, trial in
      best.map { trial.score > $0.score ? trial : $0 } ?? trial
    }
  }
}

extension BenchmarkSet {
  /// Tries settings on the labels of this set.
  ///
  /// > Collective: over `communicator`, as the method, once per setting.
  ///
  /// - Returns: Those that there are.
  mutating func trials(
    of settings: [BenchmarkSetting], on communicator: some Communicator,
    progress: (Double) -> Void
  ) throws -> [BenchmarkTrial] {
    var trials: [BenchmarkTrial] = []
    for (place, setting) in settings.enumerated() {
      if let clusters = try input.clusters(by: setting, on: communicator) {
        trials.append(
          BenchmarkTrial(setting: setting, metrics: try metrics(of: clusters, on: communicator)))
      }
      progress(Double(place + 1) / Double(settings.count))
    }
    return trials
  }
}

/// What a run took. Replicated.
struct BenchmarkCost {
  var cost: PhaseCost
  /// The most memory of a rank while it ran, what was there before included; nil where the system cannot tell.
  var peakMemoryBytes: Int?

  /// What `body` takes, and what it returns.
  ///
  /// > Collective: over `communicator`. What `body` sends, and five rounds of some bytes per rank.
  static func measuring<Base: Communicator, R>(
    on communicator: Base, _ body: (CountingCommunicator<Base>) throws -> R
  ) throws -> (cost: BenchmarkCost, result: R) {
    let isReset = ProcessMemory.forgetPeak()
    let (cost, result) = try PhaseCost.measuring(on: communicator, body)
    let peak = try communicator.maximum(ProcessMemory.peakBytes)
    return (
      BenchmarkCost(cost: cost, peakMemoryBytes: try communicator.all(isReset) ? peak : nil),
      result
    )
  }
}
