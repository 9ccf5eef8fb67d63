internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

extension ClusteringRun {
  /// Moves every node of level 0 to the cluster of its group whose other nodes it is most similar to: to the
  /// direction of their sum, each as often as it has points. No cluster loses its last node.
  ///
  /// Of two clusters that are equally similar a node takes its own, or else the first.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per node, and what
  /// > ``contract(to:as:keeping:of:using:on:)`` sends without rows.
  ///
  /// - Parameter start: This run at level 0, with its rows.
  /// - Complexity: O(nodes of level 0 · clusters of the group · columns).
  mutating func settle(
    from start: ClusteringRun, of source: some EmbeddingSource, using workers: Workers,
    on communicator: some Communicator
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
        rows, counts, in: range, cluster: cluster[range].map { Int($0.index) })
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

/// The clusters of some nodes after each went where it is most similar.
///
/// - Parameter cluster: That of each node before; any numbers.
private func settledClusters(
  _ rows: StoredRows, _ memberCounts: [Int64], in range: Range<Int>, cluster: [Int]
) -> [Int] {
  let names = Set(cluster).sorted()
  guard names.count > 1 else { return cluster }
  let placeOf = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  let place = cluster.map { placeOf[$0]! }
  let directions = rows.copy(ofRows: Array(range))
  let width = directions.columnCount
  var sums = Array(repeating: 0.0, count: names.count * width)
  var sizes = Array(repeating: 0, count: names.count)
  for node in place.indices {
    sizes[place[node]] += 1
    let weight = Double(memberCounts[range.lowerBound + node])
    for (column, value) in directions.row(node).enumerated() {
      sums[place[node] * width + column] += weight * Double(value)
    }
  }
  var settled = place
  for node in place.indices where sizes[place[node]] > 1 {
    let row = directions.row(node)
    /// The cosine to the sum of the other nodes of a cluster.
    func similarity(_ other: Int) -> Double {
      let own = other == place[node] ? Double(memberCounts[range.lowerBound + node]) : 0
      var (product, square) = (0.0, 0.0)
      for (column, value) in row.enumerated() {
        let sum = sums[other * width + column] - own * Double(value)
        product += sum * Double(value)
        square += sum * sum
      }
      return square > 0 ? product / square.squareRoot() : -1
    }
    var best = similarity(place[node])
    for other in names.indices where other != place[node] {
      let value = similarity(other)
      if value > best { (best, settled[node]) = (value, other) }
    }
  }
  let left = Set(settled)
  return place.indices.map { names[left.contains(place[$0]) ? settled[$0] : place[$0]] }
}
