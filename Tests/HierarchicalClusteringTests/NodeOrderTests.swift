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

/// The nodes of level 0 in another order and with other owners than the points of the input.
@Suite struct OrderOfNodes {
  /// What a run found, by input point.
  private struct Answer: Equatable {
    var labels: [Int64]
    /// Nodes, edges, kept edges and merged nodes of every level.
    var counts: [[Int]]
    /// Of level 0.
    var densityBits: [UInt32]
    /// Of a trial of other thresholds; 0 for networks of coordinates.
    var silhouette: Double

    var mergedCounts: [Int] { counts.map { $0[3] } }
  }

  /// Rows of small integers: many are equally similar, and some are copies.
  private func points(_ count: Int, dimensions: Int) -> Matrix {
    Matrix(
      rows: count, columns: dimensions,
      elements: randomFloats(count * dimensions, seed: 11).map { ($0 * 2).rounded() + 0.25 })
  }

  private func answer(
    _ rows: Matrix,
    by plan: @escaping @Sendable (Range<Int>) throws -> ClusteringPlan<LinkageModel>, ranks: Int,
    shuffled seed: UInt64?
  ) throws -> Answer {
    let source = EmbeddingsInMemory(rows)
    let seesStructure = try plan(0..<0).judge.settings != nil
    let points = NodePartition(sharing: rows.rowCount, among: ranks)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rank = communicator.rank
      let level = try FirstLevel(
        source, by: try plan(points.owned(by: rank)),
        inOrder: { level in
          guard let seed else { return nil }
          var random = RandomStream(seed: seed, purpose: 1)
          let places = random.shuffled(0..<level.nodes.nodeCount)
          // The first rank has fewer nodes than its share of the points, the last one more.
          var firstNode = level.nodes.firstNode
          for rank in firstNode.indices.dropFirst().dropLast() { firstNode[rank] /= 2 }
          return (
            level.nodes.owned(by: rank).map { GlobalNode(places[$0]) },
            NodePartition(firstNode: firstNode)
          )
        }, on: communicator)
      let silhouette =
        seesStructure ? try level.trial(Thresholds(0.4), on: communicator).silhouette : 0
      let run = try level.run(above: Thresholds(0.5, later: 0.4), on: communicator)
      return (
        try run.labels(on: communicator).labels, run.history, silhouette,
        zip(level.inputPoint, level.linkage.density).map { ($0, $1.bitPattern) }
      )
    }
    return Answer(
      labels: shares.flatMap(\.0),
      counts: shares[0].1.map { [$0.nodeCount, $0.edgeCount, $0.keptEdgeCount, $0.mergedCount] },
      densityBits: shares.flatMap(\.3).sorted { $0.0 < $1.0 }.map(\.1), silhouette: shares[0].2)
  }

  private static let structure = StructureNetwork.random(
    width: 16, seed: 100,
    settings: StructureNetwork.Settings(
      neighborCount: 6, contextLength: 11, threshold: 0.5, laterThreshold: 0.45))

  private func structurePlan(_ search: NeighborSource = .exact) -> ClusteringPlan<LinkageModel> {
    ClusteringPlan(
      judge: .structure(Self.structure), search: search, neighborCount: 6,
      thresholds: .given(Thresholds(0.5, later: 0.4)))
  }

  @Test(arguments: [1, 2, 3, 5, 8], [1, 2] as [UInt64])
  func changesNothingForANetworkOfStructure(ranks: Int, seed: UInt64) throws {
    let rows = points(300, dimensions: 4)
    let expected = try answer(rows, by: { _ in structurePlan() }, ranks: 1, shuffled: nil)
    #expect(expected.mergedCounts[0] > 0 && expected.counts.count > 1)
    #expect(
      try answer(rows, by: { _ in structurePlan() }, ranks: ranks, shuffled: seed) == expected)
  }

  @Test(arguments: [1, 3], [1, 2] as [UInt64])
  func changesNothingForListsThatAreGiven(ranks: Int, seed: UInt64) throws {
    let rows = points(200, dimensions: 5)
    let lists = try nearestNeighbors(
      of: rows.withUnitRows, listLength: 11, in: NodePartition(sharing: 200, among: 1),
      on: SingleRank())
    let expected = try answer(
      rows, by: { structurePlan(.given(lists.slice($0))) }, ranks: 1, shuffled: nil)
    #expect(expected.mergedCounts[0] > 0)
    #expect(
      try answer(
        rows, by: { structurePlan(.given(lists.slice($0))) }, ranks: ranks, shuffled: seed)
        == expected)
  }

  /// Its means are of rows that are read from the input once more.
  @Test(arguments: [1, 2, 3, 5], [1, 2] as [UInt64])
  func changesNothingForANetworkOfCoordinates(ranks: Int, seed: UInt64) throws {
    let golden = try GoldenCase(Material.fixtures.appending(path: "tiny/sage_cf_k5_tau05"))
    let features = try golden.features
    var rows = try features.rows(0..<features.rowCount)
    for row in 0..<rows.rowCount {
      for column in 0..<rows.columnCount {
        rows[row, column] =
          row % 7 == 6 ? rows[row - 3, column] : (rows[row, column] * 8).rounded() / 8
      }
    }
    let plan = try ClusteringPlan(
      golden.options(),
      with: TrainedModel(.coordinates(try golden.model(dimensions: rows.columnCount))))
    let expected = try answer(rows, by: { _ in plan }, ranks: 1, shuffled: nil)
    #expect(expected.mergedCounts[0] > 0)
    #expect(try answer(rows, by: { _ in plan }, ranks: ranks, shuffled: seed) == expected)
  }
}

extension Matrix {
  fileprivate var withUnitRows: Matrix {
    var rows = self
    _ = rows.normalizeRows()
    return rows
  }
}
