import Communication
import Datasets
import DistributedGraphs
import Foundation
import HierarchicalClustering
import Testing

/// The reference's numbers, level by level.
@Suite struct GoldenTests {
  @Test(arguments: GoldenCase.all(in: Material.fixtures.appending(path: "tiny")))
  func tinyCaseHasTheReferencesNumbers(golden: GoldenCase) throws {
    try check(golden)
  }

  @Test(
    .enabled(if: Material.hasShared, "the shared golden numbers are not here"),
    arguments: GoldenCase.all(in: Material.shared.appending(path: "golden/small")))
  func smallCaseHasTheReferencesNumbers(golden: GoldenCase) throws {
    try check(golden)
  }

  private func check(_ golden: GoldenCase) throws {
    let features = try golden.features
    let answer = try clusterOnThreads(
      features, with: golden.model(dimensions: features.columnCount), options: golden.options(),
      ranks: 1)
    #expect(answer.levels.count == golden.metrics.levels)
    for (level, own) in answer.levels.enumerated() {
      #expect(own.nodes.map(\.index) == (try golden.integers("ids", level: level)))
      let difference = try golden.difference(own, level: level)
      print(golden.testDescription, level, difference)
      #expect(difference.neighbors == 0)
      #expect(difference.largestLinkage <= 2e-5)
      #expect(difference.largestDensity <= 2e-5)
      #expect(difference.parents == 0)
      #expect(
        own.labels
          == byFirstAppearance(try golden.integers("global_pred_labels", level: level)))
      let expected = golden.metrics.perLevel[level]
      #expect(own.parent.enumerated().count { $1 != GlobalNode($0) } == expected.edgesAdded)
    }
    #expect(answer.labels == byFirstAppearance(try golden.integers("pred_labels")))
  }
}
