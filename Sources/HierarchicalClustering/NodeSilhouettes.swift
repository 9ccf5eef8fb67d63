internal import DistributedGraphs
internal import GraphNetworks
internal import LinearAlgebra
internal import Parallelism
internal import SimilarityStructure

/// How well each node of level 0 is separated from other clusters:
/// ``Level/silhouette(of:over:using:on:)``.
package struct NodeSilhouettes {
  /// Owned. In units of 2⁻³².
  private let values: [Int64]

  private static let unit = 0x1p32

  /// - Parameters:
  ///   - rows: Owned. The nodes' directions.
  ///   - place: Local. Where each node's cluster is in `means` and `sizes`.
  ///   - means, sizes: Of clusters.
  ///   - scales: They have the mean similarity of all pairs.
  /// - Complexity: O(edges · columns) at most.
  init(
    _ rows: StoredRows, over graph: NeighborGraph, in place: [LocalNode], means: LocalRows,
    sizes: [Int64], scales: ClosenessScales, using workers: Workers
  ) {
    let width = rows.columnCount
    let ownedClusterCount = means.owned.rowCount
    values = [Int64](
      count: graph.ownedCount, tilesOf: 128, using: workers, filledWith: 0
    ) { nodes, values in
      let (owned, ghosts) = unsafe (means.owned.sharedRows(), means.ghosts.sharedRows())
      var scratch = Matrix(rows: 0, columns: 0)
      let points = unsafe rows.read(nodes, into: &scratch)
      defer { withExtendedLifetime(scratch) {} }
      func similarity(_ node: Int, _ cluster: Int) -> Double {
        let row = unsafe points + (node - nodes.lowerBound) * width
        let mean =
          unsafe cluster < ownedClusterCount
          ? owned[cluster] : ghosts[cluster - ownedClusterCount]
        var sum = 0.0
        for column in 0..<width { unsafe sum += Double(row[column]) * Double(mean[column]) }
        return sum
      }
      for node in nodes {
        let own = Int(place[node].index)
        let size = Double(sizes[own])
        guard size > 1 else { continue }
        let a = (size * similarity(node, own) - 1) / (size - 1)
        var others: [Int] = []
        for edge in graph.edges(into: node) {
          let other = Int(place[Int(graph.columns[edge].index)].index)
          if other != own, !others.contains(other) { others.append(other) }
        }
        let b = others.map { similarity(node, $0) }.max() ?? Double(scales[node].mean)
        let value = (a - b) / max(1 - a, 1 - b, 1e-6)
        values[node - nodes.lowerBound] = Int64((value * Self.unit).rounded())
      }
    }
  }

  /// Values that are there already, in units of 2⁻³².
  package init(values: [Int64]) { self.values = values }

  /// The sum over the nodes' points, in units of 2⁻³²: 128 bits, since 10¹² points need 75.
  package func sum(times weights: [Int64]) -> Int128 {
    zip(values, weights).reduce(0) { $0 + Int128($1.0) * Int128($1.1) }
  }

  /// The mean over some points, from the sum of all ranks.
  package static func mean(of sum: Int128, over count: Int) -> Double {
    Double(sum) / unit / Double(max(count, 1))
  }
}
