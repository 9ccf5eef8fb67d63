public import Communication
public import DistributedGraphs
public import GraphNetworks

/// One level, as those want it who keep or draw it.
public struct LevelRecord {
  public let level: Int
  /// Who owns which nodes of the level.
  public let nodes: NodePartition
  /// Owned. The input point of every node.
  public let inputPoint: [GlobalNode]
  /// Owned. Neighbour lists, by index within the level.
  public let neighbors: NeighborLists
  public let graph: NeighborGraph
  /// Owned. Of the edges of `graph`.
  public let linkage: Linkage
  /// Owned. The parent of every node, itself for a peak.
  public let parent: [GlobalNode]
}

/// Receives the progress of clustering and every finished level.
public protocol ClusteringObserver {
  /// Called on every rank before a level is merged. What it throws, on every rank, ends the run.
  func begins(level: Int) throws

  /// Called on every rank once it is known by which thresholds linkages will be kept.
  func chose(_ thresholds: ThresholdChoice)

  /// Called on every rank when a phase starts, and while it goes on, with the share that is done.
  func phase(_ phase: Phase, level: Int, isDone fraction: Double)

  /// Shown a level after its nodes were merged.
  ///
  /// > Collective: over `communicator`, to write what is distributed.
  ///
  /// - Parameter labels: Owned points. The number of every point's cluster after this level.
  func finished(
    _ record: LevelRecord, labels: [Int64], of points: NodePartition,
    on communicator: some Communicator) throws

  /// Whether ``finished(_:labels:of:on:)`` wants to be called: the labels of a level are numbered
  /// for it alone.
  var wantsLevels: Bool { get }
}

extension ClusteringObserver {
  public var wantsLevels: Bool { false }
  public func begins(level: Int) throws {}
  public func chose(_ thresholds: ThresholdChoice) {}
  public func finished(
    _ record: LevelRecord, labels: [Int64], of points: NodePartition,
    on communicator: some Communicator
  ) throws {}
}

/// An observer that does nothing.
public struct NoObserver: ClusteringObserver {
  public init() {}
  public func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
}
