internal import Communication
internal import DistributedGraphs
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

/// The direction of the mean of every owned cluster's unit rows, the same bits on any number of ranks.
///
/// > Collective: over `communicator`. One delivery of 8 bytes per column, rank and cluster that the rank has points of.
///
/// - Parameters:
///   - rows: Owned points. Shape `[pointCount × columns]`.
///   - clusterOfPoint: Owned points.
///   - clusters: Which rank owns which clusters. None is empty.
/// - Returns: Owned clusters. Unit rows, or rows of zeros where unit rows add up to none.
/// - Complexity: O(points · columns); 16 bytes per column and cluster that a rank has points of.
func clusterDirections(
  of rows: StoredRows, in clusterOfPoint: [GlobalNode], of clusters: NodePartition, pointCount: Int,
  using workers: Workers, on communicator: some Communicator
) throws -> Matrix {
  let width = rows.columnCount
  let unit = [FixedPoint(summing: pointCount, valuesUpTo: 1)]
  var places: [GlobalNode: Int] = [:]
  let place = clusterOfPoint.map { cluster in
    if let place = places[cluster] { return place }
    places[cluster] = places.count
    return places.count - 1
  }
  var named = Array(repeating: GlobalNode(0), count: places.count)
  for (cluster, place) in places { named[place] = cluster }
  var here = FixedPointSums(rowCount: places.count, width: width, unit)
  for tile in (0..<rows.rowCount).tiles(of: 1024) {
    here.add(
      rows.copy(ofRows: tile), Array(0..<tile.count), times: tile.map { _ in 1 },
      to: Array(place[tile]))
  }
  let arrived = try clusters.deliver(here.sums, width: width, to: named, on: communicator)
  let owned = clusters.owned(by: communicator.rank)
  var all = FixedPointSums(rowCount: owned.count, width: width, unit, using: workers)
  all.add(arrived.rows, to: arrived.nodes.map { Int($0.index) - owned.lowerBound })
  var directions = Matrix(rows: owned.count, columns: width)
  all.writeMeans(over: owned.map { _ in 1 }, to: &directions, at: 0)
  directions.normalizeRows(using: workers)
  return directions
}
