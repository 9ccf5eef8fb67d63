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

/// Groups of points are clustered all at once, each as if it were alone.
@Suite struct GroupTests {
  /// Points round a few centres of their group, in mixed order, with copies in the group and in others.
  private static let sizes = [1, 40, 2, 7, 120, 5, 23, 1, 64]
  private static let groups: [Int64] = {
    var generator = SeededGenerator(seed: 3)
    return sizes.indices.flatMap { Array(repeating: Int64($0), count: sizes[$0]) }
      .shuffled(using: &generator)
  }()
  private static let points: Matrix = {
    var rows = randomMatrix(groups.count, 12, seed: 4, scale: 0.4)
    let centres = randomMatrix(5 * sizes.count, 12, seed: 5)
    for row in groups.indices {
      for column in 0..<12 {
        rows[row, column] += centres[5 * Int(groups[row]) + row % 5, column]
        if row % 11 == 10 { rows[row, column] = rows[row - 10, column] }
      }
    }
    return rows
  }()
  private static let network = StructureNetwork.random(
    width: 16, seed: 600,
    settings: StructureNetwork.Settings(
      neighborCount: 6, contextLength: 11, threshold: 0.5, laterThreshold: 0.45))

  private static func firstPoints(_ groups: [Int64]) -> [GlobalNode] {
    groups.map { GlobalNode(groups.firstIndex(of: $0)!) }
  }

  private func answer(
    _ points: Matrix, groups: [Int64]?, ranks: Int = 1, threads: Int = 1,
    network: StructureNetwork = network, choosesThreshold: Bool = false,
    clusterCounts: ClosedRange<Int>? = nil
  ) throws -> [Clustering] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = NodePartition(sharing: points.rowCount, among: ranks)
        .owned(by: communicator.rank)
      let options = ClusteringOptions(
        neighborCount: network.settings.neighborCount, choosesThreshold: choosesThreshold,
        clusterCounts: clusterCounts, search: SearchOptions(.exact), workers: Workers(threads))
      return try cluster(
        EmbeddingsInMemory(points),
        by: ClusteringPlan(
          options, with: TrainedModel(.structure(network)),
          within: groups.map { PointGroups(firstPoint: Array(Self.firstPoints($0)[owned])) }),
        on: communicator)
    }
  }

  /// Numbers of clusters in the order of points.
  private func numbered(_ labels: [Int64]) -> [Int] {
    var numbers: [Int64: Int] = [:]
    return labels.map { label in
      if numbers[label] == nil { numbers[label] = numbers.count }
      return numbers[label]!
    }
  }

  @Test(arguments: [1, 2, 8], [false, true])
  func haveTheSameBits(ranks: Int, choosesThreshold: Bool) throws {
    try expectTheSameBits(ranks: ranks, choosesThreshold: choosesThreshold)
  }

  @Test(.tags(.threads)) func haveTheSameBitsOnThreeRanks() throws {
    try expectTheSameBits(ranks: 3, choosesThreshold: true)
  }

  private func expectTheSameBits(ranks: Int, choosesThreshold: Bool) throws {
    let alone = try answer(Self.points, groups: Self.groups, choosesThreshold: choosesThreshold)[0]
    let many = try answer(
      Self.points, groups: Self.groups, ranks: ranks, threads: 2, choosesThreshold: choosesThreshold
    )
    #expect(many.flatMap(\.labels) == alone.labels)
    #expect(many.allSatisfy { $0.groups == alone.groups && $0.choice == alone.choice })
    #expect(alone.labels == numbered(alone.labels).map { Int64($0) })
  }

  @Test(arguments: [false, true])
  func areClusteredAsIfEachWereAlone(mergesFewNodes: Bool) throws {
    var settings = Self.network.settings
    settings.mergesFewNodes = mergesFewNodes
    settings.fewestPoints = mergesFewNodes ? 3 : 1
    let network = Self.network.with(settings)
    let together = try answer(Self.points, groups: Self.groups, network: network)[0]
    var counts: [Int] = []
    for group in Self.sizes.indices {
      let members = Self.groups.indices.filter { Self.groups[$0] == Int64(group) }
      let alone = try answer(
        Self.points.copy(ofRows: members),
        // What models for small graphs do in the end, they do within groups.
        groups: mergesFewNodes ? members.map { _ in 7 } : nil, network: network)[0]
      #expect(
        numbered(members.map { together.labels[$0] }) == alone.labels.map(Int.init), "\(group)")
      counts.append(alone.clusterCount)
    }
    #expect(together.clusterCount == counts.reduce(0, +))
    let summary = try #require(together.groups)
    #expect(summary.groupCount == Self.sizes.count && summary.mostPoints == 120)
    #expect(summary.leastClusters == counts.min() && summary.mostClusters == counts.max())
    #expect(together.levels.count > 1)
  }

  /// Above one limit most groups have too many clusters, below the other too few.
  @Test(arguments: [1...1, 2...2, 3...4, 20...1000])
  func haveAsManyClustersAsAskedFor(clusterCounts: ClosedRange<Int>) throws {
    for settles in [false, true] {
      var settings = Self.network.settings
      settings.mergesFewNodes = settles
      let network = Self.network.with(settings)
      let alone = try answer(
        Self.points, groups: Self.groups, network: network, clusterCounts: clusterCounts)[0]
      for group in Self.sizes.indices {
        let members = Self.groups.indices.filter { Self.groups[$0] == Int64(group) }
        let found = Set(members.map { alone.labels[$0] }).count
        // Copies are one node.
        let nodes = Set(members.map { Self.points.row($0).map(\.bitPattern) }).count
        #expect(
          found >= min(clusterCounts.lowerBound, nodes) && found <= clusterCounts.upperBound,
          "\(found) clusters of \(nodes) nodes")
      }
      let many = try answer(
        Self.points, groups: Self.groups, ranks: 3, threads: 2, network: network,
        clusterCounts: clusterCounts)
      #expect(many.flatMap(\.labels) == alone.labels)
    }
  }

  /// With nothing to compare with, two points are one cluster if they are similar, whatever rounding says.
  @Test(arguments: [0.99, 0.9, 0.7, 0.5, 0.3, 0.1, -0.1])
  func twoPointsAloneAreOneClusterIfTheyAreSimilar(cosine: Float) throws {
    let rows = Matrix(
      rows: 2, columns: 3,
      elements: [1, 0, 0, cosine, (1 - cosine * cosine).squareRoot(), 0])
    for kind in [FittedMethod.structure, .flow] {
      let plan =
        kind == .flow
        ? MethodPlan.flow(FlowPlan())
        : .network(
          try ClusteringPlan(
            ClusteringOptions(), with: TrainedModel(path: nil, dimensions: 3)))
      let labels = try cluster(EmbeddingsInMemory(rows), by: plan, on: SingleRank()).labels
      #expect(labels == (cosine > 0 ? [0, 0] : [0, 1]), "\(kind)")
    }
  }

  @Test func pointsSettleWhereTheyAreMostSimilar() throws {
    var rows = randomMatrix(30, 6, seed: 31, scale: 0.05)
    for row in 0..<30 { rows[row, row < 15 ? 0 : 1] += 1 }
    var settings = Self.network.settings
    settings.mergesFewNodes = true
    let labels = try answer(
      rows, groups: Array(repeating: 0, count: 30), network: Self.network.with(settings),
      clusterCounts: 2...2)[0].labels
    #expect(labels == (0..<30).map { $0 < 15 ? 0 : 1 })
  }

  @Test(arguments: [2, 4])
  func smallClustersJoinOthers(fewestPoints: Int) throws {
    var settings = Self.network.settings
    settings.mergesFewNodes = true
    func sizes(_ fewest: Int, above threshold: Double) throws -> [[Int]] {
      settings.fewestPoints = fewest
      settings.threshold = threshold
      let labels = try answer(
        Self.points, groups: Self.groups, network: Self.network.with(settings))[0].labels
      return Self.sizes.indices.map { group in
        let members = Self.groups.indices.filter { Self.groups[$0] == Int64(group) }
        return Dictionary(grouping: members, by: { labels[$0] }).values.map(\.count).sorted()
      }
    }
    var areJoined = false
    // Above 1 nothing merges.
    for threshold in [0.5, 0.9, 1] {
      let free = try sizes(1, above: threshold)
      let bound = try sizes(fewestPoints, above: threshold)
      for group in free.indices {
        #expect(bound[group].count <= free[group].count)
        if free[group].allSatisfy({ $0 >= fewestPoints }) { #expect(bound[group] == free[group]) }
      }
      areJoined = areJoined || free != bound
    }
    #expect(areJoined)
  }

  /// Points of one direction each, in groups of two: nobody is denser, and the first counts as such.
  @Test(arguments: [1, 2])
  func twoPointsCanMerge(ranks: Int) throws {
    var rows = randomMatrix(6, 4, seed: 9, scale: 0.1)
    for row in 0..<6 { rows[row, 0] += 1 }
    var settings = Self.network.settings
    settings.threshold = 0
    settings.laterThreshold = 0
    let network = Self.network.with(settings)
    let found = try answer(rows, groups: [0, 1, 0, 1, 2, 2], ranks: ranks, network: network)
    #expect(found.flatMap(\.labels) == [0, 1, 0, 1, 2, 2])
  }

  @Test(arguments: [1, 3])
  func neighborsAreTheNearestOfTheGroup(ranks: Int) throws {
    let length = 9
    let lists = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = NodePartition(sharing: Self.groups.count, among: ranks)
        .owned(by: communicator.rank)
      return try nearestNeighbors(
        of: EmbeddingsInMemory(Self.points), listLength: length, by: SearchOptions(),
        within: PointGroups(firstPoint: Array(Self.firstPoints(Self.groups)[owned])),
        invalid: .error, using: Workers(2), on: communicator
      ).lists
    }
    let found = lists.flatMap(\.neighbors)
    for group in Self.sizes.indices {
      let members = Self.groups.indices.filter { Self.groups[$0] == Int64(group) }
      var rows = Self.points.copy(ofRows: members)
      rows.normalizeRows()
      let expected = try nearestNeighbors(
        of: rows, listLength: length, in: NodePartition(sharing: members.count, among: 1),
        on: SingleRank())
      for (place, member) in members.enumerated() {
        #expect(
          Array(found[member * length..<(member + 1) * length])
            == expected.neighbors[place * length..<(place + 1) * length].map {
              $0.index < 0 ? $0 : GlobalNode(members[Int($0.index)])
            })
      }
    }
  }

  @Test func aLargeGroupIsSearchedLikeASmallOne() throws {
    let count = 2200
    var rows = randomMatrix(count + 50, 6, seed: 8)
    rows.normalizeRows()
    let whole = try nearestNeighbors(
      of: rows.copy(ofRows: Array(0..<count)), listLength: 4,
      in: NodePartition(sharing: count, among: 1), on: SingleRank())
    let (lists, _) = try nearestNeighbors(
      of: StoredRows(rows), listLength: 4, by: SearchOptions(.exact),
      within: [0..<count, count + 20..<count + 50], namedFrom: 100)
    #expect(
      lists.neighbors.prefix(4 * count).elementsEqual(
        whole.neighbors.map { GlobalNode($0.index + 100) }))
    #expect(
      lists.neighbors[(4 * count)..<(4 * (count + 20))].allSatisfy { $0 == NeighborLists.none })
    #expect(lists.neighbors.suffix(120).allSatisfy { $0.index >= 100 + Int64(count) + 20 })
  }
}
