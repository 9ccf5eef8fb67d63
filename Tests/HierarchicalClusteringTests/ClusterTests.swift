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
import Testing

/// A kept edge that leaves a peak, or a parent that is not the best: none in a correct level.
///
/// Edges and densities are the level's own; the rule is written down once more.
func brokenParents(_ level: LevelAnswer, above threshold: Double, listLength: Int) -> [String] {
  var broken: [String] = []
  var edge = 0
  for node in level.nodes.indices {
    var best: (Float, GlobalNode)?
    for place in 0..<level.edgeCounts[node] {
      let source = level.neighbors[node * listLength + place]
      let distance = level.distance[edge + place]
      guard level.density[Int(source.index)] > level.density[node],
        distance < Float(1 - threshold)
      else { continue }
      if level.parent[node] == GlobalNode(node) {
        broken.append("\(source) is kept by peak \(node)")
      }
      if best == nil || (distance, source) < best! { best = (distance, source) }
    }
    edge += level.edgeCounts[node]
    if let best, level.parent[node] != best.1 { broken.append("\(node) should go to \(best.1)") }
  }
  return broken
}

/// A case of the fixtures: a network that merges, with its features.
private func golden(_ name: String = "sage_cf_k5_tau05") throws -> (
  features: Matrix, model: Lander, options: ClusteringOptions
) {
  let golden = try GoldenCase(Material.fixtures.appending(path: "tiny/\(name)"))
  let features = try golden.features
  return (
    try features.rows(0..<features.rowCount), try golden.model(dimensions: features.columnCount),
    golden.options()
  )
}

extension ClusteringOptions {
  fileprivate func with(
    k: Int? = nil, tau: Double? = nil, levels: Int? = nil, invalid: InvalidRowPolicy? = nil
  ) -> ClusteringOptions {
    ClusteringOptions(
      neighborCount: k ?? neighborCount, threshold: tau ?? threshold,
      maximumLevels: levels ?? maximumLevels, stopsEarly: stopsEarly,
      invalidRows: invalid ?? invalidRows, workers: workers)
  }
}

private func answer(
  _ matrix: Matrix, _ model: Lander, _ options: ClusteringOptions, ranks: Int = 1
) throws -> ClusterAnswer {
  try clusterOnThreads(EmbeddingsInMemory(matrix), with: model, options: options, ranks: ranks)
}

/// Labels of clusters of one point each.
private func singletons(_ count: Int) -> [Int64] { (0..<Int64(count)).map { $0 } }

@Suite struct LevelsOfClustering {
  @Test(arguments: [0.0, 0.3, 0.5, 0.8], [1, 3])
  func haveNoKeptEdgeThatLeavesAPeak(tau: Double, ranks: Int) throws {
    let (features, model, options) = try golden()
    let found = try answer(features, model, options.with(tau: tau), ranks: ranks)
    #expect(found.levels.count > 1 || tau > 0.7)
    for level in found.levels {
      #expect(
        brokenParents(level, above: tau, listLength: options.neighborCount! - 1) == [])
    }
    // The verifier finds what is wrong, too.
    var wrong = try #require(found.levels.first)
    let merged = try #require(wrong.parent.indices.first { wrong.parent[$0] != GlobalNode($0) })
    wrong.parent[merged] = GlobalNode(merged)
    #expect(!brokenParents(wrong, above: tau, listLength: options.neighborCount! - 1).isEmpty)
  }

  @Test func consistOfThePeaksOfTheLevelBefore() throws {
    let (features, model, options) = try golden()
    let levels = try answer(features, model, options, ranks: 2).levels
    #expect(levels.count > 2)
    #expect(levels[0].nodes.map(\.index) == singletons(features.rowCount))
    for (fine, coarse) in zip(levels, levels.dropFirst()) {
      let peaks = fine.nodes.indices.filter { fine.parent[$0] == GlobalNode($0) }
      #expect(coarse.nodes == peaks.map { fine.nodes[$0] })
      // Clusters only ever merge.
      var labelOf: [Int64: Int64] = [:]
      for (before, after) in zip(fine.labels, coarse.labels) {
        #expect(labelOf.updateValue(after, forKey: before) ?? after == after)
      }
    }
  }

  /// Sums over members are in fixed point: rows of very different lengths do not change that.
  @Test(arguments: 2...5)
  func averageRowsOfAnyLengthWithTheSameBits(ranks: Int) throws {
    let (features, model, options) = try golden()
    let scaled = Matrix(
      rows: features.rowCount, columns: features.columnCount,
      elements: features.elements.enumerated().map { place, value in
        value * [1, 1e-6, 1e6, 3][place / features.columnCount % 4]
      })
    let alone = try answer(scaled, model, options)
    #expect(alone.levels.count > 2)
    #expect(try answer(scaled, model, options, ranks: ranks) == alone)
  }
}

@Suite struct TheLoopEnds {
  @Test(arguments: [1, 2])
  func afterTheGivenLevels(count: Int) throws {
    let (features, model, options) = try golden()
    let all = try answer(features, model, options)
    let found = try answer(features, model, options.with(levels: count), ranks: 2)
    #expect(found.stopReason == .maximumLevels)
    #expect(found.levels == Array(all.levels[..<count]))
    #expect(found.labels == all.levels[count - 1].labels)
  }

  @Test func whenNothingMerges() throws {
    let (features, model, options) = try golden()
    let found = try answer(features, model, options.with(tau: 1), ranks: 3)
    #expect(found.stopReason == .nothingMerged)
    #expect(found.levels.count == 1)
    #expect(found.labels == singletons(features.rowCount))
  }

  @Test func earlyWhereThatIsAskedFor() throws {
    let (features, model, options) = try golden("sage_cf_earlystop")
    let found = try answer(features, model, options, ranks: 2)
    #expect(found.stopReason == .earlyStop)
    let merged = found.levels.map { level in
      level.parent.enumerated().count { $1 != GlobalNode($0) }
    }
    let factors = zip(merged, merged.dropFirst()).map { Double($0) / Double($1) }
    #expect(factors.last! < Double(options.neighborCount! - 1))
    #expect(factors.dropLast().allSatisfy { $0 >= Double(options.neighborCount! - 1) })
  }

  @Test(arguments: [0, 1], 1...3)
  func beforeItBeginsWhereThereIsNobodyToMergeWith(count: Int, ranks: Int) throws {
    let (features, model, options) = try golden()
    let found = try answer(features.slice(0..<count), model, options, ranks: ranks)
    #expect(
      found == ClusterAnswer(labels: singletons(count), levels: [], stopReason: .fewNodes))
  }

  /// The graph of no more than k points is complete, and still a graph; no other level follows.
  @Test(arguments: [2, 4, 5], 1...3)
  func afterTheOnlyLevelOfAFewPoints(count: Int, ranks: Int) throws {
    let (features, model, options) = try golden()
    #expect(options.neighborCount == 5)
    let found = try answer(features.slice(0..<count), model, options.with(tau: 0), ranks: ranks)
    #expect(found.levels.count == 1)
    #expect(Set(found.labels).count < count)
    #expect(try answer(features.slice(0..<count), model, options.with(tau: 0)) == found)
  }

  @Test(arguments: 1...3)
  func withoutNeighborsAtAll(ranks: Int) throws {
    let (features, model, options) = try golden()
    let found = try answer(features, model, options.with(k: 1), ranks: ranks)
    #expect(found.stopReason == .nothingMerged)
    #expect(found.labels == singletons(features.rowCount))
  }
}

@Suite struct UnusualRows {
  /// Densities are equal, and nobody is denser than anybody.
  @Test(arguments: 1...3)
  func thatAreAllTheSameStayApart(ranks: Int) throws {
    let (features, model, options) = try golden()
    let same = Matrix(
      rows: 30, columns: features.columnCount, elements: (0..<30).flatMap { _ in features.row(0) })
    let found = try answer(same, model, options, ranks: ranks)
    #expect(found.stopReason == .nothingMerged)
    #expect(found.labels == singletons(30))
  }

  /// Rows 3, 60 and 299 have no direction: one of zeros, one with NaN, one infinite.
  private func damaged(_ features: Matrix) -> Matrix {
    var damaged = features
    for column in 0..<features.columnCount { damaged[3, column] = 0 }
    damaged[60, 2] = .nan
    damaged[299, 0] = -.infinity
    return damaged
  }

  @Test(arguments: 1...4)
  func areRefusedByNumberOnAllRanks(ranks: Int) throws {
    let (features, model, options) = try golden()
    let damaged = damaged(features)
    let failures = try ThreadCommunicator.run(ranks: ranks) { communicator in
      do {
        _ = try cluster(
          EmbeddingsInMemory(damaged), with: .coordinates(model), options: options, on: communicator
        )
        return ""
      } catch let error as AgreedFailure {
        return "\(error.code): \(error.reason)"
      }
    }
    let reason =
      "embeddings: 3 of 300 rows have no direction (all zeros, or NaN or infinite values): "
      + "row 3, 60, 299"
    #expect(
      failures == Array(repeating: "\(AgreedFailure.invalidRows): \(reason)", count: ranks))
  }

  @Test(arguments: 1...4)
  func areClustersOfTheirOwnIfThatIsAskedFor(ranks: Int) throws {
    let (features, model, options) = try golden()
    let invalid = [3, 60, 299]
    let found = try answer(
      damaged(features), model, options.with(invalid: .singleton), ranks: ranks
    ).labels
    for row in invalid { #expect(found.count { $0 == found[row] } == 1) }
    // The others are clustered as if those were not there.
    let valid = (0..<300).filter { !invalid.contains($0) }
    let others = Matrix(
      rows: valid.count, columns: features.columnCount, elements: valid.flatMap { features.row($0) }
    )
    #expect(
      byFirstAppearance(valid.map { found[$0] }) == (try answer(others, model, options).labels))
  }

  /// The user's lists may name rows without direction as neighbours; they are nobody's.
  @Test(arguments: 1...3)
  func areClustersOfTheirOwnInAUsersGraphToo(ranks: Int) throws {
    let (features, model, options) = try golden()
    let whole = NodePartition(sharing: 300, among: 1)
    var directions = features
    _ = directions.normalizeRows()
    let lists = try nearestNeighbors(
      of: directions, listLength: options.neighborCount! - 1, in: whole, on: SingleRank())
    let damaged = damaged(features)
    let labels = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = NodePartition(sharing: 300, among: ranks).owned(by: communicator.rank)
      return try cluster(
        EmbeddingsInMemory(damaged), with: .coordinates(model),
        options: options.with(tau: 0, invalid: .singleton),
        neighbors: lists.slice(owned), on: communicator
      ).labels
    }.flatMap { $0 }
    #expect(Set(labels).count < 200)
    for row in [3, 60, 299] { #expect(labels.count { $0 == labels[row] } == 1) }
  }

  @Test(arguments: 1...3)
  func ofZerosAloneStayApart(ranks: Int) throws {
    let (features, model, options) = try golden()
    let zeros = Matrix(rows: 20, columns: features.columnCount)
    let found = try answer(zeros, model, options.with(invalid: .singleton), ranks: ranks)
    #expect(found.labels == singletons(20))
  }
}
