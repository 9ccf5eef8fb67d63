import Communication
import DistributedGraphs
import Foundation
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

/// New points beside a clustering of groups.
@Suite struct AssigningWithinGroups {
  /// Six groups in mixed order, of which the last has no point in the fit. Every group has the same three
  /// centres, so that points would join across groups if they could.
  private static let groups: [Int] = {
    var generator = SeededGenerator(seed: 61)
    return (0..<6).flatMap { Array(repeating: $0, count: [30, 2, 48, 1, 24, 21][$0]) }
      .shuffled(using: &generator)
  }()
  private static let points: Matrix = {
    var rows = randomMatrix(groups.count, 12, seed: 62, scale: 0.15)
    for row in groups.indices { rows[row, row % 3] += 1 }
    return rows
  }()
  private static let old = groups.indices.filter { groups[$0] != 5 && $0 % 4 != 0 }
  private static let new = groups.indices.filter { groups[$0] == 5 || $0 % 4 == 0 }

  /// The one in the box, or one that was trained on groups.
  private static func model(ofGroups: Bool) throws -> TrainedModel {
    try TrainedModel(
      path: ofGroups ? Material.root.appending(path: "Models/speakers.safetensors").path : nil,
      dimensions: 12)
  }

  private struct Answer: Equatable {
    var fit: [Int64]
    var labels: [Int64]
    var clusterCount = 0
    var counts: [Int]
  }

  /// Fits some points in their groups, and assigns others.
  private func answer(
    _ new: [Int], to old: [Int], ofGroups: Bool = false, ranks: Int = 1, threads: Int = 1,
    at path: String? = nil
  ) throws -> Answer {
    let model = try Self.model(ofGroups: ofGroups)
    let groups = Self.groups
    let rows = Self.points
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      func share(_ places: [Int]) -> [Int] {
        Array(
          places[NodePartition(sharing: places.count, among: ranks).owned(by: communicator.rank)])
      }
      func names(_ places: [Int]) -> [GroupName] {
        share(places).map { GroupName("recording \(groups[$0])".utf8) }
      }
      let source = EmbeddingsInMemory(rows.copy(ofRows: old))
      let within = PointGroups(
        firstPoint: share(old).map { place in
          GlobalNode(old.firstIndex { groups[$0] == groups[place] }!)
        })
      let plan = MethodPlan.network(
        try ClusteringPlan(
          ClusteringOptions(threshold: 0.45, workers: Workers(threads)),
          with: model, within: within))
      let found = try cluster(source, by: plan, on: communicator)
      var fit = try FittedClustering(
        of: source, labels: found.labels,
        FittedClustering.Settings(
          ClusteringAccount(of: found, by: plan, model: nil), dimensions: 12,
          clusterCount: found.clusterCount)!,
        model: model, within: (points: within, names: names(old)), on: communicator)
      if let path {
        try fit.write(to: path, overwrite: true, on: communicator)
        fit = try FittedClustering(reading: path, on: communicator)
      }
      let assigned = try assign(
        EmbeddingsInMemory(rows.copy(ofRows: new)), within: names(new), to: fit,
        by: AssigningOptions(workers: Workers(threads)), on: communicator)
      return Answer(
        fit: try communicator.allGather(fit.labels).values,
        labels: try communicator.allGather(assigned.labels).values,
        clusterCount: fit.settings.clusterCount,
        counts: [assigned.copyCount, assigned.joinedCount, assigned.newClusterCount])
    }[0]
  }

  @Test(arguments: [1, 3], [false, true])
  func thePointsOfTheFitKeepTheirLabels(ranks: Int, ofGroups: Bool) throws {
    let answer = try answer(
      Self.old, to: Self.old, ofGroups: ofGroups, ranks: ranks)
    #expect(answer.labels == answer.fit)
    #expect(answer.counts == [Self.old.count, 0, 0])
  }

  @Test(arguments: [false, true])
  func theLabelsDoNotDependOnRanksThreadsAndFiles(ofGroups: Bool) throws {
    let alone = try answer(Self.new, to: Self.old, ofGroups: ofGroups)
    let path = FileManager.default.temporaryDirectory.path + "/groups-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    for ranks in [2, 3, 5] {
      #expect(
        try answer(
          Self.new, to: Self.old, ofGroups: ofGroups, ranks: ranks, threads: 2,
          at: ranks == 3 ? path : nil) == alone, "\(ranks) ranks")
    }
    // New clusters are numbered as they first appear.
    var next = Int64(alone.clusterCount)
    for label in alone.labels where label >= next {
      #expect(label == next)
      next += 1
    }
    #expect(next == Int64(alone.clusterCount + alone.counts[2]))
  }

  @Test(arguments: [false, true])
  func pointsStayInTheirGroups(ofGroups: Bool) throws {
    let found = try answer(Self.new, to: Self.old, ofGroups: ofGroups)
    var groupOf: [Int64: Int] = [:]
    for (place, label) in zip(Self.old + Self.new, found.fit + found.labels) {
      #expect(groupOf[label] == nil || groupOf[label] == Self.groups[place])
      groupOf[label] = Self.groups[place]
    }
    #expect(found.counts[1] > 0)
    if ofGroups {
      // New clusters of a group that the fit knows are as large as the model asks for.
      let model = try Self.model(ofGroups: true)
      for label in Set(found.labels) where label >= found.clusterCount && groupOf[label]! < 5 {
        #expect(found.labels.count { $0 == label } >= model.linkage.fewestPoints)
      }
    }
    // The group that the fit has not seen is clustered by itself.
    let strangers = Self.new.filter { Self.groups[$0] == 5 }
    let alone = try answer(strangers, to: Self.old, ofGroups: ofGroups)
    let cluster = try answer(strangers, to: strangers, ofGroups: ofGroups)
    #expect(alone.labels.map { $0 - Int64(alone.clusterCount) } == cluster.fit)
  }
}
