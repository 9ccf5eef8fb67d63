import Communication
import TestTags
import Testing

@Suite(.tags(.threads)) struct Counting {
  /// The traffic of each rank of four in one call.
  private func traffic(
    _ body: @escaping @Sendable (CountingCommunicator<ThreadCommunicator>) throws -> Void
  ) throws -> [Traffic] {
    try ThreadCommunicator.run(ranks: 4) { communicator in
      let counting = CountingCommunicator(communicator)
      let before = counting.traffic
      try body(counting)
      return counting.traffic - before
    }
  }

  @Test func leavesOutWhatARankSendsToItself() throws {
    let traffic = try traffic { communicator in
      // Three values for itself and two for the next rank.
      let rank = communicator.rank.index
      var outgoing = [0, 0, 0, 0]
      var incoming = outgoing
      outgoing[rank] = 3
      outgoing[(rank + 1) % 4] = 2
      incoming[rank] = 3
      incoming[(rank + 3) % 4] = 2
      _ = try communicator.exchange(
        Buckets(values: [Int32](0..<5), counts: outgoing), receiving: incoming)
    }
    for rank in traffic {
      #expect(rank.rounds == 1)
      #expect(rank.messages == 1)
      #expect(rank.bytesSent == 8)
    }
  }

  @Test func countsCollectivesAsIfEveryPairHadAWire() throws {
    let traffic = try traffic { communicator in
      _ = try communicator.transpose([1, 2, 3, 4])
      _ = try communicator.gatherOne(UInt16(1))
    }
    for rank in traffic {
      #expect(rank.rounds == 2)
      #expect(rank.messages == 6)
      #expect(rank.bytesSent == 3 * 8 + 3 * 2)
    }
  }

  /// Two rounds for the groups, one in the group of two, an empty message of rank 0 to each other, a byte to all.
  @Test func countsWhatAGroupSends() throws {
    let traffic = try traffic { communicator in
      _ = try communicator.withFirstRanks(2) { try $0.sum(1) }
    }
    #expect(traffic.map(\.rounds) == [5, 5, 4, 4])
    #expect(traffic.map(\.messages) == [3 * 3 + 1 + 3, 3 * 3 + 1, 3 * 3, 3 * 3])
    #expect(traffic.map(\.bytesSent) == [3 * 17 + 8, 3 * 17 + 8, 3 * 17, 3 * 17])
  }

  @Test func tellsWhatGoesToOtherHosts() throws {
    let traffic = try ThreadCommunicator.run(ranks: 4) { communicator in
      let counting = CountingCommunicator(OnTwoHosts(base: communicator))
      // A byte to the next rank, then two to everybody.
      var outgoing = [0, 0, 0, 0]
      var incoming = outgoing
      outgoing[(communicator.rank.index + 1) % 4] = 1
      incoming[(communicator.rank.index + 3) % 4] = 1
      _ = try counting.exchange(
        Buckets(values: [UInt8(7)], counts: outgoing), receiving: incoming)
      _ = try counting.gatherOne(UInt16(1))
      return counting.traffic
    }
    // Ranks 1 and 3 have their next on the other host.
    #expect(traffic.map(\.messagesToOtherHosts) == [2, 3, 2, 3])
    #expect(traffic.map(\.bytesToOtherHosts) == [4, 5, 4, 5])
    #expect(traffic.allSatisfy { $0.messages == 4 && $0.bytesSent == 7 })
  }

  @Test func addsAndSubtracts() throws {
    let once = try traffic { try $0.barrier() }[0]
    let twice = try traffic { communicator in
      try communicator.barrier()
      try communicator.barrier()
    }[0]
    #expect(once + once == twice)
    #expect(twice - once == once)
    #expect(once - once == Traffic())
  }
}

/// Ranks 0 and 1 on one host, 2 and 3 on another.
private struct OnTwoHosts: Communicator {
  let base: ThreadCommunicator

  var rank: Rank { base.rank }
  var size: Int { base.size }

  func isOnThisHost(_ rank: Rank) -> Bool { rank.index / 2 == self.rank.index / 2 }

  func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    try base.exchange(outgoing, to: destinations, into: &incoming, from: sources)
  }

  func transpose(_ counts: [Int]) throws -> [Int] { try base.transpose(counts) }

  func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    try base.allGather(contribution, byteCounts: byteCounts, into: &gathered)
  }

  func withGroup<R>(_ group: Int, _ body: (OnTwoHosts) throws -> R) throws -> R {
    try base.withGroup(group) { try body(OnTwoHosts(base: $0)) }
  }

  func gatherForAssertion(_ number: UInt64) throws -> [UInt64] {
    try base.gatherForAssertion(number)
  }
}
