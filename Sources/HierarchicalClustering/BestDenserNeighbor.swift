public import Communication
public import DistributedGraphs
public import GraphNetworks

/// Which node merges with which at a level.
public struct Parents: Equatable, Sendable {
  /// Owned. The parent of every node, itself for a peak. Shape `[ownedCount]`.
  public var parent: [GlobalNode]
  /// Owned. How many edges from denser nodes passed the test, or lie within a module.
  public var keptEdgeCount: Int
  /// Owned. How many nodes have a parent other than themselves.
  public var mergedCount: Int
}

/// The parent of every owned node: its most probable neighbour among the denser ones.
///
/// An edge j → i is kept if j is denser than i and 1 − pᵢⱼ < 1 − τ. A node takes its kept edge with the
/// highest pᵢⱼ, ties to the lowest name. Density rises towards the parent, so the parents form a forest.
/// [Xing et al. 2021, algorithm 1]
///
/// Of two nodes that are each other's only neighbours neither has the higher d. So with `breakingTies` a node of equal
/// d and lower name is denser, too. The authors' code keeps no edge between them.
///
/// > Collective: over `communicator`. One round, 4 bytes per ghost; with names another, 8 bytes per ghost.
///
/// - Parameter names: Owned. The name of every node, by which ties break: all different. Given on all
///   ranks or on none; nil names nodes by their index.
/// - Complexity: O(edges).
public func bestDenserNeighbor(
  _ linkage: Linkage, above threshold: Double, in graph: NeighborGraph,
  breakingTies: Bool = false, named names: [GlobalNode]? = nil, on communicator: some Communicator
) throws -> Parents {
  try bestDenserNeighbor(
    linkage, below: Array(repeating: Float(1 - threshold), count: graph.ownedCount), in: graph,
    breakingTies: breakingTies, named: names, on: communicator)
}

/// The same with a threshold for each node.
///
/// > Collective: over `communicator`, as with one for all.
///
/// - Parameter limits: Owned. 1 − τ of every node.
func bestDenserNeighbor(
  _ linkage: Linkage, below limits: [Float], in graph: NeighborGraph,
  breakingTies: Bool, named names: [GlobalNode]? = nil, on communicator: some Communicator
) throws -> Parents {
  let order = try DensityOrder(
    of: linkage, over: graph, breakingTies: breakingTies, named: names, on: communicator)
  let first = graph.nodes.owned(by: communicator.rank).lowerBound
  var parents = Parents(parent: [], keptEdgeCount: 0, mergedCount: 0)
  parents.parent.reserveCapacity(graph.ownedCount)
  for node in 0..<graph.ownedCount {
    var best: (distance: Float, name: GlobalNode, edge: Int)?
    for edge in order.edges(into: node, of: graph) where linkage.distance[edge] < limits[node] {
      parents.keptEdgeCount += 1
      let candidate = (linkage.distance[edge], order.nameOfSource(of: edge, in: graph), edge)
      if best == nil || candidate < best! { best = candidate }
    }
    parents.parent.append(best.map { graph.source(of: $0.edge) } ?? GlobalNode(first + node))
    if best != nil { parents.mergedCount += 1 }
  }
  return parents
}

/// Which nodes of a level are denser than others.
struct DensityOrder {
  /// Local.
  private let density: [Float]
  /// Local. Nil names nodes by their index.
  private let names: [GlobalNode]?
  /// The first owned node.
  private let first: Int
  private let breaksTies: Bool

  /// > Collective: over `communicator`. One round, 4 bytes per ghost; with names another, 8 bytes per ghost.
  ///
  /// - Parameters:
  ///   - breaksTies: Replicated. Whether of equally dense nodes the one of lower name is denser.
  ///   - names: Owned. As of ``bestDenserNeighbor(_:above:in:breakingTies:named:on:)``.
  init(
    of linkage: Linkage, over graph: NeighborGraph, breakingTies breaksTies: Bool,
    named names: [GlobalNode]?, on communicator: some Communicator
  ) throws {
    density = try graph.halo.extend(linkage.density, on: communicator)
    self.names = try names.map { try graph.halo.extend($0, on: communicator) }
    first = graph.nodes.owned(by: communicator.rank).lowerBound
    self.breaksTies = breaksTies
  }

  /// The edges into an owned node from denser ones, which clustering could keep.
  @inline(__always)
  func edges(into node: Int, of graph: NeighborGraph) -> some Sequence<Int> {
    graph.edges(into: node).lazy.filter { edge in
      let other = density[Int(graph.columns[edge].index)]
      return other > density[node]
        || breaksTies && other == density[node]
          && nameOfSource(of: edge, in: graph) < names?[node] ?? GlobalNode(first + node)
    }
  }

  @inline(__always)
  func nameOfSource(of edge: Int, in graph: NeighborGraph) -> GlobalNode {
    names?[Int(graph.columns[edge].index)] ?? graph.source(of: edge)
  }
}
