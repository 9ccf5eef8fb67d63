public import ArgumentParser
import Communication
import Datasets
public import Differentiation
import Evaluation
public import GraphClassification
import GraphCollections
import MPICommunication
import Parallelism

extension GraphArchitecture.Kind: ExpressibleByArgument {}
extension Aggregation: ExpressibleByArgument {}
extension GraphTrainingOptions.Schedule: ExpressibleByArgument {}
extension GraphTrainingOptions.Selection: ExpressibleByArgument {}

struct GraphsTrainCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network that classifies graphs, once or in a cross-validation.",
    discussion: """
      Without --folds: trains on what the validation and test shares leave, and writes the model. With \
      --folds: every fold is the test set once; prints a row per fold, mean and deviation. The epoch \
      whose network counts is chosen by the validation graphs, which are neither trained on nor \
      tested on. Folds, shares, first parameters and orders follow from the seed.
      """)

  @Argument(help: "The directory of the collection.")
  var directory: String

  @Option(help: "The network: gcn (flat) or diffpool (hierarchical).")
  var network = GraphArchitecture.Kind.gcn

  @Option(help: "Columns of hidden rows.")
  var hidden = 64

  @Option(help: "Convolutions, of each block for diffpool. Default: 3; 1 for one pooling level.")
  var layers: Int?

  @Option(
    help: ArgumentHelp(
      "Clusters of each pooling level of diffpool, with commas, as 38,10.",
      discussion: "By default one level, of a quarter of the largest graph's nodes, at most 160."))
  var clusters: String?

  @Option(help: "What a graph's row is of its nodes' or last clusters' rows: mean, sum or max.")
  var readout = Aggregation.mean

  @Option(help: "The share of a graph's hidden numbers that training leaves out.")
  var dropout = 0.0

  @Option(help: "What nodes are seen by: labels, attributes, degree, with commas.")
  var features = "labels,attributes"

  @Option(help: "Folds of a cross-validation; 0 for a single split.")
  var folds = 0

  @Option(help: "The first seed.")
  var seed: UInt64 = 0

  @Option(help: "How many seeds to try, each with splits of its own.")
  var seeds = 1

  @Option(
    help: ArgumentHelp(
      "Groups of ranks that folds and seeds are dealt to: a number, or automatic.",
      discussion: """
        The groups work side by side; the results are those of one group. automatic: as many as there are \
        ranks, or folds and seeds if they are fewer.
        """))
  var groups = GroupCount.count(1)

  @Option(help: "The share of the graphs left for validation.")
  var validationShare = 0.1

  @Option(help: "The share of the graphs left for testing, without --folds.")
  var testShare = 0.1

  @Option(help: "The most epochs.")
  var epochs = 100

  @Option(help: "Epochs without a better validation after which training ends; 0 for never.")
  var patience = 0

  @Option(help: "Which epoch's network is kept, by the validation graphs: loss, accuracy or last.")
  var select = GraphTrainingOptions.Selection.loss

  @Option(help: "Graphs in a batch.")
  var batch = 64

  @Option(help: "Adam's learning rate.")
  var learningRate = 0.005

  @Option(help: "How the learning rate goes: constant or cosine.")
  var schedule = GraphTrainingOptions.Schedule.constant

  @Option(help: "Adam's decay, apart from the gradient.")
  var weightDecay = 0.0

  @Option(help: "What diffpool's link loss counts.")
  var linkWeight = 1.0

  @Option(help: "What diffpool's entropy loss counts.")
  var entropyWeight = 1.0

  @Option(name: .shortAndLong, help: "The model to write (.safetensors), without --folds.")
  var output: String?

  @Option(help: "A JSON file with options, splits, curves and results.")
  var report: String?

  @Flag(help: "Print the results as JSON.")
  var json = false

  @Flag(help: "Report how alike nodes become, layer by layer: their mean cosine distance.")
  var diagnostics = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    func require(_ holds: Bool, _ text: String) throws {
      if !holds { throw ValidationError(text) }
    }
    try require((1...65_536).contains(hidden), "--hidden \(hidden): expected 1 ... 65536")
    try require(
      layers.map { (1...1000).contains($0) } ?? true, "--layers \(layers ?? 0): expected 1 ... 1000"
    )
    try require((0..<1).contains(dropout), "--dropout \(dropout): expected 0 to below 1")
    try require(folds == 0 || folds >= 2, "--folds \(folds): expected 0, or 2 and more")
    try require(seeds >= 1, "--seeds \(seeds): expected 1 and more")
    if case .count(let count) = groups {
      try require(
        (1...trialCount).contains(count),
        "--groups \(count): expected 1 ... \(trialCount), the number of folds and seeds")
    }
    try require(epochs >= 1, "--epochs \(epochs): expected 1 and more")
    try require(patience >= 0, "--patience \(patience): expected 0 and more")
    try require(batch >= 1, "--batch \(batch): expected 1 and more")
    try require(
      learningRate > 0 && learningRate.isFinite, "--learning-rate \(learningRate): expected above 0"
    )
    for (name, value) in [
      ("--weight-decay", weightDecay), ("--link-weight", linkWeight),
      ("--entropy-weight", entropyWeight),
    ] {
      try require(value >= 0 && value.isFinite, "\(name) \(value): expected 0 and more")
    }
    try require(
      (0..<1).contains(validationShare) && (0..<1).contains(testShare)
        && validationShare + testShare < 1,
      "shares of \(validationShare) and \(testShare): expected 0 and more, together below 1")
    try require(
      output == nil || (folds == 0 && seeds == 1),
      "--output is of one model: not with --folds or several --seeds")
    _ = try clusterCounts(largestGraph: 640)
    _ = try columns()
    if network == .gcn, clusters != nil {
      throw ValidationError("--clusters is for --network diffpool")
    }
  }

  private func clusterCounts(largestGraph: Int) throws -> [Int] {
    guard network == .diffpool else { return [] }
    guard let clusters else { return [min(160, (largestGraph + 3) / 4)] }
    return try clusters.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let count = Int($0), (1...65_536).contains(count) else {
        throw ValidationError(
          "--clusters \(clusters): expected numbers from 1 to 65536, with commas")
      }
      return count
    }
  }

  private func columns() throws -> NodeEncoder.Columns {
    try features.split(separator: ",").reduce(into: []) { columns, name in
      switch name {
      case "labels": columns.insert(.labels)
      case "attributes": columns.insert(.attributes)
      case "degree": columns.insert(.degree)
      default:
        throw ValidationError(
          "--features \(features): expected labels, attributes or degree, with commas")
      }
    }
  }

  func run(on communicator: MPICommunicator) throws {
    let groupCount = try groups.count(of: communicator.size, for: trialCount)
    try outputs.check([output, report], on: communicator)
    let workers = try threads.workers(on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    let collection = try communicator.agree { try GraphCollection(directory: directory) }
    let plan = try plan(for: collection)
    let start = ContinuousClock.now
    let tasks: [GraphTrialTask] = try communicator.agree { try self.tasks(of: collection) }
    let (results, model) = try plan.run(
      tasks, inGroups: groupCount, on: collection, workers: workers, on: communicator
    ) { place, record in
      let task = tasks[place]
      let name = "seed \(task.seed)" + (folds > 0 ? ", fold \(task.fold + 1) of \(folds)" : "")
      reporter.show(name, isDone: Double(record.epoch) / Double(epochs))
    }
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))
    let encoder = NodeEncoder(plan.columns, of: collection, fittedTo: tasks[0].split.train)
    let result = GraphsReport(
      self, plan: plan, architecture: plan.architecture(encoder, of: collection), tasks: tasks,
      results: results, labels: collection.classLabels, rankCount: communicator.size,
      groupCount: groupCount, threadCount: workers.count, elapsedSeconds: elapsed,
      memory: try MemoryReport(on: communicator))
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      if let output, let model {
        try model.write(
          to: output,
          metadata: [
            "highland": highlandVersion, "collection": collection.name, "seed": "\(seed)",
          ],
          overwrite: outputs.overwrite)
      }
    }
    if let report {
      try writeJSON(result, to: report, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    if json { try printJSON(result.withoutCurves) } else { print(result.table) }
  }

  private func plan(for collection: GraphCollection) throws -> GraphTrialPlan {
    var training = GraphTrainingOptions()
    training.epochCount = epochs
    training.batchSize = batch
    training.learningRate = learningRate
    training.weightDecay = weightDecay
    training.schedule = schedule
    training.selection = select
    training.patience = patience
    training.linkWeight = linkWeight
    training.entropyWeight = entropyWeight
    training.seed = seed
    return GraphTrialPlan(
      kind: network, hidden: hidden, layerCount: layers,
      clusterCounts: try clusterCounts(largestGraph: collection.statistics.largestGraph),
      dropout: dropout, readout: readout, columns: try columns(), training: training,
      looksAtSmoothing: diagnostics)
  }

  private var trialCount: Int { max(folds, 1) * seeds }

  private func tasks(of collection: GraphCollection) throws -> [GraphTrialTask] {
    try (0..<seeds).flatMap { place in
      let seed = seed + UInt64(place)
      return try splits(of: collection, seed: seed).enumerated().map {
        GraphTrialTask(fold: $0, seed: seed, split: $1)
      }
    }
  }

  private func splits(of collection: GraphCollection, seed: UInt64) throws -> [GraphSplit] {
    if folds > 0 {
      return try crossValidation(
        of: collection.classes, labels: collection.classLabels, foldCount: folds,
        validationShare: validationShare, seed: seed)
    }
    let (test, others) = stratifiedShare(
      of: Array(0..<collection.graphCount), classes: collection.classes, share: testShare,
      seed: seed, fold: -1)
    let (validation, train) = stratifiedShare(
      of: others, classes: collection.classes, share: validationShare / (1 - testShare),
      seed: seed)
    return [GraphSplit(train: train, validation: validation, test: test)]
  }
}

/// Into how many groups ranks are divided.
enum GroupCount: ExpressibleByArgument, CustomStringConvertible {
  case automatic
  case count(Int)

  init?(argument: String) {
    if argument == "automatic" {
      self = .automatic
    } else if let count = Int(argument) {
      self = .count(count)
    } else {
      return nil
    }
  }

  var description: String {
    switch self {
    case .automatic: "automatic"
    case .count(let count): "\(count)"
    }
  }

  /// The number of groups of so many ranks for so many tasks.
  ///
  /// - Throws: The same on every rank.
  func count(of rankCount: Int, for taskCount: Int) throws -> Int {
    switch self {
    case .automatic: return min(rankCount, taskCount)
    case .count(let count):
      guard count <= rankCount else {
        throw AgreedFailure(
          reason: "--groups \(count): expected at most \(rankCount), the number of ranks")
      }
      return count
    }
  }
}
