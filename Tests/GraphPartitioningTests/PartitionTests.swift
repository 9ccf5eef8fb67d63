import Communication
import DistributedGraphs
import GraphPartitioning
import LinearAlgebra
import NeighborSearch
import RandomInputs
import RandomNumbers
import Testing

/// Neighbour lists of points round centres, in random order.
private func clusteredLists(
  _ pointCount: Int, centres: Int, listLength: Int = 9
) throws -> NeighborLists {
  let middles = randomMatrix(centres, 8, seed: 5)
  var random = RandomStream(seed: 7, purpose: 1)
  let centreOf = random.shuffled((0..<pointCount).map { $0 % centres })
  var rows = randomMatrix(pointCount, 8, seed: 6, scale: 0.2)
  for row in 0..<pointCount {
    for column in 0..<8 { rows[row, column] += middles[centreOf[row], column] }
  }
  _ = rows.normalizeRows()
  return try nearestNeighbors(
    of: rows, listLength: listLength, in: NodePartition(sharing: pointCount, among: 1),
    on: SingleRank())
}

/// Lists of the neighbours that are named, all with similarity 1.
private func lists(_ neighbors: [[Int]]) -> NeighborLists {
  let length = neighbors.map(\.count).max() ?? 0
  return NeighborLists(
    listLength: length,
    neighbors: neighbors.flatMap { row in
      row.map { GlobalNode($0) }
        + Array(repeating: NeighborLists.none, count: length - row.count)
    },
    similarities: neighbors.flatMap { row in
      row.map { _ in Float(1) } + Array(repeating: 0, count: length - row.count)
    })
}

/// Graphs that are hard to divide, or to make smaller.
private enum Shape: CaseIterable {
  case star, stars, clique, cliques, path, lonely, oneEdge, hubs, copies, heavyPairs

  var lists: NeighborLists {
    let count = 2500
    return switch self {
    case .star:
      // Everybody has node 17 in its list, and nobody else.
      GraphPartitioningTests.lists((0..<count).map { $0 == 17 ? [] : [17] })
    case .stars:
      GraphPartitioningTests.lists((0..<count).map { $0 % 50 == 0 ? [] : [$0 / 50 * 50] })
    case .clique:
      GraphPartitioningTests.lists((0..<60).map { node in (0..<60).filter { $0 != node } })
    case .cliques:
      GraphPartitioningTests.lists(
        (0..<count).map { node in (0..<count / 250).map { node % 250 + 250 * $0 } })
    case .path: GraphPartitioningTests.lists((0..<count).map { $0 + 1 < count ? [$0 + 1] : [] })
    case .lonely:
      NeighborLists(
        listLength: 2, neighbors: Array(repeating: NeighborLists.none, count: 2 * count),
        similarities: Array(repeating: 0, count: 2 * count))
    case .oneEdge: GraphPartitioningTests.lists((0..<count).map { $0 == 2321 ? [3] : [] })
    case .hubs:
      GraphPartitioningTests.lists((0..<count).map { node in (0..<7).filter { $0 != node } })
    case .copies:
      // Lists of copies hold the first of them.
      GraphPartitioningTests.lists((0..<count).map { node in (0..<10).filter { $0 != node } })
    case .heavyPairs:
      GraphPartitioningTests.lists((0..<count).map { [$0 ^ 1] })
    }
  }
}

/// What ranks found, in the order of the nodes.
private struct Found: Equatable {
  var parts: [Int]
  var places: [Int]
  var quality: PartitionQuality
}

private func find(_ lists: NeighborLists, into count: Int, ranks: Int) throws -> Found {
  let nodes = NodePartition(sharing: lists.count, among: ranks)
  let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let owned = lists.slice(nodes.owned(by: communicator.rank))
    let found = try partition(
      WeightedGraph(owned, in: nodes, on: communicator), into: count, on: communicator)
    return (
      found,
      try quality(of: found.parts, count: count, along: owned, in: nodes, on: communicator)
    )
  }
  return Found(
    parts: shares.flatMap(\.0.parts), places: shares.flatMap(\.0.places), quality: shares[0].1)
}

/// The largest part that 3 % allow.
private func largestSize(_ nodeCount: Int, _ partCount: Int) -> Int {
  Int((Double(nodeCount) / Double(partCount) * 1.03).rounded(.up))
}

@Suite struct PartitionsOfGraphs {
  @Test(arguments: [2, 3, 5], [2, 3])
  func areTheSameOnAnyNumberOfRanks(ranks: Int, count: Int) throws {
    let lists = try clusteredLists(2600, centres: 40, listLength: 5)
    #expect(
      try find(lists, into: count, ranks: ranks) == find(lists, into: count, ranks: 1))
  }

  @Test(arguments: [2, 7])
  func haveNearlyEqualPartsAndFewEdgesBetweenThem(count: Int) throws {
    let lists = try clusteredLists(4000, centres: 64)
    let found = try find(lists, into: count, ranks: 2)
    #expect(Set(found.parts) == Set(0..<count))
    #expect(found.quality.imbalance <= 1.04, "\(found.quality)")
    let nodes = NodePartition(sharing: lists.count, among: 1)
    let byOrder = try quality(
      of: (0..<lists.count).map { $0 * count / lists.count }, count: count, along: lists,
      in: nodes, on: SingleRank())
    #expect(found.quality.cutShare < byOrder.cutShare / 5, "\(found.quality), \(byOrder)")
    #expect(
      found.quality.ghostsPerNode < byOrder.ghostsPerNode / 5, "\(found.quality), \(byOrder)")
  }

  @Test(arguments: Shape.allCases, [7])
  fileprivate func coverAnyGraphWithoutTooLargeParts(shape: Shape, count: Int) throws {
    let lists = shape.lists
    let found = try find(lists, into: count, ranks: 3)
    #expect(found.places.sorted() == Array(0..<lists.count))
    var sizes = Array(repeating: 0, count: count)
    for part in found.parts { sizes[part] += 1 }
    #expect(sizes.max()! <= largestSize(lists.count, count), "\(sizes)")
    #expect(try find(lists, into: count, ranks: 1) == found)
  }

  @Test func cutAPathInFewPlaces() throws {
    let found = try find(Shape.path.lists, into: 7, ranks: 2)
    #expect(found.quality.cutShare < 60.0 / 2500, "\(found.quality)")
  }

  @Test func separateCliques() throws {
    #expect(try find(Shape.heavyPairs.lists, into: 2, ranks: 1).quality.cutShare < 0.001)
  }

  @Test(arguments: [1, 2, 5])
  func ofOnePartOrOfFewNodesAreWhatTheyMustBe(ranks: Int) throws {
    let lists = try clusteredLists(12, centres: 3, listLength: 3)
    #expect(try find(lists, into: 1, ranks: ranks).parts == Array(repeating: 0, count: 12))
    #expect(Set(try find(lists, into: 3, ranks: ranks).parts) == Set(0..<3))
    let many = try find(lists, into: 30, ranks: ranks)
    #expect(Set(many.parts).count == 12, "\(many.parts)")
    let none = NeighborLists(listLength: 0, neighbors: [], similarities: [])
    #expect(try find(none, into: 4, ranks: ranks).parts == [])
  }

  /// Two parts of a square of nodes: node i needs i + 1.
  @Test func haveTheQualityThatOneCounts() throws {
    let circle = lists([[1], [2], [3], [0]])
    let found = try quality(
      of: [0, 0, 1, 1], count: 2, along: circle, in: NodePartition(sharing: 4, among: 1),
      on: SingleRank())
    #expect(found.cutShare == 0.5 && found.ghostsPerNode == 0.5 && found.imbalance == 1)
  }

  @Test(arguments: [1, 2, 3, 4])
  func areDealtInTheOrderOfTheirPlaces(ranks: Int) throws {
    let count = 50
    var random = RandomStream(seed: 3, purpose: 1)
    let places = random.shuffled(0..<count)
    let parts = (0..<count).map { $0 * $0 % ranks }
    let nodes = NodePartition(sharing: count, among: ranks)
    let dealt = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      return try GraphPartition(parts: Array(parts[owned]), places: Array(places[owned])).dealt(
        on: communicator)
    }
    let place = dealt.flatMap(\.place).map { Int($0.index) }
    let expected = (0..<count).sorted { (parts[$0], places[$0]) < (parts[$1], places[$1]) }
    #expect(expected.indices.allSatisfy { place[expected[$0]] == $0 })
    for rank in 0..<ranks {
      #expect(dealt[0].nodes.owned(by: Rank(rank)).count == parts.count { $0 == rank })
    }
  }
}
