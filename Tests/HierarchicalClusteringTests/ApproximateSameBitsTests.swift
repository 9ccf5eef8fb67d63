import Communication
import Datasets
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import TestTags
import Testing

/// The answer of a clustering by approximate neighbours does not depend on the number of ranks or threads.
@Suite struct ApproximateSameBits {
  @Test(arguments: [1, 2, 3, 5, 8, 16])
  func ofLabelsAndCounts(ranks: Int) throws {
    let golden = try GoldenCase.tiny("sage_cf_k5_tau05")
    let columns = try golden.features.columnCount
    let model = try golden.model(dimensions: columns)
    let points = EmbeddingsInMemory(randomMatrix(900, columns, seed: 97))
    func answer(ranks: Int, threads: Int) throws -> (ClusterAnswer, [LevelSummary]) {
      var options = golden.options(threads: threads)
      options.search = SearchOptions(.approximate, recall: 0.9)
      let counts = try ThreadCommunicator.run(ranks: ranks) { [options] communicator in
        try cluster(points, with: .coordinates(model), options: options, on: communicator).levels
      }
      #expect(counts.allSatisfy { $0.map(\.ofAnyRanks) == counts[0].map(\.ofAnyRanks) })
      return (
        try clusterOnThreads(points, with: model, options: options, ranks: ranks),
        counts[0].map(\.ofAnyRanks)
      )
    }
    let alone = try answer(ranks: 1, threads: 1)
    #expect(!alone.0.levels.isEmpty)
    for threads in 1...2 {
      let many = try answer(ranks: ranks, threads: threads)
      #expect(many.0 == alone.0, "\(threads) threads")
      #expect(many.1 == alone.1, "\(threads) threads")
    }
  }
}

extension LevelSummary {
  /// Without costs and what says how work is shared.
  fileprivate var ofAnyRanks: Self {
    var summary = self
    summary.phases = [:]
    summary.peakMemoryBytes = 0
    summary.rankCount = nil
    summary.ghostCount = 0
    summary.cutEdgeCount = 0
    summary.nodeImbalance = 1
    summary.edgeImbalance = 1
    summary.search?.approximate?.imbalance = 1
    return summary
  }
}
