import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import HierarchicalClustering
import MPICommunication
import MPIPrograms
import NeighborSearch
import Parallelism

struct AssignCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract: "Find the clusters of new embeddings.",
    discussion: """
        highland cluster old.npy --save run --output labels.npy
        highland assign new.npy --to run --output new-labels.npy
        highland assign new.npy --to run --groups new.tsv --output new-labels.npy

      New points join the clusters of an earlier run, which do not change, or found new ones. They find neighbours \
      among the points of the run and each other, and what clustered the run, flow or its network, judges which of \
      these belong together. A point with the direction of one of the run gets its label. Numbers of new clusters \
      go on after those of the run. Labels are the same, bit for bit, on any number of ranks and threads; they \
      depend on which points come together.
      """)

  @OptionGroup var input: FeatureOptions

  @Option(help: "The directory of highland cluster --save.")
  var to: String

  @Option(
    name: .shortAndLong,
    help: "Write the labels here: .npy of int64, or .txt, one per line. Default: not written.")
  var output: String?

  @Option(help: "Write counts, seconds and bytes as JSON.")
  var report: String?

  @Flag(help: "Print the report instead of a sentence.")
  var json = false

  @Option(
    help: """
      What to do with rows of zeros, NaN or infinite values: error refuses the file, singleton makes \
      each a cluster of its own.
      """)
  var invalidRows = InvalidRowPolicy.error

  @Option(
    help: ArgumentHelp(
      "The group of each new point, if --groups were clustered. They join clusters of their own group only.",
      discussion: """
        A file as of highland cluster --groups, whose names tell which groups of the run they are; points of others \
        found clusters.
        """))
  var groups: String?

  @OptionGroup var search: NeighborSearchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try outputs.check([output, report], named: "--output or --report")
    guard groups == nil || search.settings.isEmpty else {
      throw ValidationError(
        "--search (--recall) and --groups: expected one of them, as small groups are searched exactly"
      )
    }
  }

  func run(on communicator: MPICommunicator) throws {
    ProcessMemory.returnFreedArrays()
    try outputs.check(
      [.labels(output), .json(report)],
      readingRows: [input.features], reading: FittedClustering.files(in: to) + [groups],
      on: communicator)
    let file = try input.open(on: communicator)
    try outputs.reserveSpace(forLabels: file.rowCount, at: output, on: communicator)
    let workers = try threads.workers(on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    let start = ContinuousClock.now
    let fit = try readRun(to, reporter, on: communicator)
    try fit.check(dimensions: file.dimensions, of: input.features, besideRun: to)
    let source = file.transformed(for: fit.model, using: workers)
    guard groups != nil || !fit.hasGroups else {
      throw AgreedFailure(
        reason: "\(to): a run of --groups; expected --groups, the group of each new point")
    }
    guard groups == nil || fit.hasGroups else {
      throw AgreedFailure(
        reason: "\(to): a run without groups; expected one of highland cluster --groups --save")
    }
    let names = try groups.map {
      try readGroupNames($0, count: source.rowCount, on: communicator)
    }
    let share = try names.map { try fit.largestShare(of: $0, on: communicator) }
    var options = AssigningOptions(
      search: search.options, invalidRows: invalidRows, workers: workers)
    options.search.division = try MemoryOptions.planOfFreeMemory(
      of: "clusters of [\(source.rowCount) × \(source.dimensions)] points beside those of \(to)",
      threadCount: workers.count, on: communicator
    ) {
      options.search.division = $0
      return fit.bytes(toAssign: source.rowCount, within: share, by: options.search)
    }.division
    let assignment = try assign(
      source, within: names, to: fit, by: options,
      observer: ClusteringReporter(
        progress: reporter, hierarchy: nil, store: nil, runs: nil), on: communicator)
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))

    Watchdog.phase = "write"
    if let output {
      try outputs.write(assignment.labels, of: assignment.points, to: output, on: communicator)
    }
    let result = try AssignmentReport(
      features: input.features, run: to, rankCount: communicator.size, threadCount: workers.count,
      of: assignment, to: fit.settings,
      clusterSizes: clusterSizes(
        fit.labels + assignment.labels,
        count: fit.settings.clusterCount + assignment.newClusterCount, on: communicator),
      elapsedSeconds: elapsed,
      memory: MemoryReport(on: communicator))
    if let path = report {
      try writeJSON(result, to: path, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    try show(result, as: result.account, inJSON: json)
  }
}
