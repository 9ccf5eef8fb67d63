import Communication
import DistributedGraphs
import Testing

@Suite struct AHaloOfSomeRows {
  /// Two ranks of two thousand million nodes each: whatever is made for each of them does not end.
  @Test func costsNothingForTheRowsThatAreNotKept() throws {
    let share = 2_000_000_000
    let nodes = NodePartition(firstNode: [0, share, 2 * share])
    let halos = try ThreadCommunicator.run(ranks: 2) { communicator in
      // Each wants nodes 7 and 5 of the other, and 3 of itself.
      let (own, other) = communicator.rank.index == 0 ? (0, share) : (share, 0)
      let (halo, local) = try Halo.localizing(
        [GlobalNode(other + 7), GlobalNode(own + 3), GlobalNode(other + 5)], in: nodes,
        on: communicator)
      let kept = halo.keeping([3, 5, 6, 7])
      return (local.map { Int($0.index) }, kept)
    }
    for (local, kept) in halos {
      #expect(local == [share + 1, 3, share])
      #expect(kept.ownedCount == 4 && kept.ghostCount == 2)
      #expect(kept.boundary.values.map(\.index) == [1, 3])
    }
  }

  @Test func findsPlacesByHalving() {
    let rows = [2, 3, 5, 8, 13]
    for number in 0...14 {
      #expect(rows.place(ofAscending: number) == rows.firstIndex(of: number))
    }
    #expect([Int]().place(ofAscending: 1) == nil)
  }
}
