public import Communication
internal import DistributedGraphs
internal import FlowClustering
internal import NeighborSearch
internal import Parallelism

/// Clusters embeddings without a network: edges are weighed by the flow over common neighbours, and the
/// clusters are the modules that describe a random walk along them shortest.
///
/// Clusters depend on k, the places in a point's list. Unless it is given, several are tried, and the one is
/// taken whose clusters are separated well and change little with k. The answer is the same, bit for bit, on any number
/// of ranks and threads.
/// [FC-ES, arXiv:2408.13431, for the weights; Rosvall and Bergstrom 2008 for the modules]
///
/// > Collective: over `base`. One search of the longest lists; then for each k what ``FlowWeights``,
/// > ``FlowGraph`` and ``FlowModules`` send, and the means of the clusters to their owners.
///
/// - Parameter source: Replicated. The embeddings; every rank reads only its own rows.
/// - Throws: ``AgreedFailure`` on every rank if there is an error in the input.
public func cluster(
  _ source: some EmbeddingSource, by plan: FlowPlan,
  observer: some ClusteringObserver = NoObserver(), on communicator: some Communicator
) throws -> Clustering {
  try cluster(
    source, by: plan, orBy: ClusteringPlan<LinkageModel>?.none, observer: observer,
    on: communicator)
}

/// Clusters embeddings by flow and by a network, and takes the clusters that are separated better:
/// ``MethodComparison``.
///
/// Neighbours are searched once.
///
/// > Collective: over `communicator`, as both.
///
/// - Throws: ``AgreedFailure`` on every rank if there is an error in the input.
public func cluster(
  _ source: some EmbeddingSource, by plan: ComparingPlan,
  observer: some ClusteringObserver = NoObserver(), on communicator: some Communicator
) throws -> Clustering {
  try cluster(
    source, by: plan.flow, orBy: plan.network, observer: observer, on: communicator)
}

/// By flow; or by a network, if there is one and it separates clusters better.
private func cluster(
  _ source: some EmbeddingSource, by plan: FlowPlan,
  orBy network: ClusteringPlan<some LinkageJudge>?,
  observer: some ClusteringObserver, on base: some Communicator
) throws -> Clustering {
  let communicator = CountingCommunicator(base)
  try communicator.assertReplicated(
    (
      rowCount: source.rowCount, dimensions: source.dimensions, neighborCount: plan.neighborCount,
      search: plan.search, invalidRows: plan.invalidRows, hasNetwork: network != nil
    ))
  try network?.check(source, on: communicator)
  let clock = PhaseClock(communicator, observer)
  var run = try clock.measure(.read) { _ in
    try ClusteringRun(
      reading: source, invalid: plan.invalidRows, asStored: false, using: plan.workers,
      on: communicator)
  }
  try clock.measure(.copies) { _ in
    try run.mergeCopies(of: source, using: plan.workers, on: communicator)
  }
  let reading = try clock.take(.read)
  try run.measure(by: observer.truth, on: communicator)
  var choice = Choice.listLength(
    ListLengthChoice(neighborCount: plan.neighborCounts(for: run.level.nodes.nodeCount)[0]))
  var comparison: MethodComparison?
  if run.stopReason == nil {
    (choice, comparison) = try run.mergeModules(
      of: source, by: plan, orBy: network, measuredBy: clock, on: communicator)
  }
  if let comparison { observer.compared(comparison) }
  switch choice {
  case .listLength(let choice): observer.chose(choice)
  case .thresholds(let choice): observer.chose(choice)
  }
  return try run.clustering(
    by: choice, comparison, afterReading: reading, measuredBy: clock, on: communicator)
}

extension ClusteringRun {
  /// Makes the modules of level 0 the nodes of the next level; or what a network makes of it, if there
  /// is one and it separates clusters better.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Returns: Replicated. What was chosen, and how both methods compared.
  fileprivate mutating func mergeModules(
    of source: some EmbeddingSource, by plan: FlowPlan,
    orBy network: ClusteringPlan<some LinkageJudge>?,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws -> (Choice, MethodComparison?) {
    try clock.observer.begins(level: 0)
    let (lists, search) = try clock.measure(.neighbors) { progress in
      let length = listLength(by: plan, orBy: network)
      return try keptLists(of: length, in: clock.observer.store, on: communicator) {
        try NeighborSource.search(plan.search).lists(
          of: self, length: length, keptIn: $0, using: plan.workers, on: communicator,
          progress: progress)
      }
    }
    let names = level.rows.directions.rowNames(using: plan.workers)
    let trials = try clock.measure(.flow) { progress in
      try modules(
        along: lists, by: plan, isCompared: network != nil, names: names, of: source,
        on: communicator, progress: progress)
    }
    var judged: JudgedRun?
    if let network {
      judged = try clock.measure(.network) { _ in
        try judgedRun(
          along: (lists, search), of: source, by: network, scoredBy: trials.sample!,
          on: communicator)
      }
    }
    let comparison = judged.map {
      MethodComparison(flow: trials.summaries[trials.place].silhouette, network: $0.silhouette)
    }
    let (best, nodeCount) = (trials.best, level.nodes.nodeCount)
    if let judged, comparison?.prefersNetwork == true {
      self = judged.run
      // What the whole network cost is in its levels.
      let (_, costs) = try clock.finishLevel(LevelCounts())
      history[0].add(costs.filter { $0.key != .network })
      return (.thresholds(judged.choice), comparison)
    }
    try clock.measure(.coarsen) { _ in
      try contract(
        to: best.roots, as: 1, keeping: nil, of: source, using: plan.workers, on: communicator)
    }
    stopReason = .shortestCode
    let (counts, costs) = try clock.finishLevel(
      LevelCounts(
        edges: best.edgeCount, keptEdges: best.keptCount, ghosts: best.ghostCount,
        peakMemoryBytes: ProcessMemory.peakBytes))
    history.append(
      LevelSummary(
        0, nodeCount: nodeCount, mergedCount: nodeCount - level.nodes.nodeCount, search, counts,
        costs))
    let isChosen = plan.neighborCount == nil
    return (
      .listLength(
        ListLengthChoice(
          neighborCount: best.neighborCount,
          threshold: best.threshold == FlowWeights.usualThreshold ? nil : best.threshold,
          trials: isChosen ? trials.summaries : [])),
      comparison
    )
  }

  /// Places of the lists that both methods need.
  private func listLength(
    by plan: FlowPlan, orBy network: ClusteringPlan<some LinkageJudge>?
  ) -> Int {
    max(
      plan.neighborCounts(for: level.nodes.nodeCount).last! - 1, network?.listLength ?? 0)
  }

  /// What a network makes of this level, which is level 0.
  ///
  /// > Collective: over `communicator`.
  private func judgedRun(
    along found: (lists: NeighborLists, summary: SearchSummary?), of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>, scoredBy sample: SilhouetteSample,
    on communicator: some Communicator
  ) throws -> JudgedRun {
    let communicator = CountingCommunicator(communicator)
    let clock = PhaseClock(communicator, NoObserver())
    var run = self
    let edges = try run.judgedEdges(
      by: plan, along: found, measuredBy: clock, on: communicator)
    let choice = try run.chooseThresholds(
      along: edges, of: source, by: plan, measuredBy: clock, on: communicator)
    try run.finish(
      along: edges, of: source, by: plan, keepingRows: true, measuredBy: clock, on: communicator)
    return JudgedRun(
      run: run, choice: choice,
      silhouette: try silhouette(
        of: run, by: sample, of: source, using: plan.workers, on: communicator))
  }
}

/// What a network made of level 0, and how well it separates clusters.
private struct JudgedRun {
  var run: ClusteringRun
  var choice: ThresholdChoice
  var silhouette: Double
}
