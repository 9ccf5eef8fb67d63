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
    let (search, judging) = bytesOfJudging(
      pointCount: nodes.nodeCount + pointCount, rowCount: rowCount, by: options)
    // The new rows by themselves, the names of both, and their lists under other names.
    return Double(new) * search.bytesPerRow + Double(rowCount) * (40 + 8 * Double(listLength))
      + judging
  }

  /// The memory that an update takes beside this clustering, on the rank with the most, in bytes, as far as it grows with
  /// the points.
  ///
  /// - Parameter pointCount: How many points there are, those of this clustering among them.
  public func bytes(toUpdateTo pointCount: Int, by options: SearchOptions) -> Double {
    let rankCount = nodes.firstNode.count - 1
    let rowCount = (pointCount + rankCount - 1) / rankCount
    let (search, judging) = bytesOfJudging(
      pointCount: pointCount, rowCount: rowCount, by: options)
    // While lists are extended, the rows with their lists, moved and as candidates; later the lists stay beside the run.
    let lists = Double(rowCount) * 12 * Double(listLength)
    return max(Double(rowCount) * (search.bytesPerRow + 40) + 3 * lists, lists + judging)
  }

  /// What a search takes among this clustering and other points, and what judging level 0 does.
  private func bytesOfJudging(
    pointCount: Int, rowCount: Int, by options: SearchOptions
  ) -> (search: SearchMemory, bytes: Double) {
    let rankCount = nodes.firstNode.count - 1
    let search = SearchMemory(
      rowCount: rowCount, nodeCount: pointCount, columnCount: rows.columnCount,
      element: .float32WithNorm, listLength: listLength, rankCount: rankCount)
    let judging =
      model.map { model in
        ClusteringMemory(
          rowCount: rowCount, pointCount: search.nodeCount, columnCount: rows.columnCount,
          element: .float32WithNorm, rankCount: rankCount, neighborCount: settings.neighborCount,
          keepsLists: false, model: model.linkage
        ).bytesOfJudging(by: options)
      } ?? max(search.bytes(by: options), FlowMemory(search).bytes)
    return (search, judging)
  }
}
