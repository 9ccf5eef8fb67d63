internal import Communication
internal import DistributedGraphs
internal import Glibc

extension ExpectedLevel {
  /// Nodes of the next level on a rank.
  private var coarse: Double { Double(nextCount) / ranks.size }

  /// The share of nodes whose coarse node is another rank's: peaks are dealt to ranks in equal shares, and parts have
  /// different numbers of them. On generated points about 1.5 √m of m move across the border of two ranks.
  private var movedShare: Double {
    min(ranks.otherShare, 1.5 * (ranks.size / 2 / max(coarse, 1)).squareRoot())
  }

  /// They go to the rank before or after, of which there is one less than there are ranks.
  private var besideCount: Double { ranks.otherShare }

  /// Other nodes that a node is connected to at level 0 by its members, on average: measured on generated points.
  static let connections = 20.0

  /// As ``ClusteringRun/contract(to:as:keeping:of:using:on:mostSumBytes:)``, with means of directions.
  ///
  /// - Parameter keepsRows: Whether a level follows, or a trial looks at the means.
  func coarsening(keepingRows keepsRows: Bool) -> ExpectedPhase {
    let merged = owned - coarse
    let moved = movedShare * owned
    let movedCoarse = movedShare * coarse
    var traffic = ranks.allGather(8)
    traffic += ranks.fetch(merged * cutShare, of: 8)
    traffic += ranks.allGather(8)
    // Points learn their new node from the owner of the old one, which is any rank.
    traffic += ranks.fetch(points * ranks.otherShare, of: 8)
    traffic += ranks.deliver(movedCoarse, of: 8, to: besideCount)
    traffic += ranks.scatter(moved, of: 8, to: besideCount)
    var work: [Work: Double] = [:]
    if keepsRows {
      traffic += means(movedCoarse)
      traffic += evidence(moved: moved, movedCoarse)
      work = [
        .summedNumbers: owned * columns,
        .mergedEdges: number == 0 ? edges : Self.connections * owned,
      ]
    }
    return ExpectedPhase(.coarsen, level: number, nodeCount: nodeCount, work: work, traffic)
  }

  /// Sums of the members' rows, a block of columns and some rows at a time.
  private func means(_ movedCoarse: Double) -> ExpectedTraffic {
    let blocks = max(1, (8 * coarse * columns / Double(ClusteringRun.usualSumBytes)).rounded(.up))
    let width = columns / blocks
    // The largest part has some nodes more.
    let most = ranks.count > 1 && number == 0 ? 1.03 * owned : owned
    let tiles = max(1, (most / (Double(ClusteringRun.summedRowCount) * blocks)).rounded(.up))
    let tile =
      ranks.allGather(1)
      + ranks.deliver(movedCoarse / tiles, of: 8 * width, to: besideCount)
    return ranks.allGather(8) + blocks * tiles * tile
  }

  /// As ``PointEdges/merged(into:from:to:using:on:)``.
  private func evidence(moved: Double, _ movedCoarse: Double) -> ExpectedTraffic {
    let names =
      number == 0
      ? ranks.extend(ghosts, of: 8)
      : ranks.fetch(Self.connections * owned * cutShare, of: 8)
    return names
      + ranks.deliver(Self.connections * movedCoarse, of: 32, to: besideCount)
      + ranks.scatter(moved, of: 16, to: besideCount)
  }

  /// As ``Level/silhouette(of:over:using:on:)`` of the clusters of a trial.
  ///
  /// - Parameter clusterCount: Of all ranks.
  func separation(clusterCount: Int) -> ExpectedPhase {
    let clusters = Double(clusterCount) / ranks.size
    // Those of members here and of their neighbours elsewhere.
    let away = min(
      Double(clusterCount) * ranks.otherShare, (movedShare + 2 * cutShare) * clusters + ghosts)
    let traffic =
      ranks.fetch(owned * ranks.otherShare, of: 8) + ranks.extend(ghosts, of: 8)
      + ranks.halo(ofGhosts: away) + ranks.extend(away, of: 4 * columns)
      + ranks.extend(away, of: 8) + ranks.allGather(16)
    // Most neighbours are of one's own cluster: three means for a node.
    return ExpectedPhase(
      .thresholds, level: number, nodeCount: nodeCount,
      work: [.summedNumbers: 3 * owned * columns], traffic)
  }

  /// Finding the probability that decides level 0, before trials.
  var deciding: ExpectedPhase {
    var traffic = ranks.extend(ghosts, of: 4) + ranks.sums(Double(JudgedEdges.probabilityBinCount))
    if movesNodes { traffic += ranks.extend(ghosts, of: 8) }
    return ExpectedPhase(
      .thresholds, level: number, nodeCount: nodeCount, work: [.decodedEdges: edges], traffic)
  }

  /// As ``numberByFirstAppearance(_:of:in:)`` and the count of singletons, of the clusters that are left.
  static func labeling(of job: ClusteringJob, clusterCount: Int) -> ExpectedPhase {
    let ranks = job.ranks
    let points = Double(job.pointCount) / ranks.size
    let other = ranks.otherShare
    let clusters = Double(clusterCount)
    // Points of a cluster are spread over ranks: a rank has some of it with the probability 1 − (1 − 1/p)^size.
    let size = Double(job.pointCount) / max(clusters, 1)
    let seen = clusters * (1 - pow(other, size))
    var traffic = ranks.scatter(seen * other, of: 8)
    traffic += ranks.scatter(clusters / ranks.size * other, of: 1)
    traffic += ranks.allGather(8)
    traffic += ranks.fetch(clusters / ranks.size * other, of: 8)
    traffic += ranks.fetch(points * other, of: 8)
    traffic += ranks.allGather(8) + ranks.allGather(8)
    return ExpectedPhase(
      .label, nodeCount: job.pointCount, work: [.labelledPoints: points], traffic,
      diskBytes: 8 * points)
  }
}
