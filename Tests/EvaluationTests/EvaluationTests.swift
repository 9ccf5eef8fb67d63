import Communication
import Evaluation
import Foundation
import Testing

@Suite struct LabelComparison {
  /// Made by the authors' metrics and scikit-learn; null is 0/0.
  struct GoldenCase: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var gt: [Int64]
    var pred: [Int64]
    var pairwise: [Double?]
    var bcubed: [Double?]
    var nmi: Double

    var testDescription: String { name }

    static func all() throws -> [GoldenCase] {
      struct File: Decodable { var cases: [GoldenCase] }
      let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/metrics/cases.json")
      return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).cases
    }
  }

  @Test(arguments: try GoldenCase.all())
  func agreesWithTheReference(golden: GoldenCase) throws {
    let found = try compareLabels(truth: golden.gt, predicted: golden.pred, on: SingleRank())
    expectEqual(found.pairwise, golden.pairwise)
    expectEqual(found.bcubed, golden.bcubed)
    #expect(abs(found.nmi - golden.nmi) < 1e-9)
    #expect(found.pointCount == golden.gt.count)
  }

  @Test func theFixtureHasAllItsCases() throws { #expect(try GoldenCase.all().count == 22) }

  private func expectEqual(_ found: PrecisionRecall, _ expected: [Double?]) {
    for (found, expected) in zip([found.precision, found.recall, found.f], expected) {
      #expect(isClose(found, expected ?? .nan))
    }
  }

  @Test(arguments: [0, 1, 2, 3, 4, 7, 40, 150], [1, 2, 5, 100] as [Int64])
  func agreesWithCountingAllPairs(pointCount: Int, labelCount: Int64) throws {
    for seed in 0..<5 as Range<UInt64> {
      var random = SplitMix(state: seed)
      let truth = (0..<pointCount).map { _ in Int64.random(in: -labelCount...0, using: &random) }
      let predicted = truth.map {
        Bool.random(using: &random) ? $0 : Int64.random(in: 0...labelCount, using: &random)
      }
      let found = try compareLabels(truth: truth, predicted: predicted, on: SingleRank())
      let expected = countingAllPairs(truth, predicted)
      for (name, value) in found.named {
        let other = expected[name]!
        #expect(
          isClose(value, other),
          "\(name): \(value), not \(other); N = \(pointCount), seed \(seed)")
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5, 8], [0, 1, 2, 7, 1000, 20_000])
  func hasTheSameBitsOnAnyNumberOfRanks(ranks: Int, pointCount: Int) throws {
    let (truth, predicted) = longTailedLabels(pointCount: pointCount, seed: 11)
    let alone = try compareLabels(truth: truth, predicted: predicted, on: SingleRank())
    let together = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let mine = slice(of: pointCount, on: communicator)
      return try compareLabels(
        truth: Array(truth[mine]), predicted: Array(predicted[mine]), on: communicator)
    }
    for found in together { #expect(found.bits == alone.bits) }
  }

  @Test func doesNotDependOnWhereThePointsAre() throws {
    let (truth, predicted) = longTailedLabels(pointCount: 3000, seed: 5)
    let alone = try compareLabels(truth: truth, predicted: predicted, on: SingleRank())
    let scattered = try ThreadCommunicator.run(ranks: 4) { communicator in
      let mine = truth.indices.filter { $0 * $0 % 7 % 4 == communicator.rank.index }
      return try compareLabels(
        truth: mine.map { truth[$0] }, predicted: mine.map { predicted[$0] }, on: communicator)
    }
    for found in scattered { #expect(found.bits == alone.bits) }
  }

  @Test func onlyEqualityOfLabelsCounts() throws {
    let (truth, predicted) = longTailedLabels(pointCount: 2000, seed: 3)
    let found = try compareLabels(truth: truth, predicted: predicted, on: SingleRank())
    let renamed = try compareLabels(
      truth: truth.map { Int64.max &- $0 &* 0x1234_5678_9ABC_DEF1 },
      predicted: predicted.map { Int64.min &+ $0 << 40 }, on: SingleRank())
    #expect(found.bits == renamed.bits)
  }

  @Test func swappingTheLabelingsSwapsPrecisionAndRecall() throws {
    let (truth, predicted) = longTailedLabels(pointCount: 2000, seed: 4)
    let found = try compareLabels(truth: truth, predicted: predicted, on: SingleRank())
    let swapped = try compareLabels(truth: predicted, predicted: truth, on: SingleRank())
    #expect(found.pairwise.precision == swapped.pairwise.recall)
    #expect(found.bcubed.recall == swapped.bcubed.precision)
    #expect(found.nmi == swapped.nmi)
    #expect(found.ari == swapped.ari)
    #expect(found.truth.sizes.q90 == swapped.predicted.sizes.q90)
  }

  /// By hand from the pair counts of the definition, as (TP, FP, FN, TN) over unordered pairs.
  @Test(
    arguments: [
      ([0, 0, 1, 1], [0, 0, 1, 1], 1.0),
      ([0, 0, 1, 1], [5, 5, 3, 4], 4.0 / 7),  // (1, 0, 1, 4): 2·4 / (2·5 + 1·4)
      ([0, 0, 1, 2], [0, 0, 1, 1], 4.0 / 7),
      ([0, 0, 0, 0], [0, 1, 2, 3], 0),  // (0, 0, 6, 0)
      ([0, 0, 1, 1], [0, 1, 0, 1], -0.5),  // (0, 2, 2, 2): 2·(−4) / (2·4 + 2·4)
      ([0, 0, 0, 1, 1], [0, 0, 1, 1, 1], 1.0 / 6),  // (2, 2, 2, 4): 2·(8 − 4) / (4·6 + 4·6)
      ([7], [3], 1),
      ([], [], 1),
    ] as [([Int64], [Int64], Double)])
  func adjustedRandIndexAgreesWithHandComputedValues(
    truth: [Int64], predicted: [Int64], expected: Double
  ) throws {
    let found = try compareLabels(truth: truth, predicted: predicted, on: SingleRank()).ari
    #expect(abs(found - expected) < 1e-15)
  }

  @Test func independentLabelingsShareNoInformation() throws {
    let (rows, columns) = (6, 35)
    let found = try compareLabels(
      truth: (0..<rows * columns).map { Int64($0 / columns) },
      predicted: (0..<rows * columns).map { Int64($0 % columns) }, on: SingleRank())
    #expect(found.nmi == 0)
  }

  @Test func clusterSizesAreSummarised() throws {
    // Sizes 1, 1, 2, 6, 10 of the truth, one cluster of 20 predicted.
    let truth = [1, 1, 2, 6, 10].enumerated().flatMap { Array(repeating: Int64($0), count: $1) }
    let found = try compareLabels(
      truth: truth, predicted: Array(repeating: -1, count: 20), on: SingleRank())
    #expect(found.truth.clusterCount == 5)
    #expect(found.truth.singletonCount == 2)
    #expect(found.truth.sizes.minimum == 1)
    #expect(found.truth.sizes.q25 == 1)
    #expect(found.truth.sizes.median == 2)
    #expect(found.truth.sizes.q75 == 6)
    #expect(abs(found.truth.sizes.q90 - 8.4) < 1e-12)
    #expect(found.truth.sizes.maximum == 10)
    #expect(found.truth.sizes.mean == 4)
    #expect(found.predicted.clusterCount == 1)
    #expect(found.predicted.singletonCount == 0)
    #expect(found.predicted.sizes.median == 20)
  }

  @Test func unequalLengthsOnOneRankFailOnAll() throws {
    let errors = try ThreadCommunicator.run(ranks: 3) { communicator in
      let labels: [Int64] = [1, 2, 3]
      let cut = communicator.rank.index == 1 ? 2 : 3
      do throws {
        _ = try compareLabels(
          truth: labels, predicted: Array(labels.prefix(cut)), on: communicator)
        return LabelComparisonError?.none
      } catch { return error as? LabelComparisonError }
    }
    let expected = LabelComparisonError.unequalLengths(rank: Rank(1), truth: 3, predicted: 2)
    #expect(errors == [expected, expected, expected])
    #expect("\(expected)" == "rank 1 has 3 true labels, but 2 predicted ones")
  }

  @Test func oneGiantClusterTravelsAsFewCells() throws {
    let pointCount = 40_000
    let sent = try ThreadCommunicator.run(ranks: 4) { communicator in
      let counting = CountingCommunicator(communicator)
      let mine = slice(of: pointCount, on: communicator)
      _ = try compareLabels(
        truth: mine.map { Int64($0 % 10) }, predicted: mine.map { _ in 0 }, on: counting)
      return counting.traffic
    }
    for traffic in sent {
      #expect(traffic.rounds == 12)
      #expect(traffic.bytesSent < 2500)
    }
  }

  @Test func jsonHasNullWhereNothingIsDefinedAndReadsItBack() throws {
    let found = try compareLabels(truth: [1, 2], predicted: [3, 4], on: SingleRank())
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = try encoder.encode(found)
    let sizes =
      #""sizes":{"maximum":1,"mean":1,"median":1,"minimum":1,"q25":1,"q75":1,"q90":1}"#
    #expect(
      String(decoding: json, as: UTF8.self) == """
        {"ari":1,"bcubed":{"f":1,"precision":1,"recall":1},"nmi":1,\
        "pairwise":{"f":null,"precision":null,"recall":null},"pointCount":2,\
        "predicted":{"clusterCount":2,"singletonCount":2,\(sizes)},\
        "truth":{"clusterCount":2,"singletonCount":2,\(sizes)}}
        """)
    #expect(try JSONDecoder().decode(ClusteringMetrics.self, from: json).bits == found.bits)
  }

  @Test func theDescriptionIsATable() throws {
    let found = try compareLabels(
      truth: [0, 0, 1, 1], predicted: [0, 0, 1, 2], on: SingleRank())
    #expect(
      "\(found)" == """
                     precision     recall          F
        pairwise        1.0000     0.5000     0.6667
        BCubed          1.0000     0.7500     0.8571
        NMI             0.8000
        ARI             0.5714

                        points   clusters singletons    min    25%    50%    75%    90%     max    mean
        truth                4          2          0      2      2      2      2      2       2    2.00
        predicted            4          3          2      1      1      1      2      2       2    1.33
        """)
  }
}

/// Equal within 1e-9, or both NaN.
private func isClose(_ a: Double, _ b: Double) -> Bool {
  a.isNaN || b.isNaN ? a.isNaN && b.isNaN : abs(a - b) < 1e-9
}

/// This rank's contiguous share of some points; empty on some when there are more ranks.
private func slice(of count: Int, on communicator: some Communicator) -> Range<Int> {
  let (rank, size) = (communicator.rank.index, communicator.size)
  return count * rank / size..<count * (rank + 1) / size
}

/// Clusters of very different sizes, and a prediction that merges some and splits others.
private func longTailedLabels(pointCount: Int, seed: UInt64) -> ([Int64], [Int64]) {
  var random = SplitMix(state: seed)
  let truth = (0..<pointCount).map { _ in
    let u = Double.random(in: 0.01..<1, using: &random)
    return Int64(10 / (u * u)) - 500
  }
  let predicted = truth.map { label in
    Int.random(in: 0..<10, using: &random) < 8 ? label / 2 : label * 31
  }
  return (truth, predicted)
}

/// The measures by their definitions over all pairs of points and all pairs of clusters.
private func countingAllPairs(_ truth: [Int64], _ predicted: [Int64]) -> [String: Double] {
  let points = truth.indices
  let count = Double(points.count)
  var (tp, fp, fn, tn) = (0.0, 0.0, 0.0, 0.0)
  var (bcubedPrecision, bcubedRecall) = (0.0, 0.0)
  for i in points {
    var (both, inTruth, inPrediction) = (0.0, 0.0, 0.0)
    for j in points {
      switch (truth[i] == truth[j], predicted[i] == predicted[j]) {
      case (true, true):
        both += 1
        if i != j { tp += 1 }
      case (true, false): fn += 1
      case (false, true): fp += 1
      case (false, false): tn += 1
      }
      if truth[i] == truth[j] { inTruth += 1 }
      if predicted[i] == predicted[j] { inPrediction += 1 }
    }
    bcubedPrecision += both / inPrediction
    bcubedRecall += both / inTruth
  }
  func f(_ p: Double, _ r: Double) -> Double { 2 * p * r / (p + r) }
  let (p, r) = (tp / (tp + fp), tp / (tp + fn))
  let (bp, br) = (bcubedPrecision / count, bcubedRecall / count)

  func share(_ matches: (Int) -> Bool) -> Double {
    Double(points.filter(matches).count) / count
  }
  let (classes, clusters) = (Set(truth), Set(predicted))
  var (information, entropies) = (0.0, 0.0)
  for a in classes {
    let pa = share { truth[$0] == a }
    entropies -= pa * log(pa)
    for b in clusters {
      let pb = share { predicted[$0] == b }
      let pab = share { truth[$0] == a && predicted[$0] == b }
      if pab > 0 { information += pab * log(pab / (pa * pb)) }
    }
  }
  for b in clusters {
    let pb = share { predicted[$0] == b }
    entropies -= pb * log(pb)
  }
  let areTrivial = classes.count <= 1 && clusters.count <= 1
  // Expected index, then (index − expected) / (maximum − expected): Hubert and Arabie's form.
  let expected = (tp + fn) * (tp + fp) / (tp + fn + fp + tn)
  let ari = (tp - expected) / (((tp + fn) + (tp + fp)) / 2 - expected)
  return [
    "pairwise.precision": p, "pairwise.recall": r, "pairwise.f": f(p, r),
    "bcubed.precision": bp, "bcubed.recall": br, "bcubed.f": f(bp, br),
    "nmi": areTrivial ? 1 : information < 1e-14 ? 0 : 2 * information / entropies,
    "ari": fp == 0 && fn == 0 ? 1 : ari,
    "truth.clusters": Double(classes.count), "predicted.clusters": Double(clusters.count),
  ]
}

extension ClusteringMetrics {
  /// The numbers that ``countingAllPairs(_:_:)`` gives too.
  fileprivate var named: [String: Double] {
    [
      "pairwise.precision": pairwise.precision, "pairwise.recall": pairwise.recall,
      "pairwise.f": pairwise.f, "bcubed.precision": bcubed.precision,
      "bcubed.recall": bcubed.recall, "bcubed.f": bcubed.f, "nmi": nmi, "ari": ari,
      "truth.clusters": Double(truth.clusterCount),
      "predicted.clusters": Double(predicted.clusterCount),
    ]
  }

  /// Everything, for a comparison that tells neighbouring numbers apart and finds NaN equal to NaN.
  fileprivate var bits: [UInt64] {
    let counts = [truth, predicted].flatMap { side in
      [Double(side.singletonCount), Double(side.sizes.minimum), Double(side.sizes.maximum)]
        + [side.sizes.q25, side.sizes.median, side.sizes.q75, side.sizes.q90, side.sizes.mean]
    }
    let numbers = named.sorted { $0.key < $1.key }.map(\.value) + counts + [Double(pointCount)]
    return numbers.map { $0.isNaN ? Double.nan.bitPattern : $0.bitPattern }
  }
}

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
