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
  /// > ``contract(to:as:keeping:of:using:on:)`` sends without rows.
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
    let ranges = start.level.groups!.ranges
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
    let (number, history, stopReason) = (level.number, history, stopReason)
    self = start
    try contract(
      to: places.map { GlobalNode(first + Int($0)) }, as: number, keeping: nil, of: source,
      using: workers, on: communicator)
    (self.history, self.stopReason) = (history, stopReason)
  }
}

/// The largest group whose clusters are exchanged.
private let exchangeLimit = (nodes: 2048, clusters: 32)

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
