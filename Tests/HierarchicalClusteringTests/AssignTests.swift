import Communication
import Datasets
import DistributedGraphs
import Foundation
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

/// New points beside a clustering.
@Suite struct Assigning {
  private struct Answer: Equatable {
    var fit: [Int64]
    var labels: [Int64]
    var clusterCount = 0
    var newClusterCount = 0
    var copyCount = 0
    var joinedCount = 0
  }

  private func assign(
    _ new: Matrix, to rows: Matrix, _ kind: FittedMethod, ranks: Int
  ) throws -> Answer {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let fit = try kind.fit(rows, on: communicator)
      return try answer(EmbeddingsInMemory(new), fit, on: communicator)
    }[0]
  }

  private func answer(
    _ source: some EmbeddingSource, _ fit: FittedClustering,
    _ policy: InvalidRowPolicy = .error, on communicator: some Communicator
  ) throws -> Answer {
    let found = try HierarchicalClustering.assign(
      source, to: fit, by: AssigningOptions(invalidRows: policy), on: communicator)
    return Answer(
      fit: try communicator.allGather(fit.labels).values,
      labels: try communicator.allGather(found.labels).values,
      clusterCount: fit.settings.clusterCount, newClusterCount: found.newClusterCount,
      copyCount: found.copyCount, joinedCount: found.joinedCount)
  }

  /// Some of the rows.
  private func rows(_ all: Matrix, where isWanted: (Int) -> Bool) -> Matrix {
    all.copy(ofRows: (0..<all.rowCount).filter(isWanted))
  }

  @Test(arguments: FittedMethod.allCases, [1, 3])
  func thePointsOfTheFitKeepTheirLabels(kind: FittedMethod, ranks: Int) throws {
    let all = mixture(groups: 9, size: 11, noise: 0.4, seed: 51, width: 16)
    // Copies, of which a network of coordinates makes nodes of their own.
    let points =
      kind == .coordinates ? all : all.copy(ofRows: (0..<99).flatMap { [$0, ($0 * 7) % 99] })
    let answer = try assign(points, to: points, kind, ranks: ranks)
    #expect(answer.labels == answer.fit)
    #expect(answer.copyCount == points.rowCount && answer.newClusterCount == 0)
  }

  @Test(arguments: FittedMethod.allCases)
  func theLabelsDoNotDependOnRanks(kind: FittedMethod) throws {
    let all = mixture(groups: 10, size: 12, noise: 0.5, seed: 52, width: 16)
    let old = rows(all) { $0 % 3 != 0 && $0 < 96 }
    let new = rows(all) { $0 % 3 == 0 || $0 >= 96 }
    let alone = try assign(new, to: old, kind, ranks: 1)
    for ranks in [2, 3, 5] {
      #expect(try assign(new, to: old, kind, ranks: ranks) == alone, "\(ranks) ranks")
    }
  }

  /// Eight groups of the fit, and two that it has not seen.
  @Test(arguments: [FittedMethod.flow, .structure])
  func newPointsJoinTheirClustersOrFoundOnes(kind: FittedMethod) throws {
    let all = mixture(groups: 10, size: 12, noise: 0.1, seed: 53, width: 16)
    let old = rows(all) { $0 % 3 != 0 && $0 < 96 }
    let places = (0..<120).filter { $0 % 3 == 0 || $0 >= 96 }
    let answer = try assign(all.copy(ofRows: places), to: old, kind, ranks: 2)
    #expect(answer.fit == (0..<64).map { Int64($0 / 8) })
    #expect(answer.labels == places.map { Int64($0 / 12) })
    #expect(answer.clusterCount == 8 && answer.newClusterCount == 2)
    #expect(answer.joinedCount == 32 && answer.copyCount == 0)
  }

  /// Few new points are near and far by the measure of the fit: points of thirty groups, one of each, found
  /// clusters of their own, and one group founds one.
  @Test(arguments: [FittedMethod.flow, .structure])
  func fewPointsFoundTheClustersThatManyWould(kind: FittedMethod) throws {
    let all = mixture(groups: 60, size: 15, noise: 0.3, seed: 58, width: 32)
    let old = rows(all) { $0 < 30 * 15 }
    for ranks in [1, 2, 3] {
      let apart = try assign(
        rows(all) { $0 >= 30 * 15 && $0 % 15 == 0 }, to: old, kind, ranks: ranks)
      // By flow with k = 7 some are as near to each other as points of a loose group; alone, all are in a few clusters.
      #expect(apart.newClusterCount >= (kind == .flow ? 15 : 30), "\(ranks) ranks: \(apart)")
      let together = try assign(
        rows(all) { $0 >= 59 * 15 }, to: old, kind, ranks: ranks)
      #expect(together.newClusterCount == 1 && together.joinedCount == 0, "\(ranks) ranks")
    }
  }

  @Test(arguments: 0...3, [1, 3])
  func thereMayBeFewPoints(count: Int, ranks: Int) throws {
    let all = mixture(groups: 3, size: 8, noise: 0.1, seed: 54, width: 16)
    let old = rows(all) { $0 >= 4 }
    let new = rows(all) { $0 < count }
    let answer = try assign(new, to: old, .flow, ranks: ranks)
    #expect(answer.labels == Array(repeating: 0, count: count))
    // Nothing to join: they make clusters of their own.
    let founding = try assign(new, to: rows(all) { $0 < 0 }, .flow, ranks: ranks)
    #expect(founding.labels == Array(repeating: 0, count: count))
    #expect(founding.newClusterCount == min(count, 1))
  }

  @Test func pointsWithoutDirectionStayAlone() throws {
    var all = mixture(groups: 2, size: 10, noise: 0.1, seed: 55, width: 16)
    for row in [3, 8, 17] {
      for column in 0..<all.columnCount { all[row, column] = 0 }
    }
    let (points, places) = (all, [3, 4, 8, 12])
    let answers = try ThreadCommunicator.run(ranks: 2) { communicator in
      let fit = try FittedMethod.flow.fit(
        rows(points) { !places.contains($0) }, .singleton, on: communicator)
      return try answer(
        EmbeddingsInMemory(points.copy(ofRows: places)), fit, .singleton, on: communicator)
    }
    #expect(answers[0].clusterCount == 3)
    #expect(answers[0].labels == [3, 0, 4, 1])
    #expect(throws: AgreedFailure.self) {
      try ThreadCommunicator.run(ranks: 2) { communicator in
        let fit = try FittedMethod.flow.fit(rows(points) { $0 < 3 }, on: communicator)
        _ = try answer(EmbeddingsInMemory(points), fit, on: communicator)
      }
    }
  }

  @Test(arguments: FittedMethod.allCases)
  func aClusteringIsReadAsItWasWritten(kind: FittedMethod) throws {
    let path = FileManager.default.temporaryDirectory.path + "/assigning-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let all = mixture(groups: 10, size: 12, noise: 0.5, seed: 56, width: 16)
    let old = rows(all) { $0 % 4 != 0 }
    let new = EmbeddingsInMemory(rows(all) { $0 % 4 == 0 })
    let written = try ThreadCommunicator.run(ranks: 3) { communicator in
      let fit = try kind.fit(old, on: communicator)
      try fit.write(to: path, overwrite: false, on: communicator)
      return try answer(new, fit, on: communicator)
    }
    for ranks in [1, 2, 5] {
      let read = try ThreadCommunicator.run(ranks: ranks) { communicator in
        try answer(new, FittedClustering(reading: path, on: communicator), on: communicator)
      }
      #expect(read[0] == written[0], "\(ranks) ranks")
    }
  }

  /// A model's file is read once: what is saved is what judged, whatever the file has become.
  @Test func theModelThatJudgedIsSaved() throws {
    let path = FileManager.default.temporaryDirectory.path + "/judging-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let original = try TrainedModel.contents(nil)
    let file = URL(filePath: "\(path)/own.safetensors")
    try Data(original).write(to: file)
    let points = mixture(groups: 3, size: 8, noise: 0.1, seed: 59, width: 16)
    _ = try ThreadCommunicator.run(ranks: 3) { communicator in
      let model = try TrainedModel(path: file.path, dimensions: 16, on: communicator)
      try communicator.agree {
        if communicator.rank == Rank(0) { try Data([1, 2, 3]).write(to: file) }
      }
      let own = NodePartition(sharing: 24, among: 3).owned(by: communicator.rank)
      try FittedClustering(
        of: EmbeddingsInMemory(points), labels: own.map { Int64($0 / 8) },
        FittedClustering.Settings(
          method: .network, neighborCount: 10, thresholds: Thresholds(0.5), maximumLevels: 10,
          dimensions: 16, clusterCount: 3), model: model, on: communicator
      ).write(to: "\(path)/saved", overwrite: false, on: communicator)
    }
    let saved = try Data(contentsOf: URL(filePath: "\(path)/saved/model.safetensors"))
    #expect(Array(saved) == original)
    #expect(throws: AgreedFailure.self) {
      try ThreadCommunicator.run(ranks: 3) {
        _ = try TrainedModel(path: file.path, dimensions: 16, on: $0)
      }
    }
  }

  /// Of some nodes, the lists that a search of all finds.
  @Test(arguments: [1, 2, 4], [3, 1000])
  func neighboursOfSomeNodesAreThoseOfAll(ranks: Int, tileLength: Int) throws {
    var all = mixture(groups: 7, size: 9, noise: 0.6, seed: 57, width: 16)
    all.normalizeRows()
    let points = all
    let nodes = NodePartition(sharing: points.rowCount, among: ranks)
    let same = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      let own = StoredRows(points.slice(owned))
      let names = owned.map { GlobalNode($0) }
      let count = max(owned.count - 3 * communicator.rank.index, 0)
      let expected = try nearestNeighbors(of: own, listLength: 12, in: nodes, on: communicator)
      for method in [SearchMethod.exact, .auto] {
        let found = try nearestNeighbors(
          ofFirst: count, of: own, listLength: 12, by: SearchOptions(method), in: nodes,
          named: names, inTilesOf: tileLength, on: communicator)
        guard found.lists.neighbors == Array(expected.neighbors.prefix(12 * count)),
          found.lists.similarities == Array(expected.similarities.prefix(12 * count))
        else { return false }
      }
      return true
    }
    #expect(!same.contains(false))
  }
}
