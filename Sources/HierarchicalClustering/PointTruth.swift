internal import Communication
internal import DistributedGraphs
internal import Evaluation
internal import GraphNetworks

/// The true labels of a run's points, by which the probabilities of its levels are measured. No cluster depends on them.
public struct PointTruth: Sendable {
  /// Owned. One entry for each point with a label; more, if the points of a run of fewer ranks are nodes of another.
  var entries: [Entry]
  /// Replicated. Only edges into nodes with one of these labels count; nil for all.
  let judged: Set<Int64>?

  /// How many of the input's points with a label a point stands for.
  struct Entry: Message {
    /// The place among the owned points.
    var point: Int
    var label: Int64
    var count: Int
  }

  /// - Parameters:
  ///   - labels: Owned, one for each point of the input.
  ///   - kept: The places of those that count; nil for all.
  ///   - judged: Replicated. Only edges into nodes with one of these labels count; nil for all.
  public init(_ labels: [Int64], keeping kept: [Int]? = nil, judging judged: Set<Int64>? = nil) {
    let places = kept ?? Array(labels.indices)
    entries = places.map { Entry(point: $0, label: labels[$0], count: 1) }
    self.judged = judged
  }

  init(_ entries: [Entry], judging judged: Set<Int64>?) {
    (self.entries, self.judged) = (entries, judged)
  }
}

/// How many points of a node have a label.
private struct LabelCount: Message, Comparable {
  var node: GlobalNode
  var label: Int64
  var count: Int

  static func < (a: Self, b: Self) -> Bool { (a.node, a.label) < (b.node, b.label) }
}

extension [LabelCount] {
  /// One for each node and label, by node, then by label.
  fileprivate var summed: [LabelCount] {
    var sums: [LabelCount] = []
    for next in sorted() {
      if let last = sums.last, last.node == next.node, last.label == next.label {
        sums[sums.count - 1].count += next.count
      } else {
        sums.append(next)
      }
    }
    return sums
  }
}

/// The label that most points of a node have.
private struct NodeLabel: Message {
  /// Undefined if no point has one.
  var label: Int64 = 0
  var isKnown = false
}

extension ClusteringRun {
  /// Has the probabilities of the levels to come measured, if there is a truth.
  ///
  /// > Collective: over `communicator`, where assertions are checked.
  mutating func measure(by truth: PointTruth?, on communicator: some Communicator) throws {
    try communicator.assertReplicated(truth != nil)
    try communicator.assertReplicated(truth?.judged?.sorted(), from: .all)
    precondition(
      truth?.entries.allSatisfy { nodeOfPoint.indices.contains($0.point) } ?? true,
      "labels of more than \(nodeOfPoint.count) points")
    self.truth = truth
  }

  /// How right the probabilities of the current level are. An edge is true if most points of both ends have the same
  /// label, of equally many the lowest; edges of nodes without labels do not count.
  ///
  /// > Collective: over `communicator`. As ``labelCounts(of:on:)``; 16 bytes per ghost, and a sum of 60 numbers.
  func calibration(
    of edges: JudgedEdges, by truth: PointTruth, on communicator: some Communicator
  ) throws -> ProbabilityCalibration {
    let (graph, distance) = (edges.graph, edges.linkage.distance)
    let first = level.nodes.owned(by: communicator.rank).lowerBound
    var own = Array(repeating: NodeLabel(), count: graph.ownedCount)
    var most = Array(repeating: 0, count: graph.ownedCount)
    for entry in try labelCounts(of: truth, on: communicator) {  // by label, for each node
      let node = Int(entry.node.index) - first
      if entry.count > most[node] {
        most[node] = entry.count
        own[node] = NodeLabel(label: entry.label, isKnown: true)
      }
    }
    let labels = try graph.halo.extend(own, on: communicator)
    var calibration = ProbabilityCalibration()
    for node in 0..<graph.ownedCount where labels[node].isKnown {
      let label = labels[node].label
      guard truth.judged?.contains(label) ?? true else { continue }
      for edge in graph.edges(into: node) {
        let other = labels[Int(graph.columns[edge].index)]
        guard other.isKnown else { continue }
        calibration.count(1 - distance[edge], isTrue: other.label == label)
      }
    }
    return try calibration.summed(on: communicator)
  }

  /// The labels of the points as those of a run on the first ranks, whose points are nodes of this level.
  ///
  /// > Collective: over `communicator`. As ``labelCounts(of:on:)``, and 32 bytes per node and label.
  ///
  /// - Parameters:
  ///   - few: Replicated. Who owns these points.
  ///   - places: Owned. What each node is called there.
  func handed(
    _ truth: PointTruth, to few: NodePartition, at places: [GlobalNode],
    on communicator: some Communicator
  ) throws -> PointTruth {
    let first = level.nodes.owned(by: communicator.rank).lowerBound
    let counts = try labelCounts(of: truth, on: communicator)
    let arrived = try few.deliver(
      counts, width: 1, to: counts.map { places[Int($0.node.index) - first] }, on: communicator)
    let firstPoint = few.owned(by: communicator.rank).lowerBound
    return PointTruth(
      zip(arrived.nodes, arrived.rows).map { point, row in
        .init(point: Int(point.index) - firstPoint, label: row.label, count: row.count)
      }, judging: truth.judged)
  }

  /// How many points of every owned node have each label, by node, then by label.
  ///
  /// > Collective: over `communicator`. Three rounds: from every rank 32 bytes per node and label.
  private func labelCounts(
    of truth: PointTruth, on communicator: some Communicator
  ) throws -> [LabelCount] {
    let own = truth.entries.map {
      LabelCount(node: nodeOfPoint[$0.point], label: $0.label, count: $0.count)
    }.summed
    return try level.nodes.deliver(own, width: 1, to: own.map(\.node), on: communicator).rows.summed
  }
}
