public import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// The clusters of a fit, merged two at a time by average linkage until one is left. Replicated.
///
/// How similar two clusters are is the mean cosine similarity of all pairs of their points, which follows from the means u
/// of their directions:
///
///     a(C, C′) = u · u′,   u of a merge = (|C| u + |C′| u′) / (|C| + |C′|)
public struct ClusterTree: Encodable, Equatable, Sendable {
  /// Two clusters that become one: those of the fit are 0 ..< K, merge i makes cluster K + i.
  public struct Merge: Codable, Equatable, Sendable {
    /// The lower number of both, and the other.
    public var first: Int
    public var second: Int
    /// In −1 ... 1, and no more than that of the merge before.
    public var similarity: Double
    public var pointCount: Int
    /// How many clusters of the fit it holds.
    public var clusterCount: Int
  }

  /// Points of the fit's K clusters.
  public let pointCounts: [Int]
  /// The most similar clusters first. Shape `[max(K − 1, 0)]`.
  public let merges: [Merge]

  /// > Collective: over `communicator`. Four rounds: 8 bytes for each column of a cluster, to and from every rank.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if a number below K has no points.
  /// - Complexity: O(K² · columns) on every rank, by chains of nearest neighbours [Murtagh 1983]; 24 bytes for each column
  ///   of a cluster.
  public init(of fit: FittedClustering, on communicator: some Communicator) throws {
    var means = try ClusterMeans(of: fit, on: communicator)
    pointCounts = means.counts
    let found = means.mergeAll()
    var groups = DisjointSets(count: pointCounts.count)
    // Of the root of every group its number and points.
    var number = Array(pointCounts.indices)
    var points = pointCounts
    var clusters = Array(repeating: 1, count: pointCounts.count)
    // A chain finds merges in another order.
    merges = found.indices.sorted { (found[$1].similarity, $0) < (found[$0].similarity, $1) }
      .enumerated().map { [count = pointCounts.count] place, index in
        let ends = [groups.root(of: found[index].first), groups.root(of: found[index].second)]
        let numbers = ends.map { number[$0] }.sorted()
        let root = groups.unite(ends[0], ends[1])
        number[root] = count + place
        points[root] = points[ends[0]] + points[ends[1]]
        clusters[root] = clusters[ends[0]] + clusters[ends[1]]
        return Merge(
          first: numbers[0], second: numbers[1],
          // Rounding may leave that of equal directions above 1.
          similarity: min(max(found[index].similarity, -1), 1),
          pointCount: points[root], clusterCount: clusters[root])
      }
  }

  /// What each of the fit's clusters becomes after the first merges: 0, 1, 2, … by the lowest of its clusters.
  public func clusters(afterMerges count: Int) -> [Int] {
    var groups = DisjointSets(count: pointCounts.count)
    // A cluster of the fit in every cluster.
    var member = Array(pointCounts.indices)
    for merge in merges.prefix(count) {
      member.append(groups.unite(member[merge.first], member[merge.second]))
    }
    return groups.numbers
  }

  /// As text: leaves are numbers of the fit's clusters, heights are 1 − similarity.
  public var newick: String {
    enum Piece {
      case node(Int, parent: Int?)
      case text(String)
    }
    let leafCount = pointCounts.count
    func height(_ node: Int) -> Double {
      node < leafCount ? 0 : 1 - merges[node - leafCount].similarity
    }
    // A tree may be as deep as it has leaves.
    var open: [Piece] = leafCount > 0 ? [.node(leafCount + merges.count - 1, parent: nil)] : []
    var text: [String] = []
    while let piece = open.popLast() {
      switch piece {
      case .text(let piece): text.append(piece)
      case .node(let node, let parent):
        let length = parent.map { ":\(height($0) - height(node))" } ?? ""
        guard node >= leafCount else {
          text.append("\(node)\(length)")
          continue
        }
        let merge = merges[node - leafCount]
        text.append("(")
        open += [
          .text(")\(length)"), .node(merge.second, parent: node), .text(","),
          .node(merge.first, parent: node),
        ]
      }
    }
    return text.joined() + ";\n"
  }
}

extension FittedClustering {
  /// What each cluster becomes if those of fewer points join others: 0, 1, 2, … by the lowest of its clusters.
  ///
  /// The smallest cluster, of equal ones the lowest, joins the one that is most similar by average linkage, as long as
  /// one is too small. Points without a direction, which are similar to none, stay as they are.
  ///
  /// > Collective: over `communicator`. Four rounds: 8 bytes for each column of a cluster, to and from every rank.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if a number of a cluster has no points.
  /// - Complexity: O(s · K · columns) on every rank for s of K clusters that are too small.
  public func clusters(
    ofAtLeast pointCount: Int, on communicator: some Communicator
  ) throws -> [Int] {
    var means = try ClusterMeans(of: self, on: communicator)
    var groups = DisjointSets(count: means.counts.count)
    means.leaveOutDirectionless()
    while means.alive.count > 1 {
      let smallest = means.alive.min { (means.counts[$0], $0) < (means.counts[$1], $1) }!
      guard means.counts[smallest] < pointCount else { break }
      let nearest = means.nearest(to: smallest)
      means.merge(smallest, nearest.cluster)
      groups.unite(smallest, nearest.cluster)
    }
    return groups.numbers
  }
}

/// The means of the directions of clusters' points. Replicated.
private struct ClusterMeans {
  private(set) var counts: [Int]
  /// Clusters that have not merged into lower ones, ascending.
  private(set) var alive: [Int]
  /// Of every cluster its columns, eight at a time, filled up with zeros.
  private var columns: [SIMD8<Double>]
  private let width: Int

  init(of fit: FittedClustering, on communicator: some Communicator) throws {
    let (clusterCount, dimensions) = (fit.settings.clusterCount, fit.settings.dimensions)
    // Whole numbers, so that the bits do not depend on ranks.
    let unit = FixedPoint(summing: fit.points.nodeCount, valuesUpTo: 1)
    var here = FixedPointSums(rowCount: clusterCount, width: dimensions, [unit])
    let labels = try fit.nodeLabels(on: communicator)
    for tile in labels.indices.tiles(of: 1024) {
      here.add(
        fit.rows.copy(ofRows: tile), Array(0..<tile.count), times: Array(fit.memberCounts[tile]),
        to: labels[tile].map { Int($0) })
    }
    var sizes = Array(repeating: Int64(0), count: clusterCount)
    for label in fit.labels { sizes[Int(label)] += 1 }
    let sums = try communicator.sums(here.sums)
    counts = try communicator.sums(sizes).map { Int($0) }
    let emptyCount = counts.count { $0 == 0 }
    guard emptyCount == 0 else {  // on every rank
      throw AgreedFailure(
        reason:
          "\(emptyCount) of the run's \(clusterCount) numbers of clusters have no points, as highland update leaves "
          + "where clusters merge; a tree needs a run of highland update --renumber")
    }
    alive = Array(0..<clusterCount)
    width = (dimensions + 7) / 8
    columns = Array(repeating: .zero, count: clusterCount * width)
    for cluster in 0..<clusterCount {
      for column in 0..<dimensions {
        columns[cluster * width + column / 8][column % 8] =
          Double(sums[cluster * dimensions + column]) / unit.scale / Double(counts[cluster])
      }
    }
  }

  /// Clusters whose points have no direction merge with none from now on.
  mutating func leaveOutDirectionless() {
    alive = alive.filter { cluster in
      columns[cluster * width..<(cluster + 1) * width].contains { $0 != .zero }
    }
  }

  private func similarity(_ first: Int, _ second: Int) -> Double {
    var sum = SIMD8<Double>.zero
    for place in 0..<width {
      sum += columns[first * width + place] * columns[second * width + place]
    }
    return sum.sum()
  }

  /// The most similar of the others, of equal ones the lowest, unless another is as similar.
  func nearest(
    to cluster: Int, orElse preferred: Int? = nil
  ) -> (cluster: Int, similarity: Double) {
    var best = (
      cluster: preferred ?? -1, similarity: preferred.map { similarity(cluster, $0) } ?? -.infinity
    )
    for other in alive where other != cluster {
      let found = similarity(cluster, other)
      if found > best.similarity { best = (other, found) }
    }
    return best
  }

  /// The lower of two clusters becomes both.
  mutating func merge(_ first: Int, _ second: Int) {
    let (kept, gone) = (min(first, second), max(first, second))
    let share = Double(counts[gone]) / Double(counts[kept] + counts[gone])
    for place in 0..<width {
      columns[kept * width + place] =
        columns[kept * width + place] * (1 - share) + columns[gone * width + place] * share
    }
    counts[kept] += counts[gone]
    alive.remove(at: alive.firstIndex(of: gone)!)
  }

  /// Merges everything; each merge is named by one cluster of both sides.
  ///
  /// A chain goes from a cluster to its most similar one, until two are most similar to each other: average linkage would
  /// merge these sooner or later, so they are merged now.
  mutating func mergeAll() -> [(first: Int, second: Int, similarity: Double)] {
    var chain: [Int] = []
    var merges: [(first: Int, second: Int, similarity: Double)] = []
    while alive.count > 1 {
      if chain.isEmpty { chain.append(alive[0]) }
      let (last, before) = (chain[chain.count - 1], chain.dropLast().last)
      let best = nearest(to: last, orElse: before)
      guard best.cluster == before else {
        chain.append(best.cluster)
        continue
      }
      chain.removeLast(2)
      merge(last, best.cluster)
      merges.append((last, best.cluster, best.similarity))
    }
    return merges
  }
}
