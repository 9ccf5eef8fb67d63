public import Communication
internal import RandomNumbers

/// How well one labeling of N points agrees with another: pairwise and BCubed precision, recall
/// and F, NMI, ARI, and the sizes of the clusters of both.
///
/// Points are counted into cells, nᵢⱼ = how many points have truth i and prediction j; sizes are
/// aᵢ = Σⱼ nᵢⱼ and bⱼ = Σᵢ nᵢⱼ. Every measure follows from a few tables of integers: how many cells
/// of each size there are, how many clusters of each size, and Σ n² over the cells in clusters of
/// each size (see ``ClusteringMetrics``). Integers are summed exactly, and the tables, identical on
/// all ranks, are turned into floating-point numbers in the order of their keys. **The result has
/// the same bits for every number of ranks and every distribution of the points.**
///
/// > Collective: over `communicator`. 12 rounds, no loop: the lengths; every rank's cells to the
/// > owner of their predicted cluster; per rank and true cluster 24 bytes to its owner; the tables,
/// > of at most √(2N) entries each, to every rank.
///
/// - Parameters:
///   - truth: The true labels of this rank's points. Any values; only equality counts.
///   - predicted: The predicted labels of the same points, in the same order.
/// - Returns: The same on every rank.
/// - Throws: On every rank, the same ``LabelComparisonError`` if the lengths differ on any rank; what
///   the communicator throws.
/// - Complexity: O(N/P) time and memory per rank, and for the owner of a cluster up to P times the
///   number of clusters that it meets: equal pairs are counted together before they travel, so that
///   a giant cluster does not bring all its points to one rank. 10 million points take one rank
///   about 1.4 s with clusters of 20 and one wrong label in ten, 0.3 s with clusters of 10,000, and
///   6 s if all are singletons.
public func compareLabels(
  truth: [Int64], predicted: [Int64], on communicator: some Communicator
) throws -> ClusteringMetrics {
  let pointCount = try agreedPointCount(truth, predicted, on: communicator)
  let cells = try labelPairs(truth, predicted, on: communicator)

  var truthClusters = Tally<Int64, ClusterSums>()
  var predictedClusters = Tally<Int64, ClusterSums>()  // complete: its cells are all here
  for cell in cells.entries {
    truthClusters.add(ClusterSums(cell: cell.sum), to: cell.key.truth)
    predictedClusters.add(ClusterSums(cell: cell.sum), to: cell.key.predicted)
  }
  truthClusters = try truthClusters.gatheredByOwner({ $0.mixedBits }, on: communicator)

  return ClusteringMetrics(
    pointCount: pointCount,
    cells: try sizeTable(cells.entries.lazy.map { ClusterSums(cell: $0.sum) }, on: communicator),
    truth: try sizeTable(truthClusters.entries.lazy.map(\.sum), on: communicator),
    predicted: try sizeTable(predictedClusters.entries.lazy.map(\.sum), on: communicator))
}

/// Why two labelings cannot be compared.
public enum LabelComparisonError: Error, Equatable, CustomStringConvertible {
  /// The first rank whose two labelings have different lengths, and these.
  case unequalLengths(rank: Rank, truth: Int, predicted: Int)

  public var description: String {
    switch self {
    case .unequalLengths(let rank, let truth, let predicted):
      "rank \(rank.index) has \(truth) true labels, but \(predicted) predicted ones"
    }
  }
}

/// How many points have each pair of labels, at the owner of the predicted one.
///
/// > Collective: two rounds: 8 bytes per pair of ranks, then 24 for each pair of labels.
func labelPairs(
  _ truth: [Int64], _ predicted: [Int64], on communicator: some Communicator
) throws -> Tally<LabelPair, Int> {
  var cells = Tally<LabelPair, Int>(capacity: truth.count)
  for index in truth.indices {
    cells.add(1, to: LabelPair(truth: truth[index], predicted: predicted[index]))
  }
  return try cells.gatheredByOwner({ $0.predicted.mixedBits }, on: communicator)
}

/// The number of points of all ranks; throws on all if a rank's labelings differ in length.
///
/// > Collective: two rounds, 8 bytes per rank to every rank.
func agreedPointCount(
  _ truth: [Int64], _ predicted: [Int64], on communicator: some Communicator
) throws -> Int {
  let truthCounts = try communicator.gatherOne(truth.count)
  let predictedCounts = try communicator.gatherOne(predicted.count)
  for rank in communicator.ranks where truthCounts[rank.index] != predictedCounts[rank.index] {
    throw LabelComparisonError.unequalLengths(
      rank: rank, truth: truthCounts[rank.index], predicted: predictedCounts[rank.index])
  }
  return truthCounts.reduce(0, +)
}

/// What clusters of each size add up to, over all ranks; ascending by size.
///
/// > Collective: two rounds: 8 bytes per rank, then one entry per size that occurs on a rank.
@inline(__always)  // else the sequence is not known where it runs: several times slower
private func sizeTable(
  _ clusters: some Sequence<ClusterSums>, on communicator: some Communicator
) throws -> [SizeClass] {
  var table = Tally<Int, SizeSums>()
  for cluster in clusters {
    table.add(SizeSums(clusters: 1, squares: cluster.squares), to: cluster.size)
  }
  return try table.replicated(on: communicator).entries
    .map { SizeClass(size: $0.key, clusterCount: $0.sum.clusters, squares: $0.sum.squares.value) }
    .sorted { $0.size < $1.size }
}

/// The place of a point in the contingency table.
struct LabelPair: TallyKey {
  var truth: Int64
  var predicted: Int64

  var mixedBits: UInt64 { mixed(truth.mixedBits ^ UInt64(bitPattern: predicted)) }
}

/// Sums over the cells of one cluster.
private struct ClusterSums: Message, AdditiveArithmetic {
  /// Σ n: how many points the cluster has.
  var size: Int
  /// Σ n².
  var squares: SumOfSquares

  static let zero = ClusterSums(size: 0, squares: .zero)
  static func + (a: Self, b: Self) -> Self {
    ClusterSums(size: a.size + b.size, squares: a.squares + b.squares)
  }
  static func - (a: Self, b: Self) -> Self {
    ClusterSums(size: a.size - b.size, squares: a.squares - b.squares)
  }
}

extension ClusterSums {
  init(cell n: Int) { self.init(size: n, squares: SumOfSquares(Int128(n) * Int128(n))) }
}

/// Sums over the clusters of one size.
private struct SizeSums: Message, AdditiveArithmetic {
  var clusters: Int
  var squares: SumOfSquares

  static let zero = SizeSums(clusters: 0, squares: .zero)
  static func + (a: Self, b: Self) -> Self {
    SizeSums(clusters: a.clusters + b.clusters, squares: a.squares + b.squares)
  }
  static func - (a: Self, b: Self) -> Self {
    SizeSums(clusters: a.clusters - b.clusters, squares: a.squares - b.squares)
  }
}

/// 128 bits as two words: an `Int128` is aligned to 16 bytes, which would make an entry per cluster
/// half as large again.
private struct SumOfSquares: BitwiseCopyable, Hashable {
  private var low: UInt64
  private var high: Int64

  init(_ value: Int128) {
    low = UInt64(truncatingIfNeeded: value)
    high = Int64(truncatingIfNeeded: value >> 64)
  }

  var value: Int128 { Int128(high) << 64 | Int128(low) }

  static let zero = SumOfSquares(0)
  static func + (a: Self, b: Self) -> Self { SumOfSquares(a.value + b.value) }
  static func - (a: Self, b: Self) -> Self { SumOfSquares(a.value - b.value) }
}
