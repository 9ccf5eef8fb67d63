public import Communication
public import DistributedGraphs
public import GraphNetworks

/// One level, for observers that store or draw it.
public struct LevelRecord {
  public let level: Int
  /// Which rank owns which nodes of the level.
  public let nodes: NodePartition
  /// Owned. The input point of every node.
  public let inputPoint: [GlobalNode]
  /// Owned. Neighbour lists, by index within the level.
  public let neighbors: NeighborLists
  public let graph: NeighborGraph
  /// Owned. One linkage per edge of `graph`, and one density per node.
  public let linkage: Linkage
  /// Owned. The parent of every node, itself for a peak.
  public let parent: [GlobalNode]
}

/// Receives the progress of clustering and every finished level.
public protocol ClusteringObserver {
  /// Called on every rank before a level is merged. If it throws, it must throw on every rank, and
  /// the run ends with that error.
  func begins(level: Int) throws

  /// Called on every rank once the thresholds are known.
  func chose(_ thresholds: ThresholdChoice)

  /// Called on every rank once k is known, in clustering by flow.
  func chose(_ listLength: ListLengthChoice)

  /// Called on every rank once flow and a network have been compared.
  func compared(_ methods: MethodComparison)

  /// Called on every rank when a phase starts and while it runs, with the share that is done. The run ends with
  /// the error that it throws; on one rank alone it may only throw where there are no others.
  func phase(_ phase: Phase, level: Int, isDone fraction: Double) throws

  /// Receives a level after its nodes were merged.
  ///
  /// > Collective: over `communicator`, so that an observer can write distributed values.
  ///
  /// - Parameter labels: Owned points. The number of every point's cluster after this level.
  func finished(
    _ record: LevelRecord, labels: [Int64], of points: NodePartition,
    on communicator: some Communicator) throws

  /// Replicated. Whether to call ``finished(_:labels:of:on:)``. The labels of a level are numbered only for that
  /// call.
  var wantsLevels: Bool { get }

  /// Replicated. Where the neighbour lists of level 0 are kept for a later run; nil where they are not.
  var store: (any ListStore)? { get }

  /// Replicated. Where a run with a network keeps what is finished, and goes on from; nil where it does not.
  var runs: RunStore? { get }

  /// Owned points. The true labels by which the probabilities of a network are measured at every level
  /// (``LevelSummary/calibration``); nil, on all ranks, where they are not.
  var truth: PointTruth? { get }
}

extension ClusteringObserver {
  public var wantsLevels: Bool { false }
  public var store: (any ListStore)? { nil }
  public var runs: RunStore? { nil }
  public var truth: PointTruth? { nil }
  public func begins(level: Int) throws {}
  public func chose(_ thresholds: ThresholdChoice) {}
  public func chose(_ listLength: ListLengthChoice) {}
  public func compared(_ methods: MethodComparison) {}
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
