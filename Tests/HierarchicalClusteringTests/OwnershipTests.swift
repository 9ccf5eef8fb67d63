import Communication
import Datasets
import DistributedGraphs
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import RandomNumbers
import Testing

/// Who owns which nodes.
@Suite struct OwnersOfNodes {
  /// Points round centres in random order; every fifth is a copy of another.
  private static func points(_ count: Int) -> Matrix {
    var rows = randomMatrix(count, 8, seed: 41, scale: 0.4)
    let centres = randomMatrix(count / 20, 8, seed: 42)
    var random = RandomStream(seed: 43, purpose: 1)
    let centreOf = random.shuffled((0..<count).map { $0 % (count / 20) })
    for row in 0..<count {
      for column in 0..<8 {
        rows[row, column] += centres[centreOf[row], column]
        if row % 5 == 4 { rows[row, column] = rows[row * 7 % row, column] }
      }
    }
    return rows
  }

  private struct Answer: Equatable {
    var labels: [Int64]
    /// Nodes, edges and merged nodes of every level.
    var counts: [[Int]]
  }

  private func answer(
    _ rows: Matrix,
    by plan: @escaping @Sendable (Range<Int>) throws -> ClusteringPlan<LinkageModel>,
    ranks: Int
  ) throws -> (answer: Answer, levels: [LevelSummary]) {
    let points = NodePartition(sharing: rows.rowCount, among: ranks)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try cluster(
        EmbeddingsInMemory(rows), by: plan(points.owned(by: communicator.rank)), on: communicator)
    }
    return (
      Answer(
        labels: shares.flatMap(\.labels),
        counts: shares[0].levels.map { [$0.nodeCount, $0.edgeCount, $0.mergedCount] }),
      shares[0].levels
    )
  }

  /// Ranks in no order, the last of them without points.
  @Sendable private func anyRanks(_ owned: Range<Int>, of ranks: Int) -> NodeOwnership {
    .given(owned.map { $0 * 7919 % 101 % max(1, ranks - 1) })
  }

  @Sendable private func ownerships(_ owned: Range<Int>, of ranks: Int) -> [NodeOwnership] {
    [.byInput, .byLocality, anyRanks(owned, of: ranks)]
  }

  @Test(arguments: [1, 2, 3, 5], [NeighborSource.exact, .search(SearchOptions(.approximate))])
  func changeNothingForANetworkOfStructure(ranks: Int, search: NeighborSource) throws {
    let rows = Self.points(400)
    let network = StructureNetwork.random(
      width: 16, seed: 100,
      settings: StructureNetwork.Settings(
        neighborCount: 6, contextLength: 11, threshold: 0.5, laterThreshold: 0.45))
    @Sendable func plan(_ ownership: NodeOwnership) -> ClusteringPlan<LinkageModel> {
      ClusteringPlan(
        judge: .structure(network), search: search, neighborCount: 6,
        thresholds: .withoutLabels(later: nil), ownership: ownership)
    }
    let (expected, _) = try answer(rows, by: { _ in plan(.byInput) }, ranks: 1)
    #expect(expected.counts.count > 1 && expected.counts[0][2] > 0)
    for kind in 0..<3 {
      let found = try answer(
        rows, by: { plan(ownerships($0, of: ranks)[kind]) }, ranks: ranks)
      #expect(found.answer == expected, "\(kind)")
    }
  }

  @Test(arguments: [2, 3])
  func changeNothingForANetworkOfCoordinates(ranks: Int) throws {
    let golden = try GoldenCase(Material.fixtures.appending(path: "tiny/sage_cf_k5_tau05"))
    let features = try golden.features
    let rows = try features.rows(0..<features.rowCount)
    let model = TrainedModel(.coordinates(try golden.model(dimensions: rows.columnCount)))
    @Sendable func plan(_ ownership: NodeOwnership) throws -> ClusteringPlan<LinkageModel> {
      var options = golden.options()
      options.ownership = ownership
      return try ClusteringPlan(options, with: model)
    }
    let (expected, _) = try answer(rows, by: { _ in try plan(.byInput) }, ranks: 1)
    for kind in 0..<3 {
      let found = try answer(
        rows, by: { try plan(ownerships($0, of: ranks)[kind]) }, ranks: ranks)
      #expect(found.answer == expected, "\(kind)")
    }
  }

  @Test(arguments: [2, 3])
  func changeNothingForListsThatAreGiven(ranks: Int) throws {
    var rows = Self.points(300)
    _ = rows.normalizeRows()
    let lists = try nearestNeighbors(
      of: rows, listLength: 5, in: NodePartition(sharing: 300, among: 1), on: SingleRank())
    let network = StructureNetwork.random(
      width: 16, seed: 100,
      settings: StructureNetwork.Settings(
        neighborCount: 6, contextLength: 5, threshold: 0.5, laterThreshold: 0.45))
    @Sendable func plan(_ owned: Range<Int>, _ ownership: NodeOwnership) -> ClusteringPlan<
      LinkageModel
    > {
      ClusteringPlan(
        judge: .structure(network), search: .given(lists.slice(owned)), neighborCount: 6,
        thresholds: .given(Thresholds(0.5, later: 0.4)), ownership: ownership)
    }
    let (expected, _) = try answer(rows, by: { plan($0, .byInput) }, ranks: 1)
    for kind in 0..<3 {
      let found = try answer(
        rows, by: { plan($0, ownerships($0, of: ranks)[kind]) }, ranks: ranks)
      #expect(found.answer == expected, "\(kind)")
    }
  }

  /// More ranks than places in a list: new names are asked for, one by one.
  @Test func changeNothingOnManyRanks() throws {
    let rows = Self.points(200)
    let network = StructureNetwork.random(
      width: 16, seed: 100,
      settings: StructureNetwork.Settings(
        neighborCount: 4, contextLength: 3, threshold: 0.5, laterThreshold: 0.45))
    @Sendable func plan(_ ownership: NodeOwnership) -> ClusteringPlan<LinkageModel> {
      ClusteringPlan(
        judge: .structure(network), neighborCount: 4,
        thresholds: .given(Thresholds(0.5, later: 0.4)), ownership: ownership)
    }
    let (expected, _) = try answer(rows, by: { _ in plan(.byInput) }, ranks: 1)
    #expect(try answer(rows, by: { _ in plan(.byLocality) }, ranks: 8).answer == expected)
  }

  @Test func byLocalityNeedFewGhosts() throws {
    let rows = Self.points(2400)
    let network = StructureNetwork.random(width: 16, seed: 100)
    func level0(_ ownership: NodeOwnership) throws -> LevelSummary {
      let plan: ClusteringPlan<LinkageModel> = ClusteringPlan(
        judge: .structure(network), neighborCount: 6,
        thresholds: .given(Thresholds(0.5, later: 0.4)), maximumLevels: 1, ownership: ownership)
      return try answer(rows, by: { _ in plan }, ranks: 3).levels[0]
    }
    let (byInput, byLocality) = (try level0(.byInput), try level0(.byLocality))
    #expect(byLocality.cutEdgeCount * 4 < byInput.cutEdgeCount)
    #expect(byLocality.ghostCount * 3 < byInput.ghostCount)
    #expect(byLocality.nodeImbalance <= 1.04 && byInput.nodeImbalance < 1.01)
    #expect(byLocality.phases["partition"] != nil && byInput.phases["partition"] == nil)
    let sent = [byInput, byLocality].map { $0.phases["network"]?.bytesSent ?? 0 }
    #expect(sent[1] * 2 < sent[0], "\(sent)")
  }
}
