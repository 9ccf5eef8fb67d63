public import Communication
public import DistributedGraphs
internal import GraphNetworks
internal import SimilarityStructure

/// Clusters embeddings with a trained network, level by level, until nothing merges.
///
/// Each level: nearest neighbours, network, the best denser neighbour of every node, the roots of
/// the trees that these edges form; the roots are the nodes of the next level. The answer is the
/// same, bit for bit, on any number of ranks and threads.
/// [Xing et al. 2021, arXiv:2107.01319, algorithm 1]
///
/// > Collective: over `communicator`. Per level what ``nearestNeighbors(of:listLength:in:using:on:progress:)``,
/// > ``Lander/linkage(of:over:using:on:)``, ``bestDenserNeighbor(_:above:in:on:)`` and
/// > ``compressPaths(_:in:on:)`` send, and a few words per node and point.
///
/// - Parameters:
///   - source: Replicated. The embeddings; every rank reads only its own rows.
///   - initialNeighbors: Owned. The lists of level 0, where the user brings them.
/// - Throws: ``AgreedFailure`` on every rank for what is wrong with the input.
public func cluster(
  _ source: some EmbeddingSource, with model: LinkageModel, options: ClusteringOptions,
  initialNeighbors: NeighborLists? = nil, observer: some ClusteringObserver = NoObserver(),
  on communicator: some Communicator
) throws -> Clustering {
  try cluster(
    source, with: model, options: options, initialNeighbors: initialNeighbors, from: nil,
    observer: observer, on: communicator)
}

/// The same, from a level 0 that was judged before, where there is one.
///
/// > Collective: over `base`, as the other; nothing for reading and for the neighbours and linkages of
/// > a level 0 that is there.
///
/// - Parameter judged: Of the same source, model, lists and k.
package func cluster<Source: EmbeddingSource>(
  _ source: Source, with model: LinkageModel, options: ClusteringOptions,
  initialNeighbors: NeighborLists? = nil, from judged: JudgedLevel<Source>?,
  observer: some ClusteringObserver = NoObserver(), on base: some Communicator
) throws -> Clustering {
  try model.check(source, options, initialNeighbors, on: base)
  let communicator = CountingCommunicator(base)
  let clock = PhaseClock(communicator, observer)
  var judged = judged
  var hierarchy =
    try judged?.hierarchy
    ?? Hierarchy(
      source, for: model, options: options, hasNeighbors: initialNeighbors != nil,
      measuredBy: clock, on: communicator)
  var structure = judged?.structure  // of networks of structure, from level 0 on
  let reading = try judged?.reading ?? clock.costs()[.read] ?? PhaseCost()

  var levels: [LevelSummary] = []  // replicated, and so is all that follows from it
  var stopReason: StopReason?
  while stopReason == nil, hierarchy.nodes.nodeCount > options.neighborCount {
    let (level, nodes, inputPoint) = (hierarchy.level, hierarchy.nodes, hierarchy.inputPoint)
    clock.level = level
    let judgedCosts = judged?.costs ?? [:]
    let edges =
      try judged?.edges
      ?? hierarchy.judgedEdges(
        by: model, initialNeighbors: initialNeighbors, keepingLists: observer.wantsLevels,
        &structure, measuredBy: clock, on: communicator)
    judged = nil  // level 0 only, whose rows may go
    let (graph, linkage) = (edges.graph, edges.linkage)
    let (parents, roots, merged) = try clock.measure(.decode) { _ in
      let parents = try bestDenserNeighbor(
        linkage, above: options.threshold(ofLevel: level), in: graph, on: communicator)
      var roots = parents.parent
      try compressPaths(&roots, in: nodes, on: communicator)
      return (parents, roots, try communicator.sum(parents.mergedCount))
    }
    stopReason = StopReason(
      after: level, merged: merged, before: levels.last?.mergedCount, options)
    try clock.measure(.coarsen) { _ in
      try hierarchy.contract(
        to: roots, isLast: stopReason != nil, &structure, on: communicator)
    }

    if observer.wantsLevels, let neighbors = edges.neighbors {
      let labels = try clock.measure(.label) { _ in try hierarchy.labels(on: communicator).labels }
      try clock.measure(.record) { _ in
        try observer.finished(
          LevelRecord(
            level: level, nodes: nodes, inputPoint: inputPoint, neighbors: neighbors,
            graph: graph, linkage: linkage, parent: parents.parent),
          labels: labels, of: hierarchy.points, on: communicator)
      }
    }
    levels.append(
      try LevelSummary(
        level, of: graph, keptEdgeCount: parents.keptEdgeCount, mergedCount: merged,
        costs: clock.costs().merging(judgedCosts) { $0 + $1 }, on: base))
  }

  let (labels, clusterCount) = try clock.measure(.label) { _ in
    try hierarchy.labels(on: communicator)
  }
  return Clustering(
    labels: labels, points: hierarchy.points, clusterCount: clusterCount,
    singletonCount: try hierarchy.singletonCount(on: base), levels: levels, reading: reading,
    labeling: try clock.costs()[.label] ?? PhaseCost(), stopReason: stopReason ?? .fewNodes)
}
