import Communication
import DistributedGraphs
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import TestTags
import Testing

/// Groups that are too large for one rank are divided among all; nothing else may show it.
@Suite struct DividedGroupTests {
  /// Two groups that are divided on several ranks, and small ones, in mixed order. With copies, also in other groups.
  private static let sizes = [1, 2300, 40, 2, 3300, 7, 120]
  private static let groups: [Int] = {
    var generator = SeededGenerator(seed: 13)
    return sizes.indices.flatMap { Array(repeating: $0, count: sizes[$0]) }
      .shuffled(using: &generator)
  }()
  private static let points: Matrix = {
    var rows = randomMatrix(groups.count, 8, seed: 14, scale: 0.3)
    let centres = randomMatrix(40 * sizes.count, 8, seed: 15)
    for row in groups.indices {
      for column in 0..<8 {
        rows[row, column] += centres[40 * groups[row] + row % 40, column]
        if row % 17 == 16 { rows[row, column] = rows[row - 16, column] }
      }
    }
    return rows
  }()
  private static let network = StructureNetwork.random(
    width: 8, seed: 600,
    settings: StructureNetwork.Settings(
      neighborCount: 6, contextLength: 9, threshold: 0.5, laterThreshold: 0.45))

  private static func within(
    _ groups: [Int], staysWhole: Bool = false, on communicator: some Communicator
  ) -> PointGroups {
    var first: [Int: GlobalNode] = [:]
    for (point, group) in groups.enumerated() where first[group] == nil {
      first[group] = GlobalNode(point)
    }
    let owned = NodePartition(sharing: groups.count, among: communicator.size)
      .owned(by: communicator.rank)
    return PointGroups(firstPoint: groups[owned].map { first[$0]! }, staysWhole: staysWhole)
  }

  /// What models do with groups at the end.
  enum End: CaseIterable {
    case nothing, thresholdChosen, settled, fewClusters, manyClusters, searchApproximate
  }

  private func answer(_ end: End, ranks: Int) throws -> [Clustering] {
    var settings = Self.network.settings
    let isForGroups = [.settled, .fewClusters, .manyClusters].contains(end)
    settings.mergesFewNodes = isForGroups
    settings.fewestPoints = isForGroups ? 3 : 1
    let model = TrainedModel(.structure(Self.network.with(settings)))
    let options = ClusteringOptions(
      choosesThreshold: end == .thresholdChosen,
      clusterCounts: end == .fewClusters ? 2...3 : end == .manyClusters ? 1500...2000 : nil,
      search: SearchOptions(end == .searchApproximate ? .approximate : .exact, recall: 0.9),
      workers: Workers(2))
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      try cluster(
        EmbeddingsInMemory(Self.points),
        by: ClusteringPlan(
          options, with: model, within: Self.within(Self.groups, on: communicator)),
        on: communicator)
    }
  }

  @Test(arguments: End.allCases) func haveTheSameBits(end: End) throws {
    let alone = try answer(end, ranks: 1)[0]
    #expect(alone.clusterCount > Self.sizes.count && alone.clusterCount < Self.groups.count)
    for ranks in end == .settled ? [2, 3, 5, 8] : [3] {
      let many = try answer(end, ranks: ranks)
      #expect(many.flatMap(\.labels) == alone.labels, "\(ranks) ranks")
      for rank in many {
        #expect(rank.groups == alone.groups && rank.choice == alone.choice)
        #expect(rank.levels.map(\.mergedCount) == alone.levels.map(\.mergedCount))
        #expect(
          rank.levels.map { $0.search?.comparedPairs }
            == alone.levels.map { $0.search?.comparedPairs })
        #expect(rank.levels[0].search?.reason == alone.levels[0].search?.reason)
      }
      // They are divided.
      #expect(many[0].levels[0].cutEdgeCount > 0)
    }
  }

  @Test func neighborsAreThoseOfOneRank() throws {
    func lists(ranks: Int) throws -> [GlobalNode] {
      try ThreadCommunicator.run(ranks: ranks) { communicator in
        try nearestNeighbors(
          of: EmbeddingsInMemory(Self.points), listLength: 5, by: SearchOptions(),
          within: Self.within(Self.groups, on: communicator), invalid: .error, using: Workers(),
          on: communicator
        ).lists.neighbors
      }.flatMap { $0 }
    }
    #expect(try lists(ranks: 4) == lists(ranks: 1))
  }

  /// Points of the rank with most of them.
  private func largestShare(
    of sizes: [Int], ranks: Int, staysWhole: Bool = false
  ) throws -> Int {
    let groups = sizes.indices.flatMap { Array(repeating: $0, count: sizes[$0]) }
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      try Self.within(groups, staysWhole: staysWhole, on: communicator).largestShare(
        of: NodePartition(sharing: groups.count, among: ranks), on: communicator)
    }[0]
  }

  @Test func noRankNeedsRoomForALargeGroup() throws {
    let sizes = [3000] + Array(repeating: 20, count: 100)
    #expect(try largestShare(of: sizes, ranks: 1) == 5000)
    #expect(try largestShare(of: sizes, ranks: 4) <= 750 + 500 + 20)
    #expect(try largestShare(of: sizes, ranks: 4, staysWhole: true) >= 3000)
    // Where dividing brings nothing, groups stay whole: as many as ranks, or small ones.
    #expect(try largestShare(of: [3000, 3000, 3000], ranks: 3) == 3000)
    #expect(try largestShare(of: [2048, 1], ranks: 2) == 2048)
    // Of five for four ranks one is divided.
    #expect(try largestShare(of: Array(repeating: 3000, count: 5), ranks: 4) == 3750)
  }

  @Test(arguments: [1, 3], [1, 4, 1000])
  func bestLinksAreThoseOfAllRanks(ranks: Int, batchSize: Int) throws {
    var generator = SeededGenerator(seed: 21)
    let links = (0..<300).map { _ in
      let a = Int.random(in: 0..<40, using: &generator)
      let b = (a + Int.random(in: 1..<40, using: &generator)) % 40
      // Few distances, so that many are equal.
      return Link(
        Float(Int.random(in: 0..<30, using: &generator)), (GlobalNode(a), 1),
        (GlobalNode(b), Int64(b % 3)))
    }
    for count in [1, 7, 100] {
      var taken: Set<GlobalNode> = []
      var expected: [Link] = []
      for link in links.sorted() where expected.count < count {
        guard taken.isDisjoint(with: [link.root, link.other]) else { continue }
        taken.formUnion([link.root, link.other])
        expected.append(link)
      }
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let own = links.indices.filter { $0 * $0 % ranks == communicator.rank.index }
        return try bestLinks(
          of: own.map { links[$0] }, count: count, inBatchesOf: batchSize, on: communicator)
      }
      #expect(found.allSatisfy { $0 == expected }, "\(count) links")
    }
  }

  @Test(arguments: [1, 2, 5])
  func nodesSettleAsOnOneRank(ranks: Int) throws {
    let rows = randomMatrix(90, 5, seed: 22)
    let weights = (0..<90).map { Double(1 + $0 % 4) }
    // The last cluster has one node.
    let clusters = (0..<90).map { $0 == 89 ? 7 : $0 * $0 % 7 }
    let names = Array(Set(clusters)).sorted()
    let places = clusters.map { names.firstIndex(of: $0)! }
    var expected = DirectionClusters(rows, weights: weights, clusters: places)
    expected.settle()
    #expect(expected.clusters != places)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = NodePartition(sharing: 90, among: ranks).owned(by: communicator.rank)
      return try settledClusters(
        rows.copy(ofRows: Array(owned)), weights: Array(weights[owned]),
        clusters: Array(places[owned]), clusterCount: names.count, using: Workers(2),
        on: communicator)
    }.flatMap { $0 }
    #expect(found == expected.clusters)
  }
}
