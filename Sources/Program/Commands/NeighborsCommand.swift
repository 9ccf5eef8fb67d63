import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import Evaluation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
import MPIPrograms
import NeighborSearch
import Parallelism
import Training

struct NeighborsCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "knn",
    abstract: "Find the nearest neighbours of every embedding by cosine similarity.",
    discussion: """
        highland knn features.npy -k 10 --neighbors n.npy --similarities s.npy

      Each list holds the k − 1 nearest other points, nearest first, ties by index, and −1 if there \
      are fewer. highland cluster and highland components accept the lists with --neighbors and \
      --similarities. With --groups they are other points of the same group.
      """)

  @OptionGroup var input: FeatureOptions
  @OptionGroup var transforming: TransformOptions

  @Option(
    name: .customShort("k"),
    help: ArgumentHelp(
      "Places in a list, the point itself included: -k 10 finds 9 other points.",
      discussion: """
        A model of structure looks at more neighbours than its k: for the default model of highland \
        cluster take -k \(Self.defaultListLength + 1), for another its context (highland info) and one.
        """))
  var neighborCount = 10

  @Option(help: "Write the indices here: .npy of int64 [points × (k − 1)].")
  var neighbors: String

  @Option(help: "Write the similarities here: .npy of float32 [points × (k − 1)].")
  var similarities: String

  @Option(help: "Write seconds, flops and bytes of the search as JSON.")
  var report: String?

  @Option(
    help: """
      Keep in this directory what a long approximate search has found so far, and the neighbours, and go on from \
      there: from an earlier run that was ended, or that could not write its outputs.
      """)
  var checkpoint: String?

  @OptionGroup var resuming: ResumeOptions

  @Option(
    help: """
      What to do with rows of zeros, NaN or infinite values: error, or singleton (no neighbours).
      """)
  var invalidRows = InvalidRowPolicy.error

  @OptionGroup var grouping: GroupOptions
  @OptionGroup var search: NeighborSearchOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  /// How many neighbours the default model looks at.
  private static let defaultListLength = StructureNetwork.Settings().contextLength

  func validate() throws {
    guard neighborCount >= 2 else {
      throw ValidationError("-k \(neighborCount): expected 2 or more")
    }
    try resuming.check(checkpoint)
    guard grouping.groups == nil || search.settings.isEmpty else {
      throw ValidationError(
        "--search (--recall) and --groups: expected one of them, as small groups are searched exactly"
      )
    }
    guard grouping.groups == nil || checkpoint == nil else {
      throw ValidationError(
        "--checkpoint and --groups: expected one of them, as within groups the search is short")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    ProcessMemory.returnFreedArrays()
    try outputs.check(
      [.array(neighbors), .array(similarities), .json(report)],
      readingRows: [input.features], reading: [grouping.groups, transforming.transform],
      keepingIn: checkpoint, on: communicator)
    let source = try transforming.applied(to: input.open(on: communicator), on: communicator)
    let reporter = ProgressReporter(progress, on: communicator)
    let nodes = NodePartition(sharing: source.rowCount, among: communicator.size)
    let owned = nodes.owned(by: communicator.rank)
    try MemoryNeed(
      neighbors: "-k \(neighborCount)", ownedCount: owned.count, pointCount: source.rowCount,
      columnCount: neighborCount - 1, isWritten: true, rankCount: communicator.size
    ).check(on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let shape = [source.rowCount, neighborCount - 1]
      try ReservedSpace.reserve(ofShape: shape, elementByteCount: 8, for: neighbors)
      try ReservedSpace.reserve(ofShape: shape, elementByteCount: 4, for: similarities)
    }
    let workers = try threads.workers(on: communicator)
    let groups = try grouping.groups.map {
      try readGroups($0, of: source, progress, on: communicator)
    }
    var options = search.options
    let need = SearchMemory(
      rowCount: max(
        equalShare(of: source.rowCount, on: communicator),
        try groups?.largestShare(of: nodes, on: communicator) ?? 0), nodeCount: source.rowCount,
      columnCount: source.dimensions, element: source.storedElement,
      listLength: neighborCount - 1, rankCount: communicator.size)
    let plan = try memory.plan(
      of: "neighbours of [\(source.rowCount) × \(source.dimensions)] points",
      threadCount: workers.count, on: communicator
    ) {
      options.division = $0
      // Indices are copied when they are written.
      let written = need.bytesPerRow + 20 * Double(neighborCount - 1)
      return max(need.bytes(by: options), Double(need.rowCount) * written)
    }
    options.division = plan.division
    let job = try ClusteringJob(
      .neighbors, of: source, neighborCount: neighborCount, search: options, using: workers,
      on: communicator)
    if grouping.groups == nil, let forecast = job?.forecast { reporter.note(forecast) }
    reporter.show("read", isDone: 0)
    let rows =
      groups == nil
      ? try source.unitRows(owned, invalid: invalidRows, using: workers, on: communicator) : nil
    reporter.show("read", isDone: 1)
    let pairs = Double(source.rowCount) * Double(source.rowCount) / 2
    let store = try checkpoint.map {
      try NeighborCheckpoint(
        $0, of: Fingerprint(of: source, on: communicator).description, search.options,
        listLength: neighborCount - 1, invalid: invalidRows, mergingCopies: false,
        version: highlandVersion, every: resuming.interval(on: communicator),
        resuming: resuming.rule, note: reporter.warn, on: communicator)
    }
    var isFromCheckpoint = false
    let (cost, (lists, summary)) = try PhaseCost.measuring(on: communicator) {
      communicator in
      if let kept = try store?.lists(length: neighborCount - 1, in: nodes, on: communicator) {
        isFromCheckpoint = true
        return kept
      }
      reporter.show("neighbors", isDone: 0)
      // A rate, where it is known what will be compared.
      let isExact =
        SearchPlan(nodeCount: source.rowCount, listLength: neighborCount - 1)
        .choice(by: options).method == .exact
      let compared = isExact && groups == nil ? pairs : 0
      func show(_ share: Double) {
        reporter.show("neighbors", isDone: share, amount: compared, unit: "pairs")
      }
      if let groups {
        return try nearestNeighbors(
          of: source, listLength: neighborCount - 1, by: options, within: groups,
          invalid: invalidRows, using: workers, on: communicator, progress: show)
      }
      let found = try nearestNeighbors(
        of: rows!, listLength: neighborCount - 1, by: options, in: nodes,
        keptIn: store?.unfinished, using: workers, on: communicator, progress: show)
      try store?.keep(found.lists, found.summary, in: nodes, on: communicator)
      return found
    }
    Watchdog.phase = "write"
    if communicator.rank == Rank(0) {
      let search = summary.account ?? "exact search"
      print(
        "\(neighborCount - 1) neighbours of each of \(quantity(source.rowCount, "point")), \(decimal(cost.elapsedSeconds, places: 2)) s: "
          + search)
    }
    func write<Element: ArrayElement>(_ places: [Element], to path: String) throws {
      let shape = [source.rowCount, neighborCount - 1]
      try keepingOnFailure(
        places, shape: shape, firstRow: owned.lowerBound, of: path, on: communicator
      ) {
        try writeArray(
          places, shape: shape, firstRow: owned.lowerBound, to: path,
          overwrite: outputs.overwrite, on: communicator)
      }
    }
    let writes = LastWrites()
    try writes.attempt { try write(lists.neighbors.map(\.index), to: neighbors) }
    try writes.attempt { try write(lists.similarities, to: similarities) }
    guard let report else { return try writes.finish() }
    let flops = 2 * pairs * Double(source.dimensions)
    let result = try NeighborsReport(
      features: input.features, transform: transforming.transform, k: neighborCount,
      rankCount: communicator.size, threadCount: workers.count, pointCount: source.rowCount,
      dimensions: source.dimensions, search: cost, isFromCheckpoint: isFromCheckpoint,
      method: summary, usefulFlops: 2 * flops,
      computedFlops: 2 * summary.comparedPairs * Double(source.dimensions),
      usefulGigaflopsPerSecond: isFromCheckpoint
        ? nil : 2 * flops / max(cost.elapsedSeconds, 1e-9) / 1e9,
      memory: MemoryReport(plan, on: communicator))
    try writes.attempt {
      try writeJSON(result, to: report, overwrite: outputs.overwrite, on: communicator)
    }
    try writes.finish()
  }
}
