import Communication
import DistributedGraphs
import GraphBaselines
import LinearAlgebra
import Parallelism
import RandomInputs
import Testing

@Suite struct AverageLinkageTests {
  /// Merges of the two most similar clusters, until one is left; the mean over all pairs of points.
  private func plainMerges(_ rows: Matrix) -> [(members: [Int], similarity: Double)] {
    var clusters = (0..<rows.rowCount).map { [$0] }
    var merges: [(members: [Int], similarity: Double)] = []
    while clusters.count > 1 {
      var best = (a: 0, b: 0, similarity: -Double.infinity)
      for b in clusters.indices {
        for a in 0..<b {
          var sum = 0.0
          for i in clusters[a] { for j in clusters[b] { sum += similarity(rows, i, j) } }
          let mean = sum / Double(clusters[a].count * clusters[b].count)
          if mean > best.similarity { best = (a, b, mean) }
        }
      }
      clusters[best.a] += clusters.remove(at: best.b)
      merges.append((clusters[best.a], best.similarity))
    }
    return merges
  }

  private struct Found: Sendable {
    var merges: [AverageLinkage.Merge]
    var clusters: [[Int]]
  }

  private func found(
    _ rows: Matrix, above thresholds: [Double], ranks: Int, threads: Int = 1, seed: Int
  ) throws -> Found {
    let nodes = NodePartition.random(nodeCount: rows.rowCount, ranks: ranks, seed: seed)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let tree = try AverageLinkage(
        of: StoredRows(rows.slice(nodes.owned(by: communicator.rank))), in: nodes,
        using: Workers(threads), on: communicator)
      return Found(
        merges: tree.merges,
        clusters: try thresholds.map {
          try tree.clusters(above: $0, on: communicator).map { Int($0.index) }
        })
    }
    return Found(
      merges: shares.flatMap(\.merges).sorted { ($0.first, $0.second) < ($1.first, $1.second) },
      clusters: thresholds.indices.map { place in shares.flatMap { $0.clusters[place] } })
  }

  @Test(arguments: [1, 2, 4])
  func mergesWhatTheUsualOrderMerges(ranks: Int) throws {
    for seed in 0..<4 {
      let rows = blobs(45, columns: 4, groups: 6, seed: seed)
      let plain = plainMerges(rows)
      let thresholds = [-0.2, 0.3, 0.7, 0.9, 0.97]
      let found = try found(rows, above: thresholds, ranks: ranks, seed: seed)
      #expect(found.merges.count == 44)
      let heights = zip(found.merges.map { Double($0.similarity) }.sorted(by: >), plain)
      for (height, plain) in heights { #expect(abs(height - plain.similarity) < 1e-6) }
      for (place, threshold) in thresholds.enumerated() {
        var name = Array(0..<45)
        for merge in plain where merge.similarity > threshold {
          for member in merge.members { name[member] = merge.members.min()! }
        }
        #expect(found.clusters[place] == name, "above \(threshold), seed \(seed)")
      }
    }
  }

  @Test(arguments: [2, 3, 5], [1, 2])
  func hasTheSameBitsOnRanksAndThreads(ranks: Int, threads: Int) throws {
    for seed in 0..<3 {
      let rows = blobs(200, columns: 7, groups: 15, seed: seed)
      let alone = try found(rows, above: [0.8], ranks: 1, seed: seed)
      let shared = try found(rows, above: [0.8], ranks: ranks, threads: threads, seed: seed)
      #expect(shared.merges == alone.merges)
      #expect(shared.clusters == alone.clusters)
    }
  }

  /// Copies are nearest to each other at many places at once.
  @Test(arguments: [1, 3])
  func mergesCopies(ranks: Int) throws {
    let few = blobs(5, columns: 3, groups: 5, seed: 8)
    let rows = Matrix(rows: 60, columns: 3, elements: (0..<60).flatMap { few.row($0 % 5) })
    let found = try found(rows, above: [0.9999], ranks: ranks, seed: 1)
    #expect(found.merges.count == 59)
    #expect(found.clusters[0] == (0..<60).map { $0 % 5 })
  }

  @Test func endsWithFewPoints() throws {
    for count in 0...2 {
      let rows = blobs(count, columns: 3, groups: 2, seed: 4)
      let found = try found(rows, above: [-1.1], ranks: 2, seed: 0)
      #expect(found.merges.count == max(0, count - 1))
      #expect(found.clusters[0] == Array(repeating: 0, count: count))
    }
  }
}
