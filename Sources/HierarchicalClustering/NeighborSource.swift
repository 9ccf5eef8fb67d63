internal import Communication
public import DistributedGraphs
public import NeighborSearch
internal import Parallelism

/// Where the neighbour lists of a level come from.
public enum NeighborSource: Sendable {
  /// A search among the nodes of the level: exact, or approximate where it has many.
  case search(SearchOptions)
  /// Owned points. The user's lists for level 0, and an exact search for later levels.
  case given(NeighborLists)
  /// A search among the nodes of the same group, as if each group were alone.
  case within(PointGroups, SearchOptions)

  /// An exact search, which compares all pairs of nodes.
  public static let exact = NeighborSource.search(SearchOptions(.exact))

  /// How the nodes of a level are searched. Those of later levels stand for clusters, and lie apart.
  private func options(atLevel level: Int) -> SearchOptions {
    switch self {
    case .search(var options), .within(_, var options):
      options.expectsDiffuse = level > 0
      return options
    case .given: return SearchOptions(.exact)
    }
  }

  /// Whether all pairs of nodes of a level after level 0 are compared.
  func isExact(amongNodes nodeCount: Int, length: Int) -> Bool {
    SearchPlan(nodeCount: nodeCount, listLength: length).choice(by: options(atLevel: 1)).method
      == .exact
  }

  /// Owned points. Which may merge with which, if not all.
  var groups: PointGroups? { if case .within(let groups, _) = self { groups } else { nil } }
}

extension NeighborSource {
  /// The nearest neighbours of every owned node of a run's level, and how they were searched. Of equally
  /// similar neighbours the one with the lower input point is first.
  ///
  /// > Collective: over `communicator`, as the search is; for given lists a round of a byte per rank, and a
  /// > fetch per place if there are points without direction. If nodes are not in input order, a fetch
  /// > per neighbour tells which node it is, and given lists travel to the owners of their nodes.
  ///
  /// - Parameter store: Replicated. Where an approximate search keeps what it has found so far; nil where it does not.
  func lists(
    of run: ClusteringRun, length: Int, keptIn store: (any SearchStore)? = nil,
    using workers: Workers, on communicator: some Communicator,
    progress: (Double) throws -> Void
  ) throws -> (lists: NeighborLists, summary: SearchSummary?) {
    let level = run.level
    if level.groups != nil {
      return try run.neighborsWithinGroups(
        length: length, by: options(atLevel: level.number), using: workers, on: communicator,
        progress: progress)
    }
    var (lists, summary): (NeighborLists, SearchSummary?)
    var haveNames = !level.isInInputOrder
    if case .given(let given) = self, level.number == 0 {
      precondition(
        given.listLength == 0 || given.count == run.nodeOfPoint.count,
        "\(given.count) lists for \(run.nodeOfPoint.count) points")
      (lists, summary) = (try given.among(run.hasDirection, in: run.points, on: communicator), nil)
      if !level.isInInputOrder {
        lists = try lists.moved(
          to: run.nodeOfPoint, in: level.nodes, on: communicator)
      }
    } else {
      let options = options(atLevel: level.number)
      // An approximate search draws nodes by their names, which must not depend on their order.
      let isDrawing =
        SearchPlan(nodeCount: level.nodes.nodeCount, listLength: length)
        .choice(by: options).method == .approximate
      let areNodesPoints = level.isInInputOrder && level.nodes.nodeCount == run.points.nodeCount
      let names = isDrawing && !areNodesPoints ? level.inputPoint : level.names
      (lists, summary) = try nearestNeighbors(
        of: level.rows.directions, listLength: length, by: options, in: level.nodes,
        named: names, keptIn: store, using: workers, on: communicator, progress: progress)
      haveNames = names != nil
    }
    guard haveNames else { return (lists, summary) }
    return (try lists.renamed(by: run.nodeOfPoint, of: run.points, on: communicator), summary)
  }
}
