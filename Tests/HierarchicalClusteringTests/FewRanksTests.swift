import Communication
import Datasets
import DistributedGraphs
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

/// Levels with few nodes are continued on fewer ranks.
@Suite struct LevelsOnFewRanks {
  private struct Answer: Equatable {
    var labels: [Int64]
    /// Nodes, edges, kept edges and merged nodes of every level.
    var counts: [[Int]]
    var stopReason: StopReason
    var choice: Choice
    var singletonCount: Int
  }

  private func answer(
    _ source: EmbeddingsInMemory, by plan: MethodPlan, ranks: Int
  ) throws -> (answer: Answer, levels: [LevelSummary]) {
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try cluster(source, by: plan, on: communicator)
    }
    #expect(shares.allSatisfy { $0.levels == shares[0].levels }, "levels are replicated")
    return (
      Answer(
        labels: shares.flatMap(\.labels),
        counts: shares[0].levels.map {
          [$0.nodeCount, $0.edgeCount, $0.keptEdgeCount, $0.mergedCount]
        },
        stopReason: shares[0].stopReason, choice: shares[0].choice,
        singletonCount: shares[0].singletonCount), shares[0].levels
    )
  }

  /// Points in clusters of clusters of clusters, some of them twice.
  private static func points(_ count: Int) -> EmbeddingsInMemory {
    let (near, far) = (randomMatrix(count / 5 + 1, 12, seed: 3), randomMatrix(6, 12, seed: 4))
    var rows = randomMatrix(count, 12, seed: 2)
    for row in 0..<count {
      let centre = row * 7 % near.rowCount
      for column in 0..<12 {
        rows[row, column] =
          2 * far[centre % 6, column] + near[centre, column] + 0.4 * rows[row, column]
        if row % 50 == 49 { rows[row, column] = rows[row - 3, column] }
      }
    }
    return EmbeddingsInMemory(rows)
  }

  enum Kind: String, CaseIterable { case chosenThresholds, means, peaks, both }

  private func settings(
    _ kind: Kind, nodesPerRank: Int, search: SearchOptions = SearchOptions(.exact)
  ) throws -> (source: EmbeddingsInMemory, plan: MethodPlan) {
    switch kind {
    case .chosenThresholds, .both:
      let options = ClusteringOptions(search: search, nodesPerRank: nodesPerRank)
      let network = try ClusteringPlan(options, with: TrainedModel(path: nil, dimensions: 12))
      let flow = kind == .both ? FlowPlan(search: search) : nil
      return (Self.points(400), MethodPlan(flow: flow, network: network))
    case .means, .peaks:
      let golden = try GoldenCase.tiny(kind == .means ? "sage_cf_k5_tau05" : "gat2_nocf")
      let features = try golden.features
      var options = golden.options()
      options.stopsEarly = false
      options.nodesPerRank = nodesPerRank
      let model = TrainedModel(.coordinates(try golden.model(dimensions: features.columnCount)))
      return (
        EmbeddingsInMemory(try features.rows(0..<features.rowCount)),
        MethodPlan(flow: nil, network: try ClusteringPlan(options, with: model))
      )
    }
  }

  @Test(arguments: Kind.allCases, [1, 2, 3, 5, 8, 16])
  func haveTheSameBits(kind: Kind, ranks: Int) throws {
    let (source, plan) = try settings(kind, nodesPerRank: 1)
    let (alone, _) = try answer(source, by: plan, ranks: 1)
    for nodesPerRank in [12, 1000] {
      let few = try settings(kind, nodesPerRank: nodesPerRank).plan
      let (found, levels) = try answer(source, by: few, ranks: ranks)
      #expect(found == alone, "\(nodesPerRank) nodes per rank")
      var most = ranks
      for level in levels where level.level > 0 {
        let count = try #require(level.rankCount)
        // Once on fewer ranks, a run does not go on on more.
        #expect(count <= most, "level \(level.level)")
        #expect(fewRanks(for: level.nodeCount, atLeast: nodesPerRank, of: count) == nil)
        #expect((level.phases["hand"] != nil) == (count < most), "level \(level.level)")
        most = count
      }
    }
  }

  @Test func areCounted() throws {
    let (source, onAll) = try settings(.chosenThresholds, nodesPerRank: 1)
    let before = try answer(source, by: onAll, ranks: 8).levels
    #expect(before.count > 1 && before.allSatisfy { $0.rankCount == 8 })
    let plan = try settings(
      .chosenThresholds, nodesPerRank: (before[1].nodeCount + 1) / 2
    ).plan
    let levels = try answer(source, by: plan, ranks: 8).levels
    #expect(levels[0].rankCount == 8 && levels[1].rankCount == 2)
    let hand = try #require(levels[1].phases["hand"])
    #expect(hand.rounds > 20 && hand.bytesSent > 0 && hand.elapsedSeconds > 0)
    let alone = try settings(.chosenThresholds, nodesPerRank: 1000).plan
    for level in try answer(source, by: alone, ranks: 8).levels.dropFirst() {
      #expect(level.rankCount == 1 && level.ghostCount == 0 && level.nodeImbalance == 1)
      #expect(level.phases["network"]?.bytesSent == 0)
    }
  }

  /// An approximate search draws by names that a run of fewer ranks does not have.
  @Test func areNotThoseWithAnApproximateSearch() throws {
    let search = SearchOptions(.approximate)
    let (source, plan) = try settings(.chosenThresholds, nodesPerRank: 1000, search: search)
    let (found, levels) = try answer(source, by: plan, ranks: 4)
    #expect(levels.allSatisfy { $0.rankCount == 4 })
    #expect(try found == answer(source, by: plan, ranks: 1).answer)
  }

  @Test func areNotThoseThatAnObserverWants() throws {
    let golden = try GoldenCase.tiny("sage_cf_k5_tau05")
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    var options = golden.options()
    let alone = try clusterOnThreads(features, with: model, options: options, ranks: 1)
    options.nodesPerRank = 1000
    #expect(try clusterOnThreads(features, with: model, options: options, ranks: 5) == alone)
  }

  /// An observer that ends the run on the ranks that it goes on on.
  private struct End: ClusteringObserver {
    func begins(level: Int) throws {
      if level == 1 { throw AgreedFailure(reason: "ended", code: "so") }
    }

    func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
  }

  @Test func failOnAllRanks() throws {
    let (source, plan) = try settings(.chosenThresholds, nodesPerRank: 1000)
    let failures = try ThreadCommunicator.run(ranks: 4) { communicator -> AgreedFailure? in
      do {
        _ = try cluster(source, by: plan, observer: End(), on: communicator)
        return nil
      } catch let failure as AgreedFailure { return failure }
    }
    let expected = AgreedFailure(reason: "ended", code: "so")
    #expect(failures == Array(repeating: expected, count: 4))
  }

  @Test func areForAtMostHalfOfTheRanks() {
    #expect(fewRanks(for: 1000, atLeast: 1, of: 5000) == nil)
    #expect(fewRanks(for: 0, atLeast: 2, of: 2) == 1)
    #expect(fewRanks(for: 1024, atLeast: 1024, of: 1) == nil)
    #expect(fewRanks(for: 20_000, atLeast: 1024, of: 128) == 20)
    #expect(fewRanks(for: 64 * 1024, atLeast: 1024, of: 128) == 64)
    #expect(fewRanks(for: 64 * 1024 + 1, atLeast: 1024, of: 128) == nil)
  }
}
