import Communication
import DistributedGraphs
import GraphBaselines
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

@Suite struct ReachabilityForestTests {
  /// The squares of the lengths of a minimum spanning tree of all pairs, ascending: Prim's algorithm in double precision.
  private func plainTree(_ rows: Matrix, minimumSamples: Int) -> [Double] {
    let count = rows.rowCount
    func squared(_ a: Int, _ b: Int) -> Double { 2 - 2 * similarity(rows, a, b) }
    let core = (0..<count).map { a in
      (0..<count).filter { $0 != a }.map { squared(a, $0) }.sorted()[minimumSamples - 1]
    }
    var nearest = Array(repeating: Double.infinity, count: count)
    var isInside = Array(repeating: false, count: count)
    var lengths: [Double] = []
    var last = 0
    for _ in 1..<count {
      isInside[last] = true
      for other in 0..<count where !isInside[other] {
        nearest[other] = min(nearest[other], max(squared(last, other), core[last], core[other]))
      }
      last = (0..<count).filter { !isInside[$0] }.min { nearest[$0] < nearest[$1] }!
      lengths.append(nearest[last])
    }
    return lengths.sorted()
  }

  private func edges(
    _ rows: Matrix, listLength: Int, minimumSamples: Int, isExact: Bool, ranks: Int,
    threads: Int = 1,
    seed: Int
  ) throws -> Set<ReachabilityEdge> {
    let lists = try exactLists(of: rows, length: listLength)
    return Set(
      try shares(of: rows, ranks: ranks, seed: seed) { own, nodes, communicator in
        try ReachabilityForest(
          of: isExact ? own : nil, along: lists.slice(nodes.owned(by: communicator.rank)),
          minimumSamples: minimumSamples, in: nodes, using: Workers(threads), on: communicator
        ).edges
      })
  }

  @Test(arguments: [1, 2, 3, 5], [1, 3, 5])
  func spansAllPairsAsShortAsPossible(ranks: Int, minimumSamples: Int) throws {
    for seed in 0..<4 {
      let rows = blobs(120, columns: 4, groups: 9, seed: seed)
      let found = try edges(
        rows, listLength: 5, minimumSamples: minimumSamples, isExact: true, ranks: ranks, seed: seed
      )
      let plain = plainTree(rows, minimumSamples: minimumSamples)
      #expect(found.count == 119)
      for (edge, length) in zip(found.sorted(), plain) {
        #expect(abs(Double(edge.squaredDistance) - length) < 1e-5)
      }
    }
  }

  @Test(arguments: [2, 4], [1, 2])
  func hasTheSameEdgesOnRanksAndThreads(ranks: Int, threads: Int) throws {
    for isExact in [false, true] {
      let rows = blobs(300, columns: 6, groups: 20, seed: 11)
      func found(_ ranks: Int, _ threads: Int) throws -> Set<ReachabilityEdge> {
        try edges(
          rows, listLength: 6, minimumSamples: 4, isExact: isExact, ranks: ranks, threads: threads,
          seed: 2)
      }
      #expect(try found(ranks, threads) == found(1, 1))
    }
  }

  /// Far groups of more points than a list has places.
  @Test func hasATreeForEveryComponentOfTheGraphWithoutRows() throws {
    var rows = randomMatrix(60, 3, seed: 5, scale: 0.01)
    for row in 0..<60 { rows[row, row % 3] += 1 }
    rows.normalizeRows()
    let found = try edges(
      rows, listLength: 4, minimumSamples: 2, isExact: false, ranks: 3, seed: 1)
    #expect(found.count == 57)
    #expect(found.allSatisfy { $0.lower.index % 3 == $0.upper.index % 3 })
  }
}
