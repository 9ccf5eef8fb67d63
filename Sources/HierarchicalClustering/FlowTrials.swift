internal import Communication
internal import DistributedGraphs
internal import Evaluation
internal import FlowClustering
internal import NeighborSearch
internal import Parallelism

/// The modules for every k that was tried, ascending.
struct FlowTrials {
  var modules: [FlowTrial] = []
  /// Replicated. Empty where there was nothing to choose or to compare.
  var summaries: [ListLengthTrial] = []
  /// Where the best modules are.
  var place = 0
  var sample: SilhouetteSample?

  var best: FlowTrial { modules[place] }
}

/// The modules for one k.
struct FlowTrial {
  let neighborCount: Int
  /// θ.
  let threshold: Double
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
      threshold = weights.threshold
      graph = try FlowGraph(weights, names: names, on: communicator)
    }
    let modules = try FlowModules(of: graph, using: workers, on: communicator)
    roots = modules.roots
    codeLength = modules.cost
  }
}

extension ClusteringRun {
  /// The modules for every k, and which are best: those that are separated well and change little with k.
  ///
  /// > Collective: over `communicator`. For every k what ``FlowTrial`` and
  /// > ``silhouette(of:by:of:using:on:)`` send, and ``agreement(of:and:on:)``.
  ///
  /// - Parameters:
  ///   - lists: Long enough for every k.
  ///   - isCompared: Replicated. Whether a silhouette is needed even if there is only one k.
  func modules(
    along lists: NeighborLists, by plan: FlowPlan, isCompared: Bool, names: [UInt64],
    of source: some EmbeddingSource, on communicator: some Communicator,
    progress: (Double) throws -> Void
  ) throws -> FlowTrials {
    let neighborCounts = plan.neighborCounts(for: level.nodes.nodeCount)
    var trials = FlowTrials()
    if neighborCounts.count > 1 || isCompared {
      trials.sample = try SilhouetteSample(of: level, names: names, on: communicator)
    }
    // A trial costs about as much as its lists are long.
    let effort = Double(neighborCounts.reduce(0, +))
    var done = 0.0
    var separations: [(clusterCount: Int, silhouette: Double)] = []
    // Of each k with the next.
    var agreements: [Double] = []
    var clusterOfPoint: [GlobalNode]?
    for k in neighborCounts {
      let trial = try FlowTrial(
        k, along: lists.prefix(k - 1), in: level.nodes, names: names, using: plan.workers,
        on: communicator)
      trials.modules.append(trial)
      if let sample = trials.sample {
        var run = self
        try run.contract(
          to: trial.roots, as: 1, keeping: .ofDirections, of: source, using: plan.workers,
          on: communicator)
        if let clusterOfPoint {
          agreements.append(
            try agreement(of: clusterOfPoint, and: run.nodeOfPoint, on: communicator))
        }
        clusterOfPoint = run.nodeOfPoint
        separations.append(
          (
            run.level.nodes.nodeCount,
            try silhouette(of: run, by: sample, of: source, using: plan.workers, on: communicator)
          ))
      }
      done += Double(k)
      try progress(done / effort)
    }
    trials.summaries = separations.indices.map { place in
      ListLengthTrial(
        neighborCount: neighborCounts[place], clusterCount: separations[place].clusterCount,
        codeLength: trials.modules[place].codeLength, silhouette: separations[place].silhouette,
        agreement: agreements[max(place - 1, 0)..<min(place + 1, agreements.count)].min() ?? 0)
    }
    trials.place = ListLengthChoice.best(of: trials.summaries)
    return trials
  }

  /// How well the nodes that a run ended with separate the points of this level, which is level 0, once those
  /// that stand for a single point have joined others.
  ///
  /// > Collective: over `communicator`, as ``attachSingles(of:using:on:)`` and the score.
  ///
  /// - Returns: Replicated. −1 for a single cluster, and for one for every node: they separate nothing.
  func silhouette(
    of run: ClusteringRun, by sample: SilhouetteSample, of source: some EmbeddingSource,
    using workers: Workers, on communicator: some Communicator
  ) throws -> Double {
    let separating = 2..<level.nodes.nodeCount
    guard separating.contains(run.level.nodes.nodeCount) else { return -1 }
    var run = run
    try run.attachSingles(of: source, using: workers, on: communicator)
    guard separating.contains(run.level.nodes.nodeCount) else { return -1 }
    return try sample.score(
      memberCounts: level.memberCounts,
      cluster: points.fetch(run.nodeOfPoint, at: level.inputPoint, on: communicator),
      run.level, using: workers, on: communicator)
  }
}

/// How much two clusterings of the same points are alike: the mean of pairwise and BCubed F of one against the
/// other, the same both ways. Clusterings without pairs have no pairwise F, which counts as 0.
///
/// > Collective: over `communicator`, as ``compareLabels(truth:predicted:on:)``.
///
/// - Parameters: One node per owned point.
/// - Returns: Replicated. In 0 ... 1, the same bits on any number of ranks.
func agreement(
  of first: [GlobalNode], and second: [GlobalNode], on communicator: some Communicator
) throws -> Double {
  let metrics = try compareLabels(
    truth: first.map(\.index), predicted: second.map(\.index), on: communicator)
  let pairwise = metrics.pairwise.f
  return ((pairwise.isNaN ? 0 : pairwise) + metrics.bcubed.f) / 2
}
