internal import DistributedGraphs
internal import LinearAlgebra
public import NeighborSearch

extension FittedClustering {
  /// The memory that assigning new points takes beside this clustering, on the rank with the most of both, in bytes,
  /// as far as it grows with the points. None of them is taken to be a copy.
  ///
  /// - Parameter pointCount: How many new points there are.
  public func bytes(toAssign pointCount: Int, by options: SearchOptions) -> Double {
    let rankCount = nodes.firstNode.count - 1
    let new = (pointCount + rankCount - 1) / rankCount
    let rowCount = (nodes.nodeCount + rankCount - 1) / rankCount + new
    let search = SearchMemory(
      rowCount: rowCount, nodeCount: nodes.nodeCount + pointCount, columnCount: rows.columnCount,
      element: .float32WithNorm, listLength: listLength, rankCount: rankCount)
    let judging =
      model.map { model in
        ClusteringMemory(
          rowCount: rowCount, pointCount: search.nodeCount, columnCount: rows.columnCount,
          element: .float32WithNorm, rankCount: rankCount, neighborCount: settings.neighborCount,
          keepsLists: false, model: model.linkage
        ).bytesOfJudging(by: options)
      } ?? max(search.bytes(by: options), FlowMemory(search).bytes)
    // The new rows by themselves, the names of both, and their lists under other names.
    return Double(new) * search.bytesPerRow + Double(rowCount) * (40 + 8 * Double(listLength))
      + judging
  }
}
