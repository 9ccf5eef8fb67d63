public import ArgumentParser
import Communication
import Datasets
import DefaultModel
import DistributedGraphs
import Evaluation
import FoundationEssentials
import GraphNetworks
public import HierarchicalClustering
import MPICommunication
import Parallelism

struct ClusterCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Cluster embeddings.",
    discussion: """
      Builds the nearest-neighbour graph, predicts linkage and density with the model, merges \
      components into the nodes of the next level, and repeats until nothing merges. The number of \
      clusters comes out by itself.

      Labels are 0, 1, 2, … in the order in which clusters first appear. They are the same, bit \
      for bit, on any number of ranks and threads.
      """)

  @OptionGroup var input: FeatureOptions

  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "The model, a .safetensors file; highland info FILE shows what it holds.",
      discussion: """
        Default: a model of structure that comes with the program, for embeddings of any kind and \
        dimension. One that was trained on data of the same kind (highland train) does better.
        """))
  var chosenModel: String?

  @Option(
    help: "finer for more and smaller clusters than the model would make, coarser for fewer.")
  var granularity = Granularity.asTrained

  @Option(
    name: .shortAndLong,
    help: "Where the labels go: .npy of int64, or text, one per line. Default: nowhere.")
  var output: String?

  @Option(
    name: .customShort("k"),
    help: ArgumentHelp(
      "Places of a point's neighbour list, the point itself included.",
      discussion: """
        As in the authors' scripts: -k 10 means at most 9 other points. Default: what the model was \
        trained with; 10 if it does not say.
        """))
  var chosenNeighborCount: Int?

  @Option(
    name: .customLong("tau"),
    help: ArgumentHelp(
      "A linkage must be more probable than this to merge, in 0 ... 1.",
      discussion: "Default: what training chose; 0.8 if the model does not say."))
  var chosenTau: Double?

  @Option(
    name: .customLong("tau-later"),
    help: "The same for the levels after level 0. Default: as --tau.")
  var chosenTauLater: Double?

  @Flag(
    help: ArgumentHelp(
      "Choose τ on these data, without labels: the one above which clusters stand apart best.",
      discussion: "The default model does so unless --tau or --neighbors are given."))
  var tauBySilhouette = false

  @Option(help: "The most levels.")
  var maxLevels = 10

  @Flag(help: "Stop once merges fall by less than a factor of k − 1 from level to level.")
  var earlyStop = false

  @Option(
    help: ArgumentHelp(
      "True labels, .npy of integers or text: prints how well the clusters agree.",
      discussion: "They are not used for anything else."))
  var truth: String?

  @Option(help: "Keep every level in this directory; Docs/Formats.md says how.")
  var hierarchy: String?

  @Option(help: "Write parameters, counts, seconds, bytes and metrics as JSON.")
  var report: String?

  @Option(
    help: "Your own neighbours, integers [points × any], −1 for none; with --similarities.")
  var neighbors: String?

  @Option(help: "Cosine similarities to --neighbors, of the same shape.")
  var similarities: String?

  @Option(
    help: """
      Rows of zeros, or with NaN or infinite values: error refuses the file, singleton keeps each \
      as a cluster of its own.
      """)
  var invalidRows = InvalidRowPolicy.error

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  /// As messages and reports call it.
  private var model: String { chosenModel ?? defaultModelName }

  func validate() throws {
    if let chosenNeighborCount, chosenNeighborCount < 1 {
      throw ValidationError("-k \(chosenNeighborCount): expected 1 or more")
    }
    for (name, tau) in [("--tau", chosenTau), ("--tau-later", chosenTauLater)] {
      if let tau, !(0...1).contains(tau) {
        throw ValidationError("\(name) \(tau): expected 0 ... 1")
      }
    }
    guard !tauBySilhouette || chosenTau == nil && chosenTauLater == nil && neighbors == nil else {
      throw ValidationError(
        "--tau-by-silhouette chooses τ by a search of its own; not with --tau or --neighbors")
    }
    guard granularity == .asTrained || chosenTau == nil && chosenTauLater == nil else {
      throw ValidationError(
        "--granularity moves the model's τ; --tau sets it: expected one of them")
    }
    guard maxLevels >= 1 else {
      throw ValidationError("--max-levels \(maxLevels): expected 1 or more")
    }
    guard (neighbors == nil) == (similarities == nil) else {
      throw ValidationError("--neighbors and --similarities go together")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check([output, report], outside: hierarchy, on: communicator)
    if let hierarchy {
      try communicator.agree {
        guard communicator.rank == Rank(0) else { return }
        try checkWritableDirectory(
          hierarchy, marker: HierarchyWriter.marker, overwrite: outputs.overwrite)
      }
    }
    let source = try input.open(on: communicator)
    let (network, decisions) = try communicator.agree {
      let file = try openModel(chosenModel)
      let network = try LinkageModel(file, dimensions: source.dimensions)
      return (network, try settle(network, or: file))
    }
    var options = options(decisions, workers: try threads.workers(on: communicator))
    let trueLabels = try truth.map { path in
      try communicator.agree { try readLabels(path, count: source.rowCount, communicator) }
    }
    let lists = try readNeighbors(
      of: source, length: network.listLength(options), mayBeShorter: network.settings == nil,
      on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    if source.rowCount <= options.neighborCount {
      reporter.note(
        "\(source.rowCount) points are no more than k = \(options.neighborCount): "
          + "nothing will merge")
    }

    let start = ContinuousClock.now
    var judged: JudgedLevel<FeatureFile>?
    if tauBySilhouette || model == defaultModelName && chosenTau == nil && lists == nil,
      case .structure = network
    {
      let level = try JudgedLevel(
        source, with: network, options: options, keepsLists: hierarchy != nil,
        observer: ClusteringReporter(
          progress: reporter, hierarchy: nil, pointCount: source.rowCount), on: communicator)
      options = self.options(
        try silhouetteDecisions(level, options, reporter, on: communicator),
        workers: options.workers)
      judged = level
    }

    guard let hierarchy else {
      return try cluster(
        source, network, options, lists, judged, trueLabels, reporter, hierarchy: nil, since: start,
        on: communicator)
    }
    try writeDirectory(
      to: hierarchy, marker: HierarchyWriter.marker, overwrite: outputs.overwrite,
      on: communicator
    ) { temporary in
      try cluster(
        source, network, options, lists, judged, trueLabels, reporter,
        hierarchy: HierarchyWriter(in: temporary), since: start, on: communicator)
    }
  }

  private func cluster(
    _ source: FeatureFile, _ network: LinkageModel, _ options: ClusteringOptions,
    _ lists: NeighborLists?, _ judged: JudgedLevel<FeatureFile>?, _ trueLabels: [Int64]?,
    _ progress: ProgressReporter, hierarchy: HierarchyWriter?, since start: ContinuousClock.Instant,
    on communicator: MPICommunicator
  ) throws {
    let clustering = try HierarchicalClustering.cluster(
      source, with: network, options: options, initialNeighbors: lists, from: judged,
      observer: ClusteringReporter(
        progress: progress, hierarchy: hierarchy, pointCount: source.rowCount),
      on: communicator)
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))

    let metrics = try trueLabels.map {
      try compareLabels(truth: $0, predicted: clustering.labels, on: communicator)
    }
    let report = ClusterReport(
      parameters: .init(
        features: input.features, model: model, k: options.neighborCount, tau: options.threshold,
        tauLater: options.laterThreshold,
        maximumLevels: maxLevels, earlyStop: earlyStop, invalidRows: invalidRows.rawValue,
        neighbors: neighbors, similarities: similarities),
      rankCount: communicator.size, threadCount: options.workers.count,
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
    print(report.summary)
    if let metrics { print(metrics) }
  }

  private func options(_ decisions: Decisions, workers: Workers) -> ClusteringOptions {
    ClusteringOptions(
      neighborCount: decisions.neighborCount, threshold: decisions.threshold,
      laterThreshold: decisions.laterThreshold, maximumLevels: maxLevels, stopsEarly: earlyStop,
      invalidRows: invalidRows, workers: workers)
  }

  /// τ without labels, moved by the granularity.
  ///
  /// > Collective: over `communicator`, as ``JudgedLevel/thresholdWithoutLabels(on:)``.
  private func silhouetteDecisions(
    _ level: JudgedLevel<FeatureFile>, _ options: ClusteringOptions, _ reporter: ProgressReporter,
    on communicator: MPICommunicator
  ) throws -> Decisions {
    let choice = try level.thresholdWithoutLabels(on: communicator)
    for trial in choice.trials {
      reporter.note(
        "τ = \(trial.threshold): \(trial.clusterCount) clusters, "
          + "silhouette \(decimal(trial.silhouette, places: 4))")
    }
    let tau = granularity.moved(choice.threshold)
    reporter.note(
      "τ = \(decimal(tau, places: 3)), as there are no labels to choose by: the best silhouette has "
        + "\(choice.standingApart), and 96 % of the nodes with denser neighbours merge above "
        + "\(decimal(choice.deciding, places: 3))")
    return Decisions(
      neighborCount: options.neighborCount, threshold: tau, laterThreshold: tau)
  }

  /// What was asked for, and where nothing was, what the model was trained for.
  ///
  /// - Throws: ``ModelError`` if the model's metadata hold something else than numbers in range, or it
  ///   was trained with another k than the one asked for.
  private func settle(_ network: LinkageModel, or file: TensorFile) throws -> Decisions {
    func metadata<T: LosslessStringConvertible>(_ name: String, _ isValid: (T) -> Bool) throws -> T?
    {
      guard let text = file.metadata[name] else { return nil }
      guard let value = T(text), isValid(value) else {
        throw ModelError(path: file.path, reason: "'\(name)' in its metadata is '\(text)'")
      }
      return value
    }
    if let trained = network.settings {
      if let chosenNeighborCount, chosenNeighborCount != trained.neighborCount {
        throw ModelError(
          path: file.path,
          reason: "trained with k = \(trained.neighborCount), and of use for no other; "
            + "leave -k \(chosenNeighborCount) out")
      }
      return Decisions(
        neighborCount: trained.neighborCount,
        threshold: chosenTau ?? granularity.moved(trained.threshold),
        laterThreshold: chosenTauLater ?? chosenTau ?? granularity.moved(trained.laterThreshold))
    }
    let trained = try metadata("tau") { (0.0...1).contains($0) } ?? 0.8
    let threshold = chosenTau ?? granularity.moved(trained)
    return Decisions(
      neighborCount: try chosenNeighborCount ?? metadata("k") { $0 >= 1 } ?? 10,
      threshold: threshold, laterThreshold: chosenTauLater ?? threshold)
  }

  /// The user's neighbour lists, in the order and length that the method wants.
  ///
  /// > Collective: over `communicator`. One round of one byte.
  private func readNeighbors(
    of source: FeatureFile, length: Int, mayBeShorter: Bool,
    on communicator: some Communicator
  ) throws -> NeighborLists? {
    guard let neighbors, let similarities else { return nil }
    return try communicator.agree {
      let owned = ownShare(of: source.rowCount, on: communicator)
      let files = try NeighborFiles(neighbors: neighbors, similarities: similarities)
      // Fewer will do where they hold all other points.
      guard mayBeShorter || files.listLength >= min(length, source.rowCount - 1) else {
        throw DataError(
          path: neighbors,
          problem: "\(files.listLength) neighbours of each point; expected \(length) or more, "
            + "as '\(model)' looks at that many")
      }
      return try files.lists(owned, nodeCount: source.rowCount)
        .canonical(listLength: length, firstNode: owned.lowerBound)
    }
  }
}

/// How many clusters are wanted, beside what a model finds right.
enum Granularity: String, CaseIterable, ExpressibleByArgument {
  case finer
  case asTrained = "as-trained"
  case coarser

  /// τ with its odds, τ / (1 − τ), times three or over three.
  func moved(_ threshold: Double) -> Double {
    let factor: Double
    switch self {
    case .asTrained: return threshold
    case .finer: factor = 3
    case .coarser: factor = 1.0 / 3
    }
    return threshold * factor / (threshold * factor + 1 - threshold)
  }
}

/// The name of the model that comes with the program, in messages and reports.
let defaultModelName = "default"

/// A model file, or the one that comes with the program: where none is named, or `default`, unless
/// there is a file of that name.
func openModel(_ path: String?) throws -> TensorFile {
  guard let path, path != defaultModelName || FileManager.default.fileExists(atPath: path) else {
    return try TensorFile(contents: DefaultModel.contents, name: "the default model")
  }
  return try TensorFile(path: path)
}

/// By what clustering decides.
private struct Decisions {
  let neighborCount: Int
  let threshold: Double
  let laterThreshold: Double
}

extension InvalidRowPolicy: ExpressibleByArgument {}

/// This rank's share of a file of labels for `count` points.
func readLabels(_ path: String, count: Int, _ communicator: some Communicator) throws -> [Int64] {
  let file = try LabelFile(path: path)
  guard file.count == count else {
    throw file.miscount(expected: count, "one per point")
  }
  return try file.labels(ownShare(of: count, on: communicator))
}
