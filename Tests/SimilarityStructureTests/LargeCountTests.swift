import Communication
import DistributedGraphs
import LinearAlgebra
import SimilarityStructure
import Testing

/// Sums over more points and edges than a test can make, counted by hand.
@Suite struct LargeCounts {
  private static let unit = Int128(1) << 40

  /// Two nodes of 5 · 10¹¹ points with 5000 edges into each at similarity 1, which become one.
  @Test(arguments: 1...2)
  func ofEdgesOfATrillionPointsAddUp(ranks: Int) throws {
    let edges = Int64(5e11) * 2500
    func entry(_ other: Int, incoming: Int64, outgoing: Int64) -> PointEdges.Entry {
      PointEdges.Entry(
        other: GlobalNode(other),
        tally: PointEdgeTally(incoming: incoming, outgoing: outgoing, largest: 0.5))
    }
    let rows = [
      [entry(0, incoming: edges, outgoing: 0), entry(1, incoming: edges, outgoing: edges)],
      [entry(0, incoming: edges, outgoing: edges), entry(1, incoming: edges, outgoing: 0)],
    ]
    let answers = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let nodes = NodePartition(sharing: 2, among: ranks)
      let owned = nodes.owned(by: communicator.rank)
      let fine = PointEdges(
        rows: owned.map { rows[$0] },
        similaritySums: owned.map { _ in 2 * Int128(edges) * Self.unit })
      let coarseNodes = NodePartition(sharing: 1, among: ranks)
      let coarse = try fine.merged(
        into: owned.map { _ in GlobalNode(0) }, from: nodes, to: coarseNodes, on: communicator)
      guard communicator.rank == Rank(0) else { return true }
      return fine.meanSimilarity(of: 0) == 1 && coarse.meanSimilarity(of: 0) == 1
        && coarse.incomingCount(of: 0) == Int(4 * edges)
        && coarse.tally(of: 0, and: GlobalNode(0))
          == PointEdgeTally(incoming: 4 * edges, outgoing: 0, largest: 0.5)
    }
    #expect(answers.allSatisfy { $0 })
  }

  /// All 10¹² rows are (0.6, 0.8), or half of them the opposite.
  @Test func ofRowsOfATrillionPointsMakeAScale() {
    let (n, unit) = (Int128(1_000_000_000_000), Double(Int64(1) << 32))
    let sums = [0.6, 0.8].map { n * Int128(Int64($0 * unit)) }
    #expect(ClosenessScale(columnSums: sums, ofRows: n).mean == 1 - 1e-4)
    let mean = ClosenessScale(columnSums: [sums[0] / 2, sums[1] / 2], ofRows: n).mean
    #expect(abs(mean - 0.25) < 1e-6)
  }

  /// Sums of 64 bits are those of 128, as far as these may be used.
  @Test func ofListsAreTheSameInBothWidths() throws {
    let length = 60
    let n = length + 1
    // From the largest to far below the smallest z that is told apart.
    let lists = NeighborLists(
      listLength: length,
      neighbors: (0..<n).flatMap { node in (1...length).map { GlobalNode((node + $0) % n) } },
      similarities: (0..<n).flatMap { _ in (0..<length).map { 1000 / Float(1 + $0 * $0) } })
    let context = NeighborContext(
      lists, nearLength: length, scales: .ofAll(ClosenessScale(mean: 0.9)))
    for source in 1..<n {
      let name = GlobalNode(0)
      let narrow = context.overlap(
        ofTarget: 0, named: name, withSource: source, addingIn: Int64.self)
      let wide = context.overlap(
        ofTarget: 0, named: name, withSource: source, addingIn: Int128.self)
      #expect(narrow == wide)
      #expect(narrow == context.overlap(ofTarget: 0, named: name, withSource: source))
    }
  }

  /// What bounds the sums of lists: −8 ≤ z ≤ 2, so a product of weights is below 2⁷ · 2⁴⁰ units.
  @Test(arguments: [-Float.greatestFiniteMagnitude, -1000, -1, 0, 1, 15_730, .infinity])
  func areBoundedByTheScale(similarity: Float) {
    for mean in [-1, 0, 0.99, 1] as [Float] {
      #expect((-8...2).contains(ClosenessScale(mean: mean).closeness(similarity)))
    }
    #expect(
      Int64(NeighborContext.shortLength).multipliedReportingOverflow(by: 1 << 47).overflow == false)
  }
}
