public import Communication
public import DistributedGraphs
public import NeighborSearch

/// Keeps the neighbour lists of level 0, for a later run that need not search them again.
public protocol ListStore {
  /// The lists of an earlier run; nil where there are none.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameter length: Places of a list.
  func lists(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> (lists: NeighborLists, summary: SearchSummary)?

  /// Keeps lists that were found.
  ///
  /// > Collective: over `communicator`.
  func keep(
    _ lists: NeighborLists, _ summary: SearchSummary, in nodes: NodePartition,
    on communicator: some Communicator) throws

  /// Replicated. Where an approximate search keeps what it has found so far; nil where it does not.
  var unfinished: (any SearchStore)? { get }
}

extension ListStore {
  public var unfinished: (any SearchStore)? { nil }
}
