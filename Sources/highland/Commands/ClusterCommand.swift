public import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import Evaluation
public import HierarchicalClustering
import MPICommunication
import Parallelism

struct ClusterCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Cluster embeddings.",
    discussion: """
      By flow: builds the nearest-neighbour graph, weighs edges by common neighbours, and finds the \
      modules in which a random walk stays long. By a network: predicts linkage and density with \
      the model, merges components into the nodes of the next level, and repeats until nothing \
      merges. You need not know the number of clusters.

      Labels are 0, 1, 2, … in the order in which clusters first appear. They are the same, bit \
      for bit, on any number of ranks and threads.
      """)

  @OptionGroup var input: FeatureOptions

  @Option(
    help: ArgumentHelp(
      "What clusters: flow, network, or auto.",
      discussion: """
        flow needs no training. auto does both, with the built-in model, and takes the clusters that \
        are separated better. Default: network if one of its options is given, flow with -k, else auto.
        """))
  var method: ClusteringMethod?

  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "The model, a .safetensors file; highland info FILE describes it.",
      discussion: """
        Default: the built-in model of structure, for embeddings of any kind and dimension. A model \
        trained on data of the same kind (highland train) does better.
        """))
  var model: String?

  @Option(
    name: .customLong("granularity"),
    help: "finer makes more and smaller clusters than the model would, coarser fewer and larger.")
  var givenGranularity: Granularity?

  @Option(
    name: .shortAndLong,
    help: "Write the labels here: .npy of int64, or .txt, one per line. Default: not written.")
  var output: String?

  @Option(
    name: .customShort("k"),
    help: ArgumentHelp(
      "Places in a point's neighbour list, the point itself included.",
      discussion: """
        As in the authors' scripts, -k 10 means at most 9 other points. Default: by flow chosen on the \
        data; by a network the k that it was trained with, 10 if the model does not say.
        """))
  var neighborCount: Int?

  @Option(
    name: .customLong("tau"),
    help: ArgumentHelp(
      "Merge only along linkages more probable than this, 0 ... 1.",
      discussion: "Default: the one that training chose; 0.8 if the model does not say."))
  var tau: Double?

  @Option(
    name: .customLong("tau-later"),
    help: "The same for levels after level 0. Default: as --tau.")
  var tauLater: Double?

  @Flag(
    help: ArgumentHelp(
      "Choose τ on this data, without labels: the value that separates clusters best.",
      discussion: "The built-in model does this unless --tau or --neighbors is given."))
  var tauBySilhouette = false

  @Option(
    name: .customLong("max-levels"), help: "The maximum number of levels. Default: 10.")
  var givenMaxLevels: Int?

  @Flag(help: "Stop once merges fall by less than a factor of k − 1 from level to level.")
  var earlyStop = false

  @Option(
    help: ArgumentHelp(
      "True labels, .npy of integers or text: print how well the clusters agree with them.",
      discussion: "They are not used for anything else."))
  var truth: String?

  @Option(help: "Write every level to this directory; Docs/Formats.md describes the files.")
  var hierarchy: String?

  @Option(help: "Write parameters, counts, seconds, bytes and metrics as JSON.")
  var report: String?

  @Option(
    help: "Use your own neighbours, integers [points × any], −1 for none; with --similarities.")
  var neighbors: String?

  @Option(help: "Cosine similarities to --neighbors, of the same shape.")
  var similarities: String?

  @Option(
    help: """
      What to do with rows of zeros, NaN or infinite values: error refuses the file, singleton keeps \
      each as a cluster of its own.
      """)
  var invalidRows = InvalidRowPolicy.error

  @OptionGroup var search: NeighborSearchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  private var granularity: Granularity { givenGranularity ?? .asTrained }
  private var maxLevels: Int { givenMaxLevels ?? 10 }

  /// The options that only networks have, as they are given.
  private var networkOptions: [String] {
    [
      (model != nil, "--model"), (givenGranularity != nil, "--granularity"), (tau != nil, "--tau"),
      (tauLater != nil, "--tau-later"), (tauBySilhouette, "--tau-by-silhouette"),
      (givenMaxLevels != nil, "--max-levels"), (earlyStop, "--early-stop"),
      (hierarchy != nil, "--hierarchy"), (neighbors != nil, "--neighbors"),
      (similarities != nil, "--similarities"),
    ].filter(\.0).map(\.1)
  }

  /// What was asked for, or follows from the other options.
  private var chosenMethod: ClusteringMethod {
    method ?? (!networkOptions.isEmpty ? .network : neighborCount != nil ? .flow : .auto)
  }

  func validate() throws {
    if let neighborCount, neighborCount < 1 {
      throw ValidationError("-k \(neighborCount): expected 1 or more")
    }
    if let method, method != .network, let option = networkOptions.first {
      throw ValidationError(
        "\(option) is of networks; not with --method \(method.rawValue)")
    }
    if let neighborCount {
      guard method != .auto else {
        throw ValidationError(
          "-k is of one method; with --method auto each has its own: expected --method flow or network"
        )
      }
      guard chosenMethod != .flow || neighborCount > 1 else {
        throw ValidationError(
          "-k \(neighborCount): expected 2 or more, as flow goes to other points")
      }
    }
    for (name, tau) in [("--tau", tau), ("--tau-later", tauLater)] {
      if let tau, !(0...1).contains(tau) {
        throw ValidationError("\(name) \(tau): expected 0 ... 1")
      }
    }
    guard !tauBySilhouette || tau == nil else {
      throw ValidationError("--tau-by-silhouette chooses τ; --tau sets it: expected one of them")
    }
    guard granularity == .asTrained || tau == nil && tauLater == nil else {
      throw ValidationError(
        "--granularity moves the model's τ; --tau sets it: expected one of them")
    }
    guard maxLevels >= 1 else {
      throw ValidationError("--max-levels \(maxLevels): expected 1 or more")
    }
    guard maxLevels > 1 || tauLater == nil else {
      throw ValidationError("--tau-later is for levels after the first; not with --max-levels 1")
    }
    guard maxLevels > 2 || !earlyStop else {
      throw ValidationError(
        "--early-stop compares the merges of two levels before a third; "
          + "expected --max-levels 3 or more")
    }
    guard (neighbors == nil) == (similarities == nil) else {
      throw ValidationError("--neighbors and --similarities go together")
    }
    guard neighbors == nil || search.settings.isEmpty else {
      throw ValidationError(
        "\(search.settings.keys.sorted()[0]) is of neighbours that are searched, --neighbors gives "
          + "them: expected one of them")
    }
    try outputs.check([output, report, hierarchy], named: "--output, --report or --hierarchy")
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [.labels(output), .json(report)],
      reading: [input.features, model, truth, neighbors, similarities], outside: hierarchy,
      on: communicator)
    if let hierarchy {
      try communicator.agree {
        guard communicator.rank == Rank(0) else { return }
        try checkWritableDirectory(
          hierarchy, marker: HierarchyWriter.marker, overwrite: outputs.overwrite)
      }
    }
    let source = try input.open(on: communicator)
    let trueLabels = try truth.map { path in
      let labels = try communicator.agree {
        try readLabels(path, count: source.rowCount, communicator)
      }
      try noteNegativeLabels(labels, of: path, on: communicator)
      return labels
    }
    let options = ClusteringOptions(
      neighborCount: neighborCount, threshold: tau, laterThreshold: tauLater,
      choosesThreshold: tauBySilhouette, granularity: granularity, maximumLevels: maxLevels,
      stopsEarly: earlyStop, search: search.options, invalidRows: invalidRows,
      workers: try threads.workers(on: communicator))
    let flow = FlowPlan(
      neighborCount: neighborCount, search: search.options, invalidRows: invalidRows,
      workers: options.workers)
    if chosenMethod == .flow {
      try checkMemory(flow, source, on: communicator)
      return try cluster(
        source, trueLabels, parameters: parameters(flow, network: nil), workers: flow.workers,
        hierarchy: nil, on: communicator
      ) { try HierarchicalClustering.cluster(source, by: flow, observer: $0, on: communicator) }
    }
    let trained = try communicator.agree {
      try TrainedModel(path: model, dimensions: source.dimensions)
    }
    try checkMemory(trained, source, on: communicator)
    let plan = try communicator.agree {
      try ClusteringPlan(options, with: trained) { length in
        try readNeighbors(of: source, length: length, for: trained, on: communicator)
      }
    }
    let parameters = parameters(flow, network: (plan, trained.name))
    if chosenMethod == .auto {
      try checkMemory(flow, source, on: communicator)
      return try cluster(
        source, trueLabels, parameters: parameters, workers: plan.workers, hierarchy: nil,
        on: communicator
      ) {
        try HierarchicalClustering.cluster(
          source, by: ComparingPlan(flow: flow, network: plan), observer: $0, on: communicator)
      }
    }
    func clusterByNetwork(_ hierarchy: HierarchyWriter?) throws {
      try cluster(
        source, trueLabels, parameters: parameters, workers: plan.workers, hierarchy: hierarchy,
        on: communicator
      ) { try HierarchicalClustering.cluster(source, by: plan, observer: $0, on: communicator) }
    }
    guard let hierarchy else { return try clusterByNetwork(nil) }
    try writeDirectory(
      to: hierarchy, marker: HierarchyWriter.marker, overwrite: outputs.overwrite,
      on: communicator
    ) { try clusterByNetwork(HierarchyWriter(in: $0)) }
  }

  /// What a report says was asked for, once it is known what was chosen.
  private func parameters(
    _ flow: FlowPlan, network: (plan: ClusteringPlan<LinkageModel>, name: String)?
  ) -> (Clustering) -> ClusterReport.Parameters {
    { clustering in
      var parameters: ClusterReport.Parameters
      switch clustering.choice {
      case .listLength(let choice):
        parameters = .init(flow, choice, features: input.features)
      case .thresholds(let choice):
        parameters = .init(
          network!.plan, choice, features: input.features, model: network!.name,
          neighbors: neighbors, similarities: similarities)
      }
      parameters.comparison = clustering.comparison
      return parameters
    }
  }

  /// Refuses edges that no memory holds, before neighbours are searched.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func checkMemory(
    _ flow: FlowPlan, _ source: FeatureFile, on communicator: MPICommunicator
  ) throws {
    let length = min(flow.longestList, max(source.rowCount - 1, 0))
    try MemoryNeed(
      option: neighborCount.map { "-k \($0)" } ?? "--method \(chosenMethod.rawValue)",
      purpose: "flow over lists of \(length)",
      bytes: 110 * Double(ownShare(of: source.rowCount, on: communicator).count) * Double(length)
    ).check(on: communicator)
  }

  /// Refuses lists that no memory holds, before they are read or searched.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func checkMemory(
    _ model: TrainedModel, _ source: FeatureFile, on communicator: MPICommunicator
  ) throws {
    let k = model.neighborCount(neighborCount)
    try MemoryNeed(
      neighbors: neighborCount == nil ? "k = \(k) of \(model.name)" : "-k \(k)",
      ownedCount: ownShare(of: source.rowCount, on: communicator).count,
      pointCount: source.rowCount, columnCount: model.linkage.listLength(neighborCount: k),
      isWritten: false, rankCount: communicator.size
    ).check(on: communicator)
  }

  private func cluster(
    _ source: FeatureFile, _ trueLabels: [Int64]?,
    parameters: (Clustering) -> ClusterReport.Parameters, workers: Workers,
    hierarchy: HierarchyWriter?, on communicator: MPICommunicator,
    by body: (ClusteringReporter) throws -> Clustering
  ) throws {
    let reporter = ProgressReporter(progress, on: communicator)
    let start = ContinuousClock.now
    let clustering = try body(
      ClusteringReporter(
        progress: reporter, hierarchy: hierarchy, pointCount: source.rowCount))
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))

    let metrics = try trueLabels.map {
      try compareLabels(truth: $0, predicted: clustering.labels, on: communicator)
    }
    let report = ClusterReport(
      parameters: parameters(clustering), rankCount: communicator.size,
      threadCount: workers.count,
      pointCount: source.rowCount, dimensions: source.dimensions,
      clusterCount: clustering.clusterCount,
      singletonCount: clustering.singletonCount,
      stopReason: clustering.stopReason, reading: clustering.reading, labeling: clustering.labeling,
      levels: clustering.levels,
      elapsedSeconds: elapsed, memory: try MemoryReport(on: communicator), metrics: metrics)

    if let output {
      try LabelFile.write(
        clustering.labels, count: source.rowCount,
        firstRow: clustering.points.owned(by: communicator.rank).lowerBound, to: output,
        overwrite: outputs.overwrite, on: communicator)
    }
    try hierarchy?.finish(
      report, answer: clustering.labels, points: clustering.points, on: communicator)
    if let path = self.report {
      try writeJSON(report, to: path, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print(report.table)
    for level in report.levels {
      if let account = level.search?.account { print("Level \(level.level): \(account)") }
    }
    print(report.parameters.account)
    print(report.summary)
    if let metrics { print(metrics) }
  }

  /// This rank's share of the user's neighbour lists, in the order and length that the method wants.
  private func readNeighbors(
    of source: FeatureFile, length: Int, for model: TrainedModel, on communicator: some Communicator
  ) throws -> NeighborLists? {
    guard let neighbors, let similarities else { return nil }
    let owned = ownShare(of: source.rowCount, on: communicator)
    let files = try NeighborFiles(neighbors: neighbors, similarities: similarities)
    // A network of coordinates takes what there is; fewer will do where they hold all other points.
    let mayBeShorter = model.linkage.settings == nil
    guard mayBeShorter || files.listLength >= min(length, source.rowCount - 1) else {
      throw DataError(
        path: neighbors,
        problem: "\(files.listLength) neighbours of each point; expected \(length) or more, "
          + "as '\(model.name)' looks at that many: highland knn -k \(length + 1)")
    }
    return try files.lists(owned, nodeCount: source.rowCount)
      .canonical(listLength: length, firstNode: owned.lowerBound)
  }
}

/// What clusters.
enum ClusteringMethod: String, CaseIterable, Codable, ExpressibleByArgument {
  case flow, network
  /// Both; the one whose clusters are separated better is taken.
  case auto
}

extension Granularity: ExpressibleByArgument {}
extension InvalidRowPolicy: ExpressibleByArgument {}

/// This rank's share of a file of labels for `count` points.
func readLabels(_ path: String, count: Int, _ communicator: some Communicator) throws -> [Int64] {
  let file = try LabelFile(path: path)
  guard file.count == count else {
    throw file.miscount(expected: count, "one per point")
  }
  return try file.labels(ownShare(of: count, on: communicator))
}
