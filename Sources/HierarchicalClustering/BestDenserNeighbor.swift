public import Communication
public import DistributedGraphs
public import GraphNetworks

/// Which node merges with which at a level.
public struct Parents: Equatable, Sendable {
  /// Owned. The parent of every node, itself for a peak. Shape `[ownedCount]`.
  public var parent: [GlobalNode]
  /// Owned. How many edges passed the test.
  public var keptEdgeCount: Int
  /// Owned. How many nodes have a parent other than themselves.
  public var mergedCount: Int
}

/// The parent of every owned node: its most probable neighbour among the denser ones.
///
/// An edge j → i is kept if dⱼ > dᵢ and 1 − pᵢⱼ < 1 − τ. A node takes its kept edge with the
/// highest pᵢⱼ, ties to the lowest name. Density rises strictly towards the parent, so the
/// parents form a forest.      [Xing et al. 2021, algorithm 1]
///
/// > Collective: over `communicator`. One round, 4 bytes per ghost; with names another, 8 bytes per ghost.
///
/// - Parameter names: Owned. The name of every node, by which ties break: all different. Given on all
///   ranks or on none; nil names nodes by their index.
/// - Complexity: O(edges).
public func bestDenserNeighbor(
  _ linkage: Linkage, above threshold: Double, in graph: NeighborGraph,
  named names: [GlobalNode]? = nil, on communicator: some Communicator
) throws -> Parents {
  try bestDenserNeighbor(
    linkage, below: Array(repeating: Float(1 - threshold), count: graph.ownedCount), in: graph,
    named: names, on: communicator)
}

/// The same with a threshold for each node.
///
/// > Collective: over `communicator`, as with one for all.
///
/// - Parameter limits: Owned. 1 − τ of every node.
func bestDenserNeighbor(
  _ linkage: Linkage, below limits: [Float], in graph: NeighborGraph,
  named names: [GlobalNode]? = nil, on communicator: some Communicator
) throws -> Parents {
  let density = try graph.halo.extend(linkage.density, on: communicator)
  let localNames = try names.map { try graph.halo.extend($0, on: communicator) }
  let first = graph.nodes.owned(by: communicator.rank).lowerBound
  var parents = Parents(parent: [], keptEdgeCount: 0, mergedCount: 0)
  parents.parent.reserveCapacity(graph.ownedCount)
  for node in 0..<graph.ownedCount {
    var best: (distance: Float, name: GlobalNode, edge: Int)?
    for edge in graph.edges(into: node, fromDenserBy: density)
    where linkage.distance[edge] < limits[node] {
      parents.keptEdgeCount += 1
      let name = localNames?[Int(graph.columns[edge].index)] ?? graph.source(of: edge)
      let candidate = (linkage.distance[edge], name, edge)
      if best == nil || candidate < best! { best = candidate }
    }
    parents.parent.append(best.map { graph.source(of: $0.edge) } ?? GlobalNode(first + node))
    if best != nil { parents.mergedCount += 1 }
  }
  return parents
}

extension NeighborGraph {
  /// The edges into an owned node from denser ones, which clustering could keep.
  ///
  /// - Parameter density: Local.
  @inline(__always)
  func edges(into node: Int, fromDenserBy density: [Float]) -> some Sequence<Int> {
    edges(into: node).lazy.filter { density[Int(columns[$0].index)] > density[node] }
  }
}
