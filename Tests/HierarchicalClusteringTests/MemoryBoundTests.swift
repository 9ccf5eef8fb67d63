import Communication
import DefaultModel
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

/// A run that was planned for points that merge ends where they do not.
@Suite struct BoundsOfMemory {
  /// - Parameter share: Of what the run may need, as a part.
  private func cluster(ranks: Int, share: Double) throws -> [String] {
    let points = randomMatrix(600, 12, seed: 31)
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      let model = try TrainedModel(path: nil, dimensions: 12)
      let need = ClusteringMemory(
        rowCount: (600 + ranks - 1) / ranks, pointCount: 600, columnCount: 12, element: .float32,
        rankCount: ranks, neighborCount: model.neighborCount(nil), keepsLists: false,
        model: model.linkage, coarseShare: 1)
      let search = SearchOptions()
      let options = ClusteringOptions(
        threshold: 0.3, maximumLevels: 4,
        memoryBound: MemoryBound(need, bytes: share * need.bytes(by: search), search: search))
      do {
        _ = try HierarchicalClustering.cluster(
          EmbeddingsInMemory(points), with: model, options: options, on: communicator)
        return "finished"
      } catch let failure as AgreedFailure {
        return failure.reason
      }
    }
  }

  @Test(arguments: [1, 3])
  func endRunsOfWhichTooFewNodesMerge(ranks: Int) throws {
    for reason in try cluster(ranks: ranks, share: 0.05) {
      #expect(reason.hasPrefix("too few nodes merge for the memory that is allowed: level 1 has "))
      #expect(reason.hasSuffix("on each of \(ranks) rank\(ranks == 1 ? "" : "s")"), "\(reason)")
    }
    #expect(try cluster(ranks: ranks, share: 1).allSatisfy { $0 == "finished" })
  }
}
