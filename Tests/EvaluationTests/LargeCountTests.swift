import Evaluation
import Testing

@Suite struct MeasuresOfManyPoints {
  /// 10¹² points in one predicted cluster; truth has two halves. By the formulas.
  @Test func areExactBeyondSixtyFourBits() {
    let n = 1_000_000_000_000
    let half = Int128(n / 2)
    let halves = [SizeClass(size: n / 2, clusterCount: 2, squares: 2 * half * half)]
    let found = ClusteringMetrics(
      pointCount: n, cells: halves, truth: halves,
      predicted: [SizeClass(size: n, clusterCount: 1, squares: 2 * half * half)])
    #expect(abs(found.pairwise.precision - 0.5) < 1e-9 && found.pairwise.recall == 1)
    #expect(found.bcubed.precision == 0.5 && found.bcubed.recall == 1)
    #expect(found.nmi == 0 && found.ari == 0)
    #expect(found.truth.sizes.mean == Double(n / 2))
  }

  /// Both halves of two clusters of 5 · 10¹¹ points are predicted clusters of their own.
  @Test func haveAnAdjustedRandIndex() {
    let n = 1_000_000_000_000
    let quarter = Int128(n / 4)
    let quarters = [SizeClass(size: n / 4, clusterCount: 4, squares: 4 * quarter * quarter)]
    let found = ClusteringMetrics(
      pointCount: n, cells: quarters,
      truth: [SizeClass(size: n / 2, clusterCount: 2, squares: 4 * quarter * quarter)],
      predicted: quarters)
    // TP = N²/4, FN = N²/4, FP = 0, TN = N²/2: 2 · 1/8 / (1/2 · 3/4 + 1/4 · 1/2).
    #expect(abs(found.ari - 0.5) < 1e-9)
  }

  @Test func ofSmallSetsAreThoseOfSixtyFourBits() {
    let table = [SizeClass(size: 2, clusterCount: 3, squares: 12)]
    let found = ClusteringMetrics(pointCount: 6, cells: table, truth: table, predicted: table)
    #expect(found.ari == 1 && found.pairwise.f == 1 && found.bcubed.f == 1)
  }

  @Test func countClustersOfManyPoints() {
    let counts = ClusterCounts(sizes: [4_000_000_000_000, 4_000_000_000_000, 1])
    #expect(counts.clusterCount == 3 && counts.singletonCount == 1)
    #expect(counts.sizes.maximum == 4_000_000_000_000)
  }

  /// As with 32 bits and more than 2³² entries.
  @Test(arguments: [64, 256, 512, 1024, 4096])
  func findMoreEntriesThanAWordCanName(slotCount: Int) {
    var slots = TallySlots<UInt8>(count: slotCount)
    #expect((0..<slotCount).allSatisfy { slots[$0] == nil })
    for place in 0...slotCount / 2 { slots[slotCount - 1 - place] = place }
    for slot in 0..<slotCount {
      let place = slotCount - 1 - slot
      #expect(slots[slot] == (place <= slotCount / 2 ? place : nil))
    }
  }
}
