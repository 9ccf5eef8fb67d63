import Communication
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import Parallelism
import RandomInputs
import Testing

/// Sums for means take little memory: a few columns at a time.
@Suite struct Contraction {
  private static let points = randomMatrix(300, 70, seed: 17)

  /// The rows of level 2, after two contractions of five nodes to one.
  private func rows(
    ranks: Int, _ means: NodeMeans, mostSumBytes: Int
  ) throws -> [Float] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let source = EmbeddingsInMemory(Self.points)
      var run = try ClusteringRun(
        reading: source, invalid: .error, asStored: false, using: Workers(2), on: communicator)
      for number in 1...2 {
        let owned = run.level.nodes.owned(by: communicator.rank)
        let roots = owned.map { GlobalNode($0 / 5 * 5) }
        try run.contract(
          to: roots, as: number, keeping: means, of: source, using: Workers(2), on: communicator,
          mostSumBytes: mostSumBytes)
      }
      let rows = run.level.rows
      let count = run.level.nodes.owned(by: communicator.rank).count
      return rows.directions.copy(ofRows: 0..<count).elements + rows.averages.elements
    }.flatMap { $0 }
  }

  @Test(arguments: [1, 3], [NodeMeans.ofDirections, .ofInputRows])
  func givesTheSameRowsInBlocksOfColumns(ranks: Int, means: NodeMeans) throws {
    let atOnce = try rows(ranks: ranks, means, mostSumBytes: 1 << 30)
    #expect(atOnce.count == 2 * 12 * 70)
    for bytes in [1, 8 * 20 * 40] {
      #expect(try rows(ranks: ranks, means, mostSumBytes: bytes) == atOnce)
    }
  }
}
