internal import Communication
public import DistributedGraphs
public import NeighborSearch
internal import Parallelism

/// Where the neighbour lists of a level come from.
public enum NeighborSource: Sendable {
  /// A search among the nodes of the level: exact, or approximate where it has many.
  case search(SearchOptions)
  /// Owned. The user's lists for level 0, and an exact search for later levels.
  case given(NeighborLists)

  /// An exact search, which compares all pairs of nodes.
  public static let exact = NeighborSource.search(SearchOptions(.exact))
}

extension NeighborSource {
  /// The nearest neighbours of every owned node, and how they were searched.
  ///
  /// > Collective: over `communicator`, as the search is.
  ///
  /// - Parameter hasDirection: Owned points.
  func lists(
    of level: Level, length: Int, where hasDirection: [Bool], using workers: Workers,
    on communicator: some Communicator, progress: (Double) -> Void
  ) throws -> (lists: NeighborLists, summary: SearchSummary?) {
    var options = SearchOptions(.exact)
    switch self {
    case .given(let lists) where level.number == 0:
      return (try lists.among(hasDirection, in: level.nodes, on: communicator), nil)
    case .given: break
    case .search(let chosen): options = chosen
    }
    return try nearestNeighbors(
      of: level.rows.directions, listLength: length, by: options, in: level.nodes, using: workers,
      on: communicator, progress: progress)
  }
}
