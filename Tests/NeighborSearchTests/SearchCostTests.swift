import Communication
import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

/// What a search is expected to cost is what it is then counted to cost.
@Suite struct SearchCosts {
  private static let listLength = 9

  /// A search by ranks that are threads: the mean of what they send, and what it did.
  private func run(
    _ rows: Matrix, by options: SearchOptions, isNamed: Bool, ranks: Int
  ) throws -> (traffic: ExpectedTraffic, summary: SearchSummary) {
    let nodes = NodePartition(sharing: rows.rowCount, among: ranks)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let counting = CountingCommunicator(communicator)
      let owned = nodes.owned(by: communicator.rank)
      let summary = try nearestNeighbors(
        of: StoredRows(rows.slice(owned)), listLength: Self.listLength, by: options, in: nodes,
        named: isNamed ? owned.map { GlobalNode(2 * $0) } : nil, on: counting
      ).summary
      return (counting.traffic, summary)
    }
    var mean = ExpectedTraffic()
    for (traffic, _) in found {
      mean.rounds += Double(traffic.rounds) / Double(ranks)
      mean.messages += Double(traffic.messages) / Double(ranks)
      mean.bytesSent += Double(traffic.bytesSent) / Double(ranks)
    }
    return (mean, found[0].1)
  }

  private func cost(
    _ rows: Matrix, by options: SearchOptions, isNamed: Bool = false, ranks: Int,
    _ approximate: ApproximateSummary? = nil
  ) -> SearchCost {
    SearchCost(
      of: SearchMemory(
        rowCount: (rows.rowCount + ranks - 1) / ranks, nodeCount: rows.rowCount,
        columnCount: rows.columnCount, element: .float32, listLength: Self.listLength,
        rankCount: ranks), by: options, isNamed: isNamed,
      isDiffuse: approximate.map { $0.meanCells > 8 } ?? false,
      partitionCount: approximate?.recallByPartition.count, among: ExpectedRanks(ranks))
  }

  @Test(arguments: 1...6, [false, true])
  func ofAnExactSearchIsExact(ranks: Int, isNamed: Bool) throws {
    let rows = unitRows(240, 12, seed: 5)
    for pieces in [1, 3] {
      let options = SearchOptions(.exact, division: SearchDivision(pieceCount: pieces))
      let found = try run(rows, by: options, isNamed: isNamed, ranks: ranks)
      let expected = cost(rows, by: options, isNamed: isNamed, ranks: ranks)
      #expect(found.traffic.rounds == expected.traffic.rounds)
      #expect(found.traffic.messages == expected.traffic.messages)
      // Pieces of a block may differ by a row.
      #expect(abs(found.traffic.bytesSent - expected.traffic.bytesSent) < 1e-6)
      #expect(found.summary.comparedPairs == expected.comparedPairs)
      #expect(expected.blockPairs == expected.comparedPairs / Double(ranks))
    }
  }

  /// Random directions in three dimensions are not diffuse, those in forty are: there all cells are near each other, and only
  /// what the code alone decides is as expected.
  @Test(arguments: [1, 2, 3, 5], [3, 40])
  func ofAnApproximateSearchIsNear(ranks: Int, columns: Int) throws {
    let rows = unitRows(6000, columns, seed: 6)
    for slabs in [1, 4] {
      let options = SearchOptions(
        .approximate, recall: 0.9, division: SearchDivision(slabCount: slabs))
      let found = try run(rows, by: options, isNamed: false, ranks: ranks)
      let expected = cost(rows, by: options, ranks: ranks, found.summary.approximate)
      #expect(found.traffic.rounds == expected.traffic.rounds)
      #expect(abs(found.traffic.messages / expected.traffic.messages - 1) < 0.1 || ranks == 1)
      guard columns == 3 else { continue }
      #expect(abs(found.traffic.bytesSent / expected.traffic.bytesSent - 1) < 0.2 || ranks == 1)
      #expect(abs(found.summary.comparedPairs / expected.comparedPairs - 1) < 0.15)
    }
  }
}
