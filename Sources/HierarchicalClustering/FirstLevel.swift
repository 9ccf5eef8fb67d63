package import Communication
package import DistributedGraphs
package import GraphNetworks

/// Level 0 with its judged edges, from which runs above any thresholds can start. Neighbours are
/// searched and edges judged only once.
package struct FirstLevel<Source: EmbeddingSource, Judge: LinkageJudge> {
  private let source: Source
  private let plan: ClusteringPlan<Judge>
  private let run: ClusteringRun
  package let edges: JudgedEdges

  /// > Collective: over `base`. One neighbour search and one pass of the judge.
  ///
  /// - Parameter order: The new index of every owned node, and who owns which of these; nil, as in
  ///   clustering, for the order of the input.
  package init(
    _ source: Source, by plan: ClusteringPlan<Judge>,
    inOrder order: (Level) -> (place: [GlobalNode], nodes: NodePartition)? = { _ in nil },
    on base: some Communicator
  ) throws {
    let communicator = CountingCommunicator(base)
    let clock = PhaseClock(communicator, NoObserver())
    var run = try ClusteringRun(source, by: plan, measuredBy: clock, on: communicator)
    if let (place, nodes) = order(run.level) {
      try run.reorder(to: place, in: nodes, on: communicator)
    }
    edges = try run.judgedEdges(by: plan, measuredBy: clock, on: communicator)
    self.run = run
    self.source = source
    self.plan = plan
  }

  /// Owned. The input point of every node.
  package var inputPoint: [GlobalNode] { run.level.inputPoint }

  /// Owned. The linkages of level 0's edges.
  package var linkage: Linkage { edges.linkage }

  /// Runs to the end above the given thresholds.
  ///
  /// > Collective: over `base`, as clustering from level 0's linkage on.
  ///
  /// - Parameters:
  ///   - levelCount: Replicated. After so many levels the run ends; nil for the plan's number.
  ///   - observer: Sees no levels; may have a truth.
  package func run(
    above thresholds: Thresholds, within bounds: GroupBounds = GroupBounds(),
    endingAfter levelCount: Int? = nil, observer: some ClusteringObserver = NoObserver(),
    on base: some Communicator
  ) throws -> ClusteringRun {
    let communicator = CountingCommunicator(base)
    precondition(!observer.wantsLevels, "level 0 was judged for no observer")
    precondition(levelCount ?? 1 > 0, "\(levelCount!) levels")
    var (run, plan) = (run, plan)
    if let levelCount { plan.maximumLevels = levelCount }
    run.thresholds = thresholds
    try run.measure(by: observer.truth, on: communicator)
    try run.finish(
      along: edges, of: source, by: plan, within: bounds,
      measuredBy: PhaseClock(communicator, observer), on: communicator)
    return run
  }

  /// How well the given thresholds separate clusters.
  ///
  /// > Collective: over `communicator`, as ``run(above:observer:on:)`` and the silhouette.
  package func trial(
    _ thresholds: Thresholds, on communicator: some Communicator
  ) throws -> SilhouetteTrial {
    try run.trial(thresholds, along: edges, of: source, by: plan, on: communicator)
  }
}
