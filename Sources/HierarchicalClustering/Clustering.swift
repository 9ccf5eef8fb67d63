public import Communication
public import DistributedGraphs

/// Why the level loop ended.
public enum StopReason: String, Codable, Sendable {
  /// A level merged nothing.
  case nothingMerged
  /// The given number of levels was reached.
  case maximumLevels
  /// Merges no longer fell by a factor of k − 1.
  case earlyStop
  /// At most k nodes were left after a level, in every group if there are groups, or at most one at the start.
  case fewNodes
  /// By flow: no move of a node made the code shorter.
  case shortestCode
}

extension ClusteringPlan {
  /// Whether, and why, the loop ends with the level that just merged.
  ///
  /// - Parameters:
  ///   - nodeCount: The nodes that the level had.
  ///   - merged: How many of them merged into others.
  ///   - before: How many nodes the level before merged.
  package func stopReason(
    after level: Int, of nodeCount: Int, merged: Int, before: Int?
  ) -> StopReason? {
    if level == maximumLevels - 1 { return .maximumLevels }
    if merged == 0 { return .nothingMerged }
    // Less than a thousandth of many nodes hardly changes a silhouette.
    if isTrial, nodeCount >= 20_000, merged * 1000 < nodeCount { return .nothingMerged }
    if stopsEarly, let before, Double(before) / Double(merged) < Double(neighborCount - 1) {
      return .earlyStop
    }
    return nodeCount - merged > fewNodes ? nil : .fewNodes
  }
}

/// The steps of a run, as reports name them.
public enum Phase: String, CaseIterable, Codable, Sendable {
  /// Only level 0 has `copies`, which makes one node of points with the same direction, `partition`, which
  /// deals the nodes to ranks, and `thresholds`, which chooses τ. Clustering by flow has `flow`, which chooses k
  /// and finds the modules, where a network has `graph` to `decode`. `hand` gives a level to fewer ranks, and the
  /// answer back to all.
  case read, copies, neighbors, partition, graph, network, thresholds, decode, flow, coarsen, hand,
    label, record
}

/// The cost of one phase of one level, or of a search.
public struct PhaseCost: Codable, Equatable, Sendable {
  /// Wall time, the maximum over ranks.
  public var elapsedSeconds: Double
  /// Processor time of all threads, summed over ranks; ranks that are threads of one process each
  /// count the whole process.
  public var cpuSeconds: Double
  /// Payload sent to other ranks, summed over ranks.
  public var bytesSent: Int
  /// Messages to other ranks, summed over ranks.
  public var messages: Int
  /// Collective calls.
  public var rounds: Int
  /// Of bytes and messages those to ranks on other hosts.
  public var bytesToOtherHosts: Int
  public var messagesToOtherHosts: Int

  /// - Parameters:
  ///   - traffic: Of all ranks together, but for its rounds.
  ///   - rounds: Of each rank.
  public init(
    elapsedSeconds: Double = 0, cpuSeconds: Double = 0, _ traffic: Traffic = Traffic(),
    rounds: Int = 0
  ) {
    self.elapsedSeconds = elapsedSeconds
    self.cpuSeconds = cpuSeconds
    bytesSent = traffic.bytesSent
    messages = traffic.messages
    self.rounds = rounds
    bytesToOtherHosts = traffic.bytesToOtherHosts
    messagesToOtherHosts = traffic.messagesToOtherHosts
  }
}

extension PhaseCost {
  /// The cost of both, one after the other.
  static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.elapsedSeconds += b.elapsedSeconds
    sum.cpuSeconds += b.cpuSeconds
    sum.bytesSent += b.bytesSent
    sum.messages += b.messages
    sum.rounds += b.rounds
    sum.bytesToOtherHosts += b.bytesToOtherHosts
    sum.messagesToOtherHosts += b.messagesToOtherHosts
    return sum
  }
}

/// What a clustering has chosen for itself, or was given. Replicated.
public enum Choice: Equatable, Sendable {
  /// The thresholds above which a network's linkages were kept, and how they were chosen.
  case thresholds(ThresholdChoice)
  /// The k by which flow was weighed, and how it was chosen.
  case listLength(ListLengthChoice)

  /// Nil where no network judged.
  public var thresholds: ThresholdChoice? {
    if case .thresholds(let choice) = self { choice } else { nil }
  }

  /// Nil where a network judged.
  public var listLength: ListLengthChoice? {
    if case .listLength(let choice) = self { choice } else { nil }
  }
}

/// The answer. Each rank holds its share of the points.
public struct Clustering: Sendable {
  /// Owned points. 0, 1, 2, … in the order in which clusters first appear.
  public var labels: [Int64]
  /// Owned points. The labels after every level, if the plan keeps them; the last are ``labels``. Empty by flow,
  /// which has one level.
  public var layers: [[Int64]]
  /// Which rank owns which points.
  public var points: NodePartition
  /// Replicated.
  public var clusterCount: Int
  /// Replicated. Clusters of one point.
  public var singletonCount: Int
  /// Replicated. How many clusters groups have, if there are groups.
  public var groups: GroupSummary?
  /// Replicated.
  public var levels: [LevelSummary]
  /// Replicated. The cost of reading the input, and of merging copies if no level follows.
  public var reading: PhaseCost
  /// Replicated. The cost of numbering the clusters.
  public var labeling: PhaseCost
  /// Replicated. What was chosen: thresholds where a network judged, k where flow did.
  public var choice: Choice
  /// Replicated. How flow and a network compared, where both were asked.
  public var comparison: MethodComparison?
  /// Replicated.
  public var stopReason: StopReason
}
