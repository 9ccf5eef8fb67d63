import Communication
import DistributedGraphs
import RandomInputs
import Testing

/// The share of a rank, as its labels and the number of components.
private func labels(
  of edges: [(GlobalNode, GlobalNode)], nodeCount: Int, ranks: Int
) throws -> (labels: [Int64], counts: [Int]) {
  let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let own = edges.indices.filter { $0 % ranks == communicator.rank.index }.map { edges[$0] }
    let components = try SparseComponents(own, of: nodeCount, on: communicator)
    let owned = components.points.owned(by: communicator.rank)
    // In pieces, as they are written.
    let labels = stride(from: owned.lowerBound, to: owned.upperBound, by: 7).flatMap {
      components.labels($0..<min($0 + 7, owned.upperBound))
    }
    return (labels, components.componentCount)
  }
  return (found.flatMap(\.0), found.map(\.1))
}

/// By relabelling until nothing changes.
private func expected(_ edges: [(GlobalNode, GlobalNode)], nodeCount: Int) -> [Int64] {
  var name = Array(0..<nodeCount)
  var changes = true
  while changes {
    changes = false
    for (a, b) in edges {
      let least = min(name[Int(a.index)], name[Int(b.index)])
      for end in [a, b] where name[Int(end.index)] != least {
        name[Int(end.index)] = least
        changes = true
      }
    }
  }
  var numbers: [Int: Int64] = [:]
  return name.map { node in
    if let number = numbers[node] { return number }
    numbers[node] = Int64(numbers.count)
    return numbers[node]!
  }
}

struct SparseComponentsTests {
  @Test(arguments: 1...6, [0, 1, 5, 40])
  func areThoseOfFollowingEveryEdge(ranks: Int, edgeCount: Int) throws {
    for (nodeCount, seed) in [(1, 1), (30, 2), (60, 3), (200, 4)] {
      var random = SeededGenerator(seed: seed + edgeCount)
      func end() -> GlobalNode { GlobalNode(Int(random.next() % UInt64(nodeCount))) }
      let edges = (0..<edgeCount).map { _ in (end(), end()) }
      let found = try labels(of: edges, nodeCount: nodeCount, ranks: ranks)
      let answer = expected(edges, nodeCount: nodeCount)
      #expect(found.labels == answer, "\(nodeCount) nodes")
      #expect(found.counts.allSatisfy { $0 == Set(answer).count }, "\(nodeCount) nodes")
    }
  }

  /// Ids up to the largest that there is cost nothing.
  @Test(arguments: 1...4)
  func costWhatTheEdgesDo(ranks: Int) throws {
    let far = Int64.max - 1
    let ends: [(Int64, Int64)] = [
      (0, 1), (3, far), (far, 1 << 40), (7, 7), (1 << 40, 3), (far - 5, 9),
    ]
    let counts = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let own = ends.indices.filter { $0 % ranks == communicator.rank.index }.map {
        (GlobalNode(ends[$0].0), GlobalNode(ends[$0].1))
      }
      let components = try SparseComponents(own, of: Int.max, on: communicator)
      let owned = components.points.owned(by: communicator.rank)
      var answers: [Int64: Int64] = [:]
      let asked: [Int64] = [0, 1, 2, 3, 8, 1 << 40, 1 << 40 + 1, far - 5, far - 4, far]
      for id in asked where owned.contains(Int(id)) {
        answers[id] = components.labels(Int(id)..<Int(id) + 1)[0]
      }
      return (components.componentCount, answers)
    }
    #expect(counts.allSatisfy { $0.0 == Int.max - 4 })
    let answers = counts.reduce(into: [Int64: Int64]()) { $0.merge($1.1) { a, _ in a } }
    let expected: [Int64: Int64] = [
      0: 0, 1: 0, 2: 1, 3: 2, 8: 7, 1 << 40: 2, 1 << 40 + 1: 1 << 40 - 1, far - 5: 8,
      far - 4: far - 4 - 3, far: 2,
    ]
    #expect(answers == expected)
  }

  @Test(arguments: 1...5)
  func idsAreSharedEquallyWhereverTheyLie(ranks: Int) throws {
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let first = Int64.max - 1000
      let ids = [0] + (0..<600).map { first + Int64($0 * (communicator.rank.index + 1) % 600) }
      let compact = try CompactNodes(ids, on: communicator)
      let places = try compact.places(of: ids, on: communicator)
      let expected = ids.map { $0 == 0 ? 0 : $0 - first + 1 }
      let isRight = places.map(\.index) == expected
      return (compact.ids.count, compact.nodes.nodeCount, isRight)
    }
    #expect(found.allSatisfy { $0.1 == 601 && $0.2 }, "\(found)")
    #expect(found.allSatisfy { $0.0 <= 601 / ranks * 2 + 1 }, "\(found)")
  }
}
