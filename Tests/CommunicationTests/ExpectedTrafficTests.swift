import Communication
import Testing

/// What ranks are expected to send is what a counting communicator counts.
@Suite struct ExpectedTraffics {
  /// The mean over the ranks of what they send.
  private func counted(
    _ ranks: Int,
    _ body: @escaping @Sendable (CountingCommunicator<ThreadCommunicator>) throws -> Void
  ) throws -> ExpectedTraffic {
    let traffic = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let counting = CountingCommunicator(communicator)
      try body(counting)
      return counting.traffic
    }
    func mean(_ count: (Traffic) -> Int) -> Double {
      Double(traffic.reduce(0) { $0 + count($1) }) / Double(ranks)
    }
    var expected = ExpectedTraffic()
    expected.rounds = mean(\.rounds)
    expected.messages = mean(\.messages)
    expected.bytesSent = mean(\.bytesSent)
    return expected
  }

  @Test(arguments: 1...5)
  func isThatOfWhatGoesToAllRanks(ranks: Int) throws {
    let counted = try counted(ranks) { communicator in
      _ = try communicator.gatherOne(UInt32(1))
      _ = try communicator.transpose(Array(repeating: 1, count: communicator.size))
    }
    let expected = ExpectedRanks(ranks).allGather(4) + ExpectedRanks(ranks).transpose
    #expect(counted.rounds == expected.rounds)
    #expect(counted.messages == expected.messages)
    #expect(counted.bytesSent == expected.bytesSent)
  }

  @Test(arguments: 1...5)
  func isThatOfSums(ranks: Int) throws {
    let counted = try counted(ranks) {
      _ = try $0.sums(Array(repeating: 1.0, count: 60 * $0.size))
    }
    let expected = ExpectedRanks(ranks).sums(Double(60 * ranks))
    #expect(counted.rounds == expected.rounds)
    #expect(abs(counted.messages - expected.messages) < 1e-6)
    #expect(abs(counted.bytesSent - expected.bytesSent) < 1e-6)
  }

  /// Of values that are spread evenly, as many for every rank.
  @Test(arguments: 1...5)
  func isThatOfValuesThatAreSpreadEvenly(ranks: Int) throws {
    let counted = try counted(ranks) {
      _ = try $0.allToAll(
        Buckets(
          values: Array(repeating: Int32(0), count: 50 * $0.size),
          counts: Array(repeating: 50, count: $0.size)))
    }
    let expected = ExpectedRanks(ranks)
    let traffic = expected.allToAll(Double(50 * ranks) * expected.otherShare, of: 4)
    #expect(counted.rounds == traffic.rounds)
    #expect(abs(counted.messages - traffic.messages) < 1e-6)
    #expect(abs(counted.bytesSent - traffic.bytesSent) < 1e-6)
  }

  @Test func aRankHasNoMorePartnersThanValuesOrThanItMay() {
    let ranks = ExpectedRanks(64)
    #expect(ranks.exchange(0, of: 8).messages == 0)
    #expect(ranks.exchange(2, of: 8).messages <= 2)
    #expect(ranks.exchange(1e6, of: 8).messages <= 63)
    #expect(ranks.exchange(1e6, of: 8, to: 2).messages == 2)
    #expect(ranks.exchange(1e6, of: 8, to: 2).bytesSent == 8e6)
  }

  @Test(arguments: [1, 6])
  func formsAddUpToTheWhole(count: Int) {
    let ranks = ExpectedRanks(count)
    let whole =
      3 * (ranks.allGather(4) + ranks.allToAll(50, of: 8)) + ranks.sums(60) + ranks.passing(7)
    let shares = whole.byForm.values
    #expect(shares.reduce(0) { $0 + $1.rounds } == whole.rounds)
    #expect(abs(shares.reduce(0) { $0 + $1.messages } - whole.messages) < 1e-9)
    #expect(abs(shares.reduce(0) { $0 + $1.bytesSent } - whole.bytesSent) < 1e-9)
    // One of the exchanges, of the gathers and of the passes is of sums or needs several ranks.
    let several = count > 1
    #expect(whole.byForm[.allGather]?.rounds == (several ? 4 : 3))
    #expect(whole.byForm[.exchange]?.rounds == (several ? 4 : 3))
    #expect(whole.byForm[.transpose]?.bytesSent == 3 * 8 * Double(count - 1))
    #expect(whole.byForm[.passing]?.bytesSent == (several ? 7 : nil))
  }

  @Test func hostsDivideWhatIsSent() {
    let (one, four) = (ExpectedRanks(8), ExpectedRanks(8, onHosts: 4))
    #expect(one.allGather(10).bytesToOtherHosts == 0)
    // Of the seven others one is on the host.
    #expect(four.allGather(10).bytesSent == 70)
    #expect(abs(four.allGather(10).bytesToOtherHosts - 60) < 1e-9)
    #expect(abs(four.allGather(10).messagesToOtherHosts - 6) < 1e-9)
    // Every second rank of a ring passes to another host; halfway round it is always another.
    #expect(four.passing(10).bytesToOtherHosts == 5)
    #expect(four.passing(10, by: 4).bytesToOtherHosts == 10)
    #expect(ExpectedRanks(1).passing(10) == ExpectedTraffic())
    #expect(four.grown(to: 16) == ExpectedRanks(16, onHosts: 8))
  }
}
