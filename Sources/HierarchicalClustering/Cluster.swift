public import Communication
public import DistributedGraphs
public import GraphNetworks
internal import LinearAlgebra
internal import NeighborSearch

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
  _ source: some EmbeddingSource, with model: Lander, options: ClusteringOptions,
  initialNeighbors: NeighborLists? = nil, observer: some ClusteringObserver = NoObserver(),
  on base: some Communicator
) throws -> Clustering {
  precondition(
    source.dimensions == model.dimensions || source.rowCount == 0,
    "\(source.dimensions) dimensions for a model of \(model.dimensions)")
  let communicator = CountingCommunicator(base)
  let clock = PhaseClock(communicator, observer)
  var hierarchy = try clock.measure(.read) { _ in
    try Hierarchy(
      source, options: options, needsAverages: model.usesAverageFeature, on: communicator)
  }
  let reading = try clock.costs()[.read] ?? PhaseCost()

  var levels: [LevelSummary] = []  // replicated, and so is all that follows from it
  var stopReason = StopReason.fewNodes
  while hierarchy.nodes.nodeCount > options.neighborCount {
    clock.level = hierarchy.level
    let nodes = hierarchy.nodes
    var neighbors: NeighborLists? = try clock.measure(.neighbors) { progress in
      if hierarchy.level == 0, let initialNeighbors {
        return try initialNeighbors.among(hierarchy.hasDirection, in: nodes, on: communicator)
      }
      return try nearestNeighbors(
        of: hierarchy.directions, listLength: options.listLength, in: nodes,
        using: options.workers, on: communicator, progress: progress)
    }
    let graph = try clock.measure(.graph) { _ in
      try NeighborGraph(neighbors!, in: nodes, on: communicator)
    }
    if !observer.wantsLevels { neighbors = nil }  // its edges are in the graph
    let linkage = try clock.measure(.network) { _ in
      try model.linkage(
        of: hierarchy.takeNetworkInput(), over: graph, using: options.workers, on: communicator)
    }
    let (parents, roots) = try clock.measure(.decode) { _ in
      let parents = try bestDenserNeighbor(
        linkage, above: options.threshold, in: graph, on: communicator)
      var roots = parents.parent
      try compressPaths(&roots, in: nodes, on: communicator)
      return (parents, roots)
    }

    let merged = try communicator.sum(parents.mergedCount)
    let stop = stopAfter(hierarchy.level, merged: merged, before: levels.last, options)
    let inputPoint = hierarchy.inputPoint
    try clock.measure(.coarsen) { _ in
      try hierarchy.contract(to: roots, isLast: stop != nil, on: communicator)
    }
    if observer.wantsLevels {
      try clock.measure(.record) { _ in
        let labels = try numberByFirstAppearance(
          hierarchy.nodeOfPoint, of: hierarchy.points, in: hierarchy.nodes, on: communicator)
        try observer.finished(
          LevelRecord(
            level: hierarchy.level - 1, nodes: nodes, inputPoint: inputPoint,
            neighbors: neighbors!, graph: graph, linkage: linkage, parent: parents.parent),
          labels: labels.labels, of: hierarchy.points, on: communicator)
      }
    }
    levels.append(
      try summary(of: graph, parents, merged: merged, level: clock.level, clock, communicator))
    if let stop {
      stopReason = stop
      break
    }
  }

  let (labels, clusterCount) = try numberByFirstAppearance(
    hierarchy.nodeOfPoint, of: hierarchy.points, in: hierarchy.nodes, on: communicator)
  return Clustering(
    labels: labels, points: hierarchy.points, clusterCount: clusterCount, levels: levels,
    reading: reading, stopReason: stopReason)
}

extension NeighborLists {
  /// The lists without neighbours of, and without, points that have no direction: those stay
  /// clusters of their own whatever a user's lists say.
  ///
  /// > Collective: over `communicator`. One round of one byte; where there is such a point, a fetch
  /// > of one byte per place of a list.
  ///
  /// - Parameter hasDirection: One entry per owned node.
  fileprivate func among(
    _ hasDirection: [Bool], in nodes: NodePartition, on communicator: some Communicator
  ) throws -> NeighborLists {
    guard try communicator.any(hasDirection.contains(false)), listLength > 0 else { return self }
    // A place without a neighbour asks about any node.
    let isKept = try nodes.fetch(
      hasDirection, at: neighbors.map { max($0, GlobalNode(0)) }, on: communicator)
    return NeighborLists(
      listLength: listLength,
      neighbors: neighbors.indices.map {
        isKept[$0] && hasDirection[$0 / listLength] ? neighbors[$0] : Self.none
      },
      similarities: similarities
    ).canonical(
      listLength: listLength, firstNode: nodes.owned(by: communicator.rank).lowerBound)
  }
}

/// Whether, and why, the loop ends with the level that just merged.
private func stopAfter(
  _ level: Int, merged: Int, before: LevelSummary?, _ options: ClusteringOptions
) -> StopReason? {
  if level == options.maximumLevels - 1 { return .maximumLevels }
  if merged == 0 { return .nothingMerged }
  if options.stopsEarly, let before,
    Double(before.mergedCount) / Double(merged) < Double(options.neighborCount - 1)
  {
    return .earlyStop
  }
  return nil
}

private func summary<Base: Communicator, Observer: ClusteringObserver>(
  of graph: NeighborGraph, _ parents: Parents, merged: Int, level: Int,
  _ clock: PhaseClock<Base, Observer>, _ communicator: CountingCommunicator<Base>
) throws -> LevelSummary {
  let base = communicator.base
  let edgeCount = try base.sum(graph.edgeCount)
  let largest = try base.maximum(graph.edgeCount)
  let costs = try clock.costs()
  return LevelSummary(
    level: level, nodeCount: graph.nodes.nodeCount, edgeCount: edgeCount,
    keptEdgeCount: try base.sum(parents.keptEdgeCount), mergedCount: merged,
    clusterCount: graph.nodes.nodeCount - merged,
    ghostCount: try base.sum(graph.halo.ghostCount),
    edgeImbalance: edgeCount > 0 ? Double(largest * base.size) / Double(edgeCount) : 1,
    peakMemoryBytes: try base.sum(ProcessMemory.peakBytes),
    phases: Dictionary(uniqueKeysWithValues: costs.map { ($0.key.rawValue, $0.value) }))
}
