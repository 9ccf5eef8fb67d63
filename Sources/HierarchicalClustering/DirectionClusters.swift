package import Communication
package import LinearAlgebra
package import Parallelism

/// Clusters of a few directions, and how well each direction fits: spherical k-means that starts from what is there
/// (Dhillon & Modha, Machine Learning 42, 2001).
///
/// All sums are of doubles in the order of nodes, so equal input makes equal bits.
package struct DirectionClusters {
  /// One row per node, of length 1 or, for one without a direction, 0.
  private let directions: Matrix
  /// How many points each node stands for.
  private let weights: [Double]
  /// The cluster of each node, 0 ..< clusterCount.
  package private(set) var clusters: [Int]
  package let clusterCount: Int
  private var sums: ClusterSums

  /// - Parameter clusters: 0, 1, …, each of at least one node.
  package init(_ directions: Matrix, weights: [Double], clusters: [Int]) {
    self.directions = directions
    self.weights = weights
    self.clusters = clusters
    clusterCount = (clusters.max() ?? -1) + 1
    sums = ClusterSums(directions, weights, clusters, clusterCount)
  }

  /// The lengths of the sums of clusters, together: that of all points if every cluster is one direction.
  package var coherence: Double { sums.lengths.reduce(0, +) }

  /// Moves every node to the cluster whose other nodes it is most similar to: to the direction of their sum, each as
  /// often as it has points. No cluster loses its last node.
  ///
  /// Of two clusters that are equally similar a node takes its own, or else the first.
  ///
  /// - Parameters:
  ///   - count: Only the first so many nodes move; nil for all.
  ///   - leaving: Clusters that all their nodes leave; not all there are.
  /// - Complexity: O(nodes that move · clusters · columns).
  package mutating func settle(first count: Int? = nil, leaving: Set<Int> = []) {
    var settled = clusters
    for node in clusters.indices.prefix(count ?? clusters.count) {
      settled[node] = sums.mostSimilar(
        to: directions.row(node), in: clusters[node], times: weights[node], leaving: leaving)
    }
    // Others would lose their last node.
    let canLose = Set(settled).union(leaving)
    clusters = clusters.indices.map { canLose.contains(clusters[$0]) ? settled[$0] : clusters[$0] }
    sums = ClusterSums(directions, weights, clusters, clusterCount)
  }

  /// Settles as long as coherence rises, at most 20 times.
  package mutating func converge() {
    for _ in 0..<20 {
      var next = self
      next.settle()
      guard next.clusters != clusters, next.coherence > coherence else { return }
      self = next
    }
  }

  /// Merges two clusters and divides a third, as often as coherence rises; the number of clusters stays as it is.
  ///
  /// Nodes that move one by one cannot part two clusters that were merged too early. Of all such exchanges the three
  /// that gain most before nodes settle are tried, in that order, until one gains; at most as many exchanges are made
  /// as there are clusters.
  ///
  /// - Complexity: Per exchange that is tried a few times that of ``settle()``.
  package mutating func exchange() {
    converge()
    for _ in 0..<clusterCount {
      guard let better = betterExchange() else { return }
      self = better
    }
  }

  private func betterExchange() -> Self? {
    let merges = cheapestMerges().prefix(10)
    let divisions = (0..<clusterCount).compactMap(division)
      .sorted { ($0.gain, $1.cluster) > ($1.gain, $0.cluster) }.prefix(10)
    var exchanges: [Exchange] = []
    for merge in merges {
      for division in divisions
      where division.cluster != merge.kept && division.cluster != merge.emptied {
        exchanges.append(Exchange(merge: merge, division: division))
      }
    }
    exchanges.sort { $0.gain > $1.gain }
    for exchange in exchanges.prefix(3) {
      let (kept, emptied) = (exchange.merge.kept, exchange.merge.emptied)
      var places = clusters.map { $0 == emptied ? kept : $0 }
      for node in exchange.division.parted { places[node] = emptied }
      var next = Self(directions, weights: weights, clusters: places)
      next.converge()
      // A millionth is more than sums are wrong by.
      if next.coherence > coherence * (1 + 1e-6) { return next }
    }
    return nil
  }

  /// All pairs of clusters with a direction, in the order of what merging them loses, then of clusters.
  private func cheapestMerges() -> [Merge] {
    let lengths = sums.lengths
    // A sum of length 0 has points without a direction, which are like no other.
    let places = lengths.indices.filter { lengths[$0] > 0 }
    var merges: [Merge] = []
    for (rank, kept) in places.enumerated() {
      for emptied in places[(rank + 1)...] {
        let loss = lengths[kept] + lengths[emptied] - sums.length(ofMerged: kept, emptied)
        merges.append(Merge(loss: loss, kept: kept, emptied: emptied))
      }
    }
    return merges.sorted { ($0.loss, $0.kept, $0.emptied) < ($1.loss, $1.kept, $1.emptied) }
  }

  /// A cluster in two: around the node that is least like it, and the one that is least like that.
  private func division(of cluster: Int) -> Division? {
    let members = clusters.indices.filter { clusters[$0] == cluster }
    guard members.count > 1, sums.lengths[cluster] > 0 else { return nil }
    let part = directions.copy(ofRows: members)
    func leastSimilar(to row: [Double]) -> (similarities: [Double], place: Int) {
      let similarities = members.indices.map { place in
        zip(part.row(place), row).reduce(0) { $0 + Double($1.0) * $1.1 }
      }
      return (similarities, similarities.indices.min { similarities[$0] < similarities[$1] }!)
    }
    let first = leastSimilar(to: sums.sum(of: cluster)).place
    let (toFirst, second) = leastSimilar(to: part.row(first).map(Double.init))
    let (toSecond, _) = leastSimilar(to: part.row(second).map(Double.init))
    let sides = members.indices.map { toSecond[$0] > toFirst[$0] ? 1 : 0 }
    guard sides.contains(0), sides.contains(1) else { return nil }
    var halves = Self(part, weights: members.map { weights[$0] }, clusters: sides)
    halves.converge()
    return Division(
      cluster: cluster, gain: halves.coherence - sums.lengths[cluster],
      parted: members.indices.filter { halves.clusters[$0] == 1 }.map { members[$0] })
  }

  private struct Division {
    let cluster: Int
    let gain: Double
    /// The nodes of one of the halves.
    let parted: [Int]
  }

  private struct Merge {
    let loss: Double
    let kept: Int
    let emptied: Int
  }

  private struct Exchange {
    let merge: Merge
    let division: Division

    var gain: Double { division.gain - merge.loss }
  }
}

/// The clusters of nodes that are spread over ranks after ``DirectionClusters/settle(first:leaving:)``.
///
/// > Collective: over `communicator`. 8 bytes for each cluster and column from each rank to the next, and from the last to all;
/// > and two sums of 8 bytes for each cluster.
///
/// - Parameters:
///   - directions: Owned. One row per node.
///   - weights: Owned. How many points each node stands for.
///   - clusters: Owned. The cluster of each node: one of 0 ..< clusterCount, each of which some rank has nodes of.
///   - clusterCount: Replicated.
/// - Complexity: O(nodes · clusters · columns), shared among the ranks and their threads.
package func settledClusters(
  _ directions: Matrix, weights: [Double], clusters: [Int], clusterCount: Int,
  using workers: Workers, on communicator: some Communicator
) throws -> [Int] {
  let sums = try ClusterSums(
    ofAllRanks: directions, weights, clusters, clusterCount, on: communicator)
  let settled = [Int](
    count: clusters.count, tilesOf: 64, using: workers, filledWith: 0
  ) { nodes, settled in
    for node in nodes {
      settled[node - nodes.lowerBound] = sums.mostSimilar(
        to: directions.row(node), in: clusters[node], times: weights[node])
    }
  }
  var counts = Array(repeating: Int64(0), count: clusterCount)
  for cluster in settled { counts[cluster] += 1 }
  // Others would lose their last node.
  let canLose = try communicator.sums(counts).map { $0 > 0 }
  return clusters.indices.map { canLose[clusters[$0]] ? settled[$0] : clusters[$0] }
}

/// The sums of the rows of clusters, each as often as it has points.
private struct ClusterSums: Sendable {
  private let width: Int
  private var elements: [Double]
  private(set) var nodeCounts: [Int]
  private(set) var lengths: [Double] = []

  init(_ rows: Matrix, _ weights: [Double], _ clusters: [Int], _ clusterCount: Int) {
    width = rows.columnCount
    elements = Array(repeating: 0, count: clusterCount * width)
    nodeCounts = Array(repeating: 0, count: clusterCount)
    for cluster in clusters { nodeCounts[cluster] += 1 }
    add(rows, weights, clusters)
    lengths = nodeCounts.indices.map { cluster in
      sum(of: cluster).reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
  }

  /// The sums of nodes that are spread over ranks, added in the order of ranks: the same bits as on one. Without lengths.
  ///
  /// > Collective: over `communicator`. The sums from each rank to the next, and from the last to all.
  init(
    ofAllRanks rows: Matrix, _ weights: [Double], _ clusters: [Int], _ clusterCount: Int,
    on communicator: some Communicator
  ) throws {
    width = rows.columnCount
    var counts = Array(repeating: Int64(0), count: clusterCount)
    for cluster in clusters { counts[cluster] += 1 }
    nodeCounts = try communicator.sums(counts).map { Int($0) }
    let count = clusterCount * width
    elements = Array(repeating: 0, count: count)
    for turn in communicator.ranks {
      if turn.index > 0 {
        let (isSending, isReceiving) = (
          communicator.rank.index == turn.index - 1, communicator.rank == turn
        )
        let arrived = try communicator.exchange(
          Buckets(
            values: isSending ? elements : [],
            counts: communicator.ranks.map { isSending && $0 == turn ? count : 0 }),
          receiving: communicator.ranks.map {
            isReceiving && $0.index == turn.index - 1 ? count : 0
          })
        if isReceiving { elements = arrived.values }
      }
      if communicator.rank == turn { add(rows, weights, clusters) }
    }
    elements = try communicator.broadcast(elements, from: Rank(communicator.size - 1))
  }

  private mutating func add(_ rows: Matrix, _ weights: [Double], _ clusters: [Int]) {
    for node in clusters.indices {
      let start = clusters[node] * width
      for (column, value) in rows.row(node).enumerated() {
        elements[start + column] += weights[node] * Double(value)
      }
    }
  }

  func sum(of cluster: Int) -> [Double] {
    Array(elements[cluster * width..<(cluster + 1) * width])
  }

  /// The length of the sum of two clusters.
  func length(ofMerged a: Int, _ b: Int) -> Double {
    (0..<width).reduce(0) { total, column in
      let value = elements[a * width + column] + elements[b * width + column]
      return total + value * value
    }.squareRoot()
  }

  /// The cluster whose other nodes a node is most similar to; its own if it is the only node of that.
  ///
  /// - Parameters:
  ///   - row: The node's.
  ///   - own: Its cluster.
  ///   - weight: How many points it stands for.
  ///   - leaving: Clusters that it must not be in.
  func mostSimilar(
    to row: [Float], in own: Int, times weight: Double, leaving: Set<Int> = []
  ) -> Int {
    let mustLeave = leaving.contains(own)
    guard mustLeave || nodeCounts[own] > 1 else { return own }
    var (nearest, best) = (
      own, mustLeave ? -.infinity : similarity(of: row, to: own, without: weight)
    )
    for other in nodeCounts.indices where other != own && !leaving.contains(other) {
      let value = similarity(of: row, to: other, without: 0)
      if value > best { (nearest, best) = (other, value) }
    }
    return nearest
  }

  /// The cosine of a row of length 1 to the sum of a cluster, less the row itself `weight` times; -1 if that is
  /// nothing.
  func similarity(of row: [Float], to cluster: Int, without weight: Double) -> Double {
    var (product, square) = (0.0, 0.0)
    for (column, value) in row.enumerated() {
      let sum = elements[cluster * width + column] - weight * Double(value)
      product += sum * Double(value)
      square += sum * sum
    }
    return square > 0 ? product / square.squareRoot() : -1
  }
}
