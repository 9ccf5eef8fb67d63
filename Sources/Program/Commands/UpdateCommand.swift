import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
import MPIPrograms
import NeighborSearch
import Parallelism

struct UpdateCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Add new embeddings to a saved run, and tell which clusters changed.",
    discussion: """
        highland cluster old.npy --save run --output labels.npy
        highland update new.npy --to run --features old.npy -o all.npy --save run2
        highland update newer.npy --to run2 --features old.npy --features new.npy

      Old and new points are clustered together, as one run with the same method and the same k or τ would, but only \
      pairs with a new point are compared: neighbours of the old points are those of the run, or new points that are \
      nearer. Labels are written for all points, the old ones first. Clusters that go on keep their numbers, and \
      others get numbers after those of the run. Old points may change their clusters; highland assign leaves them as \
      they are. Labels are the same, bit for bit, on any number of ranks and threads.
      """)

  @OptionGroup var input: FeatureOptions

  @Option(help: "The directory of highland cluster --save, or of highland update --save.")
  var to: String

  @Option(
    name: .customLong("features"),
    help: ArgumentHelp(
      "The embeddings of the run's points; after an update once for each input, in their order.",
      discussion: "One file or several, as they were clustered. A row that is another is an error.",
      valueName: "features"))
  var old: [String]

  @Option(
    name: .shortAndLong,
    help: """
      Write the labels of all points here, the old ones first: .npy of int64, or .txt, one per line. Default: not \
      written.
      """)
  var output: String?

  @Option(
    help:
      "Save the clustering of all points in this directory, for the next update, or for highland assign."
  )
  var save: String?

  @Flag(
    help: ArgumentHelp(
      "Number clusters 0, 1, 2, … as they first appear, and not as the run did.",
      discussion: """
        Otherwise numbers of clusters that merge into others stay without points; highland tree and highland cut \
        need clusters that have points.
        """))
  var renumber = false

  @Option(help: "Write what changed, counts, seconds and bytes as JSON.")
  var report: String?

  @Option(help: "List so many changes, clusters that grew and new ones, the largest first.")
  var top = 10

  @Flag(help: "Print the report instead of sentences.")
  var json = false

  @Option(
    help: """
      What to do with rows of zeros, NaN or infinite values: error refuses the files, singleton makes \
      each a cluster of its own.
      """)
  var invalidRows = InvalidRowPolicy.error

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard top >= 0 else { throw ValidationError("--top \(top): expected 0 or more") }
    try outputs.check([output, save, report], named: "--output, --save or --report")
  }

  func run(on communicator: MPICommunicator) throws {
    ProcessMemory.returnFreedArrays()
    try outputs.check(
      [.labels(output), .json(report)],
      readingRows: old + [input.features], reading: FittedClustering.files(in: to),
      outside: [save], on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0), let save else { return }
      try checkWritableDirectory(
        save, marker: FittedClustering.marker, overwrite: outputs.overwrite)
    }
    let paths = old + [input.features]
    let files = try paths.map {
      try openFeatures($0, dimensions: input.dimensions, on: communicator)
    }
    try outputs.reserveSpace(
      forLabels: files.reduce(0) { $0 + $1.rowCount }, at: output, on: communicator)
    let workers = try threads.workers(on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    let start = ContinuousClock.now
    let fit = try readRun(to, reporter, on: communicator)
    try fit.requireNoGroups(
      to, "which cannot be updated; highland assign --groups finds clusters of new points")
    try check(files, of: paths, fit)
    let source = JoinedRows(files).transformed(for: fit.model, using: workers)
    var options = AssigningOptions(invalidRows: invalidRows, workers: workers)
    options.search.division = try MemoryOptions.planOfFreeMemory(
      of: "clusters of [\(source.rowCount) × \(source.dimensions)] points beside those of \(to)",
      threadCount: workers.count, on: communicator
    ) {
      options.search.division = $0
      return fit.bytes(toUpdateTo: source.rowCount, by: options.search)
    }.division
    let update = try HierarchicalClustering.update(
      fit, with: source, by: options, keepingNumbers: !renumber,
      observer: ClusteringReporter(progress: reporter, hierarchy: nil, store: nil, runs: nil),
      on: communicator)
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))

    Watchdog.phase = "write"
    let writes = LastWrites()
    if let output {
      try writes.attempt {
        try outputs.write(
          update.labels, of: update.clustering.points, to: output, on: communicator)
      }
    }
    let result = try UpdateReport(
      features: paths, run: to, rankCount: communicator.size, threadCount: workers.count,
      of: update, after: fit, top: top, elapsedSeconds: elapsed,
      memory: MemoryReport(on: communicator))
    if let path = report {
      try writes.attempt {
        try writeJSON(result, to: path, overwrite: outputs.overwrite, on: communicator)
      }
    }
    if let save {
      let next = try FittedClustering(
        fit, after: update, of: source, using: workers, on: communicator)
      try writes.attempt {
        try next.write(to: save, overwrite: outputs.overwrite, on: communicator)
      }
    }
    try writes.finish()
    guard communicator.rank == Rank(0) else { return }
    try show(result, as: result.account, inJSON: json)
  }

  /// Refuses files of another width than the run's, or with other points.
  ///
  /// - Throws: The same on every rank.
  private func check(_ files: [FeatureFiles], of paths: [String], _ fit: FittedClustering) throws {
    for (file, path) in zip(files, paths) {
      try fit.check(dimensions: file.columnCount, of: path, besideRun: to)
    }
    let count = files.dropLast().reduce(0) { $0 + $1.rowCount }
    guard count == fit.points.nodeCount else {
      throw AgreedFailure(
        reason: "--features \(old.joined(separator: " --features ")): \(count) rows; expected "
          + "\(fit.points.nodeCount), the points of \(to)")
    }
  }
}
