package import Communication
package import DistributedGraphs
package import Parallelism

/// The modules of a graph that cost least, by one of two measures: in which a random walk stays long, so that they describe
/// its steps shortest (``MapEquation``), or in which most pairs have an edge (``ConstantPotts``).
///
/// Nodes move between modules (``LocalMoves``), modules become the nodes of a smaller graph, and so on
/// until no node moves.      [Rosvall and Bergstrom 2008, Blondel et al. 2008]
/// A node that has become part of a larger one cannot leave it any more, so all of it starts once more, from the
/// modules that were found.
/// [Rosvall and Bergstrom 2011, arXiv:1010.0431, single-node movements]
package struct FlowModules: Sendable {
  /// Owned. For every node the first node of its module.
  package let roots: [GlobalNode]
  /// Replicated. L in bits, or the pairs that are charged for; 0 without flow.
  package let cost: Double
  /// Replicated. The same after every step that was taken, descending.
  package let costs: [Double]

  /// A graph of no more edges is gathered: a step on it takes less time than the messages about it. The
  /// modules are the same, as they do not depend on the number of ranks.
  package static let smallEdgeCount = 1 << 18
  /// How often single nodes start to move.
  package static let startCount = 2

  /// The modules of a walk.
  ///
  /// > Collective: over `communicator`. A round of 8 bytes per rank; for each start as ``LocalMoves/run(on:)`` and, for
  /// > each of a few graphs, what edges between modules and three fetches of 8 bytes per node send; a small graph goes to
  /// > every rank.
  ///
  /// - Parameters:
  ///   - starts: Replicated. The second makes modules cost no more than the first.
  ///   - small: Replicated. The edges of graphs that are gathered.
  /// - Complexity: O(edges) per round; each graph is several times smaller than the one before.
  package init(
    of graph: FlowGraph, starts: Int = startCount, gatheringUpTo small: Int = smallEdgeCount,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    let equation = MapEquation(total: graph.total)
    // At level 0, whatever the modules are.
    let own = graph.nodeFlows.reduce(Int64(0)) {
      $0 + Int64(MapEquation.fixed(equation.entropy($1)))
    }
    let nodeTerms = Int128(try communicator.sum(Int(own)))
    try self.init(
      of: graph, by: .codeLength(equation), starts: starts, gatheringUpTo: small, using: workers,
      on: communicator
    ) { MapEquation.bits($0 - nodeTerms) }
  }

  /// The modules of the constant Potts model.
  ///
  /// > Collective: over `communicator`, as the modules of a walk.
  ///
  /// - Parameter graph: Its nodes' flow is their size: ``FlowGraph/init(_:sizes:names:in:on:)``.
  package init(
    of graph: FlowGraph, by cost: ConstantPotts, starts: Int = startCount,
    gatheringUpTo small: Int = smallEdgeCount,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    try self.init(
      of: graph, by: .pairs(cost), starts: starts, gatheringUpTo: small, using: workers,
      on: communicator, measure: ConstantPotts.pairs)
  }

  /// - Parameter measure: Of units of the cost.
  private init(
    of graph: FlowGraph, by cost: ModuleCost, starts: Int, gatheringUpTo small: Int,
    using workers: Workers, on communicator: some Communicator, measure: (Int128) -> Double
  ) throws {
    var costs: [Int128] = []
    var moduleOf = graph.ownedNodes
    if graph.total > 0 {
      moduleOf = try Self.settle(
        graph, by: cost, starts: starts, gatheringUpTo: small, costs: &costs, using: workers,
        on: communicator)
    }
    self.cost = costs.last.map(measure) ?? 0
    self.costs = costs.map(measure)
    // From modules to their first nodes.
    var firstNode = Array(repeating: GlobalNode(Int64.max), count: graph.ownedCount)
    try graph.nodes.scatter(graph.ownedNodes, to: moduleOf, into: &firstNode, on: communicator) {
      $0 = min($0, $1)
    }
    roots = try graph.nodes.fetch(firstNode, at: moduleOf, on: communicator)
  }

  /// Moves nodes, and modules of them, until none moves; and so again from the modules that this gave.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameter costs: Replicated. Gets what modules cost after every step.
  /// - Returns: Owned. The module of each node, named by one of the nodes.
  private static func settle(
    _ graph: FlowGraph, by cost: ModuleCost, starts: Int, gatheringUpTo small: Int,
    costs: inout [Int128], using workers: Workers, on communicator: some Communicator
  ) throws -> [GlobalNode] {
    if communicator.size > 1, graph.edgeCount <= small {
      let moduleOf = try settle(
        graph.gathered(on: communicator), by: cost, starts: starts, gatheringUpTo: small,
        costs: &costs, using: workers, on: SingleRank())
      return Array(moduleOf[graph.nodes.owned(by: communicator.rank)])
    }
    var moduleOf = graph.ownedNodes
    for start in 0..<starts {
      var moves = try LocalMoves(
        of: graph, startingIn: start > 0 ? moduleOf : nil, by: cost, using: workers,
        on: communicator)
      if costs.isEmpty { costs.append(moves.total) }
      try moves.run(on: communicator)
      guard !moves.costs.isEmpty else { break }
      costs += moves.costs
      let (coarse, coarseOf, nameOf) = try graph.contracted(to: moves, on: communicator)
      let coarseModuleOf = try settle(
        coarse, by: cost, starts: 1, gatheringUpTo: small, costs: &costs, using: workers,
        on: communicator)
      // Coarse nodes and their modules have names among the nodes.
      let named = try coarse.nodes.fetch(nameOf, at: coarseModuleOf, on: communicator)
      moduleOf = try coarse.nodes.fetch(named, at: coarseOf, on: communicator)
    }
    return moduleOf
  }
}

extension FlowGraph {
  /// The graph of which the modules are nodes.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per local node, and 32 bytes for each pair of modules that a
  /// > rank has edges between.
  ///
  /// - Returns: That graph, the node of it that each owned node becomes, and the node here that names each owned
  ///   node there.
  fileprivate func contracted(
    to moves: LocalMoves, on communicator: some Communicator
  ) throws -> (coarse: FlowGraph, coarseOf: [GlobalNode], nameOf: [GlobalNode]) {
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
    return (graph, Array(coarse[..<ownedCount]), kept.map { halo.global(LocalNode($0)) })
  }

  /// Whether an owned node names a module that has nodes. A node without flow never leaves its own.
  private func isModule(_ node: Int, of moves: LocalMoves) -> Bool {
    moves.modules[node].flow > 0 || nodeFlows[node] == 0
  }
}
