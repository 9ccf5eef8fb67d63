import Communication
import TestTags
import Testing

@Suite(.tags(.threads)) struct ReplicatedArguments {
  /// What all ranks throw of values that are said to be the same; nil if they throw nothing.
  private func failure<T: Sendable>(
    ranks: Int, _ value: @escaping @Sendable (Rank) -> T
  ) throws -> [AgreedFailure?] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      do {
        try communicator.requireReplicated(value(communicator.rank), in: "f(_:on:)")
      } catch let failure as AgreedFailure {
        return failure
      }
      // Nobody is left behind.
      try communicator.barrier()
      return nil
    }
  }

  @Test(arguments: 1...4)
  func passIfTheyAreTheSame(ranks: Int) throws {
    let failures = try failure(ranks: ranks) { _ in
      (count: 3, threshold: Double.nan, shape: [4, 5], name: String?.none)
    }
    #expect(failures == Array(repeating: nil, count: ranks))
  }

  @Test(arguments: 2...4)
  func areToldOnEveryRankIfTheyAreNot(ranks: Int) throws {
    let failures = try failure(ranks: ranks) { (count: 3, threshold: $0.index == 1 ? 0.5 : 0.8) }
    let expected = AgreedFailure(
      reason: "not the same on all ranks: f(_:on:): (count: 3, threshold: 0.8) on rank 0, "
        + "f(_:on:): (count: 3, threshold: 0.5) on rank 1",
      rank: Rank(1), failureCount: 1, code: AgreedFailure.notReplicated)
    #expect(failures == Array(repeating: expected, count: ranks))
  }

  @Test func areToldApartByTheirLastBit() throws {
    let failures = try failure(ranks: 2) { $0.index == 0 ? Float(0.3) : Float(0.3).nextUp }
    #expect(failures.allSatisfy { $0?.code == AgreedFailure.notReplicated })
  }

  @Test func areShownWhereTheyDiffer() throws {
    let failures = try failure(ranks: 2) { rank in
      (0..<10_000).map { $0 == 5000 ? -rank.index : $0 }
    }
    let reason = try #require(failures[0]).reason
    #expect(reason.contains("4998, 4999, 0, 5001") && reason.contains("4998, 4999, -1, 5001"))
    #expect(reason.count < 600)
  }

  @Test func areNotLookedAtUnlessTheyAreChecked() throws {
    let looks = try ThreadCommunicator.run(ranks: 2) { communicator in
      var looks = 0
      func look() -> Int {
        looks += 1
        return 1
      }
      try communicator.assertReplicated(look())
      try communicator.assertReplicated(look(), from: .all)
      return looks
    }
    let expected =
      switch AssertionLevel.current {
      case .none: 0
      case .light: 1
      case .all: 2
      }
    #expect(looks == [expected, expected])
  }

  @Test func areNoTrafficOfTheAlgorithm() throws {
    let traffic = try ThreadCommunicator.run(ranks: 3) { communicator in
      let counting = CountingCommunicator(CountingCommunicator(communicator))
      try counting.requireReplicated(7)
      return [counting.traffic, counting.base.traffic]
    }
    #expect(traffic.flatMap(\.self).allSatisfy { $0 == Traffic() })
  }

  @Test(
    .enabled(if: AssertionLevel.current >= .light, "HIGHLAND_ASSERTIONS is none"),
    arguments: 2...4)
  func ofGroupsAreChecked(ranks: Int) throws {
    let failure = #expect(throws: AgreedFailure.self) {
      try ThreadCommunicator.run(ranks: ranks) { communicator in
        _ = try communicator.perform(communicator.rank.index + 1, inGroups: 1) { _, _ in [] }
      }
    }
    #expect(failure?.code == AgreedFailure.notReplicated)
  }
}

@Suite struct LevelsOfAssertions {
  @Test(arguments: AssertionLevel.allCases)
  func haveNames(level: AssertionLevel) {
    #expect(AssertionLevel.named(level.rawValue) == level)
  }

  @Test func areOrdered() {
    #expect(AssertionLevel.allCases == AssertionLevel.allCases.sorted())
  }

  @Test(arguments: ["0", "All", "heavy", " light"])
  func areNoOthers(name: String) {
    #expect(AssertionLevel.named(name) == nil)
  }

  @Test(arguments: [nil, ""])
  func followTheBuildIfNobodySays(name: String?) {
    #if DEBUG
      #expect(AssertionLevel.named(name) == .light)
    #else
      #expect(AssertionLevel.named(name) == AssertionLevel.none)
    #endif
  }

  @Test(arguments: 1...3)
  func areTheSameOnRanksOfAProcess(ranks: Int) throws {
    _ = try ThreadCommunicator.run(ranks: ranks) { try AssertionLevel.check(on: $0) }
  }
}
