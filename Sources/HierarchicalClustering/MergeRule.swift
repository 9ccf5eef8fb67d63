internal import Communication
internal import DistributedGraphs
internal import FlowClustering
internal import GraphNetworks
internal import NeighborSearch
internal import Parallelism
internal import SimilarityStructure

/// How the nodes of a level merge.
public enum MergeRule: Sendable, Equatable {
  /// Every node goes to the most probable of its denser neighbours above τ.      [Xing et al. 2021]
  case bestDenserNeighbor(above: Double)
  /// Nodes go to modules in which most pairs have a probable edge: a pair is charged γ, times the sizes of its nodes. Where
  /// `bestDenserNeighbor` joins two groups by a single edge, this one sees the edges that are missing.
  /// [Traag, Van Dooren, Nesterov 2011, arXiv:1104.3083]
  case constantPotts(resolution: Double)
}

extension MergeRule {
  /// The parent of every owned node.
  ///
  /// > Collective: over `communicator`, as ``bestDenserNeighbor(_:above:in:breakingTies:named:on:)`` or
  /// > the modules of ``ConstantPotts``.
  ///
  /// - Parameters:
  ///   - listLength: Replicated. Places of a list that make edges.
  ///   - breakingTies: Replicated. Whether nodes of equal density may merge above τ; in modules they may.
  ///   - mergesCopies: Replicated. Whether no two nodes have the same rows.
  func parents(
    along edges: JudgedEdges, of level: Level, listLength: Int, breakingTies: Bool,
    mergesCopies: Bool, using workers: Workers, on communicator: some Communicator
  ) throws -> Parents {
    switch self {
    case .bestDenserNeighbor(let threshold):
      try HierarchicalClustering.bestDenserNeighbor(
        edges.linkage,
        below: level.groups?.limits(above: threshold)
          ?? Array(repeating: Float(1 - threshold), count: edges.graph.ownedCount),
        in: edges.graph, breakingTies: breakingTies, named: level.names, on: communicator)
    case .constantPotts(let resolution):
      try modules(
        along: edges, of: level,
        by: ConstantPotts(resolution: resolution, places: max(listLength, 1)),
        mergesCopies: mergesCopies, using: workers, on: communicator)
    }
  }
}

/// The parents of owned nodes in modules of the constant Potts model, whose densest nodes are the roots. A pair has half of
/// the p of each edge between its ends.
///
/// > Collective: over `communicator`. As ``FlowGraph``, ``FlowModules`` and ``DensityOrder``; a scatter of 32 bytes and a
/// > fetch of 16 per node, 24 bytes per ghost, and a few per rank.
private func modules(
  along edges: JudgedEdges, of level: Level, by cost: ConstantPotts, mergesCopies: Bool,
  using workers: Workers,
  on communicator: some Communicator
) throws -> Parents {
  let (graph, nodes) = (edges.graph, level.nodes)
  let owned = nodes.owned(by: communicator.rank)
  var likely: [FlowEdge] = []
  likely.reserveCapacity(graph.edgeCount)
  for node in 0..<graph.ownedCount {
    for edge in graph.edges(into: node) {
      let p = Double(1 - edges.linkage.distance[edge])
      let flow = Int64((p * ConstantPotts.certainty / 2).rounded())
      guard flow > 0 else { continue }
      likely.append(
        FlowEdge(
          target: GlobalNode(owned.lowerBound + node), source: graph.source(of: edge), flow: flow))
    }
  }
  // By what rows hold, if they are there and all different: then the order of the input decides no move.
  let names =
    level.rows.areGone || !mergesCopies
    ? level.inputPoint.map { UInt64($0.index) } : level.rows.directions.rowNames(using: workers)
  let popularity = try graph.popularity(on: communicator)
  let sizes = try ConstantPotts.sizes(
    ofDegrees: popularity.indices.map { popularity[$0] + Int64(graph.edges(into: $0).count) },
    on: communicator)
  let found = try FlowModules(
    of: FlowGraph(likely, sizes: sizes, names: names, in: nodes, on: communicator),
    by: cost, using: workers, on: communicator)
  let own = owned.map { place in
    Candidate(
      density: edges.linkage.density[place - owned.lowerBound],
      name: level.inputPoint[place - owned.lowerBound], node: GlobalNode(place))
  }
  var densest = Array(repeating: Candidate(), count: owned.count)
  try nodes.scatter(own, to: found.roots, into: &densest, on: communicator) {
    $0 = $1.isBetter(than: $0) ? $1 : $0
  }
  let peak = try nodes.fetch(densest.map(\.node), at: found.roots, on: communicator)
  return try parents(along: edges, of: level, towards: peak, on: communicator)
}

/// Trees within modules: every node goes to the most probable of its denser neighbours there, or else to the peak.
///
/// > Collective: over `communicator`. As ``DensityOrder``, and 8 bytes per ghost.
///
/// - Parameter peak: Owned. The densest node of every node's module.
private func parents(
  along edges: JudgedEdges, of level: Level, towards peak: [GlobalNode],
  on communicator: some Communicator
) throws -> Parents {
  let (graph, linkage) = (edges.graph, edges.linkage)
  let order = try DensityOrder(
    of: linkage, over: graph, breakingTies: true, named: level.names, on: communicator)
  let peaks = try graph.halo.extend(peak, on: communicator)
  func isWithin(_ edge: Int, moduleOf node: Int) -> Bool {
    peaks[Int(graph.columns[edge].index)] == peaks[node]
  }
  let first = level.nodes.owned(by: communicator.rank).lowerBound
  var parents = Parents(parent: peak, keptEdgeCount: 0, mergedCount: 0)
  for node in 0..<graph.ownedCount {
    if peak[node] != GlobalNode(first + node) { parents.mergedCount += 1 }
    let kept = order.edges(into: node, of: graph).filter { isWithin($0, moduleOf: node) }
    parents.keptEdgeCount += kept.count
    let best = kept.min {
      (linkage.distance[$0], order.nameOfSource(of: $0, in: graph))
        < (linkage.distance[$1], order.nameOfSource(of: $1, in: graph))
    }
    if let best { parents.parent[node] = graph.source(of: best) }
  }
  return parents
}

/// A node that may stand for its module.
private struct Candidate: Message {
  var density = -Float.infinity
  var name = GlobalNode(Int64.max)
  var node = GlobalNode(-1)

  func isBetter(than other: Candidate) -> Bool {
    (density, other.name) > (other.density, name)
  }
}
