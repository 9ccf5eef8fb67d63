public import Communication
public import DistributedGraphs
internal import LinearAlgebra
public import NeighborSearch
public import Parallelism

/// A clustering that new points can be assigned to: ``assign(_:to:by:observer:on:)``.
///
/// It has a node for every direction, with its row, its neighbours and its cluster; and what clusters new points that
/// are like none of these.
public struct FittedClustering: Sendable {
  /// Replicated.
  public let settings: Settings
  /// Replicated. Nil where flow clustered.
  public let model: TrainedModel?
  /// Which rank owns which points.
  public let points: NodePartition
  /// Owned points. The number of each point's cluster.
  public let labels: [Int64]
  /// Which rank owns which nodes.
  let nodes: NodePartition
  /// Owned nodes. The first point of each.
  let inputPoint: [GlobalNode]
  /// Owned nodes. How many points each stands for.
  let memberCounts: [Int64]
  /// Owned nodes. Unit rows. Shape `[ownedCount × dimensions]`.
  let rows: StoredRows
  /// Owned nodes. The nearest others, ``listLength`` places each; of their group, if there are groups.
  let lists: NeighborLists
  /// Owned nodes. The groups that were clustered each by itself, if any were; on all ranks or on none.
  let groups: [GroupName]?

  /// What was chosen. Replicated.
  public struct Settings: Codable, Equatable, Sendable {
    /// Which method spoke: flow or network.
    public var method: ClusteringMethod
    /// k: places in a point's neighbour list, including the point itself.
    public var neighborCount: Int
    /// θ of flow, where it was less than the usual.
    public var theta: Double?
    /// τ of a network; nil by flow.
    public var thresholds: Thresholds?
    /// The loop ends after this many levels. 1 by flow.
    public var maximumLevels: Int
    /// Whether a network stopped once merges no longer fell.
    public var stopsEarly: Bool
    /// Whether points with the same direction were one node from the start.
    public var mergesCopies: Bool
    public var dimensions: Int
    /// All numbers of clusters are below. After an update some may have no points.
    public var clusterCount: Int

    /// - Precondition: Flow, with k of at least 2, or a network, which has thresholds.
    public init(
      method: ClusteringMethod, neighborCount: Int, theta: Double? = nil,
      thresholds: Thresholds? = nil, maximumLevels: Int = 1, stopsEarly: Bool = false,
      mergesCopies: Bool = true,
      dimensions: Int, clusterCount: Int
    ) {
      precondition(
        method != .auto && (method == .network) == (thresholds != nil)
          && neighborCount > (method == .flow ? 1 : 0),
        "\(method), k = \(neighborCount)")
      self.method = method
      self.neighborCount = neighborCount
      self.theta = theta
      self.thresholds = thresholds
      self.maximumLevels = maximumLevels
      self.stopsEarly = stopsEarly
      self.mergesCopies = mergesCopies
      self.dimensions = dimensions
      self.clusterCount = clusterCount
    }
  }

  /// Places of the neighbour lists that the method looks at.
  var listLength: Int { Self.listLength(of: settings, model) }

  /// Places of the neighbour lists that a clustering needs.
  ///
  /// - Parameter model: The network, if one clustered.
  public static func listLength(of settings: Settings, _ model: TrainedModel?) -> Int {
    let k = settings.neighborCount
    return model?.linkage.listLength(neighborCount: k) ?? k - 1
  }
}

extension FittedClustering.Settings {
  /// What a report says was chosen; nil if it contradicts itself.
  public init?(_ account: ClusteringAccount, dimensions: Int, clusterCount: Int) {
    var thresholds: Thresholds?
    if account.method == .network {
      guard let first = account.tau, (0...1).contains(first), account.k > 0,
        (0...1).contains(account.tauLater ?? first), account.maximumLevels ?? 0 > 0,
        account.maximumLevels ?? 0 > 2 || account.earlyStop != true,
        account.resolution.map({ $0 > 0 && $0 <= 1 }) ?? true
      else { return nil }
      thresholds = Thresholds(first, later: account.tauLater, resolution: account.resolution)
    } else if account.method == .auto || account.k < 2
      || !(account.theta.map { (0...1).contains($0) } ?? true)
    {
      return nil
    }
    self.init(
      method: account.method, neighborCount: account.k, theta: account.theta,
      thresholds: thresholds,
      maximumLevels: account.maximumLevels ?? 1, stopsEarly: account.earlyStop ?? false,
      mergesCopies: account.mergesCopies,
      dimensions: dimensions, clusterCount: clusterCount)
  }
}

extension FittedClustering {
  /// A clustering whose points are read again.
  ///
  /// > Collective: over `communicator`, as reading and ``duplicateRoots(of:where:within:in:named:using:on:)``; and, without
  /// > lists, as the search of neighbours.
  ///
  /// - Parameters:
  ///   - source: Replicated. The points that were clustered, as the network wants them:
  ///     ``EmbeddingSource/transformed(for:using:)``.
  ///   - labels: Owned points. The numbers of their clusters, below ``Settings/clusterCount``.
  ///   - model: Replicated. The network, if one clustered.
  ///   - lists: Owned nodes. The neighbours that were found, as many places as the method looks at or more; nil
  ///     searches them.
  ///   - groups: Owned points. Which were clustered with which, and what their groups are called, if not all were; not
  ///     with lists.
  ///   - search: Replicated. How neighbours are searched.
  ///   - progress: Of that search. If it throws, it must do so on every rank.
  /// - Throws: ``AgreedFailure`` on every rank if the points cannot be read.
  /// - Precondition: There are as many labels as owned points, and the network was read: ``TrainedModel/contents``.
  public init(
    of source: some EmbeddingSource, labels: [Int64], _ settings: Settings,
    model: TrainedModel? = nil, along lists: NeighborLists? = nil,
    within groups: (points: PointGroups, names: [GroupName])? = nil,
    searching search: SearchOptions = SearchOptions(), using workers: Workers = Workers(),
    on communicator: some Communicator, progress: (Double) throws -> Void = { _ in }
  ) throws {
    precondition(
      (model?.contents != nil) == (settings.method == .network), "a model is of a network")
    precondition(groups == nil || lists == nil, "lists within groups are searched")
    self.model = model
    var run = try ClusteringRun(
      reading: source, invalid: .singleton, asStored: false, using: workers, on: communicator)
    precondition(
      labels.count == run.nodeOfPoint.count && source.dimensions == settings.dimensions,
      "\(labels.count) labels for \(run.nodeOfPoint.count) points of \(source.dimensions) columns")
    if settings.mergesCopies {
      try run.mergeCopies(
        of: source, within: groups?.points, using: workers, on: communicator)
    }
    self.settings = settings
    self.labels = labels
    points = run.points
    nodes = run.level.nodes
    inputPoint = run.level.inputPoint
    memberCounts = run.level.memberCounts
    rows = run.level.rows.directions
    let length = Self.listLength(of: settings, model)
    if let groups {
      self.groups = try points.fetch(groups.names, at: inputPoint, on: communicator)
      self.lists = try run.listsInOrder(
        of: length, within: groups.points, by: search, using: workers, on: communicator,
        progress: progress)
    } else {
      self.groups = nil
      self.lists =
        try lists?.prefix(length)
        ?? NeighborSource.search(search).lists(
          of: run, length: length, using: workers, on: communicator, progress: progress
        ).lists
    }
    precondition(self.lists.listLength == length, "lists of \(self.lists.listLength) places")
  }

  /// Some of the nodes of a fit, on one rank, each as a point.
  ///
  /// - Parameters:
  ///   - labels, memberCounts, rows, lists: Of these nodes. Lists hold places among them.
  init(
    part fit: FittedClustering, labels: [Int64], memberCounts: [Int64], rows: StoredRows,
    lists: NeighborLists
  ) {
    settings = fit.settings
    model = fit.model
    points = NodePartition(sharing: labels.count, among: 1)
    nodes = points
    inputPoint = labels.indices.map { GlobalNode($0) }
    groups = fit.groups == nil ? nil : Array(repeating: GroupName([]), count: labels.count)
    self.labels = labels
    self.memberCounts = memberCounts
    self.rows = rows
    self.lists = lists
  }

  /// The number of every node's cluster.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per node.
  func nodeLabels(on communicator: some Communicator) throws -> [Int64] {
    try points.fetch(labels, at: inputPoint, on: communicator)
  }

  /// What clusters points that are like none of these, with what was chosen for these.
  ///
  /// - Parameter pointCount: This rank's share of the points, which are of one group if this fit has groups.
  func plan(_ options: AssigningOptions, pointCount: Int = 0) throws -> MethodPlan {
    guard let model, let thresholds = settings.thresholds else {
      return .flow(
        FlowPlan(
          neighborCount: settings.neighborCount, search: options.search,
          invalidRows: options.invalidRows, workers: options.workers))
    }
    return .network(
      try ClusteringPlan(
        ClusteringOptions(
          neighborCount: settings.neighborCount, threshold: thresholds.first,
          laterThreshold: settings.maximumLevels > 1 ? thresholds.later : nil,
          resolution: thresholds.resolution,
          maximumLevels: settings.maximumLevels, stopsEarly: settings.stopsEarly,
          search: options.search,
          invalidRows: options.invalidRows, workers: options.workers), with: model,
        within: groups.map { _ in
          PointGroups(firstPoint: Array(repeating: GlobalNode(0), count: pointCount))
        }))
  }
}

extension ClusteringRun {
  /// The neighbours of every node of level 0 within its group, in the order of nodes before groups are dealt.
  ///
  /// > Collective: over `communicator`. As dealing groups; then every list goes to its node's owner.
  fileprivate func listsInOrder(
    of length: Int, within groups: PointGroups, by options: SearchOptions, using workers: Workers,
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws -> NeighborLists {
    var dealt = self
    try dealt.deal(groups, fewNodes: 0, on: communicator)
    let lists = try dealt.neighborsWithinGroups(
      length: length, by: options, using: workers, on: communicator, progress: progress
    ).lists
    return try lists.moved(
      to: points.fetch(nodeOfPoint, at: dealt.level.inputPoint, on: communicator),
      in: level.nodes, renamingFrom: dealt.level.nodes, on: communicator)
  }
}

/// Keeps the neighbour lists of level 0 until a run has ended, for a ``FittedClustering``.
public final class RememberedLists: ListStore {
  /// Owned nodes. Nil before they are found.
  public private(set) var lists: NeighborLists?
  private let length: Int?
  private let store: (any ListStore)?

  /// - Parameters:
  ///   - length: Places that will be needed; nil for all, where k is not known before.
  ///   - store: Replicated. Where they are kept, besides.
  public init(length: Int?, passingOnTo store: (any ListStore)?) {
    self.length = length
    self.store = store
  }

  public func lists(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> (lists: NeighborLists, summary: SearchSummary)? {
    let kept = try store?.lists(length: length, in: nodes, on: communicator)
    if let kept { remember(kept.lists) }
    return kept
  }

  public func keep(
    _ lists: NeighborLists, _ summary: SearchSummary, in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    remember(lists)
    try store?.keep(lists, summary, in: nodes, on: communicator)
  }

  public var unfinished: (any SearchStore)? { store?.unfinished }

  private func remember(_ found: NeighborLists) {
    lists = length.map { found.prefix($0) } ?? found
  }
}
