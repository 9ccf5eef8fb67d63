import Communication
import DistributedGraphs
import LinearAlgebra
import RandomInputs
import Testing

/// A random graph cut into random shares.
private struct SharedGraph: Sendable {
  let lists: NeighborLists
  let nodes: NodePartition

  init(nodeCount: Int, ranks: Int, seed: Int, listLength: Int = 4) {
    lists = .random(nodeCount: nodeCount, listLength: listLength, seed: seed)
    nodes = .random(nodeCount: nodeCount, ranks: ranks, seed: seed + 1)
  }

  func share(on communicator: some Communicator) throws -> NeighborGraph {
    try NeighborGraph(
      lists.slice(nodes.owned(by: communicator.rank)), in: nodes, on: communicator)
  }

  /// Runs a program on every rank of the partition, with its share of the graph.
  func run<R: Sendable>(
    _ program:
      @escaping @Sendable (
        NeighborGraph, CountingCommunicator<ThreadCommunicator>
      ) throws -> R
  ) throws -> [R] {
    try ThreadCommunicator.run(ranks: nodes.firstNode.count - 1) { communicator in
      let counting = CountingCommunicator(communicator)
      return try program(share(on: counting), counting)
    }
  }

  /// A row per node that tells the node and the column.
  func rows(of owned: Range<Int>, width: Int) -> Matrix {
    Matrix(
      rows: owned.count, columns: width,
      elements: owned.flatMap { node in (0..<width).map { Float(100 * node + $0) } })
  }
}

@Suite struct ALocalShareOfAGraph {
  @Test(arguments: 1...6, [0, 1, 3, 17, 60])
  func hasTheEdgesOfThePositiveNeighbors(ranks: Int, nodeCount: Int) throws {
    let graph = SharedGraph(nodeCount: nodeCount, ranks: ranks, seed: 11)
    let rows = try graph.run { share, _ in
      (0..<share.ownedCount).map { node in
        share.edges(into: node).map { (share.source(of: $0).index, share.affinities[$0]) }
          .map { "\($0)" }
      }
    }
    let expected = (0..<nodeCount).map { node in
      (0..<graph.lists.listLength).map { node * graph.lists.listLength + $0 }
        .filter {
          graph.lists.neighbors[$0] != NeighborLists.none && graph.lists.similarities[$0] > 0
        }
        .map { "\((graph.lists.neighbors[$0].index, graph.lists.similarities[$0]))" }
    }
    #expect(rows.flatMap { $0 } == expected)
  }

  @Test(arguments: 1...6, [0, 1, 3, 60])
  func hasEachSourceOfAnotherRankOnceAsAGhost(ranks: Int, nodeCount: Int) throws {
    let graph = SharedGraph(nodeCount: nodeCount, ranks: ranks, seed: 12)
    let halos = try graph.run { share, _ in
      (share.halo, share.columns.map { share.halo.global($0) })
    }
    for (halo, sources) in halos {
      let away = Set(sources.filter { !halo.owned.contains(Int($0.index)) })
      #expect(halo.ghosts == away.sorted())
      #expect(halo.ghostCounts.reduce(0, +) == halo.ghostCount)
    }
    // What one rank sends is what the other has as ghosts, in its order.
    for (receiver, (halo, _)) in halos.enumerated() {
      let sent = halos.flatMap { sender, _ in
        sender.boundary[Rank(receiver)].map { sender.global($0) }
      }
      #expect(sent == halo.ghosts)
    }
  }
}

@Suite struct ExchangingHalos {
  @Test(arguments: 1...6, [0, 1, 3, 60])
  func givesEveryLocalNodeItsOwnersValue(ranks: Int, nodeCount: Int) throws {
    let graph = SharedGraph(nodeCount: nodeCount, ranks: ranks, seed: 13)
    let values = try graph.run { share, communicator in
      let found = try share.halo.extend(share.halo.owned.map { 7 * $0 }, on: communicator)
      return (found, (0..<share.halo.localCount).map { share.halo.global(LocalNode($0)) })
    }
    for (found, names) in values { #expect(found == names.map { 7 * Int($0.index) }) }
  }

  @Test(arguments: 1...6, [0..<5, 1..<4, 2..<2])
  func takesTheColumnsAskedFor(ranks: Int, columns: Range<Int>) throws {
    let graph = SharedGraph(nodeCount: 60, ranks: ranks, seed: 14)
    let found = try graph.run { share, communicator in
      let rows = graph.rows(of: share.halo.owned, width: 5)
      return (
        try share.halo.extend(rows, columns: columns, on: communicator), rows, share.halo.ghosts
      )
    }
    for (local, rows, ghosts) in found {
      #expect(local.owned == rows && local.firstColumn == columns.lowerBound)
      #expect(local.width == columns.count)
      #expect(
        local.ghosts.elements
          == ghosts.flatMap { ghost in columns.map { Float(100 * Int(ghost.index) + $0) } })
    }
  }

  @Test(arguments: [1, 2, 5], [1, 2, 3, 7, 100])
  func inPiecesComesToTheSame(ranks: Int, pieceCount: Int) throws {
    let graph = SharedGraph(nodeCount: 60, ranks: ranks, seed: 15)
    let found = try graph.run { share, communicator in
      let rows = graph.rows(of: share.halo.owned, width: 3)
      var members: [Int] = []
      var elements: [Float] = []
      for index in 0..<pieceCount {
        let piece = share.halo.piece(index, of: pieceCount)
        members += piece.members
        elements += try share.halo.receive(
          rows, columns: 0..<3, of: piece, on: communicator
        ).elements
      }
      return (members, elements, share.halo.ghosts)
    }
    for (members, elements, ghosts) in found {
      #expect(members.sorted() == Array(0..<ghosts.count))
      #expect(
        elements
          == members.flatMap { ghost in
            (0..<3).map { Float(100 * Int(ghosts[ghost].index) + $0) }
          })
    }
  }

  /// ⟨extend x, y⟩ = ⟨x, accumulate y⟩, of small whole numbers: every sum is exact.
  @Test(arguments: 1...6, [0, 1, 3, 60])
  func andAccumulatingAreAdjoint(ranks: Int, nodeCount: Int) throws {
    let graph = SharedGraph(nodeCount: nodeCount, ranks: ranks, seed: 16)
    let products = try graph.run { share, communicator in
      let width = 3
      var generator = SeededGenerator(seed: 17 + communicator.rank.index)
      func numbers(_ rows: Int) -> Matrix {
        Matrix(
          rows: rows, columns: width,
          elements: (0..<rows * width).map { _ in Float(Int.random(in: -9...9, using: &generator)) }
        )
      }
      let (x, y) = (numbers(share.ownedCount), numbers(share.halo.localCount))
      let extended = try share.halo.extend(x, on: communicator)
      var accumulated = y.slice(0..<share.ownedCount)
      try share.halo.accumulate(
        y.slice(share.ownedCount..<share.halo.localCount), into: &accumulated, on: communicator)
      func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      return (
        dot(extended.owned.elements + extended.ghosts.elements, y.elements),
        dot(x.elements, accumulated.elements)
      )
    }
    #expect(products.reduce(0) { $0 + $1.0 } == products.reduce(0) { $0 + $1.1 })
  }

  @Test(arguments: 1...6)
  func sendsOneValueOrRowPerGhostInOneRound(ranks: Int) throws {
    let graph = SharedGraph(nodeCount: 60, ranks: ranks, seed: 18)
    let found = try graph.run { share, communicator in
      let building = communicator.traffic
      _ = try share.halo.extend(share.halo.owned.map { Float($0) }, on: communicator)
      let values = communicator.traffic - building
      _ = try share.halo.extend(
        graph.rows(of: share.halo.owned, width: 5), columns: 1..<4, on: communicator)
      let rows = communicator.traffic - building - values
      var sums = graph.rows(of: share.halo.owned, width: 2)
      _ = try share.halo.accumulate(
        Matrix(rows: share.halo.ghostCount, columns: 2), into: &sums, on: communicator)
      let accumulation = communicator.traffic - building - values - rows
      return (share.halo, building, values, rows, accumulation)
    }
    for (halo, building, values, rows, accumulation) in found {
      #expect(building.rounds == 2)
      #expect(building.bytesSent == (ranks - 1) * 8 + 8 * halo.ghostCount)
      let boundaryCount = halo.boundary.values.count
      #expect(values.bytesSent == 4 * boundaryCount && values.rounds == 1)
      #expect(rows.bytesSent == 3 * 4 * boundaryCount && rows.rounds == 1)
      #expect(values.messages == halo.boundary.counts.count { $0 > 0 })
      #expect(accumulation.bytesSent == 2 * 4 * halo.ghostCount && accumulation.rounds == 1)
    }
  }

  @Test func ofARankWhoseNodesAreAllBoundary() throws {
    // Complete between two ranks, and nothing inside: every node is a ghost of the other rank.
    let nodes = NodePartition(sharing: 8, among: 2)
    let neighbors = (0..<8).flatMap { node in (0..<4).map { GlobalNode(node < 4 ? 4 + $0 : $0) } }
    let lists = NeighborLists(
      listLength: 4, neighbors: neighbors, similarities: neighbors.map { _ in 0.5 })
    let found = try ThreadCommunicator.run(ranks: 2) { communicator in
      let graph = try NeighborGraph(
        lists.slice(nodes.owned(by: communicator.rank)), in: nodes, on: communicator)
      return (graph.halo, try graph.halo.extend(graph.halo.owned.map { $0 }, on: communicator))
    }
    for (rank, (halo, values)) in found.enumerated() {
      #expect(Array(halo.boundary[Rank(1 - rank)]) == (0..<4).map { LocalNode($0) })
      #expect(values == (rank == 0 ? Array(0..<8) : [4, 5, 6, 7, 0, 1, 2, 3]))
    }
  }
}

@Suite struct CanonicalLists {
  @Test func areOrderedWithoutRepetitionAndWithoutTheNodeItself() {
    let none = NeighborLists.none
    let lists = NeighborLists(
      listLength: 6,
      neighbors: [
        // The list of node 10: itself, a repetition, a tie and an absent place.
        GlobalNode(10), GlobalNode(4), GlobalNode(7), none, GlobalNode(4), GlobalNode(2),
        none, none, none, none, none, none,
      ],
      similarities: [1, 0.3, 0.5, 0.99, 0.8, 0.5, .nan, 0, 0, 0, 0, 0])
    let canonical = lists.canonical(listLength: 3, firstNode: 10)
    #expect(
      canonical
        == NeighborLists(
          listLength: 3,
          neighbors: [GlobalNode(4), GlobalNode(2), GlobalNode(7), none, none, none],
          similarities: [0.8, 0.5, 0.5, 0, 0, 0]))
    #expect(
      lists.canonical(listLength: 2, firstNode: 10).neighbors[..<2] == [
        GlobalNode(4), GlobalNode(2),
      ])
    #expect(lists.canonical(listLength: 0, firstNode: 10).neighbors.isEmpty)
    #expect(lists.canonical(listLength: 9, firstNode: 10).neighbors.count == 18)
    #expect(canonical.canonical(listLength: 3, firstNode: 10) == canonical)
  }

  @Test func countEdgesUpToTheFirstThatIsNotPositive() {
    let lists = NeighborLists(
      listLength: 3, neighbors: [1, 2, 3, 0, 2, -1, -1, -1, -1].map { GlobalNode($0) },
      similarities: [0.5, 0.1, 0, 0.2, -0.1, 0, 0, 0, 0])
    #expect((0..<3).map { lists.edgeCount(of: $0) } == [2, 1, 0])
  }
}
