import Communication
import Datasets
import Foundation
import HierarchicalClustering
import LinearAlgebra
import Testing

/// The answer does not depend on the number of ranks or threads.
@Suite struct SameBitsTests {
  @Test(
    arguments: GoldenCase.all(in: Material.fixtures.appending(path: "tiny")),
    [(2, 1), (3, 1), (4, 2), (5, 1), (8, 1), (1, 2)])
  func tinyCaseHasTheSameBits(golden: GoldenCase, on configuration: (ranks: Int, threads: Int))
    throws
  {
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    let alone = try clusterOnThreads(features, with: model, options: golden.options(), ranks: 1)
    let many = try clusterOnThreads(
      features, with: model, options: golden.options(threads: configuration.threads),
      ranks: configuration.ranks)
    #expect(many == alone)
  }

  @Test(arguments: [1, 2, 7, 11, 13])
  func moreRanksThanNodes(pointCount: Int) throws {
    let golden = try #require(
      GoldenCase.all(in: Material.fixtures.appending(path: "tiny")).first {
        $0.folder.lastPathComponent == "sage_cf_k5_tau05"
      })
    let features = try golden.features
    let points = EmbeddingsInMemory(try features.rows(0..<pointCount))
    let model = try golden.model(dimensions: features.columnCount)
    let alone = try clusterOnThreads(points, with: model, options: golden.options(), ranks: 1)
    let many = try clusterOnThreads(points, with: model, options: golden.options(), ranks: 16)
    #expect(many == alone)
    #expect(alone.labels.count == pointCount)
  }

  @Test func noPointsAtAll() throws {
    let golden = try #require(
      GoldenCase.all(in: Material.fixtures.appending(path: "tiny")).first)
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    let empty = EmbeddingsInMemory(Matrix(rows: 0, columns: features.columnCount))
    let answer = try clusterOnThreads(empty, with: model, options: golden.options(), ranks: 2)
    #expect(answer == ClusterAnswer(labels: [], levels: [], stopReason: .fewNodes))
  }
}
