internal import Communication
internal import DistributedGraphs
internal import GraphNetworks

/// How the nodes of a level choose the node they merge with.
public enum MergeRule: Sendable {
  /// The most probable of the denser neighbours.      [Xing et al. 2021]
  case bestDenserNeighbor
}

extension MergeRule {
  /// The parent of every owned node above a threshold.
  ///
  /// > Collective: over `communicator`, as ``bestDenserNeighbor(_:above:in:breakingTies:named:on:)``.
  ///
  /// - Parameter breakingTies: Replicated. Whether nodes of equal density may merge.
  func parents(
    along edges: JudgedEdges, of level: Level, above threshold: Double, breakingTies: Bool,
    on communicator: some Communicator
  ) throws -> Parents {
    switch self {
    case .bestDenserNeighbor:
      try HierarchicalClustering.bestDenserNeighbor(
        edges.linkage,
        below: level.groups?.limits(above: threshold)
          ?? Array(repeating: Float(1 - threshold), count: edges.graph.ownedCount),
        in: edges.graph, breakingTies: breakingTies, named: level.names, on: communicator)
    }
  }
}
