public import Communication
internal import DistributedGraphs
internal import FlowClustering
internal import NeighborSearch
internal import Parallelism

/// Clusters embeddings without a network: edges are weighed by the flow over common neighbours, and the
/// clusters are the modules that describe a random walk along them shortest.
///
/// Clusters depend on k, the places in a point's list. Unless it is given, several are tried, and the one is
/// taken that separates clusters best. The answer is the same, bit for bit, on any number of ranks and threads.
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
          of: self, length: length, using: plan.workers, on: communicator, progress: progress)
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
      MethodComparison(flow: trials.best.silhouette, network: $0.silhouette)
    }
    let (best, nodeCount) = (trials.best.modules, level.nodes.nodeCount)
    if let judged, comparison?.prefersNetwork == true {
      self = judged.run
      // What the whole network cost is in its levels.
      let (_, costs) = try clock.finishLevel(LevelCounts())
      for (phase, cost) in costs where phase != .network {
        history[0].phases[phase.rawValue, default: PhaseCost()] =
          history[0].phases[phase.rawValue, default: PhaseCost()] + cost
      }
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
          neighborCount: best.neighborCount, trials: isChosen ? trials.summaries : [])),
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

  /// The modules for the smallest k that separates clusters about as well as the best:
  /// ``ListLengthChoice/tolerance``.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - lists: Long enough for every k.
  ///   - isCompared: Replicated. Whether a score is needed even if there is only one k.
  private func modules(
    along lists: NeighborLists, by plan: FlowPlan, isCompared: Bool, names: [UInt64],
    of source: some EmbeddingSource, on communicator: some Communicator,
    progress: (Double) throws -> Void
  ) throws -> FlowTrials {
    let neighborCounts = plan.neighborCounts(for: level.nodes.nodeCount)
    let sample =
      neighborCounts.count > 1 || isCompared
      ? try SilhouetteSample(of: level, names: names, on: communicator) : nil
    // A trial costs about as much as its lists are long.
    let effort = Double(neighborCounts.reduce(0, +))
    var done = 0.0
    // Those that may still be taken.
    var good: [(modules: FlowTrial, silhouette: Double)] = []
    var summaries: [ListLengthTrial] = []
    for k in neighborCounts {
      let trial = try FlowTrial(
        k, along: lists.prefix(k - 1), in: level.nodes, names: names, using: plan.workers,
        on: communicator)
      var silhouette = 0.0
      if let sample {
        var run = self
        try run.contract(
          to: trial.roots, as: 1, keeping: .ofDirections, of: source, using: plan.workers,
          on: communicator)
        silhouette = try score(run, by: sample, using: plan.workers, on: communicator)
        summaries.append(
          ListLengthTrial(
            neighborCount: k, clusterCount: run.level.nodes.nodeCount,
            codeLength: trial.codeLength, silhouette: silhouette))
      }
      good.append((trial, silhouette))
      let highest = good.map(\.silhouette).max()!
      good.removeAll { $0.silhouette < highest - ListLengthChoice.tolerance }
      done += Double(k)
      try progress(done / effort)
    }
    return FlowTrials(best: good[0], summaries: summaries, sample: sample)
  }

  /// How well the nodes that a run ended with separate the points of this level, which is level 0.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Returns: −1 for a single cluster, and for one for every node: they separate nothing.
  private func score(
    _ run: ClusteringRun, by sample: SilhouetteSample, using workers: Workers,
    on communicator: some Communicator
  ) throws -> Double {
    guard (2..<level.nodes.nodeCount).contains(run.level.nodes.nodeCount) else { return -1 }
    return try sample.score(
      memberCounts: level.memberCounts,
      cluster: points.fetch(run.nodeOfPoint, at: level.inputPoint, on: communicator),
      run.level, using: workers, on: communicator)
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
      silhouette: try score(run, by: sample, using: plan.workers, on: communicator))
  }
}

/// What a network made of level 0, and how well it separates clusters.
private struct JudgedRun {
  var run: ClusteringRun
  var choice: ThresholdChoice
  var silhouette: Double
}

/// The modules for every k that was tried.
private struct FlowTrials {
  var best: (modules: FlowTrial, silhouette: Double)
  /// Empty where there was nothing to choose or to compare.
  var summaries: [ListLengthTrial]
  var sample: SilhouetteSample?
}

/// The modules for one k.
private struct FlowTrial {
  let neighborCount: Int
  /// Owned. The first node of each node's module.
  let roots: [GlobalNode]
  let codeLength: Double
  /// This rank's.
  let edgeCount: Int
  let keptCount: Int
  let ghostCount: Int

  /// > Collective: over `communicator`.
  init(
    _ k: Int, along lists: NeighborLists, in nodes: NodePartition, names: [UInt64],
    using workers: Workers, on communicator: some Communicator
  ) throws {
    neighborCount = k
    let graph: FlowGraph
    do {
      let weights = try FlowWeights(lists, in: nodes, using: workers, on: communicator)
      edgeCount = weights.graph.edgeCount
      keptCount = weights.keptCount
      ghostCount = weights.graph.halo.ghostCount
      graph = try FlowGraph(weights, names: names, on: communicator)
    }
    let modules = try FlowModules(of: graph, using: workers, on: communicator)
    roots = modules.roots
    codeLength = modules.codeLength
  }
}
