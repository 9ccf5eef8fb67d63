import Communication
import DistributedGraphs
import FlowClustering
import Parallelism
import RandomInputs
import Testing

/// Modules in which most pairs have an edge.
@Suite struct ConstantPottsModules {
  @Test func oneEdgeDoesNotJoinWhatManyMissingOnesKeepApart() throws {
    let edges = clique(0..<6) + clique(6..<12) + [Edge(5, 6)]
    // A pair of the six is worth 1 − γ, and of the 36 between them one has an edge: they are apart from γ = 1/36 on.
    #expect(try modules(of: 12, edges, resolution: 0.1).sizes == [6, 6])
    #expect(try modules(of: 12, edges, resolution: 0.02).sizes == [12])
    #expect(try modules(of: 12, edges, resolution: 0.99).sizes == [6, 6])
    // Together costs as much as apart.
    #expect(try modules(of: 12, edges, resolution: 1).sizes == Array(repeating: 1, count: 12))
  }

  @Test func edgesBelowTheResolutionJoinNothing() throws {
    let edges = clique(0..<5).map { Edge($0.a, $0.b, 0.25) }
    #expect(try modules(of: 6, edges, resolution: 0.2).sizes == [5, 1])
    #expect(try modules(of: 6, edges, resolution: 0.3).sizes == Array(repeating: 1, count: 6))
    #expect(try modules(of: 3, [], resolution: 0.3).sizes == [1, 1, 1])
    #expect(try modules(of: 0, [], resolution: 0.3).sizes == [])
  }

  @Test(arguments: 0..<6, [false, true])
  func costsFallWithEveryStepAndAreThoseOfTheDefinition(seed: Int, hasSizes: Bool) throws {
    let edges = planted(groups: 9, size: 12, seed: seed)
    let sizes = (0..<108).map { hasSizes ? Int64(64 + 37 * $0 % 512) : ConstantPotts.unitsOfSize }
    func plain(_ modules: [Int]) -> Double {
      cost(of: modules, edges, resolution: 0.15, sizes: sizes)
    }
    let found = try modules(of: 108, edges, resolution: 0.15, sizes: sizes)
    #expect(found.costs.count > 2)
    #expect(zip(found.costs, found.costs.dropFirst()).allSatisfy { $0 > $1 })
    let last = plain(found.roots)
    #expect(abs(found.costs.last! - last) < 1e-3, "\(found.costs.last!), plainly \(last)")
    #expect(abs(found.costs[0] - plain(Array(0..<108))) < 1e-3)
    // No node costs less in another module.
    for node in 0..<108 {
      for module in Set(found.roots).union([1000]) {
        var moved = found.roots
        moved[node] = module
        #expect(plain(moved) > last - 1e-3)
      }
    }
  }

  /// In a star nobody but the centre has more than one edge: a fifth of a module pays more than it has.
  @Test(arguments: 0..<4)
  func nodesLeaveWhereTheyPayMoreThanAlone(seed: Int) throws {
    let edges = (1...25).map { Edge(0, ($0 + 7 * seed) % 25 + 1) }
    let found = try modules(of: 26, edges, resolution: 0.3)
    #expect(found.sizes[0] <= 4, "\(found.sizes)")
  }

  /// Six nodes are all neighbours, and a seventh has one edge with each of two.
  @Test func nodesOfFewEdgesAreChargedLess() throws {
    let edges = clique(0..<6) + [Edge(6, 0, 0.6), Edge(6, 1, 0.6)]
    var degrees = Array(repeating: Int64(0), count: 7)
    for edge in edges {
      degrees[edge.a] += 1
      degrees[edge.b] += 1
    }
    let sizes = try ConstantPotts.sizes(ofDegrees: degrees, on: SingleRank())
    #expect(try modules(of: 7, edges, resolution: 0.25).sizes == [6, 1])
    #expect(try modules(of: 7, edges, resolution: 0.25, sizes: sizes).sizes == [7])
  }

  @Test func sizesAreRootsOfDegreesBesideTheMean() throws {
    let degrees: [Int64] = [4, 9, 1, 0, 6]
    for ranks in 1...3 {
      let sizes = try ThreadCommunicator.run(ranks: ranks) {
        let own = NodePartition(sharing: 5, among: ranks).owned(by: $0.rank)
        return try ConstantPotts.sizes(ofDegrees: Array(degrees[own]), on: $0)
      }.flatMap { $0 }
      // 256 √(d / 4)
      #expect(sizes == [256, 384, 128, 1, 314])
    }
    #expect(try ConstantPotts.sizes(ofDegrees: [0, 0], on: SingleRank()) == [256, 256])
    #expect(try ConstantPotts.sizes(ofDegrees: [], on: SingleRank()) == [])
  }

  /// In a module of more nodes than a list has places, pairs without an edge say nothing.
  @Test func nodesAreChargedForTheirPlacesAtMost() throws {
    let ring = (0..<60).flatMap { node in (1...6).map { Edge(node, (node + $0) % 60) } }
    let (few, many) = (
      try modules(of: 60, ring, resolution: 0.15, places: 3).sizes,
      try modules(of: 60, ring, resolution: 0.15).sizes
    )
    #expect(few.count < many.count, "\(few), \(many)")
  }

  @Test(arguments: [1, 2, 3, 5], [0, 1 << 18])
  func areTheSameOnAnyNumberOfRanksAndThreads(ranks: Int, small: Int) throws {
    for seed in 0..<3 {
      let edges = planted(groups: 9, size: 12, seed: seed)
      let sizes = (0..<108).map { Int64(64 + 37 * $0 % 512) }
      let alone = try modules(of: 108, edges, resolution: 0.15, sizes: sizes)
      let found = try modules(
        of: 108, edges, resolution: 0.15, sizes: sizes, ranks: ranks, threads: 2,
        gatheringUpTo: small)
      #expect(found == alone)
    }
  }

  /// 10¹² nodes in each of two, whose squares no 64 bits hold.
  @Test func sizesMayBeLarge() throws {
    let found = try modules(
      of: 2, [Edge(0, 1)], resolution: 1, places: 1 << 40, sizes: [1 << 48, 1 << 48])
    #expect(found.sizes == [1, 1])
    #expect(abs(found.costs[0] - (1 + 0x1p80)) < 0x1p40)
  }
}

private struct Edge {
  var a, b: Int
  var p: Double

  init(_ a: Int, _ b: Int, _ p: Double = 1) { (self.a, self.b, self.p) = (a, b, p) }
}

private func clique(_ nodes: Range<Int>) -> [Edge] {
  nodes.flatMap { a in (a + 1..<nodes.upperBound).map { Edge(a, $0) } }
}

/// Groups in which more pairs have an edge than elsewhere.
private func planted(groups: Int, size: Int, seed: Int) -> [Edge] {
  var generator = SeededGenerator(seed: seed)
  return clique(0..<groups * size).compactMap {
    guard Double.random(in: 0..<1, using: &generator) < ($0.a / size == $0.b / size ? 0.6 : 0.02)
    else { return nil }
    return Edge($0.a, $0.b, Double.random(in: 0.3..<1, using: &generator))
  }
}

/// γ times both sizes for every pair within a module, a node with itself included, and p for every edge between two.
private func cost(
  of modules: [Int], _ edges: [Edge], resolution: Double, sizes: [Int64]
) -> Double {
  var total: [Int: Double] = [:]
  for (node, module) in modules.enumerated() {
    total[module, default: 0] += Double(sizes[node]) / Double(ConstantPotts.unitsOfSize)
  }
  return edges.reduce(0) { modules[$1.a] == modules[$1.b] ? $0 : $0 + $1.p }
    + total.values.reduce(0) { $0 + resolution * $1 * $1 / 2 }
}

private struct Found: Equatable {
  var roots: [Int]
  var costs: [Double]

  /// Descending.
  var sizes: [Int] {
    Dictionary(grouping: roots) { $0 }.values.map(\.count).sorted(by: >)
  }
}

private func modules(
  of nodeCount: Int, _ edges: [Edge], resolution: Double, places: Int = 1000,
  sizes: [Int64]? = nil, ranks: Int = 1,
  threads: Int = 1, gatheringUpTo small: Int = 0
) throws -> Found {
  let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let nodes = NodePartition(sharing: nodeCount, among: communicator.size)
    // Every rank has some of the edges, of whichever nodes.
    let own = edges.indices.filter { $0 % communicator.size == communicator.rank.index }
    let names = nodes.owned(by: communicator.rank).map { UInt64($0) }
    let graph = try FlowGraph(
      own.map {
        FlowEdge(
          target: GlobalNode(edges[$0].a), source: GlobalNode(edges[$0].b),
          flow: Int64((edges[$0].p * ConstantPotts.certainty).rounded()))
      },
      sizes: sizes.map { Array($0[nodes.owned(by: communicator.rank)]) }
        ?? names.map { _ in ConstantPotts.unitsOfSize }, names: names, in: nodes,
      on: communicator)
    return try FlowModules(
      of: graph, by: ConstantPotts(resolution: resolution, places: places), gatheringUpTo: small,
      using: Workers(threads), on: communicator)
  }
  return Found(
    roots: shares.flatMap { $0.roots.map { Int($0.index) } }, costs: shares[0].costs)
}
