package import Communication
package import DistributedGraphs
package import Parallelism

/// The modules of a graph in which a random walk stays long: those that describe its steps shortest.
///
/// Nodes move between modules (``LocalMoves``), modules become the nodes of a smaller graph, and so on
/// until no node moves.      [Rosvall and Bergstrom 2008, Blondel et al. 2008]
package struct FlowModules: Sendable {
  /// Owned. For every node the first node of its module.
  package let roots: [GlobalNode]
  /// Replicated. L in bits; 0 without flow.
  package let codeLength: Double
  /// Replicated. L after every step that was taken, in bits.
  package let codeLengths: [Double]

  /// A graph of no more edges is gathered: a step on it takes less time than the messages about it. The
  /// modules are the same, as they do not depend on the number of ranks.
  package static let smallEdgeCount = 1 << 18

  /// > Collective: over `communicator`. As ``LocalMoves/run(on:)`` and, for each of a few graphs, what edges between
  /// > modules and three fetches of 8 bytes per node send; a small graph goes to every rank.
  ///
  /// - Parameter small: Replicated. The edges of graphs that are gathered.
  /// - Complexity: O(edges) per round; each graph is several times smaller than the one before.
  package init(
    of graph: FlowGraph, gatheringUpTo small: Int = smallEdgeCount,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    let first = graph.nodes.owned(by: communicator.rank).lowerBound
    let own = (0..<graph.ownedCount).map { GlobalNode(first + $0) }
    var lengths: [Int64] = []
    var settled = (place: own, modules: graph.nodes)
    if graph.total > 0 {
      let nodeTerms = try LocalMoves.nodeTerms(of: graph, on: communicator)
      settled = try Self.settle(
        graph, nodeTerms: nodeTerms, gatheringUpTo: small, lengths: &lengths, using: workers,
        on: communicator)
    }
    codeLength = MapEquation.bits(lengths.last ?? 0)
    codeLengths = lengths.map(MapEquation.bits)
    // From modules to their first nodes.
    let (place, modules) = settled
    var firstNode = Array(
      repeating: GlobalNode(Int64.max), count: modules.owned(by: communicator.rank).count)
    try modules.scatter(own, to: place, into: &firstNode, on: communicator) { $0 = min($0, $1) }
    roots = try modules.fetch(firstNode, at: place, on: communicator)
  }

  /// Moves nodes, and modules of them, until none moves.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameter lengths: Replicated. Gets L after every step.
  /// - Returns: The module of each owned node, and who owns which module.
  private static func settle(
    _ graph: FlowGraph, nodeTerms: Int64, gatheringUpTo small: Int, lengths: inout [Int64],
    using workers: Workers, on communicator: some Communicator
  ) throws -> (place: [GlobalNode], modules: NodePartition) {
    let first = graph.nodes.owned(by: communicator.rank).lowerBound
    var current = graph
    // The node of the current graph that each owned node is part of.
    var place = (0..<graph.ownedCount).map { GlobalNode(first + $0) }
    while true {
      if communicator.size > 1, current.edgeCount <= small {
        let (module, modules) = try settle(
          current.gathered(on: communicator), nodeTerms: nodeTerms, gatheringUpTo: small,
          lengths: &lengths, using: workers, on: SingleRank())
        return (
          place.map { module[Int($0.index)] },
          NodePartition(sharing: modules.nodeCount, among: communicator.size)
        )
      }
      var moves = try LocalMoves(
        of: current, nodeTerms: nodeTerms, using: workers, on: communicator)
      if lengths.isEmpty { lengths.append(moves.length) }
      try moves.run(on: communicator)
      lengths += moves.lengths
      guard !moves.lengths.isEmpty else { return (place, current.nodes) }
      let (coarse, coarseOf) = try current.contracted(to: moves, on: communicator)
      place = try current.nodes.fetch(coarseOf, at: place, on: communicator)
      current = coarse
    }
  }
}

extension FlowGraph {
  /// The graph of which the modules are nodes, and the node of it that each owned node becomes.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per local node, and 32 bytes for each pair of modules that a
  /// > rank has edges between.
  fileprivate func contracted(
    to moves: LocalMoves, on communicator: some Communicator
  ) throws -> (coarse: FlowGraph, coarseOf: [GlobalNode]) {
    let kept = moves.modules.indices.filter { isModule($0, of: moves) }
    let counts = try communicator.gatherOne(kept.count)
    let coarseNodes = NodePartition(
      firstNode: counts.exclusivePrefixSums() + [counts.reduce(0, +)])
    let firstCoarse = coarseNodes.owned(by: communicator.rank).lowerBound
    var coarseOfModule = Array(repeating: GlobalNode(-1), count: ownedCount)
    for (place, module) in kept.enumerated() {
      coarseOfModule[module] = GlobalNode(firstCoarse + place)
    }
    // Local.
    let coarse = try nodes.fetch(coarseOfModule, at: moves.moduleOf, on: communicator)

    // The members of a module one after another, so that a table holds the edges of one module.
    let members = (0..<ownedCount).sorted { (coarse[$0], $0) < (coarse[$1], $1) }
    var edges: [FlowEdge] = []
    var flows = FlowTable(capacity: 64)
    for (place, node) in members.enumerated() {
      for edge in self.edges(of: node) {
        let end = coarse[Int(columns[edge].index)]
        if end != coarse[node] { flows.add(self.flows[edge], to: end.index) }
      }
      if place + 1 == members.count || coarse[members[place + 1]] != coarse[node] {
        for (end, flow) in flows.sums {
          edges.append(FlowEdge(target: coarse[node], source: GlobalNode(end), flow: flow))
        }
        flows.removeAll()
      }
    }
    let graph = try FlowGraph(
      edges, within: kept.map { moves.modules[$0].flow - moves.modules[$0].exit },
      names: kept.map { names[$0] }, in: coarseNodes, on: communicator)
    return (graph, Array(coarse[..<ownedCount]))
  }

  /// Whether an owned node names a module that has nodes. A node without flow never leaves its own.
  private func isModule(_ node: Int, of moves: LocalMoves) -> Bool {
    moves.modules[node].flow > 0 || nodeFlows[node] == 0
  }
}
