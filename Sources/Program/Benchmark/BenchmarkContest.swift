import Communication
import Datasets
import Evaluation
import GraphNetworks
import HierarchicalClustering
import NeighborSearch
import Parallelism
import Training

/// The methods that are compared, and on what.
struct BenchmarkContest {
  let methods: [BenchmarkMethod]
  /// k of the lists that methods share.
  let neighborCount: Int
  /// The path of the model of `network` and `auto`; nil for the built-in one.
  let model: String?
  var test: BenchmarkSet
  /// What parameters are tuned on; nil if there are no other labels.
  var train: BenchmarkSet?
  /// Replicated. What a network is trained on.
  var trainingSet: LabelledEmbeddings?

  /// All methods, one after the other.
  ///
  /// > Collective: over `communicator`, as the methods are.
  mutating func run(
    _ reporter: ProgressReporter, on communicator: some Communicator
  ) throws -> [BenchmarkEntry] {
    try methods.flatMap { method in
      reporter.show(method.rawValue, isDone: 0)
      defer { reporter.show(method.rawValue, isDone: 1) }
      guard let usual = method.usualSetting else {
        return [try learned(by: method, on: communicator)]
      }
      return try baseline(method, usual, reporter, on: communicator)
    }
  }

  /// A method with parameters: as tuned, or as usual and as the labels themselves would have it.
  private mutating func baseline(
    _ method: BenchmarkMethod, _ usual: BenchmarkSetting, _ reporter: ProgressReporter,
    on communicator: some Communicator
  ) throws -> [BenchmarkEntry] {
    let settings = method.settings(neighborCount: neighborCount)
    func show(_ share: Double) { reporter.show(method.rawValue, isDone: min(share, 0.99)) }
    guard var train else {
      var entry = try entry(method, usual, .usual, on: communicator)
      let trials = try test.trials(of: settings, on: communicator, progress: show)
      entry.trials = trials.map(BenchmarkEntry.Trial.init)
      test.input.forget()
      guard let best = trials.best else { return [entry] }
      return [
        entry,
        BenchmarkEntry(method, best.setting, .oracle, best.metrics, cost: nil),
      ]
    }
    let (tuning, trials) = try PhaseCost.measuring(on: communicator) {
      try train.trials(of: settings, on: $0, progress: show)
    }
    var entry = try entry(method, trials.best!.setting, .train, on: communicator)
    entry.tuning = tuning
    entry.trials = trials.map(BenchmarkEntry.Trial.init)
    test.input.forget()
    return [entry]
  }

  /// What a method with a setting does on the test set, all its work included but the search of shared lists.
  ///
  /// > Collective: over `communicator`, as the method.
  private mutating func entry(
    _ method: BenchmarkMethod, _ setting: BenchmarkSetting, _ choice: BenchmarkEntry.Choice,
    on communicator: some Communicator
  ) throws -> BenchmarkEntry {
    var (setting, found): (BenchmarkSetting, [Int64]?) = (setting, nil)
    let (cost, _) = try BenchmarkCost.measuring(on: communicator) { communicator in
      found = try test.input.clusters(by: setting, on: communicator)
      // Fewer partitions than on the training set: the last.
      while found == nil, case .finch(let partition) = setting, partition > 1 {
        setting = .finch(partition: partition - 1)
        found = try test.input.clusters(by: setting, on: communicator)
      }
    }
    return BenchmarkEntry(
      method, setting, choice, try test.metrics(of: found!, on: communicator), cost: cost)
  }

  /// A method of Highland that chooses its parameters by itself.
  ///
  /// > Collective: over `communicator`, as the method.
  private func learned(
    by method: BenchmarkMethod, on communicator: some Communicator
  ) throws -> BenchmarkEntry {
    let (options, workers) = (test.input.options, test.input.workers)
    var trained: TrainedModel?
    var training: PhaseCost?
    if method == .trained, let trainingSet {
      let (cost, learned) = try PhaseCost.measuring(on: communicator) {
        try trainStructureNetwork(
          on: [trainingSet],
          options: StructureTrainingOptions(
            neighborCounts: LengthChoice.candidates, triesTransforms: true, search: options,
            workers: workers),
          over: $0)
      }
      training = cost
      trained = learned.model(named: "trained here")
    } else if method != .flow {
      trained = try TrainedModel(
        path: model, dimensions: test.input.source.dimensions, on: communicator)
    }
    let network = try trained.map { trained in
      try communicator.agree {
        try ClusteringPlan(
          ClusteringOptions(search: options, invalidRows: test.input.invalidRows, workers: workers),
          with: trained)
      }
    }
    let flow =
      method == .flow || method == .auto
      ? FlowPlan(search: options, invalidRows: test.input.invalidRows, workers: workers) : nil
    let (cost, clustering) = try BenchmarkCost.measuring(on: communicator) {
      try cluster(
        test.input.source.transformed(for: trained, using: workers),
        by: MethodPlan(flow: flow, network: network), on: $0)
    }
    var entry = BenchmarkEntry(
      method, nil, method == .trained ? .train : .itself,
      try test.metrics(of: clustering.labels, on: communicator), cost: cost)
    entry.tuning = training
    switch clustering.choice {
    case .listLength(let choice):
      entry.parameters = ["k": Double(choice.neighborCount)]
      entry.parameterText = "k \(choice.neighborCount)"
    case .thresholds(let choice):
      let (k, thresholds) = (network!.neighborCount, choice.thresholds)
      let (name, value) =
        thresholds.resolution.map { ("resolution", $0) } ?? ("tau", thresholds.first)
      entry.parameters = ["k": Double(k), name: value]
      entry.parameterText = "k \(k), \(name) \(decimal(value, places: 3))"
    }
    return entry
  }
}
