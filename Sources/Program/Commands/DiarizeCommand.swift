import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import HierarchicalClustering
import MPICommunication
import MPIPrograms
import NeighborSearch
import Parallelism
import SpeakerTurns

struct DiarizeCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "diarize",
    abstract: "Find who speaks when, from embeddings of windows of recordings.",
    discussion: """
        highland diarize segments.tsv --features windows.npy \\
          --model speakers.safetensors --output turns/

      Clusters the windows of each recording by itself, as highland cluster --groups does, and writes the turns \
      of its speakers as RTTM. Windows of two speakers that overlap are cut at the middle of the overlap; \
      neighbours of one speaker are joined. Speakers are speaker1, speaker2, … in the order in which they \
      first speak, anew in each recording. The files are the same, byte for byte, on any number of ranks and threads.
      """)

  @Argument(
    help: """
      Windows, a line for each: recording, start and end in seconds, between tabs, commas or blanks; or these after \
      the window's name, as in Kaldi's segments.
      """)
  var segments: String

  @Option(help: "Embeddings, one row per window, as highland cluster takes them.")
  var features: String

  @Option(help: "Columns of a raw .bin file; checked for other formats.")
  var dimensions: Int?

  @OptionGroup var transforming: TransformOptions

  @Option(
    name: .shortAndLong,
    help: "Write RECORDING.rttm for every recording, and diarize.json, to this directory.")
  var output: String

  @OptionGroup var linkage: LinkageOptions

  @Option(
    help: "How many speakers every recording has: a number, or MIN..MAX.",
    transform: ClusterCounts.init(argument:))
  var clusters: ClusterCounts?

  @Option(
    name: .customLong("gap"),
    help: "Join neighbouring turns of one speaker over a gap that is shorter, in seconds.")
  var gapSeconds = 0.25

  @Option(
    help: ArgumentHelp(
      "Regions in which several speak, in the form of SEGMENTS: each gets its two likeliest speakers.",
      discussion: """
        By the similarity of the windows in the region to the mean directions of the recording's speakers.
        """))
  var overlaps: String?

  @Option(
    help: """
      What to do with rows of zeros, NaN or infinite values: error refuses the file, singleton makes each a speaker.
      """)
  var invalidRows = InvalidRowPolicy.error

  @Option(help: "Write parameters, counts, seconds and bytes of the clustering as JSON.")
  var report: String?

  @OptionGroup var memory: MemoryOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard gapSeconds >= 0, gapSeconds.isFinite else {
      throw ValidationError("--gap \(gapSeconds): expected seconds, 0 or more")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    ProcessMemory.returnFreedArrays()
    try outputs.check(
      [.json(report)], readingRows: [features],
      reading: [segments, linkage.model, overlaps, transforming.transform],
      outside: [output], on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try checkWritableDirectory(
        output, marker: DiarizationWriter.marker, overwrite: outputs.overwrite)
    }
    let source = try transforming.applied(
      to: openFeatures(features, dimensions: dimensions, on: communicator), on: communicator)
    let (windows, regions) = try communicator.agree { try read(rowCount: source.rowCount) }
    let clustered = try cluster(source, windows, on: communicator)
    Watchdog.phase = "write"
    let writer = DiarizationWriter(
      windows: windows, source: source, regions: regions, gapSeconds: gapSeconds)
    let summary = try writeDirectory(
      to: output, marker: DiarizationWriter.marker, overwrite: outputs.overwrite, mayLose: false,
      on: communicator
    ) { directory in
      try writer.write(
        labels: communicator.allGather(clustered.labels).values, clustered.report.parameters,
        segments: segments, overlaps: overlaps, clusters: clusters?.range, to: directory,
        on: communicator)
    }
    if let report {
      try writeJSON(
        clustered.report, to: report, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print(clustered.report.parameters.account)
    print(clustered.report.summary)
    print(summary)
  }

  /// All windows, and the regions of overlapping speech in the order of their recordings.
  private func read(rowCount: Int) throws -> (RecordingWindows, [String: IntervalSet]) {
    let file = try groupFile(segments, count: rowCount)
    let windows = try RecordingWindows(file)
    for (name, row) in zip(windows.names, windows.firstRows) {
      if let problem = TurnFile.problem(ofName: name) {
        throw DataError(
          path: segments,
          problem:
            "line \(file.firstLine + row + 1): the recording's name \(problem); expected one for a file, and a "
            + "field of RTTM")
      }
    }
    guard let overlaps else { return (windows, [:]) }
    let overlapFile = try GroupFile(path: overlaps)
    let regions = try RecordingWindows(overlapFile)
    let known = Set(windows.names)
    if let place = regions.names.firstIndex(where: { !known.contains($0) }) {
      throw DataError(
        path: overlaps,
        problem:
          "line \(overlapFile.firstLine + regions.firstRows[place] + 1): expected a recording of \(segments), found "
          + "'\(regions.names[place])'")
    }
    return (windows, regions.timesByName)
  }

  /// > Collective: over `communicator`, as ``cluster(_:by:observer:on:)``.
  ///
  /// - Returns: The labels of this rank's windows, and the report.
  private func cluster(
    _ rows: FeatureRows, _ windows: RecordingWindows, on communicator: MPICommunicator
  ) throws -> (labels: [Int64], report: ClusterReport) {
    let workers = try threads.workers(on: communicator)
    let model = try TrainedModel(
      path: linkage.model, dimensions: rows.dimensions, on: communicator)
    let source = try communicator.agree { try rows.transformed(for: model, using: workers) }
    let own = ownShare(of: source.rowCount, on: communicator)
    let groups = PointGroups(
      firstPoint: windows.recordings[own].map { GlobalNode(windows.firstRows[Int($0)]) })
    let need = ClusteringMemory(
      source, with: model, neighborCount: model.neighborCount(nil),
      largestShare: try groups.largestShare(
        of: NodePartition(sharing: source.rowCount, among: communicator.size), on: communicator),
      coarseShare: memory.limit == nil ? 0.5 : 1,
      on: communicator)
    var search = SearchOptions()
    let memoryPlan = try memory.plan(
      of: "speakers of [\(source.rowCount) × \(source.dimensions)] windows",
      threadCount: workers.count, on: communicator
    ) {
      search.division = $0
      return need.bytes(by: search)
    }
    search.division = memoryPlan.division
    let options = ClusteringOptions(
      threshold: linkage.tau, laterThreshold: linkage.tauLater,
      choosesThreshold: linkage.tauBySilhouette, granularity: linkage.granularity,
      maximumLevels: linkage.maxLevels, clusterCounts: clusters?.range, search: search,
      ownership: .byInput, invalidRows: invalidRows, workers: workers)
    let plan = try communicator.agree {
      MethodPlan(flow: nil, network: try ClusteringPlan(options, with: model, within: groups))
    }
    let observer = ClusteringReporter(
      progress: ProgressReporter(progress, on: communicator), hierarchy: nil, store: nil,
      runs: nil)
    let start = ContinuousClock.now
    let clustering = try HierarchicalClustering.cluster(
      source, by: plan, observer: observer, on: communicator)
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))
    var parameters = ClusteringAccount(of: clustering, by: plan, with: model)
    parameters.features = features
    if let path = transforming.transform { parameters.transform = path }
    let report = try ClusterReport(
      of: clustering, parameters, dimensions: source.dimensions, threadCount: workers.count,
      elapsedSeconds: elapsed, memoryPlan, on: communicator)
    return (clustering.labels, report)
  }
}
