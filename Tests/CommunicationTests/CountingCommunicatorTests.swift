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
