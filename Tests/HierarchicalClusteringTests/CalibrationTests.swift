import Communication
import DistributedGraphs
import Evaluation
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

/// How right p is at every level, by true labels.
@Suite struct CalibrationOfLevels {
  /// An observer with a truth, which may keep the levels, too.
  private final class Keeper: ClusteringObserver {
    let truth: PointTruth?
    let levels: LevelKeeper?

    init(_ truth: PointTruth?, keeping levels: LevelKeeper? = nil) {
      (self.truth, self.levels) = (truth, levels)
    }

    var wantsLevels: Bool { levels != nil }

    func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}

    func finished(
      _ record: LevelRecord, labels: [Int64], of points: NodePartition,
      on communicator: some Communicator
    ) throws {
      try levels?.finished(record, labels: labels, of: points, on: communicator)
    }
  }

  /// Similarities are probabilities.
  private struct Believer: LinkageJudge {
    let means = NodeMeans.peaksOnly
    let mergesCopies = false
    func listLength(neighborCount: Int) -> Int { neighborCount - 1 }
    func linkage(
      _ lists: consuming NeighborLists, over graph: NeighborGraph, of level: inout Level,
      using workers: Workers, on communicator: some Communicator
    ) throws -> Linkage {
      Linkage(
        distance: graph.affinities.map { 1 - $0 },
        density: level.inputPoint.map { Float($0.index) / 10 })
    }
  }

  /// Labels 7, 7, 3, 3 and none. Edges by p: .9 twice, .8 twice, all true; .3 three times, none true; .6 twice, from and
  /// to the last point.
  @Test(arguments: 1...3, [nil, 7] as [Int64?])
  func isThatOfPaper(ranks: Int, judged: Int64?) throws {
    let source = EmbeddingsInMemory(randomMatrix(5, 2, seed: 1))
    let neighbors: [Int64] = [1, 2, 0, 2, 3, 0, 2, 4, 3, -1]
    let similarities: [Float] = [0.9, 0.3, 0.9, 0.3, 0.8, 0.3, 0.8, 0.6, 0.6, 0]
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = NodePartition(sharing: 5, among: ranks).owned(by: communicator.rank)
      let places = owned.lowerBound * 2..<owned.upperBound * 2
      let labels: [Int64] = [7, 7, 3, 3, 3]
      let lists = NeighborLists(
        listLength: 2, neighbors: neighbors[places].map { GlobalNode($0) },
        similarities: Array(similarities[places]))
      return try cluster(
        source,
        by: ClusteringPlan(
          judge: Believer(), search: .given(lists), neighborCount: 3,
          thresholds: .given(Thresholds(0.5))),
        observer: Keeper(
          PointTruth(
            Array(labels[owned]), keeping: owned.filter { $0 < 4 }.map { $0 - owned.lowerBound },
            judging: judged.map { [$0] })), on: communicator
      ).levels[0]
    }
    for level in found {
      #expect(level.edgeCount == 9)
      let calibration = try #require(level.calibration)
      let error = try #require(calibration.expectedCalibrationError)
      if judged == nil {
        #expect(calibration.edgeCount == 7 && calibration.trueCount == 4)
        #expect(abs(error - (2 * 0.1 + 2 * 0.2 + 3 * 0.3) / 7) < 1e-7)
      } else {
        // Those into the first two.
        #expect(calibration.edgeCount == 4 && calibration.trueCount == 2)
        #expect(abs(error - (2 * 0.1 + 2 * 0.3) / 4) < 1e-7)
      }
      #expect(level.phases["record"] != nil)
    }
  }

  /// Points in clusters of clusters, some of them twice, and labels that are not always right.
  private static let points: Matrix = {
    let (near, far) = (randomMatrix(81, 12, seed: 3), randomMatrix(6, 12, seed: 4))
    var rows = randomMatrix(400, 12, seed: 2)
    for row in 0..<400 {
      let centre = row * 7 % 81
      for column in 0..<12 {
        rows[row, column] =
          2 * far[centre % 6, column] + near[centre, column] + 0.4 * rows[row, column]
        if row % 50 == 49 { rows[row, column] = rows[row - 3, column] }
      }
    }
    return rows
  }()
  private static let labels: [Int64] = (0..<400).map { (point: Int) -> Int64 in
    let label = point % 4 == 3 ? point % 13 : point * 7 % 81
    return Int64(label)
  }
  private static func isKept(_ point: Int) -> Bool { point % 11 != 0 }

  private func truth(
    judging judged: Set<Int64>?, on communicator: some Communicator
  ) -> PointTruth {
    let owned = NodePartition(sharing: 400, among: communicator.size).owned(by: communicator.rank)
    return PointTruth(
      Array(Self.labels[owned]),
      keeping: owned.filter(Self.isKept).map { $0 - owned.lowerBound }, judging: judged)
  }

  private func plan(nodesPerRank: Int) throws -> ClusteringPlan<LinkageModel> {
    try ClusteringPlan(
      ClusteringOptions(search: SearchOptions(.exact), nodesPerRank: nodesPerRank),
      with: TrainedModel(path: nil, dimensions: 12))
  }

  /// The same from what an observer is shown of the levels of one rank.
  private func expected(_ levels: [LevelAnswer], judging judged: Set<Int64>?)
    -> [ProbabilityCalibration]
  {
    levels.enumerated().map { number, level in
      func cluster(of point: Int) -> [Float] {
        number == 0
          ? (0..<12).map { Self.points[point, $0] } : [Float(levels[number - 1].labels[point])]
      }
      let members = Dictionary(grouping: (0..<400).filter(Self.isKept), by: cluster)
      let labels = level.nodes.map { node -> Int64? in
        var counts: [Int64: Int] = [:]
        for point in members[cluster(of: Int(node.index))] ?? [] {
          counts[Self.labels[point], default: 0] += 1
        }
        return counts.keys.sorted().max { counts[$0]! < counts[$1]! }.map { label in
          counts.keys.filter { counts[$0] == counts[label] }.min()!
        }
      }
      var calibration = ProbabilityCalibration()
      var edge = 0
      for node in level.nodes.indices {
        let width = level.neighbors.count / level.nodes.count
        for place in 0..<level.edgeCounts[node] {
          defer { edge += 1 }
          let other = labels[Int(level.neighbors[node * width + place].index)]
          guard let own = labels[node], let other, judged?.contains(own) ?? true else { continue }
          calibration.count(1 - level.distance[edge], isTrue: own == other)
        }
      }
      return calibration
    }
  }

  @Test(arguments: [nil, Set(0..<20)] as [Set<Int64>?])
  func isThatOfThePlainCount(judged: Set<Int64>?) throws {
    let source = EmbeddingsInMemory(Self.points)
    let keeper = LevelKeeper()
    let alone = try cluster(
      source, by: plan(nodesPerRank: 1),
      observer: Keeper(truth(judging: judged, on: SingleRank()), keeping: keeper),
      on: SingleRank())
    let expected = expected(keeper.levels, judging: judged)
    try #require(expected.count >= 3)
    #expect(alone.levels.map(\.calibration) == expected)
    #expect(expected.allSatisfy { $0.edgeCount > 0 && $0.expectedCalibrationError! > 0 })
    for (ranks, nodesPerRank) in [(2, 1), (3, 1), (3, 1000), (8, 30)] {
      let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
        try cluster(
          source, by: plan(nodesPerRank: nodesPerRank),
          observer: Keeper(truth(judging: judged, on: communicator)), on: communicator)
      }
      #expect(shares.flatMap(\.labels) == alone.labels)
      for share in shares {
        #expect(
          share.levels.map(\.calibration) == expected,
          "\(ranks) ranks, \(nodesPerRank) nodes each")
        #expect((share.levels.last!.rankCount! < ranks) == (nodesPerRank > 1))
      }
    }
  }

  /// Neither trials of thresholds nor flow are measured, and without a truth nothing is.
  @Test func isOfTheNetworkThatAnswers() throws {
    let source = EmbeddingsInMemory(Self.points)
    let both = MethodPlan(
      flow: FlowPlan(search: SearchOptions(.exact)), network: try plan(nodesPerRank: 1))
    let truth = truth(judging: nil, on: SingleRank())
    let found = try cluster(source, by: both, observer: Keeper(truth), on: SingleRank())
    let isOfNetwork = if case .thresholds = found.choice { true } else { false }
    #expect(found.levels.allSatisfy { ($0.calibration != nil) == isOfNetwork })
    let without = try cluster(source, by: both, on: SingleRank())
    #expect(without.levels.allSatisfy { $0.calibration == nil })
    #expect(without.labels == found.labels)
  }
}
