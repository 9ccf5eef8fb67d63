internal import Communication
internal import DistributedGraphs

/// The counts of one level.
public struct LevelSummary: Codable, Equatable, Sendable {
  public var level: Int
  public var nodeCount: Int
  public var edgeCount: Int
  /// Edges that pass the test of density and linkage.
  public var keptEdgeCount: Int
  /// Nodes that merged into another: edges of the forest.
  public var mergedCount: Int
  /// Nodes that are left.
  public var clusterCount: Int
  /// Ghosts, summed over ranks.
  public var ghostCount: Int
  /// Largest number of edges of a rank, divided by the mean.
  public var edgeImbalance: Double
  /// The most memory that every rank has had up to this level, summed over ranks.
  public var peakMemoryBytes: Int
  /// By the name of the phase.
  public var phases: [String: PhaseCost]
}

extension LevelSummary {
  /// > Collective: over `communicator`. Five rounds of 8 bytes per rank.
  ///
  /// - Parameters:
  ///   - keptEdgeCount: Owned.
  ///   - mergedCount: Replicated.
  ///   - costs: Replicated.
  init(
    _ level: Int, of graph: NeighborGraph, keptEdgeCount: Int, mergedCount: Int,
    costs: [Phase: PhaseCost], on communicator: some Communicator
  ) throws {
    let edgeCount = try communicator.sum(graph.edgeCount)
    let largest = try communicator.maximum(graph.edgeCount)
    self.init(
      level: level, nodeCount: graph.nodes.nodeCount, edgeCount: edgeCount,
      keptEdgeCount: try communicator.sum(keptEdgeCount), mergedCount: mergedCount,
      clusterCount: graph.nodes.nodeCount - mergedCount,
      ghostCount: try communicator.sum(graph.halo.ghostCount),
      edgeImbalance: edgeCount > 0
        ? Double(largest * communicator.size) / Double(edgeCount) : 1,
      peakMemoryBytes: try communicator.sum(ProcessMemory.peakBytes),
      phases: Dictionary(uniqueKeysWithValues: costs.map { ($0.key.rawValue, $0.value) }))
  }
}
