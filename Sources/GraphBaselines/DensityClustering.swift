public import Communication
public import DistributedGraphs

/// What DBSCAN takes for dense.
public struct DensityOptions: Hashable, Sendable {
  /// ε: the largest cosine distance, 1 − similarity, of two points that are near. In 0 ..< 1.
  public let radius: Double
  /// A point is a core if so many are near it, the point itself included. At least 1.
  public let minimumPoints: Int

  public init(radius: Double, minimumPoints: Int) {
    precondition((0..<1).contains(radius), "a radius of \(radius)")
    precondition(minimumPoints > 0, "cores of \(minimumPoints) points")
    self.radius = radius
    self.minimumPoints = minimumPoints
  }
}

/// DBSCAN over a neighbour graph: a name of its cluster for every owned node.
///
/// Cores are nodes with enough others near them. Cores that are near each other are of one cluster. A node that
/// is no core, but near one, is of the cluster of a core near it: of several clusters the one whose first core has
/// the lowest index, which is what scikit-learn's order of discovery comes to. All other nodes are noise, and each
/// is a cluster of its own. A cluster's name is its first core, or its only node.
///
/// Where lists are exact, whether a node is a core, and which cores are near a node that is none, is as if all
/// pairs had been compared: a node with fewer near it than its list has places has them all in its list. Two
/// cores that are near each other are joined if one is in the other's list.
/// [Ester, Kriegel, Sander and Xu 1996]
///
/// > Collective: over `communicator`. Two rounds of a byte and of 8 bytes per ghost, and those of
/// > ``connectedComponents(_:in:on:)``.
///
/// - Parameters:
///   - graph: Of lists with `minimumPoints` − 1 places at least, or of all other nodes.
///   - options: Replicated.
/// - Returns: One entry per owned node.
/// - Complexity: O(edges · α) locally.
public func densityClusters(
  of graph: NeighborGraph, by options: DensityOptions, on communicator: some Communicator
) throws -> [GlobalNode] {
  try communicator.assertReplicated(options)
  let first = graph.halo.owned.lowerBound
  /// The edges from near nodes, which stand first in a row.
  let near = (0..<graph.ownedCount).map { node in
    let edges = graph.edges(into: node)
    let end = edges.first { 1 - Double(graph.affinities[$0]) > options.radius } ?? edges.upperBound
    return edges.lowerBound..<end
  }
  let isCore = try graph.halo.extend(
    near.map { $0.count + 1 >= options.minimumPoints }, on: communicator)
  func cores(near node: Int) -> [Int] {
    near[node].filter { isCore[Int(graph.columns[$0].index)] }
  }
  let joined = (0..<graph.ownedCount).flatMap { node in
    isCore[node]
      ? cores(near: node).map { (GlobalNode(first + node), graph.source(of: $0)) } : []
  }
  // Only cores have edges: of a cluster the first core is its first node.
  let firstCore = try graph.halo.extend(
    connectedComponents(joined, in: graph.nodes, on: communicator), on: communicator)
  return (0..<graph.ownedCount).map { node in
    isCore[node]
      ? firstCore[node]
      : cores(near: node).map { firstCore[Int(graph.columns[$0].index)] }.min()
        ?? GlobalNode(first + node)
  }
}
