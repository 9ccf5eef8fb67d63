import ArgumentParser
import Communication
import Datasets
import Evaluation
import GraphClassification
import GraphCollections
import MPICommunication
import Parallelism

struct GraphsBenchmarkCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Compare networks on a collection, by a protocol that others use.",
    discussion: """
        highland graphs benchmark PROTEINS/ --quick

      That of Errica et al. (ICLR 2020): every fold is the test set once; settings of a grid are chosen on a tenth of the \
      other graphs, for each fold by itself; then the network is trained several times, and the mean accuracy counts. \
      Prints the mean and the deviation over folds, and the settings that were chosen. Ranks share the networks; \
      the accuracies are the same on any number of ranks and threads.
      """)

  @Argument(help: "The directory of the collection.")
  var directory: String

  @Option(
    help:
      "The networks, with commas: baseline (sees no edges), gcn, gin, sage, diffpool-1 and diffpool-2 (levels).",
    transform: Contestant.list)
  var networks = Contestant.allCases

  @Flag(
    help:
      "Try two settings of each network, for at most 200 epochs, instead of twelve for at most 500."
  )
  var quick = false

  @Option(help: "Folds, each of which is the test set once. Default: 10.")
  var folds: Int?

  @Option(
    help: ArgumentHelp(
      "Take the folds of this file, in the form of those that Errica et al. publish.",
      discussion: """
        JSON: [{"test": [0, 5], "model_selection": [{"train": [1, 2], "validation": [3]}]}, …]; graphs count from 0. \
        The graphs by which final networks stop early are drawn at random.
        """))
  var splits: String?

  @Option(help: "How often a network with the chosen settings is trained.")
  var repeats = 3

  @Option(help: "The maximum number of epochs. Default: 500; 200 with --quick.")
  var epochs: Int?

  @Option(
    help:
      "End training after this many epochs without a better validation. Default: 50; 25 with --quick."
  )
  var patience: Int?

  @Option(help: "The seed of folds, first parameters and orders.")
  var seed: UInt64 = 0

  @Flag(help: "Print everything as JSON.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions

  func validate() throws {
    for (name, value, least, most) in [
      ("--folds", folds ?? 2, 2, 1_000_000), ("--repeats", repeats, 1, 1000),
      ("--epochs", epochs ?? 1, 1, 1_000_000_000), ("--patience", patience ?? 1, 1, 1_000_000_000),
    ] where !(least...most).contains(value) {
      throw ValidationError("\(name) \(value): expected \(least) ... \(most)")
    }
    guard folds == nil || splits == nil else {
      throw ValidationError(
        "--folds and --splits: expected one of them, as a file has its own folds")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    let workers = try threads.workers(on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    let collection: GraphCollection = try communicator.agree {
      let collection = try GraphCollection(directory: directory)
      guard collection.classCount > 1 else {
        throw DataError(
          path: directory,
          problem:
            "all graphs have the class \(collection.classLabels[0]); expected two classes at least")
      }
      let encoder = NodeEncoder(.standard(for: collection), of: collection, fittedTo: [])
      try GraphMemory.require(rowsOf: collection, width: encoder.width)
      for plan in networks.flatMap({ plans(of: $0, for: collection) }) {
        try GraphMemory.require(
          trainingOf: plan.architecture(encoder, of: collection),
          graphsPerRank: plan.training.batchSize, ranks: 1)
      }
      return collection
    }
    collection.readingNote.map(reporter.note)
    let given = try splits.map { path in
      try communicator.agree {
        try GraphSplit.read(path: path, graphCount: collection.graphCount)
      }
    }
    let foldCount = given?.count ?? folds ?? 10
    let entries = try networks.map { contestant in
      var benchmark = GraphBenchmark(settings: plans(of: contestant, for: collection))
      benchmark.foldCount = foldCount
      benchmark.splits = given
      benchmark.repeatCount = repeats
      benchmark.seed = seed
      let start = ContinuousClock.now
      reporter.show(contestant.rawValue, isDone: 0)
      let results = try benchmark.run(on: collection, workers: workers, on: communicator) {
        let done = Double($0) + Double($1.epoch) / Double(epochCount)
        reporter.show(contestant.rawValue, isDone: done / Double(benchmark.trialCount))
      }
      reporter.show(contestant.rawValue, isDone: 1)
      return GraphsBenchmarkReport.Entry(
        network: contestant.rawValue, benchmark.settings, results,
        elapsedSeconds: try communicator.maximum(start.duration(to: .now) / .seconds(1)))
    }
    guard communicator.rank == Rank(0) else { return }
    let encoder = NodeEncoder(.standard(for: collection), of: collection, fittedTo: [])
    let report = GraphsBenchmarkReport(
      collection: directory, featureColumns: encoder.description, folds: foldCount, splits: splits,
      repeats: repeats,
      seed: seed, epochs: epochCount, patience: patienceCount, rankCount: communicator.size,
      threadCount: workers.count, networks: entries)
    if json { try printJSON(report) } else { print(report.table) }
  }

  private var epochCount: Int { epochs ?? (quick ? 200 : 500) }
  private var patienceCount: Int { patience ?? (quick ? 25 : 50) }

  /// The grid of a network.
  private func plans(
    of contestant: Contestant, for collection: GraphCollection
  ) -> [GraphTrialPlan] {
    var training = GraphTrainingOptions()
    training.epochCount = epochCount
    training.patience = patienceCount
    training.selection = .accuracy
    training.batchSize = min(training.batchSize, collection.graphCount)
    let clusters = GraphArchitecture.usualClusterCount(
      largestGraph: collection.statistics.largestGraph)
    return (quick ? [64] : [32, 64, 128]).flatMap { hidden in
      (quick ? [0] : [0, 0.5]).flatMap { dropout in
        [0.01, 0.001].map { rate in
          training.learningRate = rate
          return GraphTrialPlan(
            kind: contestant.kind, hidden: hidden,
            clusterCounts: Array([clusters, (clusters + 3) / 4].prefix(contestant.levelCount)),
            dropout: dropout, columns: .standard(for: collection), training: training)
        }
      }
    }
  }
}

/// A network that is compared.
enum Contestant: String, CaseIterable {
  case baseline, gcn, gin, sage
  case diffpool1 = "diffpool-1"
  case diffpool2 = "diffpool-2"

  var kind: GraphArchitecture.Kind {
    switch self {
    case .baseline: .baseline
    case .gcn: .gcn
    case .gin: .gin
    case .sage: .sage
    case .diffpool1, .diffpool2: .diffpool
    }
  }

  var levelCount: Int { self == .diffpool1 ? 1 : self == .diffpool2 ? 2 : 0 }

  /// - Throws: `ValidationError`, which says what was expected.
  static func list(_ argument: String) throws -> [Contestant] {
    let found = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Contestant(rawValue: String($0))
    }
    guard Set(found).count == found.count, !found.contains(nil) else {
      throw ValidationError(
        "--networks \(argument): expected some of "
          + "\(allCases.map(\.rawValue).joined(separator: ", ")), each once, with commas")
    }
    return found.compactMap { $0 }
  }
}
