public import Communication
public import DistributedGraphs
internal import GraphNetworks
internal import NeighborSearch

/// Clusters embeddings with a trained network, level by level, until nothing merges.
///
/// Each level finds nearest neighbours, runs the network, and joins every node to its best denser
/// neighbour. The roots of the resulting trees are the nodes of the next level. The answer is the
/// same, bit for bit, on any number of ranks and threads.
/// [Xing et al. 2021, arXiv:2107.01319, algorithm 1]
///
/// > Collective: over `base`. Per level what the plan's search, judge and merge rule and
/// > ``compressPaths(_:in:on:)`` send, and a few words per node and point; if τ is chosen, the later levels
/// > once per trial; if copies are merged, ``duplicateRoots(of:where:in:using:on:)``.
///
/// - Parameter source: Replicated. The embeddings; every rank reads only its own rows.
/// - Throws: ``AgreedFailure`` on every rank if there is an error in the input.
public func cluster(
  _ source: some EmbeddingSource, by plan: ClusteringPlan<some LinkageJudge>,
  observer: some ClusteringObserver = NoObserver(), on base: some Communicator
) throws -> Clustering {
  let communicator = CountingCommunicator(base)
  let clock = PhaseClock(communicator, observer)
  let kept = try observer.runs.flatMap { runs in
    try clock.measure(.record) { _ in try runs.newest(using: plan.workers, on: communicator) }
  }
  func keep(_ choice: ThresholdChoice, _ run: ClusteringRun?) throws {
    guard let runs = observer.runs else { return }
    try clock.measure(.record) { _ in try runs.keep(choice, run, on: communicator) }
  }
  var run =
    try kept?.run ?? ClusteringRun(source, by: plan, measuredBy: clock, on: communicator)
  try run.measure(by: observer.truth, on: communicator)
  let reading = try clock.take(.read)

  var edges =
    run.stopReason == nil && kept?.run == nil
    ? try run.judgedEdges(by: plan, measuredBy: clock, on: communicator) : nil
  let choice =
    try kept?.choice
    ?? run.chooseThresholds(
      along: edges, of: source, by: plan, measuredBy: clock, on: communicator)
  run.thresholds = choice.thresholds
  observer.chose(choice)
  if kept == nil, choice.deciding != nil { try keep(choice, nil) }
  try run.finish(
    along: edges.take(), of: source, by: plan, within: plan.bounds, measuredBy: clock,
    on: communicator
  ) {
    try keep(choice, $0)
  }
  return try run.clustering(
    by: .thresholds(choice), afterReading: reading, measuredBy: clock, on: communicator)
}

/// Clusters embeddings with a trained model, which supplies the options that are left out and may transform rows, as
/// `highland cluster` does.
///
/// > Collective: over `communicator`, as ``cluster(_:by:observer:on:)``.
///
/// - Parameter neighbors: Owned. The lists of level 0, if the user provides them: on all ranks or on none.
/// - Throws: ``ModelError`` if an option does not fit the model; ``AgreedFailure`` on every rank if there
///   is an error in the input.
public func cluster(
  _ source: some EmbeddingSource, with model: TrainedModel,
  options: ClusteringOptions = ClusteringOptions(), neighbors: NeighborLists? = nil,
  observer: some ClusteringObserver = NoObserver(), on communicator: some Communicator
) throws -> Clustering {
  try cluster(
    source.transformed(for: model, using: options.workers),
    by: ClusteringPlan(options, with: model) { _ in neighbors },
    observer: observer, on: communicator)
}

/// Clusters embeddings with a network, which supplies k and τ if they are left out.
///
/// > Collective: over `communicator`, as ``cluster(_:by:observer:on:)``.
///
/// - Parameter neighbors: Owned. The lists of level 0, if the user provides them: on all ranks or on none.
/// - Throws: ``ModelError`` if an option does not fit the network; ``AgreedFailure`` on every rank if there
///   is an error in the input.
public func cluster(
  _ source: some EmbeddingSource, with model: LinkageModel,
  options: ClusteringOptions = ClusteringOptions(), neighbors: NeighborLists? = nil,
  observer: some ClusteringObserver = NoObserver(), on communicator: some Communicator
) throws -> Clustering {
  try cluster(
    source, with: TrainedModel(model), options: options, neighbors: neighbors, observer: observer,
    on: communicator)
}

extension ClusteringRun {
  /// What a run that has ended found.
  ///
  /// > Collective: over `communicator`, as ``labels(on:)`` and two accounts of some bytes per rank.
  func clustering(
    by choice: Choice, _ comparison: MethodComparison? = nil, afterReading reading: PhaseCost,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws -> Clustering {
    let (answer, layers, singletonCount) = try clock.measure(.label) { _ in
      (
        try labels(on: communicator), try layerLabels(on: communicator),
        try self.singletonCount(on: communicator)
      )
    }
    return Clustering(
      labels: answer.labels, layers: layers, points: points, clusterCount: answer.clusterCount,
      singletonCount: singletonCount,
      groups: try level.groups?.summary(on: communicator), levels: history,
      // Where there is no level, nobody else has the account of merging copies.
      reading: history.isEmpty ? reading + (try clock.take(.copies)) : reading,
      // Keeping the last level is of no level, either.
      labeling: try clock.take(.label) + clock.take(.record), choice: choice,
      comparison: comparison,
      stopReason: stopReason ?? .fewNodes)
  }

  /// Takes the run level by level until nothing merges.      [Xing et al. 2021, algorithm 1]
  ///
  /// A level that is too small for all ranks, and those after it, are continued on the first of them.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - first: The judged edges of the current level, if they exist already.
  ///   - keepsRows: Whether to keep the rows of the last level.
  ///   - afterLevel: Called on all ranks after each level, with the run so far; of levels on fewer ranks after the
  ///     last one.
  mutating func finish<Base: Communicator>(
    along first: consuming JudgedEdges?, of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>, keepingRows keepsRows: Bool = false,
    measuredBy clock: PhaseClock<Base, some ClusteringObserver>,
    on communicator: CountingCommunicator<Base>,
    afterLevel: (ClusteringRun) throws -> Void = { _ in }
  ) throws {
    var judged = first
    while stopReason == nil {
      clock.level = level.number
      if judged == nil, let count = fewRanks(for: plan, clock.observer, of: communicator.size) {
        try finish(
          onFirst: count, of: source, by: plan, keepingRows: keepsRows, measuredBy: clock,
          on: communicator)
        try afterLevel(self)
        break
      }
      try clock.observer.begins(level: level.number)
      let edges =
        try judged.take() ?? judgedEdges(by: plan, measuredBy: clock, on: communicator)
      try advance(
        along: edges, of: source, by: plan, keepingRows: keepsRows, measuredBy: clock,
        on: communicator)
      try afterLevel(self)
    }
    clock.level = level.number
  }

  /// Takes the run one level further: every node goes to its parent's root, and the roots become the
  /// nodes of the next level.
  ///
  /// > Collective: over `communicator`. What the merge rule, ``compressPaths(_:in:on:)`` and
  /// > ``contract(to:as:keeping:of:using:on:)`` send, and a round of about 780 bytes per rank.
  private mutating func advance(
    along edges: JudgedEdges, of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>, keepingRows keepsRows: Bool,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws {
    let (number, nodes, inputPoint) = (level.number, level.nodes, level.inputPoint)
    let isInInputOrder = level.isInInputOrder
    let (parents, roots, merged) = try clock.measure(.decode) { _ in
      let parents = try thresholds!.rule(ofLevel: number).parents(
        along: edges, of: level, listLength: plan.neighborCount - 1,
        breakingTies: plan.judge.mergesCopies,
        mergesCopies: plan.mergesCopies, using: plan.workers,
        on: communicator)
      var roots = parents.parent
      try compressPaths(&roots, in: nodes, on: communicator)
      return (parents, roots, try communicator.sum(parents.mergedCount))
    }
    stopReason = plan.stopReason(
      after: number, of: nodes.nodeCount, merged: merged, before: history.last?.mergedCount)
    if let groups = level.groups, stopReason == nil || stopReason == .fewNodes {
      let first = nodes.owned(by: communicator.rank).lowerBound
      let peaks = roots.indices.filter { roots[$0] == GlobalNode(first + $0) }
      let next = try groups.merged(into: peaks, on: communicator)
      stopReason = try communicator.any(next.isAnyOpen) ? nil : .fewNodes
    }
    let calibration = try truth.map { truth in
      try clock.measure(.record) { _ in
        try self.calibration(of: edges, by: truth, on: communicator)
      }
    }
    try clock.measure(.coarsen) { _ in
      let bound = stopReason == nil ? plan.memoryBound : nil
      if number == 0 { try bound?.checkContraction(to: nodes.nodeCount - merged) }
      try contract(
        to: roots, as: number + 1,
        keeping: stopReason == nil || keepsRows ? plan.judge.means : nil, of: source,
        using: plan.workers, on: communicator)
      try bound?.check(level, on: communicator)
    }
    if plan.keepsLayers { keepLayer() }
    if clock.observer.wantsLevels, let neighbors = edges.neighbors {
      try record(
        LevelRecord(
          level: number, nodes: nodes, inputPoint: inputPoint, neighbors: neighbors,
          graph: edges.graph, linkage: edges.linkage, parent: parents.parent),
        isInInputOrder: isInInputOrder, measuredBy: clock, on: communicator)
    }
    let (counts, costs) = try clock.finishLevel(
      LevelCounts(
        nodes: edges.graph.ownedCount, edges: edges.graph.edgeCount,
        cutEdges: edges.graph.cutEdgeCount, keptEdges: parents.keptEdgeCount,
        ghosts: edges.graph.halo.ghostCount, peakMemoryBytes: ProcessMemory.peakBytes))
    var summary = LevelSummary(
      number, nodeCount: nodes.nodeCount, mergedCount: merged, edges.search, counts, costs)
    summary.calibration = calibration
    history.append(summary)
  }

  /// Level 0, prepared for a plan.
  ///
  /// > Collective: over `communicator`, as reading and ``mergeCopies(of:using:on:)``.
  init(
    _ source: some EmbeddingSource, by plan: ClusteringPlan<some LinkageJudge>,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws {
    try plan.check(source, on: communicator)
    self = try clock.measure(.read) { _ in
      try ClusteringRun(
        reading: source, invalid: plan.invalidRows, asStored: plan.judge.means == .ofInputRows,
        using: plan.workers, on: communicator)
    }
    if plan.mergesCopies {
      try clock.measure(.copies) { _ in
        try mergeCopies(
          of: source, within: plan.search.groups, using: plan.workers, on: communicator)
      }
    }
    if let groups = plan.search.groups {
      try clock.measure(.partition) { _ in
        try deal(groups, fewNodes: plan.fewNodes, on: communicator)
      }
    }
  }

  /// Searches the neighbours of the current level, and has the edges to them judged. Nodes of level 0 get
  /// their owners in between.
  ///
  /// > Collective: over `communicator`. What the search, dealing nodes and the judge send.
  ///
  /// - Parameter found: The neighbours, if they were searched already, in lists that are long enough.
  mutating func judgedEdges(
    by plan: ClusteringPlan<some LinkageJudge>,
    along found: (lists: NeighborLists, summary: SearchSummary?)? = nil,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws -> JudgedEdges {
    var lists: NeighborLists?
    var search: SearchSummary?
    try clock.measure(.neighbors) { progress in
      if let found {
        (lists, search) = (found.lists.prefix(plan.listLength), found.summary)
        return
      }
      (lists, search) = try keptLists(
        of: plan.listLength, in: clock.observer.store, on: communicator
      ) { store in
        try plan.search.lists(
          of: self, length: plan.listLength, keptIn: store, using: plan.workers, on: communicator,
          progress: progress)
      }
    }
    if level.number == 0, level.groups == nil, communicator.size > 1, plan.ownership != .byInput {
      try clock.measure(.partition) { progress in
        lists = try deal(
          lists.take()!, by: plan.ownership, edgeLength: plan.neighborCount - 1, on: communicator,
          progress: progress)
      }
    }
    let wantsNeighbors = clock.observer.wantsLevels
    let (neighbors, graph) = try clock.measure(.graph) { _ in
      let neighbors = lists!.prefix(plan.neighborCount - 1)
      let graph = try NeighborGraph(neighbors, in: level.nodes, on: communicator)
      return (wantsNeighbors ? neighbors : nil, graph)
    }
    let linkage = try clock.measure(.network) { _ in
      try plan.judge.linkage(
        lists.take()!, over: graph, of: &level, using: plan.workers, on: communicator)
    }
    return JudgedEdges(neighbors: neighbors, graph: graph, linkage: linkage, search: search)
  }

  /// The lists of an earlier run at level 0, if there is a store that kept them, or else those of a search,
  /// which are kept there.
  ///
  /// > Collective: over `communicator`, as the store and the search are.
  ///
  /// - Parameter search: Gets where it keeps what it has found so far, if anywhere.
  func keptLists(
    of length: Int, in store: (any ListStore)?, on communicator: some Communicator,
    orElse search: ((any SearchStore)?) throws -> (lists: NeighborLists, summary: SearchSummary?)
  ) throws -> (lists: NeighborLists, summary: SearchSummary?) {
    guard let store, level.number == 0, level.isInInputOrder else {
      return try search(nil)
    }
    if let kept = try store.lists(length: length, in: level.nodes, on: communicator) {
      return kept
    }
    let found = try search(store.unfinished)
    if let summary = found.summary {
      try store.keep(found.lists, summary, in: level.nodes, on: communicator)
    }
    return found
  }

  private func record(
    _ record: LevelRecord, isInInputOrder: Bool,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws {
    let labels = try clock.measure(.label) { _ in try self.labels(on: communicator).labels }
    try clock.measure(.record) { _ in
      let record = isInInputOrder ? record : try record.inInputOrder(of: points, on: communicator)
      try clock.observer.finished(record, labels: labels, of: points, on: communicator)
    }
  }
}
