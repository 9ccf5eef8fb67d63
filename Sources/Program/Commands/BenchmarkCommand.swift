import ArgumentParser
import Communication
import Datasets
import HierarchicalClustering
import MPICommunication
import NeighborSearch
import Parallelism
import Training

struct BenchmarkCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Compare methods of clustering on labelled embeddings.",
    discussion: """
        highland benchmark features.npy labels.npy
        highland benchmark features.npy labels.npy --train known.npy known-labels.npy

      Clusters the embeddings by each method over the same ranks and prints a table: clusters, agreement with the labels, \
      seconds, memory. Whether learning pays on data of a kind is seen by training labels of that kind.

      components, dbscan, hdbscan and finch cluster along the same neighbour lists, average-linkage compares all \
      pairs, infomap is flow with a given k. The parameters of these are the best on the training labels: highest mean of \
      pairwise F and BCubed F. Without --train there is a row with usual parameters, and one with the best on the \
      labels themselves, an oracle: what the method could reach, and no result. flow, network and auto are highland \
      cluster without labels, and trained is a network trained on the training labels. Docs/Algorithms/Baselines.md \
      tells what each computes. Clusters are the same, bit for bit, on any number of ranks and threads.
      """)

  @OptionGroup var input: FeatureOptions

  @Argument(
    help: "The true label of every row: .npy of integers, or text, one number or name per line.")
  var labels: String

  @Option(
    parsing: .upToNextOption,
    help: "Other features and their labels to tune and train on, best of other identities.")
  var train: [String] = []

  @Option(
    name: .customLong("methods"),
    help: ArgumentHelp(
      "Some of \(BenchmarkMethod.allCases.map(\.rawValue).joined(separator: ", ")), with commas.",
      discussion: """
        Default: all, but trained only with --train, and average-linkage only where it takes no more than about an hour \
        of a processor.
        """), transform: BenchmarkMethod.list)
  var givenMethods: [BenchmarkMethod]?

  @Option(
    name: .customShort("k"),
    help: "Places in the lists that methods share, the point itself included.")
  var neighborCount = BenchmarkMethod.usualNeighborCount

  @Option(help: "The model of network and auto. Default: the built-in model.")
  var model: String?

  @Flag(help: "Print everything as JSON, trials too.")
  var json = false

  @Option(help: "Write a page with the table and a chart here, .html.")
  var report: String?

  @Option(
    help: """
      What to do with rows of zeros, NaN or infinite values: error refuses the file, singleton takes them as \
      similar to nothing.
      """)
  var invalidRows = InvalidRowPolicy.error

  @OptionGroup var search: NeighborSearchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard train.isEmpty || train.count == 2 else {
      throw ValidationError("--train: \(train.count) names; expected features and labels")
    }
    guard givenMethods?.contains(.trained) != true || !train.isEmpty else {
      throw ValidationError("--methods trained: expected --train beside it")
    }
    guard (Self.leastNeighborCount...1001).contains(neighborCount) else {
      throw ValidationError(
        "-k \(neighborCount): expected \(Self.leastNeighborCount) ... 1001, as usual parameters of dbscan and "
          + "hdbscan look at 5 others")
    }
    if let givenMethods {
      guard model == nil || givenMethods.contains(.network) || givenMethods.contains(.auto) else {
        throw ValidationError("--model is of network and auto: expected one of them in --methods")
      }
    }
    try outputs.check([report], named: "--report")
  }

  private static let leastNeighborCount = 6

  func run(on communicator: MPICommunicator) throws {
    ProcessMemory.returnFreedArrays()
    try outputs.check(
      [.page(report)], readingRows: [input.features] + train.prefix(1),
      reading: [labels, model, train.last], on: communicator)
    let workers = try threads.workers(on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    let file = try input.open(on: communicator)
    let trainFile = try train.first.map {
      try openFeatures(
        $0, dimensions: input.dimensions, isForOthers: true, on: communicator)
    }
    let sizes = [file, trainFile].compactMap { $0 }
    let methods = try methods(for: sizes, reporter, on: communicator)
    for file in sizes { try checkMemory(of: methods, file, on: communicator) }
    func set(_ file: FeatureFiles, labels path: String, _ name: String) throws -> BenchmarkSet {
      try MemoryNeed(
        neighbors: "-k \(neighborCount)",
        ownedCount: ownShare(of: file.rowCount, on: communicator).count, pointCount: file.rowCount,
        columnCount: neighborCount - 1, isWritten: false, rankCount: communicator.size
      ).check(on: communicator)
      let (labels, labelFile) = try communicator.agree {
        try readLabels(path, count: file.rowCount, communicator)
      }
      try noteLabels(labels, of: labelFile, on: communicator)
      reporter.show(name, isDone: 0)
      let points = try BaselinePoints(
        FeatureRows(file, by: nil), listLength: neighborCount - 1,
        searching: search.options, invalid: invalidRows, using: workers, on: communicator
      ) { reporter.show(name, isDone: $0) }
      return BenchmarkSet(input: points, labels: labels)
    }
    var contest = BenchmarkContest(
      methods: methods, neighborCount: neighborCount, model: model,
      test: try set(file, labels: labels, "neighbors"),
      train: try trainFile.map { try set($0, labels: train[1], "neighbors of --train") })
    if methods.contains(.trained), let trainFile {
      contest.trainingSet = try communicator.agree {
        try LabelledFile(trainFile, labels: train[1]).embeddings
      }
    }
    let entries = try contest.run(reporter, on: communicator)
    let result = BenchmarkReport(
      features: input.features, labels: labels, trainFeatures: train.first,
      trainLabels: train.last, neighborCount: neighborCount, test: contest.test,
      along: contest.test.input.neighbors!, rankCount: communicator.size, entries: entries)
    if let report {
      try writeText(result.page, to: report, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    try show(result, as: result.table, inJSON: json)
  }

  /// The methods that take part.
  ///
  /// - Throws: The same on every rank if one was asked for that would take too long: what it would take.
  private func methods(
    for files: [FeatureFiles], _ reporter: ProgressReporter, on communicator: some Communicator
  ) throws -> [BenchmarkMethod] {
    let tooLong = files.map { PairWork(of: $0) }.first { !$0.isBearable }
    guard let tooLong else {
      return givenMethods ?? BenchmarkMethod.allCases.filter { $0 != .trained || !train.isEmpty }
    }
    if let givenMethods {
      guard !givenMethods.contains(.averageLinkage) else {
        throw AgreedFailure(reason: "\(tooLong.account); leave it out of --methods")
      }
      return givenMethods
    }
    reporter.note("\(tooLong.account), and is left out")
    return BenchmarkMethod.allCases.filter {
      $0 != .averageLinkage && ($0 != .trained || !train.isEmpty)
    }
  }

  /// Refuses sums and edges that no memory holds.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func checkMemory(
    of methods: [BenchmarkMethod], _ file: FeatureFiles, on communicator: MPICommunicator
  ) throws {
    for method in methods {
      try method.memory(
        of: file, listLength: neighborCount - 1, askedFor: "--methods \(method.rawValue)",
        on: communicator
      )?.check(on: communicator)
    }
  }
}
