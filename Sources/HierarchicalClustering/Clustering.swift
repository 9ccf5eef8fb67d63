public import DistributedGraphs

/// Why the level loop ended.
public enum StopReason: String, Codable, Sendable {
  /// A level merged nothing.
  case nothingMerged
  /// The given number of levels was reached.
  case maximumLevels
  /// Merges no longer fell by a factor of k − 1.
  case earlyStop
  /// No more than k nodes were left, or one to begin with.
  case fewNodes
}

extension ClusteringPlan {
  /// Whether, and why, the loop ends with the level that just merged.
  ///
  /// - Parameters:
  ///   - nodeCount: Nodes that the level had.
  ///   - merged: Those of them that merged into others.
  ///   - before: What the level before merged.
  func stopReason(after level: Int, of nodeCount: Int, merged: Int, before: Int?) -> StopReason? {
    if level == maximumLevels - 1 { return .maximumLevels }
    if merged == 0 { return .nothingMerged }
    if stopsEarly, let before, Double(before) / Double(merged) < Double(neighborCount - 1) {
      return .earlyStop
    }
    return nodeCount - merged > neighborCount ? nil : .fewNodes
  }
}

/// The steps of a run, as reports name them.
public enum Phase: String, CaseIterable, Codable, Sendable {
  /// Of `copies` and `thresholds` only level 0 has something: one node of points with the same
  /// direction, and the choice of τ.
  case read, copies, neighbors, graph, network, thresholds, decode, coarsen, label, record
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

extension PhaseCost {
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
  /// Replicated. What reading the input cost; and merging copies, where no level follows.
  public var reading: PhaseCost
  /// Replicated. What numbering the clusters cost.
  public var labeling: PhaseCost
  /// Replicated. By what linkages were kept.
  public var choice: ThresholdChoice
  /// Replicated.
  public var stopReason: StopReason
}
