import Communication
import DistributedGraphs
import GraphNetworks
import HierarchicalClustering
import RandomInputs
import Testing

/// Parents of all nodes from ranks that own what `nodes` says.
///
/// - Parameter distance: 1 − p of all edges.
private func parents(
  _ lists: NeighborLists, distance: [Float], density: [Float], above threshold: Double,
  in nodes: NodePartition
) throws -> (parent: [Int64], kept: Int, merged: Int) {
  let edgeCounts = (0..<lists.count).map { lists.edgeCount(of: $0) }
  let firstEdge = edgeCounts.exclusivePrefixSums() + [distance.count]
  let shares = try ThreadCommunicator.run(ranks: nodes.firstNode.count - 1) { communicator in
    let owned = nodes.owned(by: communicator.rank)
    let graph = try NeighborGraph(lists.slice(owned), in: nodes, on: communicator)
    let linkage = Linkage(
      distance: Array(distance[firstEdge[owned.lowerBound]..<firstEdge[owned.upperBound]]),
      density: Array(density[owned]))
    return try bestDenserNeighbor(linkage, above: threshold, in: graph, on: communicator)
  }
  return (
    shares.flatMap { $0.parent.map(\.index) }, shares.reduce(0) { $0 + $1.keptEdgeCount },
    shares.reduce(0) { $0 + $1.mergedCount }
  )
}

@Suite struct ParentsOfNodes {
  /// Node 0 with neighbours 3, 1 and 2, and nobody else with any.
  private func parentOfFirst(
    distances: [Float], densities: [Float], above threshold: Double = 0.5
  ) throws -> (parent: Int64, kept: Int) {
    let lists = NeighborLists(
      listLength: 3,
      neighbors: [3, 1, 2, -1, -1, -1, -1, -1, -1, -1, -1, -1].map { GlobalNode($0) },
      similarities: [0.9, 0.8, 0.7, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    let found = try parents(
      lists, distance: distances, density: densities, above: threshold,
      in: NodePartition(sharing: 4, among: 2))
    #expect(Array(found.parent[1...]) == [1, 2, 3])
    return (found.parent[0], found.kept)
  }

  @Test func areTheMostProbableOfTheDenser() throws {
    let found = try parentOfFirst(distances: [0.3, 0.1, 0.2], densities: [0, 0.5, 0.1, 0.2])
    #expect(found == (1, 3))
  }

  @Test func mustBeStrictlyDenser() throws {
    #expect(
      try parentOfFirst(distances: [0.3, 0.1, 0.2], densities: [0.2, 0.2, 0.1, 0.2]) == (0, 0))
    #expect(
      try parentOfFirst(distances: [0.3, 0.1, 0.2], densities: [0.2, 0.2, 0.1, Float(0.2).nextUp])
        == (3, 1))
  }

  /// Four nodes that have each other as neighbours, on one rank or two, by their index or by names.
  @Test(arguments: [1, 2], [nil, [9, 3, 5, 7]])
  func ofEqualDensityAreThoseOfLowerName(ranks: Int, names: [Int]?) throws {
    let lists = NeighborLists(
      listLength: 3, neighbors: [1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2].map { GlobalNode($0) },
      similarities: Array(repeating: 0.9, count: 12))
    let nodes = NodePartition(sharing: 4, among: ranks)
    func parents(breakingTies: Bool) throws -> (parent: [Int64], kept: Int) {
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let owned = nodes.owned(by: communicator.rank)
        return try bestDenserNeighbor(
          Linkage(
            distance: Array(repeating: 0.1, count: 3 * owned.count),
            density: Array(repeating: 0.5, count: owned.count)),
          above: 0.5, in: NeighborGraph(lists.slice(owned), in: nodes, on: communicator),
          breakingTies: breakingTies,
          named: names.map { names in owned.map { GlobalNode(names[$0]) } },
          on: communicator)
      }
      return (found.flatMap(\.parent).map(\.index), found.reduce(0) { $0 + $1.keptEdgeCount })
    }
    let first: Int64 = names == nil ? 0 : 1
    #expect(try parents(breakingTies: true) == ([first, first, first, first], 6))
    #expect(try parents(breakingTies: false) == ([0, 1, 2, 3], 0))
  }

  @Test func ofEqualLinkageAreTheLowestIndex() throws {
    #expect(try parentOfFirst(distances: [0.2, 0.2, 0.2], densities: [0, 1, 1, 1]) == (1, 3))
    #expect(try parentOfFirst(distances: [0.2, 0.3, 0.2], densities: [0, 1, 1, 1]) == (2, 3))
  }

  @Test func mustBeLinkedMoreProbablyThanTheThreshold() throws {
    // 1 − p < 1 − τ, and not equal; both sides are exact here.
    #expect(
      try parentOfFirst(distances: [0.25, 0.25, 0.5], densities: [0, 1, 1, 1], above: 0.75)
        == (0, 0))
    #expect(
      try parentOfFirst(
        distances: [0.25, Float(0.25).nextDown, 0.5], densities: [0, 1, 1, 1], above: 0.75)
        == (1, 1))
    #expect(
      try parentOfFirst(distances: [0, 0, 0], densities: [0, 1, 1, 1], above: 1) == (0, 0))
    #expect(
      try parentOfFirst(distances: [0.99, 0.995, 1], densities: [0, 1, 1, 1], above: 0) == (3, 2))
  }

  @Test(arguments: 1...6, [0.0, 0.5, 0.9])
  func agreeWithTheRuleOnRandomGraphs(ranks: Int, threshold: Double) throws {
    let lists = NeighborLists.random(nodeCount: 80, listLength: 6, seed: 71)
    let edgeCounts = (0..<80).map { lists.edgeCount(of: $0) }
    let firstEdge = edgeCounts.exclusivePrefixSums()
    // Few different values, so that ties are many.
    var generator = SeededGenerator(seed: 72)
    let distance = (0..<edgeCounts.reduce(0, +)).map { _ in
      Float(Int.random(in: 0...8, using: &generator)) / 8
    }
    let density = (0..<80).map { _ in Float(Int.random(in: -4...4, using: &generator)) / 4 }

    let found = try parents(
      lists, distance: distance, density: density, above: threshold,
      in: .random(nodeCount: 80, ranks: ranks, seed: 73))
    var kept = 0
    let expected = (0..<80).map { node -> Int64 in
      let candidates = (0..<edgeCounts[node]).map { place in
        (
          distance: distance[firstEdge[node] + place],
          source: lists.neighbors[node * 6 + place].index
        )
      }.filter {
        density[Int($0.source)] > density[node] && $0.distance < Float(1 - threshold)
      }
      kept += candidates.count
      return candidates.min { $0 < $1 }?.source ?? Int64(node)
    }
    #expect(found.parent == expected)
    #expect(found.kept == kept)
    #expect(found.merged == expected.enumerated().count { $1 != Int64($0) })
  }
}

@Suite struct NumberingClusters {
  @Test(arguments: 1...6, [0, 1, 2, 17, 100])
  func isByFirstAppearance(ranks: Int, pointCount: Int) throws {
    var generator = SeededGenerator(seed: 74)
    let nameCount = 30
    let clusters = (0..<pointCount).map { _ in
      GlobalNode(Int.random(in: 0..<nameCount, using: &generator))
    }
    let points = NodePartition.random(nodeCount: pointCount, ranks: ranks, seed: 75)
    let names = NodePartition.random(nodeCount: nameCount, ranks: ranks, seed: 76)
    let found = try ThreadCommunicator.run(ranks: ranks) { base in
      let communicator = CountingCommunicator(base)
      let found = try numberByFirstAppearance(
        Array(clusters[points.owned(by: communicator.rank)]), of: points, in: names,
        on: communicator)
      return (numbering: found, rounds: communicator.traffic.rounds)
    }
    #expect(found.allSatisfy { $0.rounds == 14 })
    #expect(found.flatMap(\.numbering.labels) == byFirstAppearance(clusters.map(\.index)))
    #expect(found.allSatisfy { $0.numbering.clusterCount == Set(clusters).count })
  }
}
