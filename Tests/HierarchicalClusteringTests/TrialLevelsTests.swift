import HierarchicalClustering
import Testing

@Suite struct LevelsOfTrials {
  /// Arguments: nodes, merged, and whether a trial goes on where a run does.
  @Test(arguments: [
    (20_000, 19, false), (20_000, 20, true), (1_000_000, 999, false), (19_999, 1, true),
  ])
  func endWhereManyNodesHardlyMerge(nodeCount: Int, merged: Int, goesOn: Bool) throws {
    let plan = try ClusteringPlan(
      ClusteringOptions(), with: TrainedModel(path: nil, dimensions: 8))
    let reasons = [plan, plan.asTrial].map {
      $0.stopReason(after: 1, of: nodeCount, merged: merged, before: nil)
    }
    #expect(reasons == [nil, goesOn ? nil : .nothingMerged])
  }
}
