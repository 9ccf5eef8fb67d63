internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism
internal import SimilarityStructure
internal import Synchronization

extension Level {
  /// How well clusters stand apart: the mean over points of
  ///
  ///     (a − b) / max(1 − a, 1 − b),   0 for the only point of a cluster
  ///
  /// with a the mean similarity to the other points of its cluster, and b the largest mean similarity
  /// to the points of another cluster, among those of its near neighbours; without such neighbours b
  /// is the mean similarity of all pairs.      [Rousseeuw 1987, with neighbours for all clusters]
  ///
  /// Added up as integers: the same bits on any number of ranks.
  ///
  /// > Collective: over `communicator`. A row per cluster of a node or of its neighbours, and a few
  /// > words per node.
  ///
  /// - Parameters:
  ///   - run: What became of this level, level 0.
  ///   - graph: Of this level.
  /// - Precondition: The judge leaves level 0 its rows, and the run kept those of its last level.
  /// - Complexity: O(edges · columns).
  func silhouette(
    of run: ClusteringRun, over graph: NeighborGraph, using workers: Workers,
    on communicator: some Communicator
  ) throws -> Double {
    // The input point of every node tells where the node is now.
    let cluster = try run.points.fetch(run.nodeOfPoint, at: inputPoint, on: communicator)
    let local = try graph.halo.extend(cluster, on: communicator)
    let (halo, place) = try Halo.localizing(local, in: run.level.nodes, on: communicator)
    let clusters = NearClusters(
      place: place.map { Int($0.index) },
      sizes: try halo.extend(run.level.memberCounts, on: communicator).map { Double($0) },
      means: try halo.extend(run.level.rows.meanRows, on: communicator),
      baseline: Double(evidence?.scale.mean ?? 0))
    // 10¹² points of values below 2 in units of 2⁻³² do not fit 64 bits.
    let sum = Mutex(Int128(0))
    let tiles = (0..<memberCounts.count).tiles(of: 1024)
    workers.forEach(tiles.count) { tile in
      var ofTile = Int128(0)
      for node in tiles[tile] {
        let value = clusters.silhouette(of: node, rows.directions, over: graph)
        ofTile += Int128(memberCounts[node]) * Int128((value * 0x1p32).rounded())
      }
      sum.withLock { $0 += ofTile }
    }
    let total = try communicator.allReduce(sum.withLock { $0 }, +)
    return Double(total) / 0x1p32 / Double(max(run.points.nodeCount, 1))
  }
}

/// The clusters of the nodes of a level and of their neighbours.
private struct NearClusters: Sendable {
  /// Local nodes. The local place of each node's cluster.
  let place: [Int]
  /// Local clusters.
  let sizes: [Double]
  /// Local clusters.
  let means: LocalRows
  /// The mean similarity of all pairs of points.
  let baseline: Double

  /// (a − b) / max(1 − a, 1 − b) of the points of an owned node.
  func silhouette(of node: Int, _ rows: Matrix, over graph: NeighborGraph) -> Double {
    let own = place[node]
    let size = sizes[own]
    guard size > 1 else { return 0 }
    let a = (size * similarity(of: node, rows, to: own) - 1) / (size - 1)
    var others: [Int] = []
    for edge in graph.edges(into: node) {
      let other = place[Int(graph.columns[edge].index)]
      if other != own, !others.contains(other) { others.append(other) }
    }
    let b = others.map { similarity(of: node, rows, to: $0) }.max() ?? baseline
    return (a - b) / max(1 - a, 1 - b, 1e-6)
  }

  private func similarity(of node: Int, _ rows: Matrix, to cluster: Int) -> Double {
    let ownedCount = means.owned.rowCount
    let (matrix, row) =
      cluster < ownedCount ? (means.owned, cluster) : (means.ghosts, cluster - ownedCount)
    let width = rows.columnCount
    precondition(matrix.columnCount == width, "means of \(matrix.columnCount) columns of \(width)")
    return unsafe rows.withUnsafeBufferPointer { rows in
      unsafe matrix.withUnsafeBufferPointer { means in
        var sum = 0.0
        for column in 0..<width {
          unsafe sum += Double(rows[node * width + column]) * Double(means[row * width + column])
        }
        return sum
      }
    }
  }
}
