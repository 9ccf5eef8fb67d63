import Communication
import TestTags
import Testing

@Suite(.tags(.threads)) struct SortingIntoBuckets {
  @Test(arguments: [0, 1, 2, 17, 1000], [1, 2, 7])
  func keepsTheOrderWithinABucket(count: Int, bucketCount: Int) {
    // Distinct values, in an order that is neither ascending nor by owner.
    let values = (0..<count).map { $0 * 7919 % 1009 }
    let (buckets, places) = Buckets.sorting(values, into: bucketCount) {
      Rank($0 / 3 % bucketCount)
    }
    for index in 0..<bucketCount {
      #expect(Array(buckets[Rank(index)]) == values.filter { $0 / 3 % bucketCount == index })
    }
    #expect(places.map { buckets.values[$0] } == values)
  }

  @Test func offsetsStartAtZeroAndEndAtTheCount() {
    let buckets = Buckets(values: ["a", "b", "c"], counts: [0, 2, 0, 1])
    #expect(buckets.offsets == [0, 0, 2, 2, 3])
    #expect(buckets.counts == [0, 2, 0, 1])
    #expect(buckets[Rank(1)] == ["a", "b"])
    #expect(buckets[Rank(2)].isEmpty)
    #expect(buckets.map(\.count) == Buckets(values: [1, 1, 1], counts: [0, 2, 0, 1]))
  }

  @Test func prefixSumsExcludeTheElement() {
    #expect([3, 0, 4, 1].exclusivePrefixSums() == [0, 3, 3, 7])
    #expect([Int]().exclusivePrefixSums() == [])
  }
}
