import Communication
import DistributedGraphs
import RandomInputs
import Testing

@Suite struct SharingNodes {
  @Test(arguments: 1...6, [0, 1, 2, 5, 17, 100])
  func givesEveryNodeOneOwner(ranks: Int, nodeCount: Int) {
    let nodes = NodePartition(sharing: nodeCount, among: ranks)
    let counts = (0..<ranks).map { nodes.owned(by: Rank($0)).count }
    #expect(nodes.nodeCount == nodeCount)
    #expect(counts.reduce(0, +) == nodeCount)
    #expect(counts.max()! - counts.min()! <= 1)
    for node in 0..<nodeCount {
      #expect(nodes.owned(by: nodes.owner(of: GlobalNode(node))).contains(node))
    }
  }

  @Test func ownersAreFoundBesideEmptyRanks() {
    let nodes = NodePartition(firstNode: [0, 0, 3, 3, 3, 7, 7])
    #expect((0..<7).map { nodes.owner(of: GlobalNode($0)).index } == [1, 1, 1, 4, 4, 4, 4])
    #expect(nodes.owned(by: Rank(2)).isEmpty)
  }
}

/// What each rank asks for, or has to say, about nodes of any rank.
private struct Requests: Sendable {
  /// For each rank. Shape `[size][any]`.
  var nodes: [[GlobalNode]]
  /// A number for each request, all different.
  var numbers: [[Int]]

  init(nodeCount: Int, ranks: Int, seed: Int) {
    var generator = SeededGenerator(seed: seed)
    nodes = (0..<ranks).map { _ in
      let count = nodeCount == 0 ? 0 : Int.random(in: 0...40, using: &generator)
      return (0..<count).map { _ in GlobalNode(Int.random(in: 0..<nodeCount, using: &generator)) }
    }
    numbers = nodes.enumerated().map { rank, nodes in
      nodes.indices.map { 1000 * rank + $0 * 7919 % 1000 }
    }
  }

  /// The requests about a node, in the order of (rank, place).
  func numbers(about node: Int) -> [Int] {
    nodes.indices.flatMap { rank in
      zip(nodes[rank], numbers[rank]).filter { $0.0 == GlobalNode(node) }.map(\.1)
    }
  }
}

@Suite struct HandingNodes {
  @Test(arguments: 1...6, [0, 1, 3, 17, 100])
  func keepsRowsInTheirOrder(ranks: Int, nodeCount: Int) throws {
    let before = NodePartition.random(nodeCount: nodeCount, ranks: ranks, seed: 5)
    let after = [
      NodePartition.random(nodeCount: nodeCount, ranks: ranks, seed: 6),
      NodePartition(sharing: nodeCount, amongFirst: max(1, ranks / 2), of: ranks),
    ]
    let handed = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rows = before.owned(by: communicator.rank).flatMap { [$0, -$0] }
      return try after.map { try before.hand(rows, width: 2, to: $0, on: communicator) }
    }
    for (place, nodes) in after.enumerated() {
      for rank in 0..<ranks {
        #expect(handed[rank][place] == nodes.owned(by: Rank(rank)).flatMap { [$0, -$0] })
      }
    }
  }

  @Test(arguments: [0, 1, 7]) func theFirstRanksHaveAll(nodeCount: Int) {
    let nodes = NodePartition(sharing: nodeCount, amongFirst: 3, of: 5)
    #expect(nodes.ofFirst(3) == NodePartition(sharing: nodeCount, among: 3))
    #expect((3..<5).allSatisfy { nodes.owned(by: Rank($0)).isEmpty })
  }
}

@Suite struct AskingAndTellingOwners {
  @Test(arguments: 1...6, [0, 1, 3, 17, 100])
  func fetchReadsTheOwnersValues(ranks: Int, nodeCount: Int) throws {
    let nodes = NodePartition.random(nodeCount: nodeCount, ranks: ranks, seed: 1)
    let requests = Requests(nodeCount: nodeCount, ranks: ranks, seed: 2)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let values = nodes.owned(by: communicator.rank).map { 3 * $0 + 1 }
      return try nodes.fetch(values, at: requests.nodes[communicator.rank.index], on: communicator)
    }
    #expect(found == requests.nodes.map { $0.map { 3 * Int($0.index) + 1 } })
  }

  @Test(arguments: 1...6, [0, 1, 3, 17, 100])
  func scatterCombinesWhatAllRanksSay(ranks: Int, nodeCount: Int) throws {
    let nodes = NodePartition.random(nodeCount: nodeCount, ranks: ranks, seed: 3)
    let requests = Requests(nodeCount: nodeCount, ranks: ranks, seed: 4)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      var values = nodes.owned(by: communicator.rank).map { $0 }
      let rank = communicator.rank.index
      try nodes.scatter(
        requests.numbers[rank], to: requests.nodes[rank], into: &values, on: communicator
      ) { $0 = 31 &* $0 &+ $1 }
      return values
    }
    // The combination depends on the order: it is that of (rank, place).
    let expected = (0..<nodeCount).map { node in
      requests.numbers(about: node).reduce(node) { 31 &* $0 &+ $1 }
    }
    #expect(found.flatMap { $0 } == expected)
  }

  @Test(arguments: 1...6, [0, 1, 3])
  func deliverKeepsRowsTogetherAndInOrder(ranks: Int, width: Int) throws {
    let nodes = NodePartition.random(nodeCount: 17, ranks: ranks, seed: 5)
    let requests = Requests(nodeCount: 17, ranks: ranks, seed: 6)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rank = communicator.rank.index
      let rows = requests.numbers[rank].flatMap { number in (0..<width).map { 10 * number + $0 } }
      let arrived = try nodes.deliver(
        rows, width: width, to: requests.nodes[rank], on: communicator)
      return [arrived.nodes.map { Int($0.index) }, arrived.rows]
    }
    for rank in 0..<ranks {
      let owned = nodes.owned(by: Rank(rank))
      let arriving = requests.nodes.indices.flatMap { source in
        zip(requests.nodes[source], requests.numbers[source])
          .filter { owned.contains(Int($0.0.index)) }
      }
      #expect(found[rank][0] == arriving.map { Int($0.0.index) })
      #expect(found[rank][1] == arriving.flatMap { row in (0..<width).map { 10 * row.1 + $0 } })
    }
  }

  @Test(arguments: 1...6)
  func fetchSendsWhatItPromises(ranks: Int) throws {
    let nodes = NodePartition.random(nodeCount: 50, ranks: ranks, seed: 7)
    let requests = Requests(nodeCount: 50, ranks: ranks, seed: 8)
    let traffic = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let counting = CountingCommunicator(communicator)
      let values = nodes.owned(by: communicator.rank).map { Float($0) }
      _ = try nodes.fetch(values, at: requests.nodes[communicator.rank.index], on: counting)
      return counting.traffic
    }
    let away = requests.nodes.indices.map { rank in
      requests.nodes[rank].count { nodes.owner(of: $0) != Rank(rank) }
    }.reduce(0, +)
    #expect(traffic.allSatisfy { $0.rounds == 3 })
    // A count for each pair of ranks, then 8 bytes out and 4 back.
    #expect(
      traffic.reduce(0) { $0 + $1.bytesSent } == ranks * (ranks - 1) * 8 + away * (8 + 4))
  }
}
