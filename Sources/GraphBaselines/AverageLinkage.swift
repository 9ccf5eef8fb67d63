public import Communication
public import DistributedGraphs
public import LinearAlgebra
internal import NeighborSearch
public import Parallelism

/// The dendrogram of average linkage by cosine similarity, exactly: of all pairs of points, not only of neighbours.
///
/// The similarity of two clusters is the mean over their pairs of points, which is the product of the means of their
/// unit rows. In every round all pairs of clusters merge that are each other's nearest. Average linkage is
/// reducible: a merge brings no cluster nearer to a third than both were. So these merges are those of the usual
/// order, by falling similarity, and only clusters whose nearest has merged search again.
/// [Müllner 2011, arXiv:1109.2378, for reciprocal neighbours]
public struct AverageLinkage: Sendable {
  /// Two clusters that became one.
  public struct Merge: Message, Hashable {
    /// The first point of each; that of `first` is before that of `second`.
    public var first: GlobalNode
    public var second: GlobalNode
    /// The mean similarity of their pairs of points.
    public var similarity: Float
  }

  /// Which rank owns which points.
  public let points: NodePartition
  /// Owned. Those whose first point this rank owns; over all ranks one less than there are points.
  public let merges: [Merge]

  /// > Collective: over `communicator`. Per round three reductions of some bytes, the mean of every cluster that searches
  /// > to every rank and 16 bytes back from each, three words per cluster, and 8 bytes per column for every merge.
  ///
  /// - Parameters:
  ///   - rows: Owned. Unit rows. Shape `[pointCount × columns]`.
  ///   - progress: Called on every rank with the share of the merges that are done, in 0 ... 1.
  /// - Complexity: In practice a small multiple of n² · columns flops on all ranks together; at most n times as many.
  ///   16 bytes per column and owned point.
  public init(
    of rows: StoredRows, in points: NodePartition, using workers: Workers = Workers(),
    on communicator: some Communicator, progress: (Double) throws -> Void = { _ in }
  ) throws {
    var clusters = MergingClusters(rows, first: points.owned(by: communicator.rank).lowerBound)
    var merges: [Merge] = []
    var isMerging = true
    while isMerging {
      let searchedAll = try clusters.searchNearest(using: workers, on: communicator)
      let pairs = try clusters.reciprocalPairs(in: points, on: communicator)
      if try communicator.any(!pairs.isEmpty) {
        merges += try clusters.merge(pairs, in: points, on: communicator)
        let mergeCount = try communicator.sum(merges.count)
        try progress(Double(mergeCount) / Double(max(points.nodeCount - 1, 1)))
      } else {
        // If all have searched just now, two of the most similar are each other's nearest; else rounding has
        // brought a cluster nearer than it was known to be.
        isMerging = !searchedAll
        clusters.forgetNearest()
      }
    }
    self.points = points
    self.merges = merges
  }

  /// The clusters in which the mean similarity of any two is not above a threshold: the first point of its
  /// cluster for every owned point.
  ///
  /// > Collective: over `communicator`, as ``connectedComponents(_:in:on:)``.
  public func clusters(
    above threshold: Double, on communicator: some Communicator
  ) throws -> [GlobalNode] {
    try connectedComponents(
      merges.filter { Double($0.similarity) > threshold }.map { ($0.first, $0.second) }, in: points,
      on: communicator)
  }
}

/// This rank's clusters while they merge: each is where its first point is.
private struct MergingClusters {
  /// The first owned point.
  private let first: Int
  /// Owned points. Sums of unit rows. Shape `[ownedCount × columns]`.
  private var sums: [Double]
  /// Owned points. How many points each cluster has.
  private var counts: [Int]
  /// Owned points. The means, rounded. Shape `[ownedCount × columns]`.
  private var means: Matrix
  /// The owned points that are first in a cluster, ascending.
  private var active: [Int]
  /// Owned points. The nearest other cluster of each, which is known unless it is stale.
  private var nearest: [Partner]
  private var isStale: [Bool]

  init(_ rows: StoredRows, first: Int) {
    self.first = first
    means = rows.copy(ofRows: 0..<rows.rowCount)
    sums = means.elements.map(Double.init)
    counts = Array(repeating: 1, count: rows.rowCount)
    active = Array(0..<rows.rowCount)
    nearest = Array(repeating: .none, count: rows.rowCount)
    isStale = Array(repeating: true, count: rows.rowCount)
  }

  private func name(_ place: Int) -> GlobalNode { GlobalNode(first + place) }

  mutating func forgetNearest() { for place in active { isStale[place] = true } }

  /// The nearest of every cluster for which it is not known.
  ///
  /// > Collective: over `communicator`, as ``bestPartners(of:asking:among:named:by:using:on:)``.
  ///
  /// - Returns: Replicated. Whether all clusters searched.
  mutating func searchNearest(
    using workers: Workers, on communicator: some Communicator
  ) throws -> Bool {
    let asking = active.filter { isStale[$0] }
    let names = active.map(name)
    let found = try bestPartners(
      of: means.copy(ofRows: asking), asking: asking.map(name),
      among: active.count == means.rowCount ? means : means.copy(ofRows: active), named: names,
      by: MostSimilarOther(names: names), using: workers, on: communicator)
    for (place, partner) in zip(asking, found) {
      nearest[place] = partner
      isStale[place] = false
    }
    return try communicator.all(asking.count == active.count)
  }

  /// The owned clusters whose nearest has them as its nearest.
  ///
  /// > Collective: over `communicator`. A fetch of a word per cluster.
  func reciprocalPairs(
    in points: NodePartition, on communicator: some Communicator
  ) throws -> [Int] {
    let asked = active.filter { nearest[$0] != .none }
    let nearestOfNearest = try points.fetch(
      nearest.map(\.node), at: asked.map { nearest[$0].node }, on: communicator)
    return zip(asked, nearestOfNearest).filter { $1 == name($0) }.map(\.0)
  }

  /// Merges clusters with their nearest.
  ///
  /// > Collective: over `communicator`. A fetch of a byte per cluster, and 8 bytes per column for every merge.
  ///
  /// - Parameter pairs: Those of ``reciprocalPairs(in:on:)``.
  /// - Returns: The merges of which this rank owns the first point.
  mutating func merge(
    _ pairs: [Int], in points: NodePartition, on communicator: some Communicator
  ) throws -> [AverageLinkage.Merge] {
    var isMerging = Array(repeating: false, count: counts.count)
    for place in pairs { isMerging[place] = true }
    let others = active.filter { !isMerging[$0] && nearest[$0] != .none }
    let hasMerged = try points.fetch(
      isMerging, at: others.map { nearest[$0].node }, on: communicator)
    for (place, hasMerged) in zip(others, hasMerged) where hasMerged { isStale[place] = true }

    let width = means.columnCount
    let leaving = pairs.filter { nearest[$0].node < name($0) }
    let arrived = try points.deliver(
      leaving.flatMap { sums[$0 * width..<($0 + 1) * width] + [Double(counts[$0])] },
      width: width + 1, to: leaving.map { nearest[$0].node }, on: communicator)
    var hasLeft = Array(repeating: false, count: counts.count)
    for place in leaving { hasLeft[place] = true }
    active.removeAll { hasLeft[$0] }
    return arrived.nodes.enumerated().map { row, node in
      let place = Int(node.index) - first
      let from = row * (width + 1)
      counts[place] += Int(arrived.rows[from + width])
      for column in 0..<width {
        sums[place * width + column] += arrived.rows[from + column]
        means[place, column] = Float(sums[place * width + column] / Double(counts[place]))
      }
      isStale[place] = true
      return AverageLinkage.Merge(
        first: node, second: nearest[place].node, similarity: nearest[place].value)
    }
  }
}

/// The most similar of all clusters but the one that asks.
private struct MostSimilarOther: PartnerRule {
  /// Those of the rows of this rank.
  let names: [GlobalNode]

  func value(of query: GlobalNode, with row: Int, similarity: Float) -> Float {
    names[row] == query ? -.infinity : similarity
  }
}
