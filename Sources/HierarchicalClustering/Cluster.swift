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
  on base: some Communicator
) throws -> Clustering {
  precondition(
    initialNeighbors.map { $0.listLength == model.listLength(options) } ?? true,
    "initial lists of another length than \(model.listLength(options))")
  if case .structure(let network) = model {
    precondition(
      network.settings.neighborCount == options.neighborCount,
      "k = \(options.neighborCount) for a network of k = \(network.settings.neighborCount)")
  }
  precondition(
    model.dimensions.map { $0 == source.dimensions } ?? true || source.rowCount == 0,
    "\(source.dimensions) dimensions for a model of \(model.dimensions ?? 0)")
  try base.assertReplicated(source.rowCount)
  try base.assertReplicated(options.neighborCount)
  try base.assertReplicated(options.threshold)
  let communicator = CountingCommunicator(base)
  let clock = PhaseClock(communicator, observer)
  var hierarchy = try clock.measure(.read) { _ in
    try Hierarchy(
      source, options: options, averages: model.averages, on: communicator)
  }
  var structure: StructureState?  // of networks of structure, from level 0 on
  if case .structure = model, initialNeighbors == nil {
    try clock.measure(.coarsen) { _ in try hierarchy.mergeDuplicates(on: communicator) }
  }
  let reading = try clock.costs()[.read] ?? PhaseCost()

  var levels: [LevelSummary] = []  // replicated, and so is all that follows from it
  var stopReason: StopReason?
  while stopReason == nil, hierarchy.nodes.nodeCount > options.neighborCount {
    let (level, nodes, inputPoint) = (hierarchy.level, hierarchy.nodes, hierarchy.inputPoint)
    clock.level = level
    let lists = try clock.measure(.neighbors) { progress in
      try hierarchy.neighborLists(
        initial: initialNeighbors, length: model.listLength(options), on: communicator,
        progress: progress)
    }
    let neighbors = lists.prefix(options.listLength)
    let keptNeighbors = observer.wantsLevels ? neighbors : nil  // else they end with the graph
    let graph = try clock.measure(.graph) { _ in
      try NeighborGraph(neighbors, in: nodes, on: communicator)
    }
    let linkage = try clock.measure(.network) { _ in
      switch model {
      case .coordinates(let network):
        try network.linkage(
          of: hierarchy.takeNetworkInput(), over: graph, using: options.workers, on: communicator)
      case .structure(let network):
        try network.linkage(
          of: hierarchy.structureFeatures(
            lists, graph, &structure, settings: network.settings, on: communicator),
          using: options.workers, on: communicator)
      }
    }
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
      let coarse = try hierarchy.contract(
        to: roots, isLast: stopReason != nil, on: communicator)
      if stopReason == nil, let state = structure {
        structure?.pointEdges = try state.pointEdges.merged(
          into: coarse, from: nodes, to: hierarchy.nodes, on: communicator)
      }
    }

    if let keptNeighbors {
      let labels = try clock.measure(.label) { _ in try hierarchy.labels(on: communicator).labels }
      try clock.measure(.record) { _ in
        try observer.finished(
          LevelRecord(
            level: level, nodes: nodes, inputPoint: inputPoint, neighbors: keptNeighbors,
            graph: graph, linkage: linkage, parent: parents.parent),
          labels: labels, of: hierarchy.points, on: communicator)
      }
    }
    levels.append(
      try LevelSummary(
        level, of: graph, keptEdgeCount: parents.keptEdgeCount, mergedCount: merged,
        costs: clock.costs(), on: base))
  }

  let (labels, clusterCount) = try clock.measure(.label) { _ in
    try hierarchy.labels(on: communicator)
  }
  return Clustering(
    labels: labels, points: hierarchy.points, clusterCount: clusterCount,
    singletonCount: try hierarchy.singletonCount(on: base), levels: levels, reading: reading,
    labeling: try clock.costs()[.label] ?? PhaseCost(), stopReason: stopReason ?? .fewNodes)
}
