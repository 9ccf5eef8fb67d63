package import Communication
package import DistributedGraphs
internal import LinearAlgebra
internal import NeighborSearch
package import Parallelism

/// The state of a clustering: all that is needed to continue it, on any number of ranks.
package struct ClusteringRun: Sendable {
  /// Which rank owns which input points.
  package let points: NodePartition
  /// Owned points. Whether each has a direction: not all zeros, no NaN, nothing infinite. Empty in a run that goes
  /// on after level 0, which alone asks.
  let hasDirection: [Bool]
  /// Replicated. The largest absolute value of the input.
  let largestValue: Float
  /// Replicated. How many points of the input all points stand for: more than there are in a run of fewer ranks,
  /// whose points are nodes of another.
  let inputCount: Int

  /// The level to judge next.
  package internal(set) var level: Level
  /// Owned points. The node of ``level`` that each point belongs to.
  package internal(set) var nodeOfPoint: [GlobalNode]
  /// Replicated. τ of all levels; nil until it is chosen, at level 0.
  package internal(set) var thresholds: Thresholds?
  /// What the plan keeps of every level that was merged: as ``nodeOfPoint`` after it, and the nodes of the next.
  private(set) var layers: [(nodeOfPoint: [GlobalNode], nodes: NodePartition)] = []
  /// Replicated. The levels that were merged.
  package internal(set) var history: [LevelSummary] = []
  /// Replicated. Why there is no further level; nil as long as there is one.
  package internal(set) var stopReason: StopReason?
  /// Owned. By what the probabilities of levels are measured; nil, on all ranks, where they are not.
  var truth: PointTruth?
}

extension ClusteringRun {
  /// Reads this rank's share of the input as level 0.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank.
  ///
  /// - Parameter asStored: Whether the lengths of rows matter, as they do for means of input rows.
  /// - Throws: ``AgreedFailure`` on all ranks if rows cannot be read, or have no direction and the
  ///   policy refuses such rows.
  package init(
    reading source: some EmbeddingSource, invalid policy: InvalidRowPolicy, asStored: Bool,
    using workers: Workers,
    on communicator: some Communicator
  ) throws {
    points = NodePartition(sharing: source.rowCount, among: communicator.size)
    inputCount = source.rowCount
    let owned = points.owned(by: communicator.rank)
    let rows = try source.load(
      owned, invalid: policy, asStored: asStored, using: workers, on: communicator)
    largestValue = try communicator.maximum(rows.largestValue)
    var hasDirection = Array(repeating: true, count: owned.count)
    for point in rows.invalid { hasDirection[point - owned.lowerBound] = false }
    self.hasDirection = hasDirection
    nodeOfPoint = owned.map { GlobalNode($0) }
    level = Level(
      number: 0, nodes: points, rows: .peaks(rows.rows),
      memberCounts: Array(repeating: 1, count: owned.count), inputPoint: nodeOfPoint,
      isInInputOrder: true)
    stopReason = points.nodeCount > 1 ? nil : .fewNodes
  }

  /// Merges points with the same direction into one node before level 0 is judged. The first of them
  /// stands for all.
  ///
  /// > Collective: over `communicator`. As ``duplicateRoots(of:where:in:using:on:)``; if there are
  /// > duplicates, also as ``contract(to:as:keeping:of:using:on:)``.
  ///
  /// - Parameter groups: Owned points. Copies are of the same group, if there are groups.
  package mutating func mergeCopies(
    of source: some EmbeddingSource, within groups: PointGroups? = nil, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    precondition(level.number == 0 && level.nodes == points, "copies are of points")
    let roots = try duplicateRoots(
      of: level.rows.directions, where: hasDirection, within: groups, in: points, using: workers,
      on: communicator)
    guard try communicator.any(roots != level.inputPoint) else { return }
    try contract(
      to: roots, as: 0, keeping: .peaksOnly, of: source, using: workers, on: communicator)
    if level.nodes.nodeCount <= 1 { stopReason = .fewNodes }
  }

  /// The number of every owned point's cluster, and how many clusters there are.
  ///
  /// > Collective: over `communicator`, as ``numberByFirstAppearance(_:of:in:on:)``.
  package func labels(on communicator: some Communicator) throws -> (
    labels: [Int64], clusterCount: Int
  ) {
    try numberByFirstAppearance(nodeOfPoint, of: points, in: level.nodes, on: communicator)
  }

  /// Keeps the points' nodes for ``layerLabels(on:)``.
  mutating func keepLayer() { layers.append((nodeOfPoint, level.nodes)) }

  /// The labels after every level that was kept.
  ///
  /// > Collective: over `communicator`, as ``numberByFirstAppearance(_:of:in:on:)``, for each.
  func layerLabels(on communicator: some Communicator) throws -> [[Int64]] {
    try layers.map {
      try numberByFirstAppearance($0.nodeOfPoint, of: points, in: $0.nodes, on: communicator).labels
    }
  }

  /// How many nodes, over all ranks, stand for a single point.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  func singletonCount(on communicator: some Communicator) throws -> Int {
    try communicator.sum(level.memberCounts.count { $0 == 1 })
  }
}
