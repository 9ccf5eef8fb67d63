internal import Communication
internal import DistributedGraphs
internal import GraphNetworks

/// How many clusters each group is to have, and how large they are at least.
package struct GroupBounds: Equatable, Sendable {
  /// Clusters of a group; nil for any number.
  package var clusterCounts: ClosedRange<Int>?
  /// Points of a cluster. 1 for any number.
  package var fewestPoints = 1
  /// Whether points move in the end to the cluster that they are most similar to.
  package var settles = false

  package init(
    clusterCounts: ClosedRange<Int>? = nil, fewestPoints: Int = 1, settles: Bool = false
  ) {
    self.clusterCounts = clusterCounts
    self.fewestPoints = fewestPoints
    self.settles = settles
  }

  var isBinding: Bool { clusterCounts != nil || fewestPoints > 1 || settles }

  /// About how many merges a group needs, none or fewer if it is as it should be; and whether any two clusters may
  /// merge, or one must be too small.
  func neededMerges(_ memberCounts: ArraySlice<Int64>) -> (count: Int, isOfAll: Bool) {
    let count = memberCounts.count
    if let most = clusterCounts?.upperBound, count > most { return (count - most, true) }
    let small = memberCounts.count { $0 < fewestPoints }
    return (min(small, count - (clusterCounts?.lowerBound ?? 1)), false)
  }

  /// Whether a group must merge further.
  func requireMerging(_ memberCounts: ArraySlice<Int64>) -> Bool {
    neededMerges(memberCounts).count > 0
  }
}

extension ClusteringRun {
  /// Takes the run to its end, and then every group to as many and as large clusters as a plan asks for.
  ///
  /// A group with too few clusters is clustered again above higher thresholds, until it has enough; a perfect
  /// threshold merges nothing. One with too many, or with one too small, merges along its best links, half of
  /// what is needed at a time. Then points settle, if the plan asks for it. A group with fewer points than clusters
  /// asked for has a cluster for each.
  ///
  /// > Collective: over `communicator`, as ``finish(along:of:by:keepingRows:measuredBy:on:afterLevel:)``, again
  /// > for each threshold; and as a level for each halving of the merges that the group with the most needs.
  ///
  /// - Parameters:
  ///   - first: The judged edges of the current level, if they exist already.
  ///   - afterLevel: Called on all ranks after each level above the plan's own thresholds, with the run so far.
  mutating func finish<Base: Communicator>(
    along first: consuming JudgedEdges?, of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>, within bounds: GroupBounds,
    measuredBy clock: PhaseClock<Base, some ClusteringObserver>,
    on communicator: CountingCommunicator<Base>,
    afterLevel: (ClusteringRun) throws -> Void = { _ in }
  ) throws {
    guard level.groups != nil, bounds.isBinding, stopReason == nil else {
      return try finish(
        along: first, of: source, by: plan, measuredBy: clock, on: communicator,
        afterLevel: afterLevel)
    }
    let (start, edges) = (self, first)
    try finish(
      along: edges, of: source, by: plan, keepingRows: true, measuredBy: clock, on: communicator,
      afterLevel: afterLevel)
    try clock.measure(.label) { _ in
      try narrow(from: start, along: edges, of: source, by: plan, within: bounds, on: communicator)
    }
  }

  /// Brings every group of a run that has ended to as many and as large clusters as asked for.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - start: This run at level 0, with its rows.
  ///   - edges: The judged edges of that level, if they exist already.
  private mutating func narrow(
    from start: ClusteringRun, along edges: JudgedEdges?, of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>, within bounds: GroupBounds,
    on communicator: some Communicator
  ) throws {
    let communicator = CountingCommunicator(communicator)
    let quiet = PhaseClock(communicator, NoObserver())
    if let fewest = bounds.clusterCounts?.lowerBound {
      var groups = start.level.groups!
      while try communicator.any(groups.raiseThresholds(ofFewerThan: fewest, in: level.groups!)) {
        let (history, stopReason) = (history, stopReason)
        self = start
        level.groups = groups
        try finish(
          along: edges, of: source, by: plan, keepingRows: true, measuredBy: quiet,
          on: communicator)
        (self.history, self.stopReason) = (history, stopReason)
      }
    }
    while try communicator.any(level.groups!.open(by: bounds, level.memberCounts)) {
      let found = try plan.search.lists(
        of: self, length: plan.listLength, using: plan.workers, on: communicator
      ) { _ in }
      let judged = try judgedEdges(by: plan, along: found, measuredBy: quiet, on: communicator)
      let roots = rootsOfBestLinks(judged, orAlong: found.lists, by: bounds, on: communicator)
      let owned = level.nodes.owned(by: communicator.rank)
      let isMerging = roots.indices.contains { roots[$0] != GlobalNode(owned.lowerBound + $0) }
      guard try communicator.any(isMerging) else { break }
      try contract(
        to: roots, as: level.number + 1, keeping: plan.judge.means, of: source,
        using: plan.workers, on: communicator)
    }
    if bounds.settles {
      try settle(
        from: start, isCountGiven: bounds.clusterCounts != nil, of: source, using: plan.workers,
        on: communicator)
    }
  }

  /// For every owned node itself; but in each open group the smaller end of the most probable edges has the larger
  /// as root. Where a group has few enough clusters, only edges of one that is too small count. Nodes that are
  /// not similar have no edges; where all are such, the most similar two merge.
  ///
  /// Of the merges that a group needs the better half is made, no node twice; the next level judges the rest.
  private func rootsOfBestLinks(
    _ edges: JudgedEdges, orAlong lists: NeighborLists, by bounds: GroupBounds,
    on communicator: some Communicator
  ) -> [GlobalNode] {
    let first = level.nodes.owned(by: communicator.rank).lowerBound
    let counts = level.memberCounts
    var roots = counts.indices.map { GlobalNode(first + $0) }
    for group in level.groups!.open {
      let needed = bounds.neededMerges(counts[group])
      var links: [Link] = []
      func consider(_ distance: Float, _ node: Int, _ other: Int) {
        guard needed.isOfAll || min(counts[node], counts[other]) < bounds.fewestPoints else {
          return
        }
        links.append(Link(distance, node, other))
      }
      for node in group {
        for edge in edges.graph.edges(into: node) {
          consider(edges.linkage.distance[edge], node, Int(edges.graph.columns[edge].index))
        }
      }
      if links.isEmpty {
        for node in group {
          for place in node * lists.listLength..<(node + 1) * lists.listLength
          where lists.neighbors[place] != NeighborLists.none {
            consider(
              -lists.similarities[place], node, Int(lists.neighbors[place].index) - first)
          }
        }
      }
      var isTaken = Array(repeating: false, count: group.count)
      var left = max(1, needed.count / 2)
      for link in links.sorted() where left > 0 {
        let ends = [link.lower - group.lowerBound, link.upper - group.lowerBound]
        guard ends.allSatisfy({ !isTaken[$0] }) else { continue }
        for end in ends { isTaken[end] = true }
        let isUpperLarger = counts[link.upper] > counts[link.lower]
        let (root, other) =
          isUpperLarger ? (link.upper, link.lower) : (link.lower, link.upper)
        roots[other] = GlobalNode(first + root)
        left -= 1
      }
    }
    return roots
  }
}

/// Two nodes that may merge. In the order of distance, then of the nodes.
private struct Link: Comparable {
  let distance: Float
  let lower: Int
  let upper: Int

  init(_ distance: Float, _ node: Int, _ other: Int) {
    self.distance = distance
    lower = min(node, other)
    upper = max(node, other)
  }

  static func < (a: Self, b: Self) -> Bool {
    (a.distance, a.lower, a.upper) < (b.distance, b.lower, b.upper)
  }
}
