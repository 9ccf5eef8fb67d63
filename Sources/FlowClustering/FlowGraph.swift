package import Communication
package import DistributedGraphs
internal import Parallelism

/// An edge as it travels.
package struct FlowEdge: Message {
  package var target: GlobalNode
  package var source: GlobalNode
  package var flow: Int64

  package init(target: GlobalNode, source: GlobalNode, flow: Int64) {
    self.target = target
    self.source = source
    self.flow = flow
  }
}

/// An undirected graph whose edges carry flow. Each rank holds the edges of the nodes it owns.
///
/// A random walk that follows edges in proportion to their flow is at a node as often as the node has flow: so
/// the flow of nodes needs no iteration. Flow is in whole units, so its sums do not depend on the order.
package struct FlowGraph: Sendable {
  /// Replicated.
  package let nodes: NodePartition
  /// Local. Where the ghosts are from.
  let halo: Halo
  /// Owned. Row i is `rowOffsets[i] ..< rowOffsets[i + 1]`. Shape `[ownedCount + 1]`.
  let rowOffsets: [Int]
  /// Owned. The other end of every edge; an end may occur several times. Shape `[edgeCount]`.
  let columns: [LocalNode]
  /// Owned. The flow of every edge, the same in both directions. Shape `[edgeCount]`.
  let flows: [Int64]
  /// Owned. The flow of every node: that of its edges, and what stays within it; or its size. Shape `[ownedCount]`.
  let nodeFlows: [Int64]
  /// Owned. What orders nodes: no result depends on their indices. Shape `[ownedCount]`.
  let names: [UInt64]
  /// Replicated. The flow of all nodes, and how many edges there are, each direction counted.
  let total: Int64
  let edgeCount: Int

  var ownedCount: Int { rowOffsets.count - 1 }

  /// The global indices of the owned nodes.
  var ownedNodes: [GlobalNode] { halo.owned.map { GlobalNode($0) } }

  func edges(of node: Int) -> Range<Int> { rowOffsets[node]..<rowOffsets[node + 1] }

  /// The flow of an owned node's edges to others of its module.
  ///
  /// - Parameter moduleOf: Local. The module of every node.
  func flow(of node: Int, within moduleOf: [GlobalNode]) -> Int64 {
    var sum = Int64(0)
    for edge in edges(of: node) {
      let end = Int(columns[edge].index)
      if end != node, moduleOf[end] == moduleOf[node] { sum += flows[edge] }
    }
    return sum
  }

  /// The graph of the kept edges: an edge that both ends keep carries the weight twice.
  ///
  /// > Collective: over `communicator`, as ``init(_:alsoReversed:within:names:in:on:)``.
  ///
  /// - Parameter names: Owned. What tells nodes apart, whatever their indices are.
  package init(
    _ weights: FlowWeights, names: [UInt64], on communicator: some Communicator
  ) throws {
    try self.init(
      weights.edges, alsoReversed: true, names: names, in: weights.graph.nodes, on: communicator)
  }

  /// The graph of edges between nodes that have sizes: these are the nodes' flow, whatever edges they have.
  ///
  /// > Collective: over `communicator`, as ``init(_:alsoReversed:within:names:in:on:)``.
  ///
  /// - Parameters:
  ///   - edges: Each stands for both directions. Any rank may have any edge.
  ///   - sizes: Owned. At least 1.
  package init(
    _ edges: [FlowEdge], sizes: [Int64], names: [UInt64], in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    try self.init(
      edges, alsoReversed: true, sizes: sizes, names: names, in: nodes, on: communicator)
  }

  /// - Parameters:
  ///   - edges: Any rank may have any edge.
  ///   - alsoReversed: Whether each edge stands for both directions; otherwise both are among them.
  ///   - within: Owned. What stays within each node; nil for nothing.
  ///   - sizes: Owned. The nodes' flow, whatever edges they have; nil for that of their edges and what stays within.
  ///   - names: Owned.
  ///
  /// > Collective: over `communicator`. Six rounds: 32 bytes for each direction of an edge whose target has
  /// > another owner, 8 bytes per ghost, and a few per rank.
  ///
  /// - Complexity: O(edges + e log e) for the e ends that have other owners. 56 bytes per edge on the way.
  package init(
    _ edges: [FlowEdge], alsoReversed: Bool = false, within: [Int64]? = nil,
    sizes: [Int64]? = nil, names: [UInt64], in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    let owned = nodes.owned(by: communicator.rank)
    precondition(
      names.count == owned.count && within?.count ?? owned.count == owned.count,
      "\(names.count) names for \(owned.count) nodes")
    func isOwned(_ node: GlobalNode) -> Bool { owned.contains(Int(node.index)) }
    var away = edges.filter { !isOwned($0.target) }
    if alsoReversed { away += edges.lazy.filter { !isOwned($0.source) }.map(\.reversed) }
    let arrived = try nodes.deliver(
      away, width: 1, to: away.map(\.target), on: communicator
    ).rows

    /// Every edge of an owned node.
    func forEachEdge(_ body: (_ node: Int, _ end: GlobalNode, _ flow: Int64) -> Void) {
      for edge in edges {
        if isOwned(edge.target) {
          body(Int(edge.target.index) - owned.lowerBound, edge.source, edge.flow)
        }
        if alsoReversed, isOwned(edge.source) {
          body(Int(edge.source.index) - owned.lowerBound, edge.target, edge.flow)
        }
      }
      for edge in arrived {
        body(Int(edge.target.index) - owned.lowerBound, edge.source, edge.flow)
      }
    }
    var rowOffsets = Array(repeating: 0, count: owned.count + 1)
    forEachEdge { node, _, _ in rowOffsets[node + 1] += 1 }
    for node in 0..<owned.count { rowOffsets[node + 1] += rowOffsets[node] }
    var next = rowOffsets
    var ends = Array(repeating: GlobalNode(0), count: rowOffsets[owned.count])
    var flows = Array(repeating: Int64(0), count: ends.count)
    var nodeFlows = within ?? Array(repeating: 0, count: owned.count)
    forEachEdge { node, end, flow in
      ends[next[node]] = end
      flows[next[node]] = flow
      next[node] += 1
      nodeFlows[node] += flow
    }
    if let sizes { nodeFlows = sizes }
    (halo, columns) = try Halo.localizing(ends, in: nodes, on: communicator)
    total = Int64(try communicator.sum(Int(nodeFlows.reduce(0, +))))
    edgeCount = try communicator.sum(ends.count)
    self.nodes = nodes
    self.rowOffsets = rowOffsets
    self.flows = flows
    self.nodeFlows = nodeFlows
    self.names = names
  }
}

extension FlowGraph {
  /// The whole graph, on every rank for itself.
  ///
  /// > Collective: over `communicator`. 24 bytes per edge and 16 per node to every rank.
  func gathered(on communicator: some Communicator) throws -> FlowGraph {
    let own = (0..<ownedCount).flatMap { node in
      edges(of: node).map {
        FlowEdge(
          target: halo.global(LocalNode(node)), source: halo.global(columns[$0]),
          flow: flows[$0])
      }
    }
    let within = (0..<ownedCount).map { node in
      edges(of: node).reduce(nodeFlows[node]) { $0 - flows[$1] }
    }
    let alone = SingleRank()
    return try FlowGraph(
      communicator.allGather(own).values, within: communicator.allGather(within).values,
      names: communicator.allGather(names).values,
      in: NodePartition(sharing: nodes.nodeCount, among: alone.size), on: alone)
  }
}

extension FlowEdge {
  fileprivate var reversed: FlowEdge { FlowEdge(target: source, source: target, flow: flow) }
}
