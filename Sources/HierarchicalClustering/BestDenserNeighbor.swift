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
/// highest pᵢⱼ, ties to the lowest j. Density rises strictly towards the parent, so the
/// parents form a forest.      [Xing et al. 2021, algorithm 1]
///
/// > Collective: over `communicator`. One round, 4 bytes per ghost.
///
/// - Complexity: O(edges).
public func bestDenserNeighbor(
  _ linkage: Linkage, above threshold: Double, in graph: NeighborGraph,
  on communicator: some Communicator
) throws -> Parents {
  let density = try graph.halo.extend(linkage.density, on: communicator)
  let limit = Float(1 - threshold)
  let first = graph.nodes.owned(by: communicator.rank).lowerBound
  var parents = Parents(parent: [], keptEdgeCount: 0, mergedCount: 0)
  parents.parent.reserveCapacity(graph.ownedCount)
  for node in 0..<graph.ownedCount {
    var best: (distance: Float, source: GlobalNode)?
    for edge in graph.edges(into: node, fromDenserBy: density) where linkage.distance[edge] < limit
    {
      parents.keptEdgeCount += 1
      let candidate = (linkage.distance[edge], graph.source(of: edge))
      if best == nil || candidate < best! { best = candidate }
    }
    parents.parent.append(best?.source ?? GlobalNode(first + node))
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
