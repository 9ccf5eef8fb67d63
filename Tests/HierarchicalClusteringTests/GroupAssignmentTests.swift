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

  /// This rank's share of some points.
  private static func share(_ places: [Int], on communicator: some Communicator) -> [Int] {
    let owners = NodePartition(sharing: places.count, among: communicator.size)
    return Array(places[owners.owned(by: communicator.rank)])
  }

  /// What the groups of this rank's share of some points are called.
  private static func names(
    _ places: [Int], on communicator: some Communicator
  ) -> [GroupName] {
    share(places, on: communicator).map { GroupName("recording \(groups[$0])".utf8) }
  }

  /// Fits some points in their groups.
  private static func fit(
    _ old: [Int], with model: TrainedModel, threads: Int = 1, on communicator: some Communicator
  ) throws -> FittedClustering {
    let source = EmbeddingsInMemory(points.copy(ofRows: old))
    let within = PointGroups(
      firstPoint: share(old, on: communicator).map { place in
        GlobalNode(old.firstIndex { groups[$0] == groups[place] }!)
      })
    let plan = MethodPlan.network(
      try ClusteringPlan(
        ClusteringOptions(threshold: 0.45, workers: Workers(threads)),
        with: model, within: within))
    let found = try cluster(source, by: plan, on: communicator)
    return try FittedClustering(
      of: source, labels: found.labels,
      FittedClustering.Settings(
        ClusteringAccount(of: found, by: plan, with: nil), dimensions: 12,
        clusterCount: found.clusterCount)!,
      model: model, within: (points: within, names: names(old, on: communicator)),
      on: communicator)
  }

  /// Fits some points in their groups, and assigns others.
  private func answer(
    _ new: [Int], to old: [Int], ofGroups: Bool = false, ranks: Int = 1, threads: Int = 1,
    at path: String? = nil
  ) throws -> Answer {
    let model = try Self.model(ofGroups: ofGroups)
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      var fit = try Self.fit(old, with: model, threads: threads, on: communicator)
      if let path {
        try fit.write(to: path, overwrite: true, on: communicator)
        fit = try FittedClustering(reading: path, on: communicator)
      }
      let assigned = try assign(
        EmbeddingsInMemory(Self.points.copy(ofRows: new)),
        within: Self.names(new, on: communicator), to: fit,
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

  /// Of the fit only groups with new points travel, and their rank has memory for them.
  @Test func groupsWithoutNewPointsStayWhereTheyAre() throws {
    let model = try Self.model(ofGroups: true)
    /// What a point of a group sends, and needs.
    func cost(ofPointIn group: Int, ranks: Int) throws -> (bytesSent: Int, memory: Double) {
      let new = [Self.new.first { Self.groups[$0] == group }!]
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let fit = try Self.fit(Self.old, with: model, on: communicator)
        let names = Self.names(new, on: communicator)
        let memory = fit.bytes(
          toAssign: 1, within: try fit.largestShare(of: names, on: communicator),
          by: SearchOptions())
        let assigned = try assign(
          EmbeddingsInMemory(Self.points.copy(ofRows: new)), within: names, to: fit,
          by: AssigningOptions(), on: communicator)
        return [Double(assigned.costs[.partition]!.bytesSent), memory]
      }
      #expect(found.allSatisfy { $0 == found[0] })
      return (Int(found[0][0]), found[0][1])
    }
    let stranger = try cost(ofPointIn: 5, ranks: 3)
    let known = try cost(ofPointIn: 2, ranks: 3)
    #expect(2 * stranger.bytesSent < known.bytesSent)
    // A group is not divided, however many ranks there are.
    let memberCount = Double(Self.old.count { Self.groups[$0] == 2 })
    for ranks in [3, 5] {
      let difference =
        try cost(ofPointIn: 2, ranks: ranks).memory - cost(ofPointIn: 5, ranks: ranks).memory
      #expect(difference > 2 * memberCount * 12 * 4, "\(ranks) ranks")
    }
  }

  /// Groups are dealt by their cost, wherever hashes of their names lead.
  @Test(arguments: [1, 2, 3, 4])
  func ranksHaveEqualShares(ranks: Int) throws {
    let model = try Self.model(ofGroups: true)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let fit = try Self.fit(Self.old, with: model, on: communicator)
      let names = (0..<12).map { GroupName("stranger \(communicator.rank.index), \($0)".utf8) }
      let share = try fit.largestShare(of: names, on: communicator)
      return [share.pointCount, share.nodeCount, share.largestGroup.pointCount]
    }
    #expect(shares == Array(repeating: [12, 0, 1], count: ranks))
  }
}
