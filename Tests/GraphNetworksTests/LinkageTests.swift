import Communication
import DistributedGraphs
import GraphNetworks
import LinearAlgebra
import Parallelism
import RandomInputs
import TestTags
import Testing

private let architectures: [Architecture] = [
  // One side of each layer's choice: the rows that travel are the input's or the projected ones.
  Architecture(headCount: nil, widths: [24], dimensions: 6, usesAverage: false),
  Architecture(headCount: nil, widths: [5], dimensions: 40, usesAverage: false),
  Architecture(headCount: nil, widths: [20], dimensions: 8, usesAverage: true),
  Architecture(headCount: nil, widths: [7], dimensions: 35, usesAverage: true),
  Architecture(headCount: nil, widths: [32, 32, 16, 16], dimensions: 10, usesAverage: true),
  Architecture(headCount: 1, widths: [24], dimensions: 6, usesAverage: false),
  Architecture(headCount: 2, widths: [5], dimensions: 40, usesAverage: false),
  Architecture(headCount: 3, widths: [20], dimensions: 8, usesAverage: true),
  Architecture(headCount: 2, widths: [7, 12], dimensions: 35, usesAverage: true),
]

/// A graph with its features.
private struct Input: Sendable {
  let lists: NeighborLists
  let identity: Matrix
  let average: Matrix?

  init(
    _ dimensions: Int, nodeCount: Int = 60, hasAverage: Bool, seed: Int,
    where isAllowed: (Int, Int) -> Bool = { _, _ in true }
  ) {
    lists = .random(nodeCount: nodeCount, listLength: 5, seed: seed, where: isAllowed)
    identity = randomMatrix(nodeCount, dimensions, seed: seed + 1)
    average = hasAverage ? randomMatrix(nodeCount, dimensions, seed: seed + 2) : nil
  }

  var edges: [NaiveEdges] {
    (0..<identity.rowCount).map { node in
      (0..<lists.edgeCount(of: node)).map { place in
        let edge = node * lists.listLength + place
        return (Int(lists.neighbors[edge].index), Double(lists.similarities[edge]))
      }
    }
  }

  /// The linkage of all nodes, from ranks that own what `nodes` says.
  func linkage(_ lander: Lander, in nodes: NodePartition, threads: Int = 1) throws -> Linkage {
    let shares = try ThreadCommunicator.run(ranks: nodes.firstNode.count - 1) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      let graph = try NeighborGraph(lists.slice(owned), in: nodes, on: communicator)
      return try lander.linkage(
        of: NodeInput(
          identity: identity.slice(owned), average: average?.slice(owned),
          usesAverage: lander.usesAverageFeature),
        over: graph, using: Workers(threads), on: communicator)
    }
    return Linkage(
      distance: shares.flatMap(\.distance), density: shares.flatMap(\.density))
  }
}

@Suite struct Linkages {
  @Test(arguments: architectures, [false, true])
  func areWhatTheEquationsSay(architecture: Architecture, hasAverage: Bool) throws {
    let lander = architecture.random(seed: 61)
    let input = Input(architecture.dimensions, hasAverage: hasAverage, seed: 62)
    let found = try input.linkage(lander, in: NodePartition(sharing: 60, among: 1))
    let expected = naiveLinkage(
      lander, identity: input.identity, average: input.average, edges: input.edges)
    #expect(found.probability.count == expected.probability.count)
    let linkageError = zip(found.probability, expected.probability)
      .map { abs(Double($0) - $1) }.max()!
    let densityError = zip(found.density, expected.density).map { abs(Double($0) - $1) }.max()!
    #expect(linkageError < 1e-5)
    #expect(densityError < 1e-5)
    // Not all the same, or the comparison would say little.
    #expect(expected.probability.max()! - expected.probability.min()! > 0.01)
  }

  @Test(.tags(.threads), arguments: architectures)
  func haveTheSameBitsOnAnyRanksAndThreads(architecture: Architecture) throws {
    let lander = architecture.random(seed: 63)
    let input = Input(architecture.dimensions, hasAverage: true, seed: 64)
    let alone = try input.linkage(lander, in: NodePartition(sharing: 60, among: 1))
    for ranks in 1...4 {
      for threads in 1...2 {
        let nodes = NodePartition.random(nodeCount: 60, ranks: ranks, seed: 65 + ranks)
        let found = try input.linkage(lander, in: nodes, threads: threads)
        #expect(found == alone, "\(ranks) ranks of \(threads) threads: \(nodes.firstNode)")
      }
    }
  }

  /// No edge crosses from one rank to another, so nobody has a ghost, or only some have.
  @Test(arguments: [[0, 20, 60], [0, 20, 40, 60], [0, 20, 20, 60]])
  func ofAGraphInPiecesNeedNoGhosts(firstNode: [Int]) throws {
    let architecture = architectures[0]
    let lander = architecture.random(seed: 66)
    let input = Input(architecture.dimensions, hasAverage: false, seed: 67) {
      ($0 < 20) == ($1 < 20)
    }
    let alone = try input.linkage(lander, in: NodePartition(sharing: 60, among: 1))
    #expect(try input.linkage(lander, in: NodePartition(firstNode: firstNode)) == alone)
  }

  @Test func areNoneWithoutEdges() throws {
    let architecture = architectures[5]
    let lander = architecture.random(seed: 68)
    let input = Input(architecture.dimensions, hasAverage: false, seed: 69) { _, _ in false }
    for ranks in 1...3 {
      let found = try input.linkage(lander, in: NodePartition(sharing: 60, among: ranks))
      #expect(found == Linkage(distance: [], density: Array(repeating: 0, count: 60)))
    }
  }
}

@Suite struct Densities {
  @Test func areMeansOverEdgesAndZeroWithoutAny() throws {
    let none = NeighborLists.none
    let lists = NeighborLists(
      listLength: 2,
      neighbors: [GlobalNode(1), GlobalNode(2), none, none, GlobalNode(0), GlobalNode(1)],
      similarities: [0.5, 0.25, 0, 0, 1, -0.5])
    let graph = try NeighborGraph(lists, in: NodePartition(sharing: 3, among: 1), on: SingleRank())
    // 1 − p of the edges 1 → 0, 2 → 0 and 0 → 2; the last pair is not similar.
    let found = density(distance: [0.25, 1, 0], over: graph)
    #expect(found == [(0.5 * 0.5 - 0.25) / 2, 0, 1])
  }
}
