import Communication
import Datasets
import DistributedGraphs
import Evaluation
import Foundation
import HierarchicalClustering
import Testing

/// The reference's numbers, level by level.
@Suite struct GoldenTests {
  @Test(arguments: try GoldenCase.tiny())
  func tinyCaseHasTheReferencesNumbers(golden: GoldenCase) throws {
    try check(golden)
  }

  @Test(
    .enabled(if: Material.hasShared, "the shared golden numbers are not here"),
    arguments: try GoldenCase.all(
      in: Material.shared.appending(path: "golden/small"), atLeast: 3))
  func smallCaseHasTheReferencesNumbers(golden: GoldenCase) throws {
    try check(golden)
  }

  private func check(_ golden: GoldenCase) throws {
    let features = try golden.features
    let answer = try clusterOnThreads(
      features, with: golden.model(dimensions: features.columnCount), options: golden.options(),
      ranks: 1)
    try #require(answer.levels.count == golden.metrics.levels)
    try #require(golden.metrics.perLevel.count == golden.metrics.levels)
    for (level, own) in answer.levels.enumerated() {
      try check(own, level: level, of: golden)
    }
    #expect(answer.labels == byFirstAppearance(try golden.integers("pred_labels")))
    #expect(Set(answer.labels).count == golden.metrics.clusters)
    let found = try compareLabels(
      truth: golden.truth, predicted: answer.labels, on: SingleRank())
    expectEqual(found.pairwise, golden.metrics.pairwise, "pairwise")
    expectEqual(found.bcubed, golden.metrics.bcubed, "BCubed")
    #expect(abs(found.nmi - golden.metrics.nmi) <= 1e-6)
  }

  private func check(_ own: LevelAnswer, level: Int, of golden: GoldenCase) throws {
    #expect(own.nodes.map(\.index) == (try golden.integers("ids", level: level)))
    let difference = try golden.difference(own, level: level)
    let comment: Comment = "level \(level): \(difference)"
    #expect(difference.neighbors == 0, comment)
    #expect(difference.edges == 0, comment)
    #expect(difference.largestSimilarity <= 2e-5, comment)
    #expect(difference.largestLinkage <= 2e-5, comment)
    #expect(difference.largestDensity <= 2e-5, comment)
    #expect(difference.parents == 0, comment)
    #expect(
      own.labels == byFirstAppearance(try golden.integers("global_pred_labels", level: level)),
      comment)

    let expected = golden.metrics.perLevel[level]
    #expect(own.nodes.count == expected.nodes)
    if let edgeCount = expected.edges {
      #expect(own.edgeCounts.reduce(0, +) == edgeCount, comment)
    }
    let keptCount = own.keptEdgeCount(
      above: golden.metrics.tau, listLength: golden.listLength)
    #expect(keptCount == expected.edgesKept, comment)
    let mergedCount = own.parent.enumerated().count { $1 != GlobalNode($0) }
    #expect(mergedCount == expected.edgesAdded, comment)
    #expect(own.nodes.count - mergedCount == expected.peaks, comment)
  }

  private func expectEqual(
    _ found: PrecisionRecall, _ expected: [Double?], _ name: Comment
  ) {
    #expect(expected.count == 3, name)
    for (found, expected) in zip([found.precision, found.recall, found.f], expected) {
      // The reference's null is 0/0.
      if let expected {
        #expect(abs(found - expected) <= 1e-6, name)
      } else {
        #expect(found.isNaN, name)
      }
    }
  }
}
