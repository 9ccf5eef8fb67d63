import Communication
import Evaluation
import RandomInputs
import Testing

/// Which clusters of one labelling became which of another.
@Suite struct ClusterChangesTests {
  private func changes(
    from before: [Int64], to after: [Int64], ranks: Int = 1
  ) throws -> [ClusterChanges] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let places = before.indices.filter { $0 % ranks == communicator.rank.index }
      return try clusterChanges(
        from: places.map { before[$0] }, to: places.map { after[$0] }, on: communicator)
    }
  }

  @Test(arguments: [1, 3])
  func areToldByKind(ranks: Int) throws {
    // 0 stays, under another number; 1 splits; 2 and 3 merge; 4 and 5 exchange a point.
    let before: [Int64] = [0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 4, 4, 5, 5]
    let after: [Int64] = [7, 7, 1, 1, 2, 3, 3, 3, 3, 4, 4, 5, 5, 5]
    for found in try changes(from: before, to: after, ranks: ranks) {
      #expect(found.pointCount == 14 && found.movedPointCount == 3)
      #expect(found.totals.map(\.kind) == [.same, .split, .merged, .rearranged])
      #expect(found.totals.map(\.clustersBefore) == [1, 1, 2, 2])
      #expect(found.totals.map(\.clustersAfter) == [1, 2, 1, 2])
      #expect(found.totals.map(\.pointCount) == [2, 3, 4, 5])
      #expect(found.changes.map(\.kind) == [.split, .merged, .rearranged])
      #expect(found.changes.map(\.movedPointCount) == [1, 1, 1])
      #expect(found.changes[0].after.map(\.label) == [1, 2])
      #expect(found.changes[1].before.map(\.size) == [3, 1])
    }
  }

  @Test(arguments: 1...4)
  func doNotDependOnRanksAndReverse(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let before = (0..<300).map { _ in Int64.random(in: 0..<60, using: &generator) }
    let after = before.map { Int.random(in: 0..<20, using: &generator) == 0 ? $0 % 7 : $0 + 100 }
    let alone = try changes(from: before, to: after)[0]
    for ranks in [2, 5] {
      #expect(try changes(from: before, to: after, ranks: ranks).allSatisfy { $0 == alone })
    }
    #expect(alone.totals.map(\.pointCount).reduce(0, +) == 300)
    let back = try changes(from: after, to: before)[0]
    #expect(back.movedPointCount == alone.movedPointCount)
    #expect(back.totals[1].changeCount == alone.totals[2].changeCount)
    #expect(back.totals[0] == alone.totals[0])
  }

  /// The clusters that share most points; the points outside of matched pairs are those that moved.
  @Test(arguments: [1, 3])
  func areMatchedByMostPoints(ranks: Int) throws {
    // 1 splits, 2 and 3 merge, and 6 is as much in 8 as in 9.
    let before: [Int64] = [0, 0, 1, 1, 1, 2, 2, 2, 3, 6, 6, 6, 6]
    let after: [Int64] = [7, 7, 1, 2, 2, 3, 3, 3, 3, 9, 9, 8, 8]
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let places = before.indices.filter { $0 % ranks == communicator.rank.index }
      return try matchedClusters(
        from: places.map { before[$0] }, to: places.map { after[$0] }, on: communicator)
    }
    #expect(found.allSatisfy { $0 == [7: 0, 2: 1, 3: 2, 8: 6] }, "\(found)")
    let moved = zip(before, after).count { found[0][$1] != $0 }
    #expect(try changes(from: before, to: after)[0].movedPointCount == moved)
  }

  @Test func ofEqualOrNoLabelsAreNone() throws {
    #expect(try changes(from: [3, 3, 1], to: [0, 0, 9])[0].changes.isEmpty)
    #expect(try changes(from: [], to: [], ranks: 2)[0].pointCount == 0)
    #expect(throws: LabelComparisonError.self) {
      try clusterChanges(from: [1], to: [], on: SingleRank())
    }
  }
}
