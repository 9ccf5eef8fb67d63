internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

extension ClusteringRun {
  /// Moves every node of level 0 to the cluster of its group whose other nodes it is most similar to: to the
  /// direction of their sum, each as often as it has points. No cluster loses its last node.
  ///
  /// Where the number of clusters was asked for, and a group has up to 2048 nodes in up to 32 clusters, clusters are
  /// exchanged, too: ``DirectionClusters/exchange()``.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per node, and what
  /// > ``contract(to:as:keeping:of:using:on:)`` sends without rows; for each divided group also what
  /// > ``settledClusters(_:weights:clusters:clusterCount:using:on:)`` sends.
  ///
  /// - Parameters:
  ///   - start: This run at level 0, with its rows.
  ///   - isCountGiven: Whether the number of clusters was asked for.
  /// - Complexity: O(nodes of level 0 · clusters of the group · columns); with exchanges some ten times that.
  mutating func settle(
    from start: ClusteringRun, isCountGiven: Bool, of source: some EmbeddingSource,
    using workers: Workers, on communicator: some Communicator
  ) throws {
    let cluster = try points.fetch(nodeOfPoint, at: start.level.inputPoint, on: communicator)
    let groups = start.level.groups!
    let ranges = Array(groups.ranges.dropFirst(groups.dividedCount))
    let first = start.level.nodes.owned(by: communicator.rank).lowerBound
    let (rows, counts) = (start.level.rows.directions, start.level.memberCounts)
    // Every group writes the places of its own nodes.
    var places = cluster.indices.map { Int32($0) }
    places.forEachTile(ranges, using: workers) { group, places in
      let range = ranges[group]
      let settled = settledClusters(
        rows, counts, in: range, cluster: cluster[range].map { Int($0.index) },
        isCountGiven: isCountGiven)
      var firstOf: [Int: Int32] = [:]
      for (place, cluster) in settled.enumerated() {
        let node = firstOf[cluster] ?? Int32(range.lowerBound + place)
        firstOf[cluster] = node
        places[place] = node
      }
    }
    var roots = places.map { GlobalNode(first + Int($0)) }
    if groups.dividedCount > 0 {
      let divided = 0..<groups.ranges[groups.dividedCount - 1].upperBound
      roots.replaceSubrange(
        divided,
        with: try rootsOfSettled(
          in: divided, from: start, cluster: cluster, using: workers, on: communicator))
    }
    let (number, history, stopReason) = (level.number, history, stopReason)
    self = start
    try contract(
      to: roots, as: number, keeping: nil, of: source, using: workers, on: communicator)
    (self.history, self.stopReason) = (history, stopReason)
  }

  /// The first node of the cluster in which each node of a divided group settles.
  ///
  /// > Collective: over `communicator`. For each group as ``settledClusters(_:weights:clusters:clusterCount:using:on:)``; then
  /// > a scatter and a fetch of 8 bytes per node.
  ///
  /// - Parameters:
  ///   - divided: The places of all divided groups' nodes.
  ///   - start: This run at level 0, with its rows.
  ///   - cluster: Owned nodes of level 0. The node of this level that each is part of.
  private func rootsOfSettled(
    in divided: Range<Int>, from start: ClusteringRun, cluster: [GlobalNode],
    using workers: Workers, on communicator: some Communicator
  ) throws -> [GlobalNode] {
    let (groups, rank) = (start.level.groups!, communicator.rank)
    var settled: [GlobalNode] = []
    for group in 0..<groups.dividedCount {
      let (range, clusters) = (groups.ranges[group], level.groups!.ranges[group])
      // Its clusters are nodes of this level, consecutive ones on each rank.
      let members = NodePartition(
        firstNode: (try communicator.gatherOne(clusters.count) + [0]).exclusivePrefixSums())
      let firsts = try communicator.gatherOne(
        level.nodes.owned(by: rank).lowerBound + clusters.lowerBound)
      let found = try settledClusters(
        start.level.rows.directions.copy(ofRows: range),
        weights: range.map { Double(start.level.memberCounts[$0]) },
        clusters: cluster[range].map { node in
          let owner = level.nodes.owner(of: node)
          return members.owned(by: owner).lowerBound + Int(node.index) - firsts[owner.index]
        }, clusterCount: members.nodeCount, using: workers, on: communicator)
      settled += found.map { place in
        let owner = members.owner(of: GlobalNode(place))
        return GlobalNode(firsts[owner.index] + place - members.owned(by: owner).lowerBound)
      }
    }
    let first = start.level.nodes.owned(by: rank).lowerBound
    var firstNodes = Array(
      repeating: GlobalNode(Int64.max), count: level.nodes.owned(by: rank).count)
    try level.nodes.scatter(
      divided.map { GlobalNode(first + $0) }, to: settled, into: &firstNodes, on: communicator
    ) { $0 = min($0, $1) }
    return try level.nodes.fetch(firstNodes, at: settled, on: communicator)
  }
}

/// The largest group whose clusters are exchanged. One that is divided has more nodes.
private let exchangeLimit = (nodes: NodeGroups.mostWhole, clusters: 32)

/// The clusters of some nodes after each went where it is most similar.
///
/// - Parameters:
///   - cluster: That of each node before; any numbers.
///   - isCountGiven: Whether someone asked for that many, so that clusters may be exchanged.
private func settledClusters(
  _ rows: StoredRows, _ memberCounts: [Int64], in range: Range<Int>, cluster: [Int],
  isCountGiven: Bool
) -> [Int] {
  let names = Set(cluster).sorted()
  guard names.count > 1 else { return cluster }
  let placeOf = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  var clusters = DirectionClusters(
    rows.copy(ofRows: Array(range)), weights: range.map { Double(memberCounts[$0]) },
    clusters: cluster.map { placeOf[$0]! })
  clusters.settle()
  if isCountGiven, range.count <= exchangeLimit.nodes,
    clusters.clusterCount <= exchangeLimit.clusters
  {
    clusters.exchange()
  }
  return clusters.clusters.map { names[$0] }
}
