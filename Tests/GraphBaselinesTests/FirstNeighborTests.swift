import Communication
import DistributedGraphs
import GraphBaselines
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

@Suite struct FirstNeighborTests {
  /// FINCH in double precision, with every distance computed.
  private func plainPartitions(_ rows: Matrix) -> [[Int]] {
    let points = (0..<rows.rowCount).map { rows.row($0).map(Double.init) }
    var cluster = Array(points.indices)
    var partitions: [[Int]] = []
    while true {
      let count = cluster.max()! + 1
      let means = (0..<count).map { number in
        let members = points.indices.filter { cluster[$0] == number }
        let sum = points[0].indices.map { column in
          members.reduce(0) { $0 + points[$1][column] }
        }
        let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return sum.map { $0 / norm }
      }
      let first = means.indices.map { a in
        means.indices.filter { $0 != a }.map { b in
          (node: b, similarity: zip(means[a], means[b]).reduce(0) { $0 + $1.0 * $1.1 })
        }.max { $0.similarity < $1.similarity }!
      }
      var name = Array(means.indices)
      for (a, edge) in first.enumerated() {
        let (from, to) = (max(name[a], name[edge.node]), min(name[a], name[edge.node]))
        name = name.map { $0 == from ? to : $0 }
      }
      let numbers = Set(name).sorted()
      guard partitions.isEmpty || numbers.count > 1 && count - numbers.count > 1 else { break }
      cluster = cluster.map { numbers.firstIndex(of: name[$0])! }
      partitions.append(cluster)
      if numbers.count == 1 { break }
    }
    return partitions
  }

  @Test(arguments: [1, 2, 3, 5], [1, 2])
  func findAllPartitionsOfThePlainMethod(ranks: Int, threads: Int) throws {
    var counts = Set<Int>()
    for seed in 0..<5 {
      let rows = blobs(150, columns: 5, groups: 12, seed: seed)
      let lists = try exactLists(of: rows, length: 2)
      let plain = plainPartitions(rows)
      counts.insert(plain.count)
      let found = try shares(of: rows, ranks: ranks, seed: seed) { own, nodes, communicator in
        let partitions = try firstNeighborPartitions(
          of: own, along: lists.slice(nodes.owned(by: communicator.rank)),
          searching: SearchOptions(.exact), in: nodes, using: Workers(threads), on: communicator)
        return (0..<own.rowCount).map { point in partitions.map { $0.labels[point] } }
      }
      for partition in plain.indices {
        // Numbers in the order in which clusters appear are the same, not only the partition.
        #expect(found.map { Int($0[partition]) } == plain[partition], "seed \(seed)")
      }
      #expect(found[0].count == plain.count)
    }
    #expect(counts.max()! > 2, "there is more than one round")
  }

  @Test func countTheClustersOfAllRanks() throws {
    let rows = blobs(60, columns: 4, groups: 6, seed: 3)
    let lists = try exactLists(of: rows, length: 1)
    let counts = try ThreadCommunicator.run(ranks: 3) { communicator in
      let nodes = NodePartition(sharing: 60, among: 3)
      let owned = nodes.owned(by: communicator.rank)
      return try firstNeighborPartitions(
        of: StoredRows(rows.slice(owned)), along: lists.slice(owned),
        searching: SearchOptions(.exact), in: nodes, on: communicator
      ).map(\.clusterCount)
    }
    let plain = plainPartitions(rows).map { Set($0).count }
    for count in counts { #expect(count == plain) }
  }
}
