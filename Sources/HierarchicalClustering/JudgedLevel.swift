public import Communication
package import DistributedGraphs
public import GraphNetworks
internal import LinearAlgebra
internal import Parallelism
internal import SimilarityStructure

/// Level 0 as a network judged it, to be merged above any thresholds: neighbours are searched and edges
/// judged once.
package struct JudgedLevel<Source: EmbeddingSource> {
  let hierarchy: Hierarchy<Source>
  let structure: StructureState?
  let edges: JudgedEdges
  /// Replicated. What it took to read the input, and to come from there to the edges.
  let reading: PhaseCost
  let costs: [Phase: PhaseCost]
  private let model: LinkageModel

  /// > Collective: over `base`. One neighbour search and one pass of the network.
  ///
  /// - Parameters:
  ///   - initialNeighbors: Owned. The lists of level 0, where they are there already.
  ///   - keepsLists: Whether ``cluster(_:with:options:initialNeighbors:from:observer:on:)`` will have an
  ///     observer that wants levels.
  package init(
    _ source: Source, with model: LinkageModel, options: ClusteringOptions,
    initialNeighbors: NeighborLists? = nil, keepsLists: Bool = false,
    observer: some ClusteringObserver = NoObserver(), on base: some Communicator
  ) throws {
    try model.check(source, options, initialNeighbors, on: base)
    let communicator = CountingCommunicator(base)
    let clock = PhaseClock(communicator, observer)
    var hierarchy = try Hierarchy(
      source, for: model, options: options, hasNeighbors: initialNeighbors != nil,
      measuredBy: clock, on: communicator)
    reading = try clock.costs()[.read] ?? PhaseCost()
    var structure: StructureState?
    edges = try hierarchy.judgedEdges(
      by: model, initialNeighbors: initialNeighbors, keepingLists: keepsLists, &structure,
      measuredBy: clock, on: communicator)
    costs = try clock.costs()
    self.hierarchy = hierarchy
    self.structure = structure
    self.model = model
  }

  package var graph: NeighborGraph { edges.graph }
  /// Owned. Of the edges of ``graph``.
  package var linkage: Linkage { edges.linkage }

  /// The clusters above thresholds, as ``cluster(_:with:options:initialNeighbors:observer:on:)`` would
  /// have them.
  ///
  /// > Collective: over `communicator`, as clustering from level 0's linkage on.
  ///
  /// - Parameter betweenLevels: What to do before each level; what it throws, on every rank, ends it all.
  package func clusters(
    above threshold: Double, later laterThreshold: Double, on communicator: some Communicator,
    betweenLevels: () throws -> Void = {}
  ) throws -> Hierarchy<Source> {
    var (hierarchy, structure) = (hierarchy, structure)
    let (k, limit) = (hierarchy.options.neighborCount, hierarchy.options.maximumLevels)
    guard hierarchy.nodes.nodeCount > k else { return hierarchy }
    let clock = PhaseClock(CountingCommunicator(communicator), NoObserver())
    try betweenLevels()
    var merged = try hierarchy.merge(
      by: linkage, above: threshold, over: graph, &structure, on: communicator)
    while merged > 0, hierarchy.level < limit, hierarchy.nodes.nodeCount > k {
      try betweenLevels()
      let edges = try hierarchy.judgedEdges(
        by: model, keepingLists: false, &structure, measuredBy: clock, on: communicator)
      merged = try hierarchy.merge(
        by: edges.linkage, above: laterThreshold, over: edges.graph, &structure,
        on: communicator)
    }
    return hierarchy
  }

  /// How well clusters stand apart: the mean over points of
  ///
  ///     (a − b) / max(1 − a, 1 − b),   0 for the only point of a cluster
  ///
  /// with a the mean similarity to the other points of its cluster, and b the largest mean similarity
  /// to the points of another cluster, among those of its near neighbours; without such neighbours b
  /// is the mean similarity of all pairs.      [Rousseeuw 1987, with neighbours for all clusters]
  ///
  /// Added up as integers: the same bits on any number of ranks.
  ///
  /// > Collective: over `communicator`. A row per cluster of a node or of its neighbours, and a few
  /// > words per node.
  ///
  /// - Precondition: The model is of structure: it leaves level 0 its rows.
  package func silhouette(
    of clusters: Hierarchy<Source>, on communicator: some Communicator
  ) throws -> Double {
    // The first point of every node tells where the node is now.
    let cluster = try clusters.points.fetch(
      clusters.nodeOfPoint, at: hierarchy.inputPoint, on: communicator)
    let local = try graph.halo.extend(cluster, on: communicator)
    let (halo, place) = try Halo.localizing(local, in: clusters.nodes, on: communicator)
    let means = try halo.extend(clusters.meanRows, on: communicator)
    let sizes = try halo.extend(clusters.memberCounts, on: communicator)
    let values = NodeSilhouettes(
      hierarchy.directions, over: graph, in: place, means: means, sizes: sizes,
      baseline: Double(structure?.scale.mean ?? 0), using: hierarchy.workers)
    let weights = hierarchy.memberCounts
    return NodeSilhouettes.mean(
      of: try communicator.allReduce(values.sum(times: weights), +),
      over: try communicator.sum(weights.reduce(0) { $0 + Int($1) }))
  }
}

extension JudgedLevel {
  /// A quantile of the probabilities that decide about level 0: of every node that has denser neighbours,
  /// p of the most probable of these.
  ///
  /// Counted in 10,000 bins: the same bits on any number of ranks.
  ///
  /// > Collective: over `communicator`. A round of 4 bytes per ghost, and one of 80 kB per rank.
  ///
  /// - Parameter share: Replicated. How many of the nodes are below.
  /// - Returns: The upper end of the bin; 0 if no node has a denser neighbour.
  package func decidingProbability(
    below share: Double, on communicator: some Communicator
  ) throws -> Double {
    let density = try graph.halo.extend(linkage.density, on: communicator)
    let binCount = 10_000
    var bins = Array(repeating: 0.0, count: binCount)
    for node in 0..<graph.ownedCount {
      let distances = graph.edges(into: node, fromDenserBy: density).map { linkage.distance[$0] }
      guard let least = distances.min() else { continue }
      bins[min(max(Int(Double(1 - least) * Double(binCount)), 0), binCount - 1)] += 1
    }
    let counts = try communicator.sums(bins)
    let all = counts.reduce(0, +)
    var below = 0.0
    for (bin, count) in counts.enumerated() where all > 0 {
      below += count
      if below >= share * all { return Double(bin + 1) / Double(binCount) }
    }
    return 0
  }
}

/// A threshold, and how well the clusters above it stand apart.
public struct SilhouetteTrial: Codable, Equatable, Sendable {
  public var threshold: Double
  public var clusterCount: Int
  public var silhouette: Double
}

/// Tries thresholds on data without labels: how well the clusters above each stand apart.
///
/// What a network says of data of a kind that it has not seen is in the right order, more or less,
/// but its probabilities are not; so the threshold is chosen on the data at hand. In order of
/// thresholds, each for all levels.
///
/// > Collective: over `communicator`. A neighbour search, and for every threshold what clustering
/// > from level 0's linkage on and ``JudgedLevel/silhouette(of:on:)`` send.
///
/// - Complexity: One pass over level 0, one over the later levels for each threshold.
public func silhouettes(
  of source: some EmbeddingSource, with network: StructureNetwork, options: ClusteringOptions,
  thresholds: [Double] = silhouetteThresholds, on communicator: some Communicator
) throws -> [SilhouetteTrial] {
  try JudgedLevel(source, with: .structure(network), options: options, on: communicator)
    .silhouettes(above: thresholds, on: communicator)
}

/// What ``silhouettes(of:with:options:thresholds:on:)`` tries.
public let silhouetteThresholds = [
  0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98,
]

extension JudgedLevel {
  /// What each threshold makes of the level.
  ///
  /// > Collective: over `communicator`, as ``silhouettes(of:with:options:thresholds:on:)`` from level 0's
  /// > linkage on.
  package func silhouettes(
    above thresholds: [Double] = silhouetteThresholds, on communicator: some Communicator
  ) throws -> [SilhouetteTrial] {
    try thresholds.map { threshold in
      let clusters = try clusters(above: threshold, later: threshold, on: communicator)
      return SilhouetteTrial(
        threshold: threshold, clusterCount: clusters.nodes.nodeCount,
        silhouette: try silhouette(of: clusters, on: communicator))
    }
  }
}

/// A threshold for data without labels, and what it was chosen by. Replicated.
package struct ThresholdWithoutLabels: Equatable, Sendable {
  package let trials: [SilhouetteTrial]
  /// The one above which 96 % of the nodes of level 0 with denser neighbours merge with one, or 0.6 if
  /// that is less.
  package let deciding: Double

  /// That whose clusters stand apart best.
  package var standingApart: Double { trials.max { $0.silhouette < $1.silhouette }!.threshold }

  /// Clusters that stand apart, but not too few of them: where identities are close to each other, a
  /// silhouette alone prefers to merge them.
  package var threshold: Double { max(standingApart, deciding) }
}

extension JudgedLevel {
  /// Chooses a threshold for all levels, without labels.
  ///
  /// > Collective: over `communicator`, as ``silhouettes(above:on:)`` and
  /// > ``decidingProbability(below:on:)``.
  package func thresholdWithoutLabels(
    on communicator: some Communicator
  ) throws -> ThresholdWithoutLabels {
    ThresholdWithoutLabels(
      trials: try silhouettes(on: communicator),
      deciding: min(try decidingProbability(below: 0.04, on: communicator), 0.6))
  }
}
