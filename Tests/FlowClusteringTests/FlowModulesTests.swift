import Communication
import DistributedGraphs
import FlowClustering
import Foundation
import Parallelism
import RandomInputs
import Testing

/// Modules of graphs one can count, and of random ones.
@Suite struct FlowModulesTests {
  @Test(arguments: 1...3)
  func twoCliquesWithABridgeAreTwoModules(ranks: Int) throws {
    let edges = clique(0..<5) + clique(5..<10) + [(4, 5)]
    let found = try modules(of: 10, edges, ranks: ranks)
    #expect(found.roots == Array(repeating: 0, count: 5) + Array(repeating: 5, count: 5))
  }

  @Test(arguments: [(4, 5), (12, 4), (30, 6)])
  func everyCliqueOfARingIsAModule(count: Int, size: Int) throws {
    var edges: [(Int, Int)] = []
    for place in 0..<count {
      edges += clique(place * size..<(place + 1) * size)
      edges.append((place * size + size - 1, (place + 1) % count * size))
    }
    let found = try modules(of: count * size, edges, ranks: 2)
    #expect(found.roots == (0..<count * size).map { $0 / size * size })
  }

  /// Names decide who moves when. Two nodes that move at once change places.
  @Test func aPairIsAModuleWhateverItsNames() throws {
    for names in (0..<60).map({ [2 * $0, 2 * $0 + 1] }) {
      #expect(try modules(of: 2, [(0, 1)], names: names, ranks: 1).roots == [0, 0], "\(names)")
    }
    #expect(try modules(of: 2, [(0, 1)], names: [6, 7], ranks: 2).roots == [0, 0])
  }

  @Test func isolatedNodesStayAlone() throws {
    let found = try modules(of: 7, clique(1..<4), ranks: 3)
    #expect(found.roots == [0, 1, 1, 1, 4, 5, 6])
    let none = try modules(of: 4, [], ranks: 2)
    #expect(none.roots == [0, 1, 2, 3])
    #expect(none.cost == 0 && none.costs.isEmpty)
    #expect(try modules(of: 0, [], ranks: 2).roots.isEmpty)
  }

  @Test(arguments: 0..<6)
  func theCodeGetsShorterWithEveryStepAndIsTheMapEquations(seed: Int) throws {
    let edges = planted(groups: 9, size: 12, seed: seed)
    let found = try modules(of: 108, edges, ranks: 1)
    #expect(found.costs.count > 2)
    #expect(zip(found.costs, found.costs.dropFirst()).allSatisfy { $0 > $1 })
    let length = codeLength(of: found.roots, edges)
    #expect(abs(found.cost - length) < 1e-9, "\(found.cost), plainly \(length)")
    #expect(abs(found.costs[0] - codeLength(of: Array(0..<108), edges)) < 1e-9)
    #expect(found.cost < codeLength(of: Array(repeating: 0, count: 108), edges))
  }

  /// 0 – 1 – 2 – 7 – 5 – 6 – 4, and 3 beside 2.
  @Test(arguments: [1, 2, 3, 5])
  func theSecondStartTakesANodeOutOfAWrongMerge(ranks: Int) throws {
    let edges = [(0, 1), (1, 2), (2, 7), (7, 5), (5, 6), (6, 4), (2, 3)]
    let once = try modules(of: 8, edges, ranks: ranks, starts: 1)
    #expect(once.roots == [0, 0, 0, 0, 4, 4, 4, 0])
    let twice = try modules(of: 8, edges, ranks: ranks)
    #expect(twice.roots == [0, 0, 0, 0, 4, 4, 4, 4])
    #expect(twice.cost < once.cost)
  }

  /// Graphs whose groups only the second start finds.
  @Test(arguments: [(2, 5, 1403), (3, 4, 47), (4, 6, 1976), (4, 6, 1982)])
  func theSecondStartGoesOnFromTheModulesOfTheFirst(groups: Int, size: Int, seed: Int) throws {
    let count = groups * size
    let edges = planted(groups: groups, size: size, seed: seed)
    let once = try modules(of: count, edges, ranks: 1, starts: 1)
    let twice = try modules(of: count, edges, ranks: 1)
    #expect(twice.roots == (0..<count).map { $0 / size * size })
    #expect(twice.costs.starts(with: once.costs))
    #expect(twice.cost < once.cost)
    #expect(abs(twice.cost - codeLength(of: twice.roots, edges)) < 1e-9)
    for (ranks, threads) in [(2, 1), (3, 2), (5, 1)] {
      for small in [0, 40, 1 << 18] {
        let found = try modules(
          of: count, edges, ranks: ranks, threads: threads, gatheringUpTo: small)
        #expect(found == twice, "\(ranks) ranks, graphs of \(small) edges are gathered")
      }
    }
  }

  @Test(arguments: [2, 3, 5, 16], [1, 2])
  func ranksAndThreadsDoNotMatter(ranks: Int, threads: Int) throws {
    for seed in 0..<3 {
      let edges = planted(groups: 7, size: 9, seed: 100 + seed)
      let alone = try modules(of: 63, edges, ranks: 1)
      for small in [0, 200, 1 << 18] {
        let found = try modules(
          of: 63, edges, ranks: ranks, threads: threads, gatheringUpTo: small)
        #expect(found == alone, "graphs of \(small) edges are gathered")
      }
    }
  }

  @Test(arguments: 0..<4)
  func theOrderOfNodesDoesNotMatter(seed: Int) throws {
    let edges = planted(groups: 7, size: 9, seed: 200 + seed)
    var generator = SeededGenerator(seed: seed)
    let place = Array(0..<63).shuffled(using: &generator)
    let found = try modules(of: 63, edges, ranks: 2)
    var names = Array(repeating: 0, count: 63)
    for node in 0..<63 { names[place[node]] = node }
    let moved = try modules(
      of: 63, edges.map { (place[$0.0], place[$0.1]) }, names: names, ranks: 3)
    for a in 0..<63 {
      for b in 0..<a {
        #expect(
          (found.roots[a] == found.roots[b]) == (moved.roots[place[a]] == moved.roots[place[b]]))
      }
    }
    #expect(moved.cost == found.cost)
  }

  @Test func twoNodesThatWantEachOtherMeet() throws {
    #expect(try modules(of: 2, [(0, 1)], ranks: 1).roots == [0, 0])
    // Of the same name they are drawn together and follow each other, but the steps end.
    _ = try modules(of: 2, [(0, 1)], names: [3, 3], ranks: 2)
  }
}

// MARK: - Graphs

private func clique(_ nodes: Range<Int>) -> [(Int, Int)] {
  nodes.flatMap { a in (a + 1..<nodes.upperBound).map { (a, $0) } }
}

/// Groups within which six of ten pairs have edges, and between which few have.
private func planted(groups: Int, size: Int, seed: Int) -> [(Int, Int)] {
  var generator = SeededGenerator(seed: seed)
  return clique(0..<groups * size).filter {
    Double.random(in: 0..<1, using: &generator) < ($0.0 / size == $0.1 / size ? 0.6 : 0.02)
  }
}

private struct Found: Equatable {
  var roots: [Int]
  var cost: Double
  var costs: [Double]
}

private func modules(
  of nodeCount: Int, _ edges: [(Int, Int)], names: [Int]? = nil, ranks: Int, threads: Int = 1,
  starts: Int = FlowModules.startCount, gatheringUpTo small: Int = 0
) throws -> Found {
  let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let nodes = NodePartition(sharing: nodeCount, among: communicator.size)
    // Every rank has some of the edges, of whichever nodes.
    let own = edges.indices.filter { $0 % communicator.size == communicator.rank.index }
    let graph = try FlowGraph(
      own.map {
        FlowEdge(target: GlobalNode(edges[$0].0), source: GlobalNode(edges[$0].1), flow: 1000)
      }, alsoReversed: true,
      names: nodes.owned(by: communicator.rank).map { UInt64(names?[$0] ?? $0) }, in: nodes,
      on: communicator)
    return try FlowModules(
      of: graph, starts: starts, gatheringUpTo: small, using: Workers(threads), on: communicator)
  }
  return Found(
    roots: shares.flatMap { $0.roots.map { Int($0.index) } }, cost: shares[0].cost,
    costs: shares[0].costs)
}

/// The map equation as it stands in the paper: an index code book, and one for every module.
private func codeLength(of modules: [Int], _ edges: [(Int, Int)]) -> Double {
  let total = Double(2 * edges.count)
  var (visits, exits): ([Int: Double], [Int: Double]) = ([:], [:])
  var nodesOf: [Int: [Int]] = [:]
  for (node, module) in modules.enumerated() { nodesOf[module, default: []].append(node) }
  for (a, b) in edges {
    for end in [a, b] { visits[end, default: 0] += 1 / total }
    if modules[a] != modules[b] {
      for end in [a, b] { exits[modules[end], default: 0] += 1 / total }
    }
  }
  func entropy(_ parts: [Double]) -> Double {
    let sum = parts.reduce(0, +)
    return parts.filter { $0 > 0 }.reduce(0) { $0 - $1 / sum * log2($1 / sum) }
  }
  var length = 0.0
  let all = Array(exits.values)
  if !all.isEmpty { length += all.reduce(0, +) * entropy(all) }
  for (module, nodes) in nodesOf {
    let parts = nodes.map { visits[$0] ?? 0 } + [exits[module] ?? 0]
    length += parts.reduce(0, +) * (parts.contains { $0 > 0 } ? entropy(parts) : 0)
  }
  return length
}
