import Communication
import Datasets
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
  private func cluster(ranks: Int, share: Double, ofCoordinates: Bool) throws -> [String] {
    let golden = try GoldenCase.tiny("sage_cf")
    let columns = ofCoordinates ? try golden.features.columnCount : 12
    let points = randomMatrix(600, columns, seed: 31)
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      let model =
        ofCoordinates
        ? TrainedModel(.coordinates(try golden.model(dimensions: columns)))
        : try TrainedModel(path: nil, dimensions: columns)
      let need = ClusteringMemory(
        rowCount: (600 + ranks - 1) / ranks, pointCount: 600, columnCount: columns,
        element: .float32,
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

  @Test(arguments: [1, 3], [false, true])
  func endRunsOfWhichTooFewNodesMerge(ranks: Int, ofCoordinates: Bool) throws {
    for reason in try cluster(ranks: ranks, share: 0.05, ofCoordinates: ofCoordinates) {
      #expect(reason.hasPrefix("too few nodes merge for the memory that is allowed: level 1 has "))
      #expect(reason.hasSuffix("on each of \(ranks) rank\(ranks == 1 ? "" : "s")"), "\(reason)")
    }
    #expect(
      try cluster(ranks: ranks, share: 1, ofCoordinates: ofCoordinates).allSatisfy {
        $0 == "finished"
      })
  }
}
