public import Evaluation
public import NeighborSearch

/// The counts of one level.
public struct LevelSummary: Codable, Equatable, Sendable {
  public var level: Int
  public var nodeCount: Int
  public var edgeCount: Int
  /// On how many ranks the level was judged and merged; nil in files of versions that did not count them.
  public var rankCount: Int?
  /// How the neighbours were searched; nil where the user gave them.
  public var search: SearchSummary?
  /// Edges that pass the test of density and linkage.
  public var keptEdgeCount: Int
  /// Nodes that merged into another: edges of the forest.
  public var mergedCount: Int
  /// Nodes that remain.
  public var clusterCount: Int
  /// Ghosts, summed over ranks.
  public var ghostCount: Int
  /// Edges from nodes of other ranks.
  public var cutEdgeCount: Int
  /// The largest number of nodes on a rank, divided by the mean.
  public var nodeImbalance: Double
  /// The largest number of edges on a rank, divided by the mean.
  public var edgeImbalance: Double
  /// Each rank's peak memory up to this level, summed over the ranks that took part.
  public var peakMemoryBytes: Int
  /// How right the probabilities of the level are, by true labels (``ClusteringObserver/truth``); nil without them, and
  /// of a level that a run that goes on did not judge again.
  public var calibration: ProbabilityCalibration?
  /// By the name of the phase.
  public var phases: [String: PhaseCost]
}

extension LevelSummary {
  /// Counts further costs, by phase.
  ///
  /// - Parameter costs: Replicated.
  mutating func add(_ costs: [Phase: PhaseCost]) {
    for (phase, cost) in costs {
      phases[phase.rawValue] = phases[phase.rawValue].map { $0 + cost } ?? cost
    }
  }

  /// - Parameters:
  ///   - counts: Of all ranks.
  ///   - costs: Replicated.
  init(
    _ level: Int, nodeCount: Int, mergedCount: Int, _ search: SearchSummary?,
    _ counts: [LevelCounts],
    _ costs: [Phase: PhaseCost]
  ) {
    let edgeCount = counts.reduce(0) { $0 + $1.edges }
    let mostEdges = counts.map(\.edges).max() ?? 0
    let mostNodes = counts.map(\.nodes).max() ?? 0
    self.init(
      level: level, nodeCount: nodeCount, edgeCount: edgeCount, rankCount: counts.count,
      search: search,
      keptEdgeCount: counts.reduce(0) { $0 + $1.keptEdges }, mergedCount: mergedCount,
      clusterCount: nodeCount - mergedCount,
      ghostCount: counts.reduce(0) { $0 + $1.ghosts },
      cutEdgeCount: counts.reduce(0) { $0 + $1.cutEdges },
      nodeImbalance: nodeCount > 0 ? Double(mostNodes * counts.count) / Double(nodeCount) : 1,
      edgeImbalance: edgeCount > 0 ? Double(mostEdges * counts.count) / Double(edgeCount) : 1,
      peakMemoryBytes: counts.reduce(0) { $0 + $1.peakMemoryBytes },
      phases: Dictionary(uniqueKeysWithValues: costs.map { ($0.key.rawValue, $0.value) }))
  }
}
