internal import Communication
public import DistributedGraphs
internal import NeighborSearch
internal import Parallelism

/// Where the neighbour lists of a level come from.
public enum NeighborSource: Sendable {
  /// An exact search, which compares all pairs of nodes.
  case exact
  /// Owned points. The user's lists for level 0, and an exact search for later levels.
  case given(NeighborLists)
}

extension NeighborSource {
  /// The nearest neighbours of every owned node of a run's level. Of equally similar neighbours the
  /// one with the lower input point is first.
  ///
  /// > Collective: over `communicator`, as the search is. If nodes are not in input order, a fetch per
  /// > neighbour tells which node it is.
  func lists(
    of run: ClusteringRun, length: Int, using workers: Workers, on communicator: some Communicator,
    progress: (Double) -> Void
  ) throws -> NeighborLists {
    let level = run.level
    var lists: NeighborLists
    if case .given(let given) = self, level.number == 0 {
      lists = try given.among(run.hasDirection, in: run.points, on: communicator)
      if !level.isInInputOrder {
        lists = try lists.moved(
          to: run.nodeOfPoint, in: level.nodes, on: communicator)
      }
    } else {
      lists = try nearestNeighbors(
        of: level.rows.directions, listLength: length, in: level.nodes, named: level.names,
        using: workers, on: communicator, progress: progress)
    }
    guard !level.isInInputOrder else { return lists }
    return try lists.renamed(by: run.nodeOfPoint, of: run.points, on: communicator)
  }
}
