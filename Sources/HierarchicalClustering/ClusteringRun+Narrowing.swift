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

  /// What a group needs.
  ///
  /// - Parameters:
  ///   - count: Its clusters.
  ///   - smallCount: Those of fewer than ``fewestPoints`` points.
  func neededMerges(of count: Int, small smallCount: Int) -> NeededMerges {
    if let most = clusterCounts?.upperBound, count > most {
      return NeededMerges(count: count - most, isOfAll: true)
    }
    return NeededMerges(
      count: min(smallCount, count - (clusterCounts?.lowerBound ?? 1)), isOfAll: false)
  }
}

/// About how many merges a group needs to be as it should be, none or fewer if it is; and whether any two clusters may
/// merge, or one must be too small.
struct NeededMerges {
  let count: Int
  let isOfAll: Bool
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
      while try communicator.any(
        groups.raiseThresholds(ofFewerThan: fewest, in: level.groups!, on: communicator))
      {
        let (history, stopReason) = (history, stopReason)
        self = start
        truth = nil  // the levels that count have been measured
        level.groups = groups
        try finish(
          along: edges, of: source, by: plan, keepingRows: true, measuredBy: quiet,
          on: communicator)
        (self.history, self.stopReason) = (history, stopReason)
      }
    }
    while true {
      let needs = try neededMerges(by: bounds, on: communicator)
      guard try communicator.any(level.groups!.open(by: needs)) else { break }
      let found = try plan.search.lists(
        of: self, length: plan.listLength, using: plan.workers, on: communicator
      ) { _ in }
      let judged = try judgedEdges(by: plan, along: found, measuredBy: quiet, on: communicator)
      let roots = try rootsOfBestLinks(
        judged, orAlong: found.lists, by: bounds, needs, on: communicator)
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

  /// What every group needs.
  ///
  /// > Collective: as ``NodeGroups/ofAllRanks(_:on:)``, twice.
  private func neededMerges(
    by bounds: GroupBounds, on communicator: some Communicator
  ) throws -> [NeededMerges] {
    let groups = level.groups!
    let small = groups.ranges.map { level.memberCounts[$0].count { $0 < bounds.fewestPoints } }
    return zip(
      try groups.nodeCounts(on: communicator), try groups.ofAllRanks(small, on: communicator)
    ).map { bounds.neededMerges(of: $0, small: $1) }
  }

  /// For every owned node itself; but in each open group the smaller end of the most probable edges has the larger
  /// as root. Where a group has few enough clusters, only edges of one that is too small count. Nodes that are
  /// not similar have no edges; where all are such, the most similar two merge.
  ///
  /// Of the merges that a group needs the better half is made, no node twice; the next level judges the rest.
  ///
  /// > Collective: over `communicator`. 8 bytes per ghost; and for each divided group what ``bestLinks(of:count:inBatchesOf:on:)``
  /// > sends and, if it has no edges, 16 bytes per place of its lists.
  private func rootsOfBestLinks(
    _ edges: JudgedEdges, orAlong lists: NeighborLists, by bounds: GroupBounds,
    _ needs: [NeededMerges], on communicator: some Communicator
  ) throws -> [GlobalNode] {
    let groups = level.groups!
    let owned = level.nodes.owned(by: communicator.rank)
    let counts = try edges.graph.halo.extend(level.memberCounts, on: communicator)
    var roots = owned.map { GlobalNode($0) }

    func link(
      _ distance: Float, _ node: Int, _ other: GlobalNode, _ count: Int64, _ needed: NeededMerges
    ) -> Link? {
      guard needed.isOfAll || min(counts[node], count) < bounds.fewestPoints else { return nil }
      return Link(
        distance, (GlobalNode(owned.lowerBound + node), counts[node]), (other, count))
    }
    func edgeLinks(in group: Int) -> [Link] {
      groups.ranges[group].flatMap { node in
        edges.graph.edges(into: node).compactMap { edge in
          let other = edges.graph.columns[edge]
          return link(
            edges.linkage.distance[edge], node, edges.graph.halo.global(other),
            counts[Int(other.index)], needs[group])
        }
      }
    }
    func listLinks(
      in group: Int, countsOf countsOfNodes: ([GlobalNode]) throws -> [Int64]
    ) rethrows -> [Link] {
      let range = groups.ranges[group]
      let places = (range.lowerBound * lists.listLength..<range.upperBound * lists.listLength)
        .filter { lists.neighbors[$0] != NeighborLists.none }
      let others = places.map { lists.neighbors[$0] }
      return zip(places, zip(others, try countsOfNodes(others))).compactMap { place, other in
        link(
          -lists.similarities[place], place / lists.listLength, other.0, other.1, needs[group])
      }
    }
    func merge(_ links: [Link]) {
      for link in links where owned.contains(Int(link.other.index)) {
        roots[Int(link.other.index) - owned.lowerBound] = link.root
      }
    }

    for group in groups.openWhole {
      var found = edgeLinks(in: group)
      if found.isEmpty {
        found = listLinks(in: group) {
          $0.map { counts[Int($0.index) - owned.lowerBound] }
        }
      }
      merge(try bestLinks(of: found, count: max(1, needs[group].count / 2), on: SingleRank()))
    }
    for group in groups.openDivided {
      var found = edgeLinks(in: group)
      if try communicator.all(found.isEmpty) {
        found = try listLinks(in: group) {
          try level.nodes.fetch(level.memberCounts, at: $0, on: communicator)
        }
      }
      merge(try bestLinks(of: found, count: max(1, needs[group].count / 2), on: communicator))
    }
    return roots
  }
}
