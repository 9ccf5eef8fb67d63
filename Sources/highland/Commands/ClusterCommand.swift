public import ArgumentParser
import Communication
import Datasets
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
    abstract: "Cluster embeddings with a trained LANDER model.",
    discussion: """
      Builds the nearest-neighbour graph, predicts linkage and density with the model, merges \
      components into the nodes of the next level, and repeats until nothing merges. The number of \
      clusters comes out by itself.

      Labels are 0, 1, 2, … in the order in which clusters first appear. They are the same, bit \
      for bit, on any number of ranks and threads.
      """)

  @OptionGroup var input: FeatureOptions

  @Option(help: "The model, a .safetensors file; highland info FILE shows what it holds.")
  var model: String

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

  func validate() throws {
    if let chosenNeighborCount, chosenNeighborCount < 1 {
      throw ValidationError("-k \(chosenNeighborCount): expected 1 or more")
    }
    if let chosenTau, !(0...1).contains(chosenTau) {
      throw ValidationError("--tau \(chosenTau): expected 0 ... 1")
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
      let file = try TensorFile(path: model)
      return (
        try Lander(file, dimensions: source.dimensions),
        try Decisions(neighborCount: chosenNeighborCount, threshold: chosenTau, or: file)
      )
    }
    let trueLabels = try truth.map { path in
      try communicator.agree { try readLabels(path, count: source.rowCount, communicator) }
    }
    let lists = try readNeighbors(of: source, count: decisions.neighborCount, on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    if source.rowCount <= decisions.neighborCount {
      reporter.note(
        "\(source.rowCount) points are no more than k = \(decisions.neighborCount): "
          + "nothing will merge")
    }

    guard let hierarchy else {
      return try cluster(
        source, network, decisions, lists, trueLabels, reporter, hierarchy: nil,
        on: communicator)
    }
    try writeDirectory(
      to: hierarchy, marker: HierarchyWriter.marker, overwrite: outputs.overwrite,
      on: communicator
    ) { temporary in
      try cluster(
        source, network, decisions, lists, trueLabels, reporter,
        hierarchy: HierarchyWriter(in: temporary), on: communicator)
    }
  }

  private func cluster(
    _ source: FeatureFile, _ network: Lander, _ decisions: Decisions, _ lists: NeighborLists?,
    _ trueLabels: [Int64]?, _ progress: ProgressReporter, hierarchy: HierarchyWriter?,
    on communicator: MPICommunicator
  ) throws {
    let options = ClusteringOptions(
      neighborCount: decisions.neighborCount, threshold: decisions.threshold,
      maximumLevels: maxLevels,
      stopsEarly: earlyStop, invalidRows: invalidRows,
      workers: try threads.workers(on: communicator))
    let start = ContinuousClock.now
    let clustering = try HierarchicalClustering.cluster(
      source, with: network, options: options, initialNeighbors: lists,
      observer: ClusteringReporter(
        progress: progress, hierarchy: hierarchy, pointCount: source.rowCount),
      on: communicator)
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))

    let metrics = try trueLabels.map {
      try compareLabels(truth: $0, predicted: clustering.labels, on: communicator)
    }
    let report = ClusterReport(
      parameters: .init(
        features: input.features, model: model, k: decisions.neighborCount,
        tau: decisions.threshold,
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
    try hierarchy?.finish(report, points: clustering.points, on: communicator)
    if let path = self.report {
      try writeJSON(report, to: path, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print(report.table)
    print(report.summary)
    if let metrics { print(metrics) }
  }

  /// The user's neighbour lists, in the order and length that the method wants.
  ///
  /// > Collective: over `communicator`. One round of one byte.
  private func readNeighbors(
    of source: FeatureFile, count neighborCount: Int, on communicator: some Communicator
  ) throws -> NeighborLists? {
    guard let neighbors, let similarities else { return nil }
    return try communicator.agree {
      let owned = ownShare(of: source.rowCount, on: communicator)
      return try NeighborFiles(neighbors: neighbors, similarities: similarities)
        .lists(owned, nodeCount: source.rowCount)
        .canonical(listLength: neighborCount - 1, firstNode: owned.lowerBound)
    }
  }
}

/// What clustering decides by: as the user says, else as the model does, else as the authors do.
private struct Decisions {
  let neighborCount: Int
  let threshold: Double

  /// - Throws: ``ModelError`` if the model's metadata hold something else than numbers in range.
  init(neighborCount: Int?, threshold: Double?, or file: TensorFile) throws {
    func metadata<T: LosslessStringConvertible>(_ name: String, _ isValid: (T) -> Bool) throws -> T?
    {
      guard let text = file.metadata[name] else { return nil }
      guard let value = T(text), isValid(value) else {
        throw ModelError(path: file.path, reason: "'\(name)' in its metadata is '\(text)'")
      }
      return value
    }
    self.neighborCount = try neighborCount ?? metadata("k") { $0 >= 1 } ?? 10
    self.threshold = try threshold ?? metadata("tau") { (0...1).contains($0) } ?? 0.8
  }
}

extension InvalidRowPolicy: ExpressibleByArgument {}

/// This rank's share of a file of labels for `count` points.
func readLabels(_ path: String, count: Int, _ communicator: some Communicator) throws -> [Int64] {
  let file = try LabelFile(path: path)
  guard file.count == count else {
    throw DataError(path: path, problem: "\(file.count) labels; expected \(count), one per point")
  }
  return try file.labels(ownShare(of: count, on: communicator))
}
