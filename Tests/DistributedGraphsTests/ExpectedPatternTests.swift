import Communication
import DistributedGraphs
import Testing

/// What patterns are expected to send is what a counting communicator counts.
@Suite struct ExpectedPatterns {
  /// As many requests to every rank, with answers of four bytes; then as many rows of twelve bytes.
  @Test(arguments: 1...5)
  func areThoseOfFetchingAndDelivering(ranks: Int) throws {
    let count = 60 * ranks
    let traffic = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let nodes = NodePartition(sharing: count, among: ranks)
      let counting = CountingCommunicator(communicator)
      let all = (0..<count).map { GlobalNode($0) }
      _ = try nodes.fetch(Array(repeating: Int32(1), count: 60), at: all, on: counting)
      _ = try nodes.deliver(
        Array(repeating: Int32(1), count: 3 * count), width: 3, to: all, on: counting)
      return counting.traffic
    }
    let expected = ExpectedRanks(ranks)
    let away = Double(count) * expected.otherShare
    let both = expected.fetch(away, of: 4) + expected.deliver(away, of: 12)
    for traffic in traffic {
      #expect(Double(traffic.rounds) == both.rounds)
      #expect(abs(Double(traffic.messages) - both.messages) < 1e-6)
      #expect(Double(traffic.bytesSent) == both.bytesSent)
    }
  }

  /// The pieces of a halo are as many as those that a rank makes.
  @Test func aHaloTravelsInAsManyPiecesAsItDoes() throws {
    let width = 1 << 16
    let traffic = try ThreadCommunicator.run(ranks: 2) { communicator in
      let nodes = NodePartition(sharing: 80, among: 2)
      // Every node needs all of the other rank's.
      let others = communicator.rank == Rank(0) ? 40..<80 : 0..<40
      let halo = try Halo.localizing(
        others.map { GlobalNode($0) }, in: nodes, on: communicator
      ).halo
      let counting = CountingCommunicator(communicator)
      for piece in try halo.pieces(rowByteCount: 4 * width, on: counting) {
        _ = try counting.exchange(
          piece.boundary.map { Float($0.index) }, receiving: piece.counts)
      }
      return counting.traffic
    }
    let pieces = ExpectedRanks(2).pieces(40, of: Double(4 * width))
    #expect(traffic.allSatisfy { Double($0.rounds) == pieces.rounds })
    #expect(pieces.rounds > 2)
    #expect(ExpectedRanks(1).pieces(40, of: 1e9) == ExpectedTraffic())
  }

  /// On two ranks a node that is in nine random lists is almost always needed, one in half a list seldom.
  @Test func scatteredNodesNeedMoreOfEachOtherTheMoreEdgesTheyHave() {
    let ranks = ExpectedRanks(4)
    let counts = [0, 0.5, 2, 9, 1000].map { ranks.ghostsOfScattered(1000, inLists: $0) }
    #expect(counts == counts.sorted())
    #expect(counts[0] == 0 && counts[4] < 750 && counts[4] > 740)
    // Measured by Benchmarks/scaling-counters: 17640 ghosts of 8000 nodes on four ranks.
    #expect(abs(4 * ranks.ghostsOfScattered(8000, inLists: 9) / 17640 - 1) < 0.03)
  }
}
