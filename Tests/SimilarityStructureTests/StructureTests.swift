import Communication
import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import SimilarityStructure
import TestTags
import Testing

/// The features of a level and of the next one, all ranks' shares together.
private struct Answer: Equatable, Sendable {
  var nodes: [UInt32] = []
  var edges: [UInt32] = []
  var scale: Float = 0
}

/// Two levels over points in a box: the second of clusters of `clusterSize` consecutive points.
private func features(
  of points: Matrix, ranks: Int, threads: Int = 1, clusterSize: Int = 3,
  ofPoint name: @Sendable @escaping (Int) -> Int = { $0 }
) throws -> [Answer] {
  let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let nodes = NodePartition(sharing: points.rowCount, among: communicator.size)
    let owned = nodes.owned(by: communicator.rank)
    let rows = points.slice(owned)
    let workers = Workers(threads)
    let scale = try ClosenessScale(measuring: rows, using: workers, on: communicator)
    let lists = try nearestNeighbors(of: rows, listLength: 6, in: nodes, on: communicator)
    let near = lists.canonical(listLength: 4, firstNode: owned.lowerBound)
    let graph = try NeighborGraph(near, in: nodes, on: communicator)
    let pointEdges = PointEdges(graph)
    func answer(_ lists: NeighborLists, _ graph: NeighborGraph, _ level: StructureLevel) throws
      -> Answer
    {
      let features = try StructureFeatures(
        lists, graph: graph, of: level, nearLength: 4, using: workers, on: communicator)
      return Answer(
        nodes: features.nodeFeatures.elements.prefix(
          graph.ownedCount * StructureFeatures.nodeWidth
        ).map(\.bitPattern), edges: features.edgeFeatures.elements.map(\.bitPattern),
        scale: scale.mean)
    }
    let first = try answer(
      lists, graph,
      StructureLevel(
        level: 0, memberCounts: Array(repeating: 1, count: owned.count),
        meanLengths: Array(repeating: 1, count: owned.count), pointEdges: pointEdges,
        scale: scale))
    // The next level: the same lists among clusters, made up, since only their form matters here.
    let coarseCount = (points.rowCount + clusterSize - 1) / clusterSize
    let coarseNodes = NodePartition(sharing: coarseCount, among: communicator.size)
    let coarseOwned = coarseNodes.owned(by: communicator.rank)
    let coarseLists = try nearestNeighbors(
      of: points.slice(coarseOwned), listLength: 6, in: coarseNodes, on: communicator)
    let coarseGraph = try NeighborGraph(
      coarseLists.canonical(listLength: 4, firstNode: coarseOwned.lowerBound), in: coarseNodes,
      on: communicator)
    let second = try answer(
      coarseLists, coarseGraph,
      StructureLevel(
        level: 1,
        memberCounts: coarseOwned.map {
          Int64(min(clusterSize, points.rowCount - $0 * clusterSize))
        },
        meanLengths: coarseOwned.map { 0.5 + 0.4 / Float($0 + 1) },
        pointEdges: try pointEdges.merged(
          into: owned.map { GlobalNode(name($0) / clusterSize) }, from: nodes, to: coarseNodes,
          using: workers, on: communicator),
        scale: scale))
    return [first, second]
  }
  return (0..<2).map { level in
    shares.dropFirst().reduce(shares[0][level]) {
      Answer(
        nodes: $0.nodes + $1[level].nodes, edges: $0.edges + $1[level].edges, scale: $0.scale)
    }
  }
}

private func unitRows(_ count: Int, _ columns: Int, seed: Int) -> Matrix {
  var rows = randomMatrix(count, columns, seed: seed)
  for row in 0..<count { rows[row, 0] += 1 }  // so that most similarities are positive
  _ = rows.normalizeRows()
  return rows
}

@Suite struct Structures {
  @Test(.tags(.threads), arguments: [1, 2, 3, 5, 8], [1, 2])
  func haveTheSameBits(ranks: Int, threads: Int) throws {
    let points = unitRows(61, 5, seed: 3)
    let alone = try features(of: points, ranks: 1)
    #expect(try features(of: points, ranks: ranks, threads: threads) == alone)
  }

  @Test(arguments: [0, 1, 2, 4])
  func ofFewerNodesThanPlaces(count: Int) throws {
    let points = unitRows(count, 5, seed: 4)
    let alone = try features(of: points, ranks: 1)
    #expect(try features(of: points, ranks: 5) == alone)
    #expect(alone[0].nodes.count == count * StructureFeatures.nodeWidth)
  }

  /// Rows in another order, the same features in that order.
  @Test func doNotDependOnTheNamesOfNodes() throws {
    let points = unitRows(60, 5, seed: 5)
    var generator = SeededGenerator(seed: 6)
    let order = (0..<60).shuffled(using: &generator)
    var shuffled = Matrix(rows: 60, columns: 5)
    for (place, point) in order.enumerated() {
      for column in 0..<5 { shuffled[place, column] = points[point, column] }
    }
    let (found, expected) = (
      try features(of: shuffled, ranks: 2)[0], try features(of: points, ranks: 1)[0]
    )
    #expect(found.scale == expected.scale)
    let width = StructureFeatures.nodeWidth
    for (place, point) in order.enumerated() {
      #expect(
        found.nodes[place * width..<(place + 1) * width]
          == expected.nodes[point * width..<(point + 1) * width])
    }
    #expect(found.edges.sorted() == expected.edges.sorted())
  }

  /// Any level's sizes, lists and edges lie within what a network can take.
  @Test func areFinite() throws {
    for level in try features(of: unitRows(50, 3, seed: 7), ranks: 2) {
      #expect((level.nodes + level.edges).allSatisfy { abs(Float(bitPattern: $0)) <= 8 })
    }
  }

  /// Equal similarities everywhere: no spread to divide by.
  @Test func ofEqualPointsAreFinite() throws {
    var points = Matrix(rows: 20, columns: 3)
    for row in 0..<20 { points[row, 1] = 1 }
    for level in try features(of: points, ranks: 2) {
      #expect((level.nodes + level.edges).allSatisfy { abs(Float(bitPattern: $0)) <= 8 })
    }
  }
}

@Suite struct ClosenessScales {
  @Test(.tags(.threads), arguments: 1...4)
  func areTheMeanOverAllPairs(ranks: Int) throws {
    let points = unitRows(30, 4, seed: 8)
    var sum = 0.0
    for i in 0..<30 {
      for j in 0..<30 where i != j {
        sum += zip(points.row(i), points.row(j)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
    }
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = NodePartition(sharing: 30, among: ranks).owned(by: communicator.rank)
      return try ClosenessScale(measuring: points.slice(owned), on: communicator).mean
    }
    #expect(found.allSatisfy { abs(Double($0) - sum / (30 * 29)) < 1e-6 })
  }

  @Test func ofEqualOrSinglePointsLeaveRoomBelowOne() throws {
    let equal = Matrix(rows: 3, columns: 1, elements: [1, 1, 1])
    #expect(try ClosenessScale(measuring: equal, on: SingleRank()).mean < 1)
    let single = Matrix(rows: 1, columns: 1, elements: [1])
    #expect(try ClosenessScale(measuring: single, on: SingleRank()).mean == 0)
  }
}
