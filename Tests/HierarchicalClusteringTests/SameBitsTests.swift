import Communication
import Datasets
import Foundation
import HierarchicalClustering
import LinearAlgebra
import TestTags
import Testing

/// The answer does not depend on the number of ranks or threads.
@Suite struct SameBitsTests {
  @Test(
    arguments: try GoldenCase.tiny(), [1, 2, 3, 4, 5, 8])
  func tinyCaseHasTheSameBits(golden: GoldenCase, ranks: Int) throws {
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    let alone = try clusterOnThreads(features, with: model, options: golden.options(), ranks: 1)
    for threads in 1...2 {
      let many = try clusterOnThreads(
        features, with: model, options: golden.options(threads: threads), ranks: ranks)
      #expect(many == alone, "\(threads) threads")
    }
  }

  @Test(.tags(.threads), arguments: [1, 2, 7, 11, 13])
  func moreRanksThanNodes(pointCount: Int) throws {
    let golden = try GoldenCase.tiny("sage_cf_k5_tau05")
    let features = try golden.features
    let points = EmbeddingsInMemory(try features.rows(0..<pointCount))
    let model = try golden.model(dimensions: features.columnCount)
    let alone = try clusterOnThreads(points, with: model, options: golden.options(), ranks: 1)
    let many = try clusterOnThreads(
      points, with: model, options: golden.options(threads: 2), ranks: 16)
    #expect(many == alone)
    #expect(alone.labels.count == pointCount)
  }

  @Test(.tags(.threads)) func noPointsAtAll() throws {
    let golden = try GoldenCase.tiny("sage_cf")
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    let empty = EmbeddingsInMemory(Matrix(rows: 0, columns: features.columnCount))
    let answer = try clusterOnThreads(empty, with: model, options: golden.options(), ranks: 2)
    #expect(answer == ClusterAnswer(labels: [], levels: [], stopReason: .fewNodes))
  }
}
