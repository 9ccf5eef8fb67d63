public import Communication
public import DistributedGraphs

/// Keeps what an approximate search has found so far, for a later run that goes on from there.
public protocol SearchStore {
  /// The newest state that an earlier run of the same search has kept; nil where there is none.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameter length: Replicated. Places of a list.
  func newest(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> SearchState?

  /// Replicated. Whether so much time has passed that another state is worth its cost.
  ///
  /// > Collective: over `communicator`.
  func isDue(on communicator: some Communicator) throws -> Bool

  /// > Collective: over `communicator`.
  func keep(
    _ state: SearchState, in nodes: NodePartition, on communicator: some Communicator) throws
}

/// What an approximate search has found so far.
public struct SearchState: Sendable {
  /// Replicated.
  public var place: SearchPlace
  /// Owned. The names of each node's neighbours as the search holds them: −1 for none, with a similarity of −∞.
  /// Shape `[ownedCount × length]`.
  public var names: [GlobalNode]
  /// Owned. Of the same shape.
  public var similarities: [Float]

  public init(place: SearchPlace, names: [GlobalNode], similarities: [Float]) {
    self.place = place
    self.names = names
    self.similarities = similarities
  }
}

/// How far an approximate search has got. It does not depend on ranks and threads.
public struct SearchPlace: Codable, Equatable, Sendable {
  /// Of the partitions that are finished.
  public internal(set) var summary: ApproximateSummary
  /// Whether they have shown that the data are diffuse.
  var isDiffuse: Bool
  /// How many of the next partition's cells, or parts of large ones, are finished: the first ones.
  var taskCount: Int
}
