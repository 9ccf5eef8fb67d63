internal import Communication
internal import DistributedGraphs

extension NeighborLists {
  /// The lists without neighbours of, and without, points that have no direction: those stay
  /// clusters of their own whatever a user's lists say.
  ///
  /// > Collective: over `communicator`. One round of one byte; where there is such a point, a fetch
  /// > of one byte per place of a list.
  ///
  /// - Parameter hasDirection: One entry per owned node.
  func among(
    _ hasDirection: [Bool], in nodes: NodePartition, on communicator: some Communicator
  ) throws -> NeighborLists {
    guard try communicator.any(hasDirection.contains(false)), listLength > 0 else { return self }
    // A place without a neighbour asks about any node.
    let isKept = try nodes.fetch(
      hasDirection, at: neighbors.map { max($0, GlobalNode(0)) }, on: communicator)
    return NeighborLists(
      listLength: listLength,
      neighbors: neighbors.indices.map {
        isKept[$0] && hasDirection[$0 / listLength] ? neighbors[$0] : Self.none
      },
      similarities: similarities
    ).canonical(
      listLength: listLength, firstNode: nodes.owned(by: communicator.rank).lowerBound)
  }
}
