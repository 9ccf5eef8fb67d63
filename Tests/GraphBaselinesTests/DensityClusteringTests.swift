import Communication
import DistributedGraphs
import GraphBaselines
import LinearAlgebra
import RandomInputs
import Testing

@Suite struct DensityClusteringTests {
  /// As scikit-learn does it: every core that has no cluster yet founds one, and all that can be reached from it through
  /// cores join, unless they have joined another. Noise is alone.
  private func plainClusters(
    _ near: [[Int]], minimumPoints: Int
  ) -> [Int] {
    var cluster: [Int?] = Array(repeating: nil, count: near.count)
    for point in near.indices where near[point].count + 1 >= minimumPoints && cluster[point] == nil
    {
      cluster[point] = point
      var open = [point]
      while let next = open.popLast() {
        guard near[next].count + 1 >= minimumPoints else { continue }
        for other in near[next] where cluster[other] == nil {
          cluster[other] = point
          open.append(other)
        }
      }
    }
    return cluster.indices.map { cluster[$0] ?? $0 }
  }

  private func found(
    _ rows: Matrix, _ lists: NeighborLists, _ options: DensityOptions, ranks: Int, seed: Int
  ) throws -> [Int] {
    try shares(of: rows, ranks: ranks, seed: seed) { _, nodes, communicator in
      let graph = try NeighborGraph(
        lists.slice(nodes.owned(by: communicator.rank)), in: nodes, on: communicator)
      return try densityClusters(of: graph, by: options, on: communicator)
    }.map { Int($0.index) }
  }

  @Test(arguments: [1, 2, 3, 5], [1, 2, 4, 9])
  func areThoseOfAllPairsWhereListsHoldAllOthers(ranks: Int, minimumPoints: Int) throws {
    for seed in 0..<4 {
      let rows = blobs(80, columns: 4, groups: 5, seed: seed)
      let lists = try exactLists(of: rows, length: 79)
      for radius in [0.01, 0.03, 0.1, 0.3] {
        let near = (0..<80).map { a in
          (0..<80).filter { $0 != a && 1 - similarity(rows, a, $0) <= radius }
        }
        let options = DensityOptions(radius: radius, minimumPoints: minimumPoints)
        #expect(
          try found(rows, lists, options, ranks: ranks, seed: seed)
            == plainClusters(near, minimumPoints: minimumPoints), "radius \(radius), seed \(seed)")
      }
    }
  }

  @Test(arguments: [1, 3])
  func areThoseOfTheGraphOfShortLists(ranks: Int) throws {
    var differences = 0
    for seed in 0..<6 {
      let rows = blobs(90, columns: 4, groups: 3, seed: seed)
      let lists = try exactLists(of: rows, length: 4)
      for radius in [0.02, 0.05, 0.1] {
        var near: [Set<Int>] = Array(repeating: [], count: 90)
        for place in lists.neighbors.indices where 1 - Double(lists.similarities[place]) <= radius {
          let (a, b) = (place / 4, Int(lists.neighbors[place].index))
          near[a].insert(b)
          near[b].insert(a)
        }
        let plain = plainClusters(near.map { $0.sorted() }, minimumPoints: 5)
        let options = DensityOptions(radius: radius, minimumPoints: 5)
        #expect(try found(rows, lists, options, ranks: ranks, seed: seed) == plain)
        differences += Set(plain).count
      }
    }
    #expect(differences > 30, "there is more than one cluster")
  }
}
