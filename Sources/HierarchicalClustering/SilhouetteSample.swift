internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism
internal import RandomNumbers

/// Nodes of level 0 by which clusterings are compared: all of them, or about ``size``.
///
/// A clustering's score is the mean over points of
///
///     (a − b) / max(1 − a, 1 − b),   0 for the only point of a cluster
///
/// Here a is the mean similarity to the other points of the cluster, and b the largest mean similarity to
/// the points of another cluster. Unlike ``Level/silhouette(of:over:using:on:)``, all clusters are looked
/// at, so scores do not depend on how many neighbours a point has.      [Rousseeuw 1987]
struct SilhouetteSample: Sendable {
  /// Owned. Places of the nodes.
  private let places: [Int]
  /// Replicated. How many nodes each rank has, and the rows of all of them.
  private let counts: [Int]
  private let rows: Matrix

  /// A score of so many nodes has a standard error below 0.003.
  static let size = 20_000

  /// > Collective: over `communicator`. Every row of the sample to every rank.
  ///
  /// - Parameter names: Owned. What decides which nodes are taken.
  init(of level: Level, names: [UInt64], on communicator: some Communicator) throws {
    let share = Double(Self.size) / Double(max(level.nodes.nodeCount, 1))
    let rows = level.rows.directions
    // Rows of zeros have the same name, and are similar to nothing.
    places = names.indices.filter {
      share >= 1
        || !rows.isZero($0) && Double(mixed(names[$0] ^ 0x51_1C0_E77E) >> 11) * 0x1p-53 < share
    }
    counts = try communicator.gatherOne(places.count)
    self.rows = try communicator.allGather(rows: rows.copy(ofRows: places), counts: counts)
  }

  /// What a rank knows of a node by the clusters it owns.
  private struct Sight: Message {
    /// The node's cluster; no points if this rank does not own it.
    var ownSimilarity = 0.0
    var ownSize = Int64(0)
    /// Of the most similar other cluster.
    var otherSimilarity = -Double.infinity

    /// 0 for the only point of a cluster, and where there is no other cluster.
    var silhouette: Double {
      guard ownSize > 1, otherSimilarity > -.infinity else { return 0 }
      // Without the point itself, to which it has a similarity of 1.
      let a = (Double(ownSize) * ownSimilarity - 1) / Double(ownSize - 1)
      let largest = max(1 - a, 1 - otherSimilarity)
      return largest > 0 ? (a - otherSimilarity) / largest : 0
    }
  }

  /// The score of the clusters that are a level's nodes.
  ///
  /// Added up as integers: the same bits on any number of ranks.
  ///
  /// > Collective: over `communicator`. 8 bytes per node of the sample to every rank, and 24 back.
  ///
  /// - Parameters:
  ///   - memberCounts: Owned. How many points each node of level 0 stands for.
  ///   - cluster: Owned. The cluster of each node of level 0.
  ///   - clusters: The clusters, with means of directions.
  /// - Complexity: O(sample · clusters · columns), shared among the ranks.
  func score(
    memberCounts: [Int64], cluster: [GlobalNode], _ clusters: Level, using workers: Workers,
    on communicator: some Communicator
  ) throws -> Double {
    let owned = clusters.nodes.owned(by: communicator.rank)
    let own = try communicator.allGather(places.map { cluster[$0] }).values
    let means = clusters.rows.averages
    let others = nearestSimilarities(
      of: rows, named: own, among: StoredRows(means), named: owned.map { GlobalNode($0) },
      listLength: 1,
      using: workers)
    let (points, centers, width) = unsafe (
      rows.sharedRows(), means.sharedRows(), rows.columnCount
    )
    let sights = [Sight](
      count: own.count, tilesOf: 256, using: workers, filledWith: Sight()
    ) { nodes, sights in
      for node in nodes {
        var sight = Sight()
        sight.otherSimilarity = Double(others[node])
        let place = Int(own[node].index) - owned.lowerBound
        if owned.contains(Int(own[node].index)) {
          let (row, mean) = unsafe (points[node], centers[place])
          for column in 0..<width {
            unsafe sight.ownSimilarity += Double(row[column]) * Double(mean[column])
          }
          sight.ownSize = clusters.memberCounts[place]
        }
        sights[node - nodes.lowerBound] = sight
      }
    }
    let arrived = try communicator.exchange(
      Buckets(values: sights, counts: counts),
      receiving: Array(repeating: places.count, count: communicator.size))
    var sum = ScoreSum()
    for (index, place) in places.enumerated() {
      var whole = Sight()
      for rank in communicator.ranks {
        let part = arrived[rank][arrived[rank].startIndex + index]
        if part.ownSize > 0 {
          (whole.ownSimilarity, whole.ownSize) = (part.ownSimilarity, part.ownSize)
        }
        whole.otherSimilarity = max(whole.otherSimilarity, part.otherSimilarity)
      }
      sum.points += memberCounts[place]
      sum.value += Int64((whole.silhouette * 0x1p32).rounded()) * memberCounts[place]
    }
    let all = try communicator.allReduce(sum) {
      ScoreSum(value: $0.value + $1.value, points: $0.points + $1.points)
    }
    return all.points > 0 ? Double(all.value) / 0x1p32 / Double(all.points) : 0
  }

  private struct ScoreSum: Message {
    var value = Int64(0)
    var points = Int64(0)
  }
}
