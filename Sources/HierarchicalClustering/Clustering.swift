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

  /// Whether, and why, the loop ends with the level that just merged.
  ///
  /// - Parameters:
  ///   - merged: Nodes that the level merged into others.
  ///   - before: Those of the level before.
  init?(after level: Int, merged: Int, before: Int?, _ options: ClusteringOptions) {
    if level == options.maximumLevels - 1 {
      self = .maximumLevels
    } else if merged == 0 {
      self = .nothingMerged
    } else if options.stopsEarly, let before,
      Double(before) / Double(merged) < Double(options.neighborCount - 1)
    {
      self = .earlyStop
    } else {
      return nil
    }
  }
}

/// The steps of a level, as reports name them.
public enum Phase: String, CaseIterable, Codable, Sendable {
  case read, neighbors, graph, network, decode, coarsen, label, record
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

  /// One after the other.
  static func + (a: Self, b: Self) -> Self {
    PhaseCost(
      elapsedSeconds: a.elapsedSeconds + b.elapsedSeconds,
      cpuSeconds: a.cpuSeconds + b.cpuSeconds, bytesSent: a.bytesSent + b.bytesSent,
      messages: a.messages + b.messages, rounds: a.rounds + b.rounds)
  }
}

/// The answer, each rank holding its share of the points.
public struct Clustering: Sendable {
  /// Owned points. 0, 1, 2, … in the order in which clusters first appear.
  public var labels: [Int64]
  /// Who owns which points.
  public var points: NodePartition
  /// Replicated.
  public var clusterCount: Int
  /// Replicated. Clusters of one point.
  public var singletonCount: Int
  /// Replicated.
  public var levels: [LevelSummary]
  /// Replicated. What reading the input cost.
  public var reading: PhaseCost
  /// Replicated. What numbering the clusters cost.
  public var labeling: PhaseCost
  /// Replicated.
  public var stopReason: StopReason
}
