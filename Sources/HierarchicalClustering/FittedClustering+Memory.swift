internal import DistributedGraphs
internal import LinearAlgebra
public import NeighborSearch

extension FittedClustering {
  /// The memory that assigning new points takes beside this clustering, on the rank with the most of both, in bytes,
  /// as far as it grows with the points. None of them is taken to be a copy.
  ///
  /// - Parameters:
  ///   - pointCount: How many new points there are.
  ///   - share: What ranks have of their groups, if there are groups: ``largestShare(of:on:)``.
  public func bytes(
    toAssign pointCount: Int, within share: GroupShare? = nil, by options: SearchOptions
  ) -> Double {
    let rankCount = nodes.firstNode.count - 1
    guard let share else {
      return bytes(
        toAssign: pointCount, besideNodes: nodes.nodeCount, among: rankCount, by: options)
    }
    // Nodes with their rows, lists, names, labels and counts. Rows, then lists, are copied for the journey and put in order.
    let row = 4 * Double(rows.columnCount)
    let node = row + 12 * Double(listLength) + 40
    let sent = Double((nodes.nodeCount + rankCount - 1) / rankCount)
    let sending = 2 * sent * max(row, 8 * Double(listLength))
    // Every point, with its group and its label, where it is owned and where it is assigned.
    let points = Double((pointCount + rankCount - 1) / rankCount + share.pointCount)
    // Large groups follow each other.
    let (groupPoints, groupNodes) = share.largestGroup
    let assigning =
      Double(groupNodes) * node
      + bytes(toAssign: groupPoints, besideNodes: groupNodes, among: 1, by: options)
    return 64 * points + Double(share.nodeCount) * node + max(sending, assigning)
  }

  /// The memory that assigning new points takes beside so many nodes, shared by so many ranks.
  private func bytes(
    toAssign pointCount: Int, besideNodes nodeCount: Int, among rankCount: Int,
    by options: SearchOptions
  ) -> Double {
    let new = (pointCount + rankCount - 1) / rankCount
    let rowCount = (nodeCount + rankCount - 1) / rankCount + new
    let (search, judging) = bytesOfJudging(
      pointCount: nodeCount + pointCount, rowCount: rowCount, among: rankCount, by: options)
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
      pointCount: pointCount, rowCount: rowCount, among: rankCount, by: options)
    // While lists are extended, the rows with their lists, moved and as candidates; later the lists stay beside the run.
    let lists = Double(rowCount) * 12 * Double(listLength)
    return max(Double(rowCount) * (search.bytesPerRow + 40) + 3 * lists, lists + judging)
  }

  /// What a search takes among this clustering and other points, and what judging level 0 does.
  private func bytesOfJudging(
    pointCount: Int, rowCount: Int, among rankCount: Int, by options: SearchOptions
  ) -> (search: SearchMemory, bytes: Double) {
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
