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
  let fixedPoint = FixedPoint(summing: pointCount, valuesUpTo: 1)
  var places: [GlobalNode: Int] = [:]
  let place = clusterOfPoint.map { cluster in
    if let place = places[cluster] { return place }
    places[cluster] = places.count
    return places.count - 1
  }
  var named = Array(repeating: GlobalNode(0), count: places.count)
  for (cluster, place) in places { named[place] = cluster }
  var sums = Array(repeating: Int64(0), count: places.count * width)
  for tile in (0..<rows.rowCount).tiles(of: 1024) {
    let elements = rows.copy(ofRows: tile).elements
    for point in tile {
      let (from, to) = ((point - tile.lowerBound) * width, place[point] * width)
      for column in 0..<width {
        sums[to + column] &+= fixedPoint.encode(elements[from + column])
      }
    }
  }
  let arrived = try clusters.deliver(sums, width: width, to: named, on: communicator)
  let owned = clusters.owned(by: communicator.rank)
  var totals = Array(repeating: Int64(0), count: owned.count * width)
  for (row, cluster) in arrived.nodes.enumerated() {
    let to = (Int(cluster.index) - owned.lowerBound) * width
    for column in 0..<width { totals[to + column] &+= arrived.rows[row * width + column] }
  }
  var directions = Matrix(
    rows: owned.count, columns: width,
    elements: totals.map { fixedPoint.decode($0, dividedBy: 1) })
  directions.normalizeRows(using: workers)
  return directions
}
