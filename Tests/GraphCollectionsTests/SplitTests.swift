import GraphCollections
import RandomNumbers
import Testing

@Suite struct SplitTests {
  private func classes(_ counts: [Int], seed: UInt64 = 1) -> [Int] {
    var random = RandomStream(seed: seed)
    return random.shuffledFromTheEnd(
      counts.indices.flatMap { Array(repeating: $0, count: counts[$0]) })
  }

  @Test(arguments: [[20, 30], [10, 11, 12], [663, 450]], [2, 5, 10])
  func foldsPartitionTheGraphsAndKeepTheShareOfEachClass(counts: [Int], foldCount: Int) throws {
    let classes = classes(counts)
    let labels = Array(counts.indices)
    let folds = try stratifiedFolds(of: classes, labels: labels, count: foldCount, seed: 7)
    #expect(folds.flatMap { $0 }.sorted() == Array(classes.indices))
    #expect(folds.allSatisfy { $0 == $0.sorted() })
    let sizes = folds.map(\.count)
    #expect(sizes.max()! - sizes.min()! <= 1)
    for place in labels {
      let members = folds.map { fold in fold.count { classes[$0] == place } }
      #expect(members.max()! - members.min()! <= 1, "class \(place): \(members)")
    }
  }

  @Test func theSeedAloneDecidesTheFolds() throws {
    let classes = classes([40, 60])
    func folds(_ seed: UInt64) throws -> [[Int]] {
      try stratifiedFolds(of: classes, labels: [0, 1], count: 5, seed: seed)
    }
    #expect(try folds(3) == folds(3))
    #expect(try folds(3) != folds(4))
    // Computed by a program of its own, so that no change moves folds unseen.
    let first = Array(try folds(3)[0].prefix(6))
    #expect(first == expectedFirstFold)
  }
  private let expectedFirstFold: [Int] = [2, 3, 7, 19, 24, 37]

  @Test func aClassWithFewerMembersThanFoldsIsAnError() {
    #expect(
      throws: SplitError(
        "class -1 has 3 graphs, which is fewer than 5 folds; expected one for each fold at least")
    ) {
      try stratifiedFolds(of: classes([3, 10]), labels: [-1, 1], count: 5, seed: 0)
    }
    #expect(
      throws: SplitError(
        "class 1 has 1 graph, which is fewer than 2 folds; expected one for each fold at least")
    ) {
      try stratifiedFolds(of: classes([3, 1]), labels: [-1, 1], count: 2, seed: 0)
    }
    #expect(throws: SplitError("1 folds; expected at least 2")) {
      try stratifiedFolds(of: [0, 0], labels: [0], count: 1, seed: 0)
    }
  }

  @Test func crossValidationTestsEveryGraphOnceAndLeaksNone() throws {
    let classes = classes([33, 57])
    let splits = try crossValidation(
      of: classes, labels: [0, 1], foldCount: 10, validationShare: 0.1, seed: 5)
    #expect(splits.flatMap(\.test).sorted() == Array(classes.indices))
    for split in splits {
      #expect((split.train + split.validation + split.test).sorted() == Array(classes.indices))
      let positive = split.validation.count { classes[$0] == 1 }
      #expect(split.validation.count == 8 && positive == 5)
    }
    #expect(splits[0].validation != splits[1].validation)
  }

  @Test(arguments: 1...6)
  func dealingBalancesCostsAndGivesEveryItemOnce(rankCount: Int) {
    var random = RandomStream(seed: 9)
    let costs = (0..<40).map { _ in 1 + random.below(100) }
    let hands = deal(costs: costs, among: rankCount)
    #expect(hands.count == rankCount)
    #expect(hands.flatMap { $0 }.sorted() == Array(costs.indices))
    let sums = hands.map { $0.reduce(0) { $0 + costs[$1] } }
    let mean = Double(costs.reduce(0, +)) / Double(rankCount)
    #expect(Double(sums.max()!) <= 4.0 / 3 * max(mean, Double(costs.max()!)))
  }

  @Test func moreRanksThanItemsLeaveSomeWithout() {
    #expect(deal(costs: [3, 1], among: 4) == [[0], [1], [], []])
    #expect(deal(costs: [], among: 2) == [[], []])
  }

  @Test func shufflingIsAPermutationThatFollowsFromTheSeed() {
    var (a, b) = (RandomStream(seed: 1, for: 2, 3), RandomStream(seed: 1, for: 2, 3))
    let shuffled = a.shuffledFromTheEnd(Array(0..<100))
    #expect(shuffled == b.shuffledFromTheEnd(Array(0..<100)))
    #expect(shuffled.sorted() == Array(0..<100))
    #expect(shuffled != Array(0..<100))
    var counts = Array(repeating: 0, count: 5)
    for _ in 0..<5000 { counts[a.below(5)] += 1 }
    #expect(counts.allSatisfy { (850...1150).contains($0) }, "\(counts)")
  }
}
