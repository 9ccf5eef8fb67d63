public import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

/// Clusters the points of a fit and new ones together, by what clustered the fit, and tells what became of its clusters.
///
/// The lists of the fit are extended by the new points: only pairs with a new point are compared. If the fit's lists are
/// exact, the clusters are, bit for bit, those of ``cluster(_:by:observer:on:)-(_,MethodPlan,_,_)`` of all points by the same
/// method, with the fit's k or τ and an exact search. They are the same on any number of ranks and threads.
///
/// > Collective: over `base`. As reading the points, finding copies, extending lists, which sends every new row to every
/// > rank, and ``cluster(_:by:observer:on:)-(_,MethodPlan,_,_)`` without a search of level 0; a list of the fit goes to the
/// > owner of its node.
///
/// - Parameters:
///   - source: Replicated. The points of the fit, in its order, and then new ones, as the fit's model wants them
///     (``EmbeddingSource/transformed(for:using:)``); every rank reads only its own rows.
///   - options: Replicated. How neighbours are searched is of levels after the first.
///   - keepsNumbers: Replicated. Whether clusters that go on keep the fit's numbers: those that share most points, as
///     ``matchedClusters(from:to:on:)`` tells. Otherwise they are numbered 0, 1, 2, … as they first appear.
/// - Throws: ``AgreedFailure`` on every rank if there is an error in the input, or its first rows are not the fit's.
/// - Precondition: As many columns as the fit has, and not fewer rows.
public func update(
  _ fit: FittedClustering, with source: some EmbeddingSource, by options: AssigningOptions,
  keepingNumbers keepsNumbers: Bool = true, observer: some ClusteringObserver = NoObserver(),
  on base: some Communicator
) throws -> ClusteringUpdate {
  precondition(
    source.dimensions == fit.settings.dimensions && source.rowCount >= fit.points.nodeCount,
    "[\(source.rowCount) × \(source.dimensions)] points after [\(fit.points.nodeCount) × "
      + "\(fit.settings.dimensions)]")
  let communicator = CountingCommunicator(base)
  let clock = PhaseClock(communicator, observer)
  let found = try fit.extendedLists(
    to: source, by: options, measuredBy: clock, on: communicator)
  let reading = try clock.take(.read)
  let costs = try clock.finishLevel(LevelCounts()).costs
  var clustering = try cluster(
    source, by: fit.plan(options), observer: ListHandingObserver(base: observer, lists: found),
    on: base)
  clustering.reading = clustering.reading + reading
  if clustering.levels.isEmpty {
    clustering.reading = costs.values.reduce(clustering.reading, +)
  } else {
    clustering.levels[0].add(costs)
  }
  let update = try clock.measure(.label) { _ in
    try ClusteringUpdate(
      of: clustering, after: fit, along: found.lists, keepingNumbers: keepsNumbers,
      on: communicator)
  }
  return try update.adding(clock.take(.label))
}

extension FittedClustering {
  /// The lists of level 0 of all points.
  ///
  /// > Collective: over `communicator`. As reading, finding copies and ``extend(_:ofFirst:to:in:inTilesOf:using:on:progress:)``;
  /// > 8 bytes per node of the fit, and its list to its owner.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if the first points are not those of the fit.
  fileprivate func extendedLists(
    to source: some EmbeddingSource, by options: AssigningOptions,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws -> (lists: NeighborLists, summary: SearchSummary) {
    var run = try clock.measure(.read) { _ in
      let run = try ClusteringRun(
        reading: source, invalid: options.invalidRows, asStored: false, using: options.workers,
        on: communicator)
      try check(run, of: source, using: options.workers, on: communicator)
      return run
    }
    if settings.mergesCopies {
      try clock.measure(.copies) { _ in
        try run.mergeCopies(of: source, using: options.workers, on: communicator)
      }
    }
    return try clock.measure(.neighbors) { progress in
      let level = run.level
      // Nodes are in the order of their first points, so those of the fit come first, as they were.
      let oldCount = try communicator.sum(
        level.inputPoint.count { $0.index < points.nodeCount })
      guard oldCount == nodes.nodeCount else {
        throw otherRows(source, "\(oldCount) different rows come first, not \(nodes.nodeCount)")
      }
      let lists = try lists.moved(
        to: nodes.owned(by: communicator.rank).map { GlobalNode($0) }, in: level.nodes,
        on: communicator)
      return try extend(
        lists, ofFirst: oldCount, to: level.rows.directions, in: level.nodes,
        using: options.workers, on: communicator, progress: progress)
    }
  }

  /// Checks that the first point of every node has its direction, by hashes.
  private func check(
    _ run: ClusteringRun, of source: some EmbeddingSource, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    let found = try run.points.fetch(
      run.level.rows.directions.rowNames(using: workers), at: inputPoint, on: communicator)
    let own = rows.rowNames(using: workers)
    let other = own.indices.first { own[$0] != found[$0] }
    let row = try communicator.minimum(other.map { inputPoint[$0].index } ?? .max)
    guard row == .max else { throw otherRows(source, "row \(source.rowName(Int(row))) is another") }
  }

  private func otherRows(_ source: some EmbeddingSource, _ problem: String) -> AgreedFailure {
    AgreedFailure(
      reason:
        "\(source.name): \(problem); expected the \(points.nodeCount) rows that were clustered, in their "
        + "order, before new ones")
  }
}

extension ClusteringUpdate {
  /// With what it cost to compare and number clusters.
  fileprivate func adding(_ cost: PhaseCost) -> ClusteringUpdate {
    var update = self
    update.clustering.labeling = clustering.labeling + cost
    return update
  }
}

/// An observer of a run whose lists of level 0 are known.
private struct ListHandingObserver<Base: ClusteringObserver>: ClusteringObserver {
  let base: Base
  let lists: (lists: NeighborLists, summary: SearchSummary)

  var store: (any ListStore)? { KnownLists(lists: lists.lists, summary: lists.summary) }
  func begins(level: Int) throws { try base.begins(level: level) }
  func chose(_ thresholds: ThresholdChoice) { base.chose(thresholds) }
  func chose(_ listLength: ListLengthChoice) { base.chose(listLength) }
  func phase(_ phase: Phase, level: Int, isDone fraction: Double) throws {
    try base.phase(phase, level: level, isDone: fraction)
  }
}

/// Lists that need not be searched.
private struct KnownLists: ListStore {
  let lists: NeighborLists
  let summary: SearchSummary

  func lists(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> (lists: NeighborLists, summary: SearchSummary)? {
    precondition(
      lists.listLength == length
        && lists.neighbors.count == nodes.owned(by: communicator.rank).count * length,
      "lists of \(lists.listLength) places, not \(length)")
    return (lists, summary)
  }

  func keep(
    _ lists: NeighborLists, _ summary: SearchSummary, in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {}
}
