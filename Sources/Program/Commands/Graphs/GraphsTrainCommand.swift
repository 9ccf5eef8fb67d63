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
    abstract: "Train a network that classifies graphs, once or with cross-validation.",
    discussion: """
        highland graphs train PROTEINS/ --network diffpool --folds 10
        highland graphs train PROTEINS/ --output model.safetensors

      Without --folds: trains on the graphs outside the validation and test shares, and writes the \
      model. With --folds: uses every fold as the test set once, and prints a row per fold, the mean \
      and the deviation. The validation graphs, which are used for neither training nor testing, \
      decide which epoch's network is kept. Folds, shares, initial parameters and orders follow from \
      the seed.
      """)

  @Argument(help: "The directory of the collection.")
  var directory: String

  @Option(
    help: "The network: baseline (sees no edges), gcn, gin, sage, or diffpool (hierarchical).")
  var network = GraphArchitecture.Kind.gcn

  @Option(help: "Columns of hidden rows.")
  var hidden = 64

  @Option(
    help:
      "Layers; for diffpool, in each block. Default: 3; 1 for the baseline and one pooling level.")
  var layers: Int?

  @Option(
    help: ArgumentHelp(
      "Clusters of each pooling level of diffpool, separated by commas: 38,10.",
      discussion: "Default: one level, with a quarter of the largest graph's nodes, at most 160."))
  var clusters: String?

  @Option(
    help: ArgumentHelp(
      "How rows of nodes or of the last clusters become a graph's row: mean, sum or max.",
      discussion: "Default: sum for baseline and gin, mean for the others."))
  var readout: Aggregation?

  @Option(help: "The share of a graph's hidden numbers that training drops.")
  var dropout = 0.0

  @Option(
    help: ArgumentHelp(
      "What nodes are seen by: labels, attributes, degree, with commas; or constant.",
      discussion: "Default: labels and attributes; the degree if nodes have neither."))
  var features: String?

  @Option(help: "Folds of a cross-validation; 0 for a single split.")
  var folds = 0

  @Option(help: "The first seed.")
  var seed: UInt64 = 0

  @Option(help: "How many seeds to try, each with splits of its own.")
  var seeds = 1

  @Option(
    help: ArgumentHelp(
      "The number of groups of ranks that share the folds and seeds, or automatic.",
      discussion: """
        The groups work side by side; the results are the same as with one group. automatic: one group \
        per rank, or one per fold and seed if there are fewer of those.
        """))
  var groups = GroupCount.count(1)

  @Option(help: "The share of the graphs to validate on.")
  var validationShare = 0.1

  @Option(help: "The share of the graphs to test on, without --folds. Default: 0.1.")
  var testShare: Double?

  @Option(help: "The maximum number of epochs.")
  var epochs = 100

  @Option(help: "End training after this many epochs without a better validation; 0 for never.")
  var patience = 0

  @Option(
    help: ArgumentHelp(
      "Which epoch's network is kept, by the validation graphs: loss, accuracy or last.",
      discussion: "Default: loss; last without validation graphs."))
  var select: GraphTrainingOptions.Selection?

  @Option(help: "Graphs in a batch.")
  var batch = 64

  @Option(help: "Adam's learning rate.")
  var learningRate = 0.005

  @Option(help: "The schedule of the learning rate: constant or cosine.")
  var schedule = GraphTrainingOptions.Schedule.constant

  @Option(help: "Adam's weight decay, decoupled from the gradient.")
  var weightDecay = 0.0

  @Option(help: "The weight of diffpool's link loss. Default: 1.")
  var linkWeight: Double?

  @Option(help: "The weight of diffpool's entropy loss. Default: 1.")
  var entropyWeight: Double?

  @Option(name: .shortAndLong, help: "The model to write (.safetensors), without --folds.")
  var output: String?

  @Option(help: "Write options, splits, curves and results to this JSON file.")
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
    let most = 1_000_000_000
    try require(
      folds == 0 || (2...most).contains(folds),
      "--folds \(folds): expected 0, or 2 and more up to the number of graphs")
    try require(
      (1...Self.mostSeeds).contains(seeds), "--seeds \(seeds): expected 1 ... \(Self.mostSeeds)")
    try require(
      !seed.addingReportingOverflow(UInt64(seeds - 1)).overflow,
      "--seed \(seed) with --seeds \(seeds): the last would be above \(UInt64.max)")
    if case .count(let count) = groups {
      try require(
        (1...trialCount).contains(count),
        "--groups \(count): expected 1 ... \(trialCount), the number of folds and seeds")
    }
    try require((1...most).contains(epochs), "--epochs \(epochs): expected 1 ... \(most)")
    try require((0...most).contains(patience), "--patience \(patience): expected 0 ... \(most)")
    try require((1...most).contains(batch), "--batch \(batch): expected 1 ... \(most)")
    try require(
      learningRate > 0 && learningRate <= 1e6,
      "--learning-rate \(learningRate): expected above 0, at most 1000000")
    for (name, value) in [
      ("--weight-decay", weightDecay), ("--link-weight", linkWeight ?? 1),
      ("--entropy-weight", entropyWeight ?? 1),
    ] {
      try require((0...1e6).contains(value), "\(name) \(value): expected 0 ... 1000000")
    }
    try require(
      (0..<1).contains(validationShare),
      "--validation-share \(validationShare): expected 0 to below 1")
    if let testShare {
      try require((0..<1).contains(testShare), "--test-share \(testShare): expected 0 to below 1")
      try require(folds == 0, "--test-share is without --folds, each of which is the test set once")
    }
    try require(
      folds > 0 || validationShare + testFraction < 1,
      "shares of \(validationShare) for validation and \(testFraction) for testing: expected "
        + "together below 1")
    try require(
      patience == 0 || select != .last,
      "--patience goes by the best epoch; with --select last the last is taken")
    if validationShare == 0 {
      try require(
        patience == 0, "--patience goes by the validation graphs; --validation-share is 0")
      try require(
        select == nil || select == .last,
        "--select \(select?.rawValue ?? "") goes by the validation graphs; --validation-share is 0")
    }
    try require(
      output == nil || (folds == 0 && seeds == 1),
      "--output is of one model: not with --folds or several --seeds")
    try outputs.check([output, report], named: "--output or --report")
    _ = try clusterCounts(largestGraph: 640)
    _ = try namedColumns()
    for (name, isGiven) in [
      ("--clusters", clusters != nil), ("--link-weight", linkWeight != nil),
      ("--entropy-weight", entropyWeight != nil),
    ] where network != .diffpool && isGiven {
      throw ValidationError("\(name) is for --network diffpool")
    }
  }

  /// More than anybody waits for.
  private static let mostSeeds = 100_000

  private var testFraction: Double { testShare ?? 0.1 }

  private func clusterCounts(largestGraph: Int) throws -> [Int] {
    guard network == .diffpool else { return [] }
    guard let clusters else {
      return [GraphArchitecture.usualClusterCount(largestGraph: largestGraph)]
    }
    let counts = try clusters.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let count = Int($0), (1...65_536).contains(count) else {
        throw ValidationError(
          "--clusters \(clusters): expected numbers from 1 to 65536, with commas")
      }
      return count
    }
    guard counts.count <= 100 else {
      throw ValidationError("--clusters of \(counts.count) levels: expected at most 100")
    }
    for (count, next) in zip(counts, counts.dropFirst()) where next > count {
      throw ValidationError(
        "--clusters \(clusters): \(next) after \(count); expected numbers that do not grow, as a level "
          + "pools the clusters of the one before")
    }
    return counts
  }

  /// What `--features` names; nil without it.
  private func namedColumns() throws -> NodeEncoder.Columns? {
    guard let features, features != "constant" else { return features.map { _ in [] } }
    return try features.split(separator: ",", omittingEmptySubsequences: false).reduce(into: []) {
      columns, name in
      switch name {
      case "labels": columns.insert(.labels)
      case "attributes": columns.insert(.attributes)
      case "degree": columns.insert(.degree)
      default:
        throw ValidationError(
          "--features \(features): expected labels, attributes or degree, with commas; or constant")
      }
    }
  }

  /// What the nodes of a collection are seen by, and what is to be said about it.
  private func columns(
    of collection: GraphCollection
  ) throws -> (columns: NodeEncoder.Columns, note: String) {
    let named = try namedColumns()
    let columns = named?.present(in: collection) ?? .standard(for: collection)
    if let named, !named.isEmpty, columns.isEmpty {
      throw DataError(
        path: collection.name,
        problem: "nodes have no \(named.names.joined(separator: " and no ")) for --features "
          + "\(features ?? ""); take degree, or constant")
    }
    let encoder = NodeEncoder(columns, of: collection, fittedTo: [])
    var note = "nodes are seen by \(encoder.description)"
    let missing = (named ?? []).subtracting(columns).names
    if !missing.isEmpty {
      note =
        "nodes have no \(missing.joined(separator: " and no ")); they are seen by \(encoder.description)"
    } else if named == nil, columns == .degree {
      note = "nodes have neither labels nor attributes; they are seen by \(encoder.description)"
    }
    return (columns, note)
  }

  func run(on communicator: MPICommunicator) throws {
    let groupCount = try groups.count(of: communicator.size, for: trialCount)
    try outputs.check(
      [.model(output), .json(report)], reading: collectionFiles(in: directory), on: communicator)
    let workers = try threads.workers(on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    let collection: GraphCollection = try communicator.agree {
      let collection = try GraphCollection(directory: directory)
      try checkCounts(of: collection)
      return collection
    }
    let (columns, note) = try communicator.agree { try self.columns(of: collection) }
    collection.readingNote.map(reporter.note)
    reporter.note(note)
    let plan = try plan(for: collection, columns: columns)
    let start = ContinuousClock.now
    let tasks: [GraphTrialTask] = try communicator.agree {
      let encoder = NodeEncoder(columns, of: collection, fittedTo: [])
      try GraphMemory.require(rowsOf: collection, width: encoder.width)
      let graphCount = min(batch, collection.graphCount)
      try GraphMemory.require(
        trainingOf: plan.architecture(encoder, of: collection),
        graphsPerRank: max(1, graphCount * groupCount / communicator.size), ranks: communicator.size
      )
      return try self.tasks(of: collection)
    }
    for (share, part, isEmpty) in [
      (validationShare, "validation", tasks.contains { $0.split.validation.isEmpty }),
      (folds > 0 ? 0 : testFraction, "test", tasks.contains { $0.split.test.isEmpty }),
    ] where share > 0 && isEmpty {
      reporter.note("--\(part)-share \(share) of \(collection.graphCount) graphs is none")
    }
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
      self, of: collection, plan: plan, architecture: plan.architecture(encoder, of: collection),
      tasks: tasks,
      results: results, rankCount: communicator.size,
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

  /// Finds out whether the collection has as many graphs as the options ask for.
  private func checkCounts(of collection: GraphCollection) throws {
    func require(_ holds: Bool, _ text: String) throws {
      if !holds { throw DataError(path: directory, problem: text) }
    }
    try require(
      collection.classCount > 1,
      "all graphs have the class \(collection.classLabels[0]); expected two classes at least")
    try require(
      folds <= collection.graphCount,
      "--folds \(folds): expected 2 ... \(collection.graphCount), the number of graphs")
    let places = trialCount.multipliedReportingOverflow(by: collection.graphCount)
    try require(
      !places.overflow && places.partialValue <= 100_000_000,
      "\(trialCount) folds and seeds of \(collection.graphCount) graphs: expected at most "
        + "\(100_000_000 / collection.graphCount)")
  }

  private func plan(
    for collection: GraphCollection, columns: NodeEncoder.Columns
  ) throws -> GraphTrialPlan {
    var training = GraphTrainingOptions()
    training.epochCount = epochs
    training.batchSize = min(batch, collection.graphCount)
    training.learningRate = learningRate
    training.weightDecay = weightDecay
    training.schedule = schedule
    training.selection = select ?? (validationShare == 0 ? .last : .loss)
    training.patience = patience
    training.linkWeight = linkWeight ?? 1
    training.entropyWeight = entropyWeight ?? 1
    training.seed = seed
    return GraphTrialPlan(
      kind: network, hidden: hidden, layerCount: layers,
      clusterCounts: try clusterCounts(largestGraph: collection.statistics.largestGraph),
      dropout: dropout, readout: readout, columns: columns, training: training,
      looksAtSmoothing: diagnostics)
  }

  /// Folds of all seeds; the largest integer, if that is too small.
  private var trialCount: Int {
    let (count, isTooLarge) = max(folds, 1).multipliedReportingOverflow(by: seeds)
    return isTooLarge ? .max : count
  }

  private func tasks(of collection: GraphCollection) throws -> [GraphTrialTask] {
    try (0..<seeds).flatMap { place in
      let seed = seed + UInt64(place)
      return try splits(of: collection, seed: seed).enumerated().map {
        guard !$1.train.isEmpty else {
          throw DataError(path: directory, problem: "no graph is left to train on")
        }
        return GraphTrialTask(fold: $0, seed: seed, split: $1)
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
      of: Array(0..<collection.graphCount), classes: collection.classes, share: testFraction,
      seed: seed, fold: -1)
    let (validation, train) = stratifiedShare(
      of: others, classes: collection.classes, share: min(1, validationShare / (1 - testFraction)),
      seed: seed)
    return [GraphSplit(train: train, validation: validation, test: test)]
  }
}

extension NodeEncoder.Columns {
  /// As options and reports name them.
  var names: [String] {
    [(Self.labels, "labels"), (.attributes, "attributes"), (.degree, "degree")].compactMap {
      contains($0) ? $1 : nil
    }
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

  /// The number of groups for the given numbers of ranks and tasks.
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
