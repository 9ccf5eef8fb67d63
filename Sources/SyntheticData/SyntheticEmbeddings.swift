public import LinearAlgebra
internal import RandomNumbers

/// Labelled unit vectors to cluster, for benchmarks and demonstrations, as large as one likes.
///
/// What makes real embeddings hard is imitated: cluster sizes have a long tail; clusters lie in
/// neighbourhoods of look-alikes, some of which are tight and some loose, so that no single
/// threshold separates them all; within a cluster a few points lie far out. Of 20,000 points in 128
/// dimensions with the default options (seeds 1 and 2), 98 %, 95 % and 90 % of the 1, 5 and 10
/// nearest neighbours share a point's identity, where 93 % of 10 is the most that the sizes allow;
/// the components of the graph of 10 neighbours have a pairwise F of 0.54 and 0.60 at the best
/// threshold on the cosine, and of 0.72 and 0.75 at the best number of shared neighbours.
///
///     x = u + s α v + s t r w,  then divided by its norm
///
/// with random vectors u of the neighbourhood (8 clusters), v of the cluster and w of the point,
/// of expected squared length 1; s the neighbourhood's spread, (1 − y²) s₀ + y² s₁ for uniform y
/// and `spread` = s₀...s₁; α = 0.7; t the cluster's share of it, uniform in 0.7...1.3; and r the
/// point's distance, 0.7 + 0.2 (1/√y − 1) for uniform y > 0.0001.
///
/// A cluster is a singleton with probability `singletonShare`; otherwise its size is
/// 2 + ⌊λ (1/√y − 1)⌋ for uniform y > 0.0004, with λ such that sizes have the mean that is asked
/// for. The last cluster is cut to fit.
///
/// **A row depends on the options, its split and its index alone**, and no mathematical library is
/// used: each rank makes its own slice, and the rows have the same bits for every number of ranks
/// and on every machine. Points are in pseudo-random order, clusters scattered over all ranks.
public struct SyntheticEmbeddings: Sendable {
  /// Which points a model learns from, and which it is tested on. They share no identity.
  public enum Split: String, CaseIterable, Codable, Sendable {
    case train, test
  }

  public let options: Options
  private let train: Layout
  private let test: Layout

  /// - Complexity: O(clusters) time and memory, the same on every rank: 8 bytes per cluster.
  public init(_ options: Options) {
    self.options = options
    let testCount = Int((Double(options.points) * options.testShare).rounded())
    train = Layout(
      rowCount: options.points - testCount, of: .train, firstLabel: 0, options: options)
    test = Layout(
      rowCount: testCount, of: .test, firstLabel: train.clusterCount, options: options)
  }

  /// The number of rows of one split; both together have `options.points`.
  public func rowCount(of split: Split) -> Int { layout(of: split).rowCount }

  /// The number of identities of one split, singletons included.
  public func clusterCount(of split: Split) -> Int { layout(of: split).clusterCount }

  /// The identities of the given rows: 0 ..< C in the training split, from C on in the other.
  ///
  /// - Precondition: The range lies in 0 ..< ``rowCount(of:)``.
  public func labels(_ range: Range<Int>, of split: Split) -> [Int64] {
    let layout = layout(of: split)
    layout.check(range)
    return range.map { Int64(layout.firstLabel + layout.cluster(ofRow: $0).cluster) }
  }

  /// The given rows, each of norm 1 up to rounding. Shape `[range.count × dimensions]`.
  ///
  /// - Precondition: The range lies in 0 ..< ``rowCount(of:)``.
  /// - Complexity: O(range × dimensions); 100,000 × 128 take one core about 0.2 s. Twice the size of
  ///   the result in memory.
  public func rows(_ range: Range<Int>, of split: Split) -> Matrix {
    let layout = layout(of: split)
    layout.check(range)
    var elements: [Float] = []
    elements.reserveCapacity(range.count * options.dimensions)
    var row = Array(repeating: 0.0, count: options.dimensions)
    for index in range {
      let (cluster, point) = layout.cluster(ofRow: index)
      let squaredNorm = fill(&row, cluster: cluster, point: point, of: split)
      let scale = 1 / squaredNorm.squareRoot()
      for value in row { elements.append(Float(value * scale)) }
    }
    return Matrix(rows: range.count, columns: options.dimensions, elements: elements)
  }

  private func layout(of split: Split) -> Layout { split == .train ? train : test }

  /// Writes a point's vector, not normalised; returns its squared norm, which is not 0.
  private func fill(
    _ row: inout [Double], cluster: Int, point: Int, of split: Split
  ) -> Double {
    func stream(_ purpose: RandomStream.Purpose, _ index: Int) -> RandomStream {
      RandomStream(seed: options.seed, purpose, of: split, index: index)
    }
    var neighborhood = stream(.neighborhood, cluster / Self.neighborhoodSize)
    var center = stream(.cluster, cluster)
    var noise = stream(.point, point)
    let looseness = neighborhood.uniform()
    let share = 0.7 + 0.6 * center.uniform()
    let distance = 0.7 + 0.2 * noise.longTailed(limitRoot: 0.01)
    let (tight, loose) = (options.spread.lowerBound, options.spread.upperBound)
    let spread = tight + (loose - tight) * looseness * looseness
    let centerSpread = spread * Self.centerDistance
    let pointSpread = spread * share * distance
    var squaredNorm = 0.0
    for column in row.indices {
      let value =
        neighborhood.normal() + centerSpread * center.normal() + pointSpread * noise.normal()
      row[column] = value
      squaredNorm += value * value
    }
    if squaredNorm == 0 {
      row[0] = 1
      return 1
    }
    return squaredNorm
  }

  /// Clusters that look alike.
  private static let neighborhoodSize = 8
  /// α: how far apart the clusters of a neighbourhood are, as a share of their spread.
  private static let centerDistance = 0.7
}

/// Which rows of a split belong to which cluster.
private struct Layout: Sendable {
  /// The first label of the split; its clusters are counted from 0.
  let firstLabel: Int
  /// Where each cluster's points begin, before the rows are put in random order.
  /// Shape `[clusterCount + 1]`, ascending from 0 to the number of rows.
  private let starts: [Int]
  private let order: PseudorandomPermutation

  var rowCount: Int { starts[starts.count - 1] }
  var clusterCount: Int { starts.count - 1 }

  init(
    rowCount: Int, of split: SyntheticEmbeddings.Split, firstLabel: Int,
    options: SyntheticEmbeddings.Options
  ) {
    self.firstLabel = firstLabel
    order = PseudorandomPermutation(
      count: rowCount, RandomStream(seed: options.seed, .order, of: split))
    // The mean of the others such that with the singletons all have the mean; a size rounded down
    // loses about 1/2, and cutting the tail off at c loses (1 − c) / (1 + c).
    let c = 0.02
    let othersMean =
      (options.meanClusterSize - options.singletonShare) / (1 - options.singletonShare)
    let scale = (othersMean - 1.5) * (1 + c) / (1 - c)
    var random = RandomStream(seed: options.seed, .clusterSizes, of: split)
    var starts = [0]
    var count = 0
    while count < rowCount {
      let isSingleton = random.uniform() <= options.singletonShare
      let excess = random.longTailed(limitRoot: c) * scale
      count = min(rowCount, count + (isSingleton ? 1 : 2 + Int(excess)))
      starts.append(count)
    }
    self.starts = starts
  }

  func check(_ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rowCount, "rows \(range) of \(rowCount)")
  }

  /// The cluster of a row, and which point of the split it is: points are in order of clusters.
  func cluster(ofRow row: Int) -> (cluster: Int, point: Int) {
    let point = order[row]
    var (first, end) = (0, clusterCount)
    while end - first > 1 {
      let middle = (first + end) / 2
      if starts[middle] <= point { first = middle } else { end = middle }
    }
    return (first, point)
  }
}
