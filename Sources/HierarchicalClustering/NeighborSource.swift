internal import Communication
public import DistributedGraphs
internal import NeighborSearch
internal import Parallelism

/// Where the neighbour lists of a level come from.
public enum NeighborSource: Sendable {
  /// An exact search, which compares all pairs of nodes.
  case exact
  /// Owned. The user's lists for level 0, and an exact search for later levels.
  case given(NeighborLists)
}

extension NeighborSource {
  /// The nearest neighbours of every owned node.
  ///
  /// > Collective: over `communicator`, as the search is.
  ///
  /// - Parameter hasDirection: Owned points.
  func lists(
    of level: Level, length: Int, where hasDirection: [Bool], using workers: Workers,
    on communicator: some Communicator, progress: (Double) -> Void
  ) throws -> NeighborLists {
    if case .given(let lists) = self, level.number == 0 {
      return try lists.among(hasDirection, in: level.nodes, on: communicator)
    }
    return try nearestNeighbors(
      of: level.rows.directions, listLength: length, in: level.nodes, using: workers,
      on: communicator, progress: progress)
  }
}
