public import DistributedGraphs

/// Why the level loop ended.
public enum StopReason: String, Codable, Sendable {
  /// A level merged nothing.
  case nothingMerged
  /// The given number of levels was reached.
  case maximumLevels
  /// Merges no longer fell by a factor of k − 1.
  case earlyStop
  /// No more than k nodes were left.
  case fewNodes
}

/// The steps of a level, as reports name them.
public enum Phase: String, CaseIterable, Codable, Sendable {
  case read, neighbors, graph, network, decode, coarsen, record
}

/// What one phase of one level cost.
public struct PhaseCost: Codable, Equatable, Sendable {
  /// Wall time, the maximum over ranks.
  public var elapsedSeconds = 0.0
  /// Processor time of all threads, summed over ranks; ranks that are threads of one process each
  /// count the whole process.
  public var cpuSeconds = 0.0
  /// Payload sent to other ranks, summed over ranks.
  public var bytesSent = 0
  /// Messages to other ranks, summed over ranks.
  public var messages = 0
  /// Collective calls.
  public var rounds = 0
}

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

  public var elapsedSeconds: Double { phases.values.reduce(0) { $0 + $1.elapsedSeconds } }
}

/// The answer, each rank holding its share of the points.
public struct Clustering: Sendable {
  /// Owned points. 0, 1, 2, … in the order in which clusters first appear.
  public var labels: [Int64]
  /// Who owns which points.
  public var points: NodePartition
  /// Replicated.
  public var clusterCount: Int
  /// Replicated.
  public var levels: [LevelSummary]
  /// Replicated. What reading the input cost.
  public var reading: PhaseCost
  /// Replicated.
  public var stopReason: StopReason
}
