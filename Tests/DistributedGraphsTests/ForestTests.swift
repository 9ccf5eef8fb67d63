import Communication
import DistributedGraphs
import RandomInputs
import Testing

/// The root of every node, and how far it is, by following parents.
private func followingParents(_ parent: [GlobalNode]) -> (roots: [GlobalNode], depth: Int) {
  var depth = 0
  let roots = parent.indices.map { node in
    var (place, steps) = (node, 0)
    while parent[place] != GlobalNode(place) {
      place = Int(parent[place].index)
      steps += 1
    }
    depth = max(depth, steps)
    return GlobalNode(place)
  }
  return (roots, depth)
}

@Suite struct CompressingPaths {
  @Test(arguments: 1...6, [0, 1, 2, 17, 100])
  func agreesWithFollowingParents(ranks: Int, nodeCount: Int) throws {
    try check(randomForest(nodeCount: nodeCount, seed: 21), ranks: ranks)
    try check(randomForest(nodeCount: nodeCount, rootShare: 0.6, seed: 22), ranks: ranks)
  }

  /// Paths of every length about the powers of two, their nodes in any order.
  @Test(arguments: [1, 2, 3, 4, 5, 8, 9, 16, 17, 64, 65])
  func ofAPathTakesALogarithmOfRounds(depth: Int) throws {
    var generator = SeededGenerator(seed: depth)
    let order = (0...depth).shuffled(using: &generator)
    var parent = (0...depth).map { GlobalNode($0) }
    for place in 1...depth { parent[order[place]] = GlobalNode(order[place - 1]) }
    try check(parent, ranks: 3)
  }

  @Test func ofAStarTakesOneRound() throws {
    try check(Array(repeating: GlobalNode(5), count: 20), ranks: 4)
  }

  private func check(_ parent: [GlobalNode], ranks: Int) throws {
    let nodes = NodePartition.random(nodeCount: parent.count, ranks: ranks, seed: 23)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let counting = CountingCommunicator(communicator)
      var own = Array(parent[nodes.owned(by: communicator.rank)])
      try compressPaths(&own, in: nodes, on: counting)
      return (own, counting.traffic.rounds)
    }
    let (roots, depth) = followingParents(parent)
    #expect(found.flatMap(\.0) == roots)
    // Each round a fetch, of three calls, and an all-reduce.
    let logarithm = depth > 1 ? Int.bitWidth - (depth - 1).leadingZeroBitCount : 0
    for (_, rounds) in found {
      #expect(rounds.isMultiple(of: 4) && rounds / 4 <= logarithm + 1, "depth \(depth)")
    }
  }
}

private typealias Edge = (Int, Int)

/// The smallest node of every component, by a plain union-find.
private func components(_ edges: [Edge], nodeCount: Int) -> [GlobalNode] {
  var parent = Array(0..<nodeCount)
  func root(_ node: Int) -> Int {
    var node = node
    while parent[node] != node { node = parent[node] }
    return node
  }
  for (a, b) in edges {
    let (x, y) = (root(a), root(b))
    parent[max(x, y)] = min(x, y)
  }
  return (0..<nodeCount).map { GlobalNode(root($0)) }
}

/// Runs the distributed union-find, each edge held by a random rank.
private func distributed(
  _ edges: [Edge], nodeCount: Int, ranks: Int, seed: Int
) throws -> (components: [GlobalNode], traffic: [Traffic]) {
  var generator = SeededGenerator(seed: seed)
  let nodes = NodePartition.random(nodeCount: nodeCount, ranks: ranks, seed: seed)
  var held = Array(repeating: [(GlobalNode, GlobalNode)](), count: ranks)
  for (a, b) in edges {
    held[Int.random(in: 0..<ranks, using: &generator)].append((GlobalNode(a), GlobalNode(b)))
  }
  let shares = held
  let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let counting = CountingCommunicator(communicator)
    let own = try connectedComponents(
      shares[communicator.rank.index], in: nodes, on: counting)
    return (own, counting.traffic)
  }
  return (found.flatMap(\.0), found.map(\.1))
}

@Suite struct Components {
  @Test(arguments: 1...6, [0, 1, 2, 17, 100])
  func ofRandomGraphsAgreeWithAPlainUnionFind(ranks: Int, nodeCount: Int) throws {
    for (place, edgesPerNode) in [0.3, 0.8, 2.0].enumerated() {
      var generator = SeededGenerator(seed: 31 + place)
      let count = nodeCount == 0 ? 0 : Int(edgesPerNode * Double(nodeCount)) + 1
      // Self-loops and repetitions occur.
      let edges: [Edge] = (0..<count).map { _ in
        let first = Int.random(in: 0..<nodeCount, using: &generator)
        return (first, Int.random(in: 0..<nodeCount, using: &generator))
      }
      let found = try distributed(edges, nodeCount: nodeCount, ranks: ranks, seed: 34 + place)
      #expect(
        found.components == components(edges, nodeCount: nodeCount), "\(edgesPerNode) a node")
    }
  }

  @Test(arguments: 1...6, [2, 17, 100])
  func ofAPathInAnyOrderAreOne(ranks: Int, nodeCount: Int) throws {
    var generator = SeededGenerator(seed: 33)
    let order = (0..<nodeCount).shuffled(using: &generator)
    let edges = zip(order, order.dropFirst()).map { ($0, $1) }
    let found = try distributed(edges, nodeCount: nodeCount, ranks: ranks, seed: 34)
    #expect(found.components == Array(repeating: GlobalNode(0), count: nodeCount))
  }

  @Test(arguments: 1...6)
  func ofAStarAreOne(ranks: Int) throws {
    let edges = (0..<50).map { ($0, 37) }  // a self-loop among them
    let found = try distributed(edges, nodeCount: 50, ranks: ranks, seed: 35)
    #expect(found.components == Array(repeating: GlobalNode(0), count: 50))
  }

  @Test(arguments: 1...6)
  func ofTwoCliquesAreJoinedByABridge(ranks: Int) throws {
    let clique = (0..<10).flatMap { a in (0..<a).map { (a, $0) } }
    let both = clique + clique.map { ($0.0 + 10, $0.1 + 10) }
    let apart = try distributed(both, nodeCount: 20, ranks: ranks, seed: 36)
    #expect(apart.components == (0..<20).map { GlobalNode($0 / 10 * 10) })
    let joined = try distributed(both + [(13, 6)], nodeCount: 20, ranks: ranks, seed: 36)
    #expect(joined.components == Array(repeating: GlobalNode(0), count: 20))
  }

  /// Between two ranks all 900 edges run; of them no more than a spanning forest may travel.
  @Test func sendNoMoreThanASpanningForest() throws {
    let nodes = NodePartition(sharing: 60, among: 2)
    let edges = (0..<30).flatMap { a in (30..<60).map { (GlobalNode(a), GlobalNode($0)) } }
    let traffic = try ThreadCommunicator.run(ranks: 2) { communicator in
      let counting = CountingCommunicator(communicator)
      let own = try connectedComponents(edges, in: nodes, on: counting)
      return (own, counting.traffic)
    }
    #expect(traffic.flatMap(\.0) == Array(repeating: GlobalNode(0), count: 60))
    let (bytes, rounds) = (traffic[0].1.bytesSent, traffic[0].1.rounds)
    // A forest edge asks for both ends and tells one: 8 bytes out, 8 back; 16 out; in each of few
    // rounds; and paths are compressed. A call sends at most 8 bytes beside that.
    #expect(bytes <= 3 * 59 * (2 * 16 + 16 + 16) + 8 * rounds, "\(bytes) bytes in \(rounds) rounds")
    // The first question alone, about all edges, would be more.
    #expect(bytes < 900 * 2 * 8)

    // Repetitions cost nothing.
    let repeated = try ThreadCommunicator.run(ranks: 2) { communicator in
      let counting = CountingCommunicator(communicator)
      _ = try connectedComponents(edges + edges + edges, in: nodes, on: counting)
      return counting.traffic
    }
    #expect(repeated == traffic.map(\.1))
  }
}
