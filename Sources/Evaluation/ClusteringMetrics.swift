internal import Glibc

/// How well a predicted labeling agrees with the true one, and what both look like.
///
/// Made by ``compareLabels(truth:predicted:on:)``. A quotient 0/0 is NaN here and `null` in JSON.
public struct ClusteringMetrics: Codable, Sendable {
  /// N, over all ranks.
  public var pointCount: Int
  /// Over all pairs of points: together in the prediction, together in truth.
  public var pairwise: PrecisionRecall
  /// Over all points: how much of its predicted cluster shares its truth, and the reverse.
  public var bcubed: PrecisionRecall
  /// Normalised mutual information; 1 for equal partitions, 0 for independent ones.
  public var nmi: Double
  /// Adjusted Rand index; 1 for equal partitions, 0 in expectation for random ones.
  public var ari: Double
  public var truth: ClusterCounts
  public var predicted: ClusterCounts
}

/// Precision, recall and their harmonic mean.
public struct PrecisionRecall: Sendable {
  public var precision: Double
  public var recall: Double
  /// 2pr / (p + r). NaN if one of them is, or if both are 0.
  public var f: Double { 2 * precision * recall / (precision + recall) }
}

/// How many clusters a labeling has, and how large they are.
public struct ClusterCounts: Codable, Sendable {
  public var clusterCount: Int
  /// Clusters of one point.
  public var singletonCount: Int
  public var sizes: SizeQuantiles
}

/// The distribution of cluster sizes, each cluster counted once.
///
/// Quantile q of K sizes lies at position q (K − 1) of the ascending list, linearly between
/// neighbours. Without clusters, `minimum` and `maximum` are 0 and the others NaN.
public struct SizeQuantiles: Sendable {
  public var minimum: Int
  public var q25: Double
  public var median: Double
  public var q75: Double
  public var q90: Double
  public var maximum: Int
  public var mean: Double
}

/// The clusters, or cells, of one size. Replicated.
package struct SizeClass {
  package var size: Int
  package var clusterCount: Int
  /// Σ n² over the cells of these clusters: up to N², more than 64 bits from 3 · 10⁹ points on.
  package var squares: Int128

  package init(size: Int, clusterCount: Int, squares: Int128) {
    self.size = size
    self.clusterCount = clusterCount
    self.squares = squares
  }
}

extension ClusteringMetrics {
  /// The measures, from what cells and clusters of each size add up to.
  ///
  ///     pairwise   TP = Σ n² − N,  precision = TP / (Σ b² − N),  recall = TP / (Σ a² − N)
  ///     BCubed     precision = 1/N Σ n²/b,  recall = 1/N Σ n²/a
  ///
  /// over ordered pairs of different points; [Amigó et al. 2009] for BCubed, where Σ n² is known
  /// per size b so that each size costs one division.
  ///
  /// - Parameters: `cells`, `truth`, `predicted`: one entry per size, ascending.
  package init(
    pointCount: Int, cells: [SizeClass], truth: [SizeClass], predicted: [SizeClass]
  ) {
    let n = Int128(pointCount)
    let both = cells.sumOfSquaredSizes
    let inTruth = truth.sumOfSquaredSizes
    let inPrediction = predicted.sumOfSquaredSizes
    self.pointCount = pointCount
    pairwise = PrecisionRecall(
      precision: Double(both - n) / Double(inPrediction - n),
      recall: Double(both - n) / Double(inTruth - n))
    bcubed = PrecisionRecall(
      precision: predicted.squaresPerSize / Double(n), recall: truth.squaresPerSize / Double(n))
    nmi = normalizedMutualInformation(
      pointCount: pointCount, cells: cells, truth: truth, predicted: predicted)
    ari = adjustedRandIndex(
      pointCount: pointCount, squares: (both: both, truth: inTruth, predicted: inPrediction))
    self.truth = ClusterCounts(truth)
    self.predicted = ClusterCounts(predicted)
  }
}

/// Mutual information over the mean of both entropies, in nats.
///
///     H(x) = log N − 1/N Σ x log x,   I = H(a) + H(b) − H(n),   NMI = 2 I / (H(a) + H(b))
///
/// As scikit-learn's `normalized_mutual_info_score`: 1 if both labelings have one cluster or none,
/// 0 if I is not above its own rounding error. The form with entropies, unlike the sum over cells
/// of n log(N n / a b), needs only how many cells of each size there are.
private func normalizedMutualInformation(
  pointCount: Int, cells: [SizeClass], truth: [SizeClass], predicted: [SizeClass]
) -> Double {
  if truth.clusterCount <= 1, predicted.clusterCount <= 1 { return 1 }
  let truthEntropy = truth.entropy(pointCount: pointCount)
  let predictedEntropy = predicted.entropy(pointCount: pointCount)
  let information = truthEntropy + predictedEntropy - cells.entropy(pointCount: pointCount)
  let roundingError = 8 * Double.ulpOfOne * max(1, log(Double(pointCount)))
  if information <= roundingError { return 0 }
  return min(1, information / ((truthEntropy + predictedEntropy) / 2))
}

/// The Rand index, moved and scaled so that random labelings of the same sizes have 0.
///
///     ARI = 2 (TP·TN − FN·FP) / ((TP + FN)(FN + TN) + (TP + FP)(FP + TN))
///
/// over ordered pairs, as scikit-learn's `adjusted_rand_score`: 1 for equal partitions, also where
/// the formula is 0/0. Exact up to the final division. [Hubert and Arabie 1985]
private func adjustedRandIndex(
  pointCount: Int, squares: (both: Int128, truth: Int128, predicted: Int128)
) -> Double {
  let truePositive = squares.both - Int128(pointCount)
  let falsePositive = squares.predicted - squares.both
  let falseNegative = squares.truth - squares.both
  let allPairs = Int128(pointCount) * Int128(pointCount - 1)
  let trueNegative = allPairs - truePositive - falsePositive - falseNegative
  if falsePositive == 0, falseNegative == 0 { return 1 }
  let agreement =
    PairProducts(truePositive, trueNegative) - PairProducts(falseNegative, falsePositive)
  let scale =
    PairProducts(truePositive + falseNegative, falseNegative + trueNegative)
    + PairProducts(truePositive + falsePositive, falsePositive + trueNegative)
  return 2 * agreement.value / scale.value
}

/// A sum of products of two numbers of pairs, exact: such a product needs 160 bits for 10¹² points.
private struct PairProducts {
  private var high: Int128
  private var low: UInt128

  init(_ a: Int128, _ b: Int128) { (high, low) = a.multipliedFullWidth(by: b) }

  static func + (a: Self, b: Self) -> Self {
    var sum = a
    let (low, carry) = a.low.addingReportingOverflow(b.low)
    sum.low = low
    sum.high = a.high + b.high + (carry ? 1 : 0)
    return sum
  }

  static func - (a: Self, b: Self) -> Self {
    var difference = a
    let (low, borrow) = a.low.subtractingReportingOverflow(b.low)
    difference.low = low
    difference.high = a.high - b.high - (borrow ? 1 : 0)
    return difference
  }

  /// Rounded once where 128 bits hold it.
  var value: Double {
    let word = Int128(truncatingIfNeeded: low)
    return high == (word < 0 ? -1 : 0) ? Double(word) : Double(high) * 0x1p128 + Double(low)
  }
}

extension [SizeClass] {
  fileprivate var clusterCount: Int { reduce(0) { $0 + $1.clusterCount } }

  fileprivate var sumOfSquaredSizes: Int128 {
    reduce(0) { $0 + Int128($1.clusterCount * $1.size) * Int128($1.size) }
  }

  /// Σ n² / size over the cells of all clusters.
  fileprivate var squaresPerSize: Double {
    reduce(0) { $0 + Double($1.squares) / Double($1.size) }
  }

  fileprivate func entropy(pointCount: Int) -> Double {
    let sum = reduce(0.0) { sum, these in
      sum + Double(these.clusterCount * these.size) * log(Double(these.size))
    }
    return log(Double(pointCount)) - sum / Double(pointCount)
  }
}

extension ClusterCounts {
  /// - Parameter sizes: Of all clusters, in any order.
  public init(sizes: [Int]) {
    var counts: [Int: Int] = [:]
    for size in sizes { counts[size, default: 0] += 1 }
    self.init(
      counts.sorted { $0.key < $1.key }.map {
        SizeClass(size: $0.key, clusterCount: $0.value, squares: Int128($0.key) * Int128($0.key))
      })
  }

  fileprivate init(_ table: [SizeClass]) {
    clusterCount = table.clusterCount
    singletonCount = table.first { $0.size == 1 }?.clusterCount ?? 0
    sizes = SizeQuantiles(table)
  }
}

extension SizeQuantiles {
  fileprivate init(_ table: [SizeClass]) {
    let clusterCount = table.clusterCount
    let pointCount = table.reduce(0) { $0 + $1.clusterCount * $1.size }

    /// The size at a place of the ascending list of all clusters' sizes.
    func size(at place: Int) -> Double {
      var before = 0
      for these in table {
        before += these.clusterCount
        if place < before { return Double(these.size) }
      }
      return .nan
    }
    func quantile(_ q: Double) -> Double {
      if clusterCount == 0 { return .nan }
      let position = q * Double(clusterCount - 1)
      let lower = size(at: Int(position))
      let upper = size(at: min(Int(position) + 1, clusterCount - 1))
      return lower + (upper - lower) * (position - position.rounded(.down))
    }

    minimum = table.first?.size ?? 0
    q25 = quantile(0.25)
    median = quantile(0.5)
    q75 = quantile(0.75)
    q90 = quantile(0.9)
    maximum = table.last?.size ?? 0
    mean = Double(pointCount) / Double(clusterCount)
  }
}
