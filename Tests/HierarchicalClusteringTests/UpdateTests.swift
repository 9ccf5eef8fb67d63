import Communication
import DistributedGraphs
import Evaluation
import Foundation
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

/// A clustering to which points are added.
@Suite struct Updating {
  private struct Answer: Equatable {
    var labels: [Int64]
    var old: [Int64]
    var labelBound: Int
    var changes: ClusterChanges
    var grown: [ClusteringUpdate.Growth]
    var founded: [ClusteringUpdate.Growth]
    var clusterCount: Int
  }

  private func answer(
    _ update: ClusteringUpdate, _ fit: FittedClustering, on communicator: some Communicator
  ) throws -> Answer {
    Answer(
      labels: try communicator.allGather(update.labels).values,
      old: try communicator.allGather(fit.labels).values, labelBound: update.labelBound,
      changes: update.changes, grown: update.grown, founded: update.founded,
      clusterCount: update.clustering.clusterCount)
  }

  /// The first rows clustered, and the others added.
  private func update(
    _ all: Matrix, from oldCount: Int, _ kind: FittedMethod, keepingNumbers: Bool = true,
    ranks: Int = 1,
    _ policy: InvalidRowPolicy = .error
  ) throws -> Answer {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let fit = try kind.fit(all.slice(0..<oldCount), policy, on: communicator)
      let found = try HierarchicalClustering.update(
        fit, with: EmbeddingsInMemory(all), by: AssigningOptions(invalidRows: policy),
        keepingNumbers: keepingNumbers, on: communicator)
      return try answer(found, fit, on: communicator)
    }[0]
  }

  private func labels(
    ofAll all: Matrix, _ kind: FittedMethod, _ policy: InvalidRowPolicy = .error
  ) throws -> [Int64] {
    try cluster(
      EmbeddingsInMemory(all), by: kind.plan(dimensions: all.columnCount, policy),
      on: SingleRank()
    ).labels
  }

  /// Rows in an order in which every cluster has old and new ones, and some copies of both.
  private func shuffled(seed: Int, noise: Float = 0.5) -> Matrix {
    let all = mixture(groups: 10, size: 12, noise: noise, seed: seed, width: 16)
    return all.copy(ofRows: (0..<120).map { $0 * 47 % 120 } + [5, 5, 119, 60])
  }

  @Test(arguments: FittedMethod.allCases, [1, 2, 3, 5])
  func theClustersAreThoseOfOneRunOverAll(kind: FittedMethod, ranks: Int) throws {
    for (seed, oldCount) in [(71, 80), (72, 119)] {
      let all = shuffled(seed: seed)
      let found = try update(all, from: oldCount, kind, keepingNumbers: false, ranks: ranks)
      #expect(try found.labels == labels(ofAll: all, kind), "\(oldCount) of \(all.rowCount)")
      #expect(found.labelBound == found.clusterCount)
    }
  }

  @Test(arguments: FittedMethod.allCases)
  func clustersThatGoOnKeepTheirNumbers(kind: FittedMethod) throws {
    let all = shuffled(seed: 73, noise: 0.7)
    let kept = try update(all, from: 70, kind)
    let numbered = try update(all, from: 70, kind, keepingNumbers: false)
    for ranks in [2, 3] {
      #expect(try update(all, from: 70, kind, ranks: ranks) == kept, "\(ranks) ranks")
    }
    // The same clusters, by other numbers.
    let pairs = Set(zip(kept.labels, numbered.labels).map { [$0, $1] })
    #expect(pairs.count == kept.clusterCount && numbered.clusterCount == kept.clusterCount)
    #expect(Set(kept.labels).count == kept.clusterCount)
    // An old point has another number only if it has moved to another cluster.
    let moved = zip(kept.old, kept.labels).count { $0 != $1 }
    #expect(moved == kept.changes.movedPointCount && moved == numbered.changes.movedPointCount)
    // Other numbers are new ones.
    #expect(kept.labels.allSatisfy { $0 < kept.labelBound })
    let added = Set(kept.labels).subtracting(kept.old)
    #expect(added.allSatisfy { $0 > kept.old.max()! })
    // What grew, and what is new.
    var (sizes, old) = ([Int64: Int](), [Int64: Int]())
    for (point, label) in kept.labels.enumerated() {
      sizes[label, default: 0] += 1
      if point < 70 { old[label, default: 0] += 1 }
    }
    #expect(kept.grown.count == sizes.keys.count { old[$0] ?? 0 > 0 && old[$0]! < sizes[$0]! })
    #expect(Set(kept.founded.map(\.label)) == Set(sizes.keys.filter { old[$0] == nil }))
    for growth in kept.grown + kept.founded {
      #expect(growth.pointCount == sizes[growth.label])
      #expect(growth.newPointCount == sizes[growth.label]! - (old[growth.label] ?? 0))
    }
  }

  /// A fit that has a group in two clusters and two groups in one, which an update puts right.
  @Test(arguments: [1, 3])
  func whatMergesSplitsGrowsAndIsNewIsTold(ranks: Int) throws {
    let groups = mixture(groups: 5, size: 12, noise: 0.1, seed: 53, width: 16)
    let old = (0..<4).flatMap { group in (0..<8).map { 12 * group + $0 } }
    let new = Array(8..<12) + Array(44..<46) + Array(48..<60)
    let all = groups.copy(ofRows: old + new)
    let before =
      [0, 0, 0, 1, 1, 1, 1, 1].map { Int64($0) } + Array(repeating: 2, count: 16)
      + Array(repeating: 3, count: 8)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator -> Answer? in
      let made = try FittedMethod.structure.fit(all.slice(0..<32), on: communicator)
      var settings = made.settings
      settings.clusterCount = 4
      let fit = try FittedClustering(
        of: EmbeddingsInMemory(all.slice(0..<32)),
        labels: Array(before[made.points.owned(by: communicator.rank)]), settings,
        model: FittedMethod.structure.model(dimensions: all.columnCount), on: communicator)
      let found = try HierarchicalClustering.update(
        fit, with: EmbeddingsInMemory(all), by: AssigningOptions(), on: communicator)
      // Cluster 0 has no points any more, and so no place in a tree.
      let updated = try FittedClustering(
        fit, after: found, of: EmbeddingsInMemory(all), on: communicator)
      do {
        _ = try ClusterTree(of: updated, on: communicator)
        return nil
      } catch let failure as AgreedFailure {
        guard failure.reason.hasPrefix("1 of the run's 6 numbers of clusters have no points")
        else { return nil }
      }
      return try answer(found, fit, on: communicator)
    }.map { try #require($0) }[0]
    // Numbers go where most points do; of equal ones to the cluster that comes first.
    let groupNumbers: [Int64] = [1, 2, 4, 3, 5]
    #expect(found.labels == (old + new).map { groupNumbers[$0 / 12] })
    #expect(found.labelBound == 6 && found.clusterCount == 5)
    #expect(found.changes.changes.map(\.kind) == [.split, .merged])
    #expect(found.changes.changes.map { $0.before.map(\.label) } == [[2], [1, 0]])
    #expect(found.changes.changes.map { $0.after.map(\.label) } == [[2, 4], [1]])
    #expect(found.changes.movedPointCount == 11)
    #expect(
      found.grown.map { [Int($0.label), $0.pointCount, $0.newPointCount] }
        == [[1, 12, 4], [3, 10, 2]])
    #expect(
      found.founded.map { [Int($0.label), $0.pointCount, $0.newPointCount] } == [[5, 12, 12]])
  }

  @Test(arguments: FittedMethod.allCases)
  func updatesFollowUponEachOther(kind: FittedMethod) throws {
    let path = FileManager.default.temporaryDirectory.path + "/updating-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let all = shuffled(seed: 74)
    let same = try ThreadCommunicator.run(ranks: 3) { communicator in
      var last = try kind.fit(all.slice(0..<50), on: communicator)
      for count in [51, 90, all.rowCount] {
        try last.write(to: path, overwrite: true, on: communicator)
        last = try FittedClustering(reading: path, on: communicator)
        let source = EmbeddingsInMemory(all.slice(0..<count))
        let found = try HierarchicalClustering.update(
          last, with: source, by: AssigningOptions(), keepingNumbers: false, on: communicator)
        last = try FittedClustering(last, after: found, of: source, on: communicator)
      }
      return try communicator.allGather(last.labels).values
    }
    #expect(try same[0] == labels(ofAll: all, kind))
  }

  @Test(arguments: 0...3, [1, 3])
  func thereMayBeFewPoints(oldCount: Int, ranks: Int) throws {
    let all = mixture(groups: 1, size: 9, noise: 0.1, seed: 75, width: 16)
    for count in oldCount...oldCount + 2 {
      let rows = all.slice(0..<count)
      let found = try update(rows, from: oldCount, .flow, ranks: ranks)
      #expect(found.labels.count == count)
      if count == oldCount {
        #expect(found.labels == found.old && found.grown.isEmpty && found.founded.isEmpty)
      }
    }
  }

  @Test(arguments: [1, 2])
  func pointsWithoutDirectionStayAlone(ranks: Int) throws {
    var all = shuffled(seed: 76)
    for row in [3, 8, 90] {
      for column in 0..<all.columnCount { all[row, column] = 0 }
    }
    let found = try update(
      all, from: 80, .flow, keepingNumbers: false, ranks: ranks, .singleton)
    #expect(try found.labels == labels(ofAll: all, .flow, .singleton))
  }

  @Test(arguments: [1, 3])
  func otherRowsThanThoseOfTheFitAreRefused(ranks: Int) throws {
    let all = shuffled(seed: 77)
    func refusal(_ change: (inout Matrix) -> Void) throws -> String {
      var changed = all
      change(&changed)
      let rows = changed
      let reasons = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let fit = try FittedMethod.flow.fit(all.slice(0..<100), on: communicator)
        do {
          _ = try HierarchicalClustering.update(
            fit, with: EmbeddingsInMemory(rows), by: AssigningOptions(), on: communicator)
          return ""
        } catch let failure as AgreedFailure { return failure.reason }
      }
      #expect(Set(reasons).count == 1)
      return reasons[0]
    }
    #expect(
      try refusal { $0[61, 2] += 0.5 }
        == "embeddings: row 61 is another; expected the 100 rows that were clustered, in their order, before new ones"
    )
    #expect(try refusal { $0[110, 2] += 0.5 } == "")
  }

  /// The lists of old nodes, and of new ones, are those of a search among all.
  @Test(arguments: [1, 2, 4], [3, 1000])
  func extendedListsAreThoseOfASearchAmongAll(ranks: Int, tileLength: Int) throws {
    var all = mixture(groups: 7, size: 9, noise: 0.6, seed: 78, width: 16)
    for column in 0..<16 { all[20, column] = 0 }
    all.normalizeRows()
    let points = all
    for (oldCount, length) in [(40, 12), (40, 40), (0, 5), (63, 5), (3, 8)] {
      let nodes = NodePartition(sharing: 63, among: ranks)
      let same = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let owned = nodes.owned(by: communicator.rank)
        let own = StoredRows(points.slice(owned))
        // The lists among old nodes, on the ranks of all.
        let before = try nearestNeighbors(
          of: StoredRows(points.slice(0..<oldCount)), listLength: length,
          in: NodePartition(sharing: oldCount, among: 1), on: SingleRank())
        let places = owned.lowerBound * length..<owned.upperBound * length
        let old = places.clamped(to: 0..<oldCount * length)
        let filler = places.count - old.count
        let found = try extend(
          NeighborLists(
            listLength: length,
            neighbors: before.neighbors[old]
              + Array(repeating: NeighborLists.none, count: filler),
            similarities: before.similarities[old] + Array(repeating: 0, count: filler)),
          ofFirst: oldCount, to: own, in: nodes, inTilesOf: tileLength, on: communicator)
        let expected = try nearestNeighbors(
          of: own, listLength: length, in: nodes, on: communicator)
        return found.lists.neighbors == expected.neighbors
          && found.lists.similarities == expected.similarities
          && found.summary.comparedPairs == Double((63 - oldCount) * 63)
      }
      #expect(!same.contains(false), "\(oldCount) old, \(length) places")
    }
  }

  @Test func joinedRowsAreReadAcrossTheirBorders() throws {
    let all = mixture(groups: 2, size: 10, noise: 0.5, seed: 79, width: 4)
    let joined = JoinedRows(
      [0..<7, 7..<7, 7..<12, 12..<20].map { EmbeddingsInMemory(all.slice($0)) })
    #expect(joined.rowCount == 20 && joined.dimensions == 4)
    #expect(
      [0, 6, 7, 11, 12, 19].map { joined.rowName($0).prefix(2) } == [
        "0 ", "6 ", "0 ", "4 ", "0 ", "7 ",
      ])
    for range in [0..<20, 3..<9, 7..<12, 6..<13, 19..<20, 5..<5] {
      #expect(try joined.rows(range).elements == all.slice(range).elements, "\(range)")
    }
  }
}
