public import Communication
public import DistributedGraphs

/// Numbers clusters 0, 1, 2, … in the order in which they first appear among the points.
///
/// > Collective: over `communicator`. 14 rounds; at most 24 bytes per point and 32 per
/// > cluster.
///
/// - Parameters:
///   - clusters: Owned. The cluster of every owned point.
///   - points: Which rank owns which points.
///   - names: Which rank is responsible for which clusters. Any cluster may be empty.
/// - Returns: Owned. The number of every point's cluster, and how many clusters have points.
public func numberByFirstAppearance(
  _ clusters: [GlobalNode], of points: NodePartition, in names: NodePartition,
  on communicator: some Communicator
) throws -> (labels: [Int64], clusterCount: Int) {
  let firstPoint = points.owned(by: communicator.rank).lowerBound
  // The points that are first of their cluster here tell the cluster's owner.
  var seen = Set<GlobalNode>()
  let candidates = clusters.indices.filter { seen.insert(clusters[$0]).inserted }
  let nobody = GlobalNode(Int64.max)
  var firstMember = Array(repeating: nobody, count: names.owned(by: communicator.rank).count)
  try names.scatter(
    candidates.map { GlobalNode(firstPoint + $0) }, to: candidates.map { clusters[$0] },
    into: &firstMember, on: communicator
  ) { $0 = min($0, $1) }

  // Those that are first of all are counted in the order of points.
  let present = firstMember.indices.filter { firstMember[$0] != nobody }
  var isFirst = Array(repeating: false, count: clusters.count)
  try points.scatter(
    Array(repeating: true, count: present.count), to: present.map { firstMember[$0] },
    into: &isFirst, on: communicator
  ) { $0 = $1 }
  let ownCount = isFirst.count { $0 }
  var next = try communicator.exclusivePrefixSum(ownCount)
  var numberAtPoint = Array(repeating: Int64(-1), count: clusters.count)
  for point in clusters.indices where isFirst[point] {
    numberAtPoint[point] = Int64(next)
    next += 1
  }

  // Clusters learn their number from their first point, points theirs from the cluster.
  let numbers = try points.fetch(
    numberAtPoint, at: present.map { firstMember[$0] }, on: communicator)
  var numberOfCluster = Array(repeating: Int64(-1), count: firstMember.count)
  for (cluster, number) in zip(present, numbers) { numberOfCluster[cluster] = number }
  return (
    try names.fetch(numberOfCluster, at: clusters, on: communicator),
    try communicator.sum(ownCount)
  )
}
