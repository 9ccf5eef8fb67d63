internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism
internal import SimilarityStructure

extension Level {
  /// How well clusters are separated: the mean over points of
  ///
  ///     (a − b) / max(1 − a, 1 − b),   0 for the only point of a cluster
  ///
  /// Here a is the mean similarity to the other points of the cluster, and b the largest mean similarity
  /// to the points of another cluster, among the clusters of near neighbours. Without such neighbours b
  /// is the mean similarity of all pairs.      [Rousseeuw 1987, with neighbours for all clusters]
  /// Two points have one similarity, with nothing to compare it to: 0.
  ///
  /// Added up as integers: the same bits on any number of ranks.
  ///
  /// > Collective: over `communicator`. A row per cluster of a node or of its neighbours, and a few
  /// > words per node.
  ///
  /// - Parameters:
  ///   - run: The run that started from this level, which is level 0.
  ///   - graph: Of this level.
  /// - Precondition: The judge leaves level 0 its rows, and the run kept those of its last level.
  /// - Complexity: O(edges · columns).
  func silhouette(
    of run: ClusteringRun, over graph: NeighborGraph, using workers: Workers,
    on communicator: some Communicator
  ) throws -> Double {
    guard run.points.nodeCount > 2 else { return 0 }
    // The input point of every node tells where the node is now.
    let cluster = try run.points.fetch(run.nodeOfPoint, at: inputPoint, on: communicator)
    let local = try graph.halo.extend(cluster, on: communicator)
    let (halo, place) = try Halo.localizing(local, in: run.level.nodes, on: communicator)
    let silhouettes = NodeSilhouettes(
      rows.directions, over: graph, in: place,
      means: try halo.extend(
        run.level.rows.averageWords, columns: 0..<rows.directions.columnCount, on: communicator),
      sizes: try halo.extend(run.level.memberCounts, on: communicator),
      scales: evidence?.scales ?? .ofAll(ClosenessScale(mean: 0)), using: workers)
    return NodeSilhouettes.mean(
      of: try communicator.allReduce(silhouettes.sum(times: memberCounts), +),
      over: run.points.nodeCount)
  }
}
