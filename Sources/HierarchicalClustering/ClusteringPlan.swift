internal import Communication
public import DistributedGraphs
internal import GraphNetworks
internal import NeighborSearch
public import Parallelism

/// What a clustering will do, decided once from options, model and input.
public struct ClusteringPlan<Judge: LinkageJudge> {
  /// The judge of which edges join nodes that belong together.
  public let judge: Judge
  /// Where neighbours come from.
  public private(set) var search: NeighborSource
  /// Whether only the silhouette of the clusters is wanted, so that levels that hardly merge anything are left out.
  private(set) var isTrial = false
  /// k: places in a point's neighbour list, including the point itself. At least 1.
  public let neighborCount: Int
  /// Where τ comes from.
  public let thresholds: ThresholdRule
  /// How the thresholds, from training or chosen on the data, were moved.
  public let granularity: Granularity
  /// The loop ends after this many levels. At least 1.
  public internal(set) var maximumLevels: Int
  /// Whether to stop once merges no longer fall by a factor of k − 1 from level to level.
  public let stopsEarly: Bool
  /// How many clusters each group is to have; nil for any number.
  public let clusterCounts: ClosedRange<Int>?
  /// Whether to keep the labels after every level.
  public let keepsLayers: Bool
  /// Which rank owns which nodes, once the neighbours of level 0 are known.
  public let ownership: NodeOwnership
  /// The fewest nodes of a level after level 0 for each rank: ``ClusteringOptions/nodesPerRank``. At least 1.
  public let nodesPerRank: Int
  /// What happens to rows without a direction.
  public let invalidRows: InvalidRowPolicy
  /// What the run may take where fewer nodes merge than was planned; nil for anything.
  public let memoryBound: MemoryBound?
  /// The threads of this rank. No result depends on them.
  public let workers: Workers

  /// A plan of which everything is known.
  ///
  /// - Precondition: k and the number of levels are at least 1, and thresholds in 0 ... 1. τ without labels
  ///   needs a judge of means of directions, and so does merging copies. Given lists have the length
  ///   that the judge asks for, one for every owned point.
  public init(
    judge: Judge, search: NeighborSource = .exact,
    neighborCount: Int, thresholds: ThresholdRule, granularity: Granularity = .asTrained,
    maximumLevels: Int = 10,
    stopsEarly: Bool = false, clusterCounts: ClosedRange<Int>? = nil, keepsLayers: Bool = false,
    ownership: NodeOwnership = .byInput, nodesPerRank: Int = 1,
    invalidRows: InvalidRowPolicy = .error,
    memoryBound: MemoryBound? = nil, workers: Workers = Workers()
  ) {
    precondition(neighborCount > 0, "k = \(neighborCount)")
    precondition(maximumLevels > 0, "\(maximumLevels) levels")
    precondition(nodesPerRank > 0, "\(nodesPerRank) nodes per rank")
    let needsDirections: Bool
    switch thresholds {
    case .given(let given):
      precondition(
        [given.first, given.later].allSatisfy { (0...1).contains($0) },
        "τ = \(given.first), \(given.later) later")
      needsDirections = false
    case .ofEachRun: needsDirections = false
    case .withoutLabels(let later):
      precondition(later.map { (0...1).contains($0) } ?? true, "τ = \(later ?? 0) later")
      needsDirections = true
    }
    precondition(
      judge.means == .ofDirections || !needsDirections && !judge.mergesCopies,
      "τ is chosen, and copies are merged, by judges that see means of directions")
    if case .given(let lists) = search {
      precondition(
        lists.listLength == judge.listLength(neighborCount: neighborCount),
        "given lists of another length than \(judge.listLength(neighborCount: neighborCount))")
    }
    self.judge = judge
    self.search = search
    self.neighborCount = neighborCount
    self.thresholds = thresholds
    self.granularity = granularity
    self.maximumLevels = maximumLevels
    self.stopsEarly = stopsEarly
    self.clusterCounts = clusterCounts
    self.keepsLayers = keepsLayers
    self.ownership = ownership
    self.nodesPerRank = nodesPerRank
    self.invalidRows = invalidRows
    self.memoryBound = memoryBound
    self.workers = workers
  }

  /// The plan of a run of which only the silhouette is wanted.
  package var asTrial: Self {
    var plan = self
    plan.isTrial = true
    return plan
  }

  /// The plan of trials, whose clusters are only compared with those of other trials: an approximate search
  /// ends at ``SearchOptions/trialRecall``, for a third of the time.
  package var ofTrials: Self {
    guard case .search(var options) = search else { return self }
    var plan = self
    options.recall = min(options.recall, SearchOptions.trialRecall)
    plan.search = .search(options)
    return plan
  }

  /// Places in the neighbour lists that the search fills.
  public var listLength: Int { judge.listLength(neighborCount: neighborCount) }

  /// A level, or a group, that leaves no more nodes is the last.
  var fewNodes: Int { judge.mergesFewNodes ? 1 : neighborCount }

  /// What groups are to have.
  var bounds: GroupBounds {
    GroupBounds(
      clusterCounts: clusterCounts, fewestPoints: judge.fewestPoints,
      settles: judge.mergesFewNodes)
  }

  /// Checks that the embeddings have the dimension that the judge needs, and that all ranks have the
  /// same plan.
  ///
  /// > Collective: over `communicator`, where assertions are on: one round.
  func check(_ source: some EmbeddingSource, on communicator: some Communicator) throws {
    if let dimensions = judge.dimensions, source.rowCount > 0 {
      precondition(
        dimensions == source.dimensions,
        "\(source.dimensions) dimensions for a model of \(dimensions)")
    }
    try communicator.assertReplicated(
      (
        rowCount: source.rowCount, dimensions: source.dimensions, neighborCount: neighborCount,
        listLength: listLength, hasLists: hasLists, thresholds: thresholds,
        granularity: granularity, means: judge.means,
        ownership: ownership.name, nodesPerRank: nodesPerRank, mergesCopies: mergesCopies,
        maximumLevels: maximumLevels,
        stopsEarly: stopsEarly, clusterCounts: clusterCounts, keepsLayers: keepsLayers,
        invalidRows: invalidRows
      ))
  }

  private var hasLists: Bool { if case .given = search { true } else { false } }

  /// Whether points with the same direction are one node from the start. They are not if the user
  /// provides neighbours, which are those of the original points.
  public var mergesCopies: Bool { judge.mergesCopies && !hasLists }
}

extension ClusteringPlan: Sendable where Judge: Sendable {}

/// τ of level 0, and of the levels after it, in 0 ... 1; and γ, if level 0 merges by modules.
public struct Thresholds: Codable, Equatable, Sendable {
  public let first: Double
  public let later: Double
  /// γ of level 0, above 0 and at most 1: what a pair of nodes of mean degree is charged. Then new points alone are joined
  /// above ``first``.
  public let resolution: Double?

  /// - Precondition: γ is above 0 and at most 1.
  public init(_ first: Double, later: Double? = nil, resolution: Double? = nil) {
    precondition(resolution.map { $0 > 0 && $0 <= 1 } ?? true, "γ = \(resolution ?? 0)")
    self.first = first
    self.later = later ?? first
    self.resolution = resolution
  }

  /// How a level merges.
  func rule(ofLevel level: Int) -> MergeRule {
    guard level == 0 else { return .bestDenserNeighbor(above: later) }
    return resolution.map { .constantPotts(resolution: $0) } ?? .bestDenserNeighbor(above: first)
  }
}

/// Where thresholds come from.
public enum ThresholdRule: Sendable, Equatable {
  case given(Thresholds)
  /// None in the plan: each run from a ``FirstLevel`` brings its own.
  case ofEachRun
  /// Chosen on the data: ``ThresholdChoice``. τ of later levels is the same, or `later`.
  case withoutLabels(later: Double?)
}

extension ClusteringPlan where Judge == LinkageModel {
  /// The plan that follows from options and a trained model.
  ///
  /// - Parameters:
  ///   - groups: Owned. Which points may merge with which, if not all; not with given neighbours.
  ///   - neighbors: Owned. Returns the lists of level 0 of the length that it is given, if the user provides
  ///     them.
  /// - Throws: ``ModelError`` if an option does not fit the model, and any error of `neighbors`.
  public init(
    _ options: ClusteringOptions, with model: TrainedModel, within groups: PointGroups? = nil,
    neighbors: (_ listLength: Int) throws -> NeighborLists? = { _ in nil }
  ) throws {
    let trained = model.defaults
    if options.granularity != .asTrained, options.laterThreshold != nil {
      throw ModelError(
        path: model.origin, reason: "τ is given for later levels, and moved: expected one of them")
    }
    if options.maximumLevels < 2, options.laterThreshold != nil {
      throw ModelError(path: model.origin, reason: "τ of later levels, but only one level")
    }
    if options.maximumLevels < 3, options.stopsEarly {
      throw ModelError(
        path: model.origin,
        reason:
          "stopping early compares the merges of two levels before a third: expected 3 levels "
          + "or more, not \(options.maximumLevels)")
    }
    if options.threshold != nil, options.choosesThreshold || options.granularity != .asTrained {
      throw ModelError(
        path: model.origin, reason: "τ is given, and chosen or moved as well: expected one of them")
    }
    if let asked = options.neighborCount, model.isForOneNeighborCount,
      let only = trained.neighborCount, asked != only
    {
      throw ModelError(
        path: model.origin,
        reason: "trained with k = \(only), and works only with that k; leave -k \(asked) out")
    }
    let neighborCount = model.neighborCount(options.neighborCount)
    let neighbors = try neighbors(model.linkage.listLength(neighborCount: neighborCount))
    let choosesThreshold =
      options.choosesThreshold
      || model.isForAnyData && options.threshold == nil && neighbors == nil
    if choosesThreshold, model.linkage.means != .ofDirections {
      throw ModelError(
        path: model.origin,
        reason: "a model of coordinates, for which τ cannot be chosen without labels, as "
          + "--tau-by-silhouette does; expected a model of structure, or --tau")
    }
    let first = options.threshold ?? options.granularity.moved(trained.threshold)
    // γ is in place of τ of level 0; groups merge above thresholds.
    let resolution =
      options.resolution
      ?? (options.threshold == nil && groups == nil
        ? trained.resolution.map(options.granularity.moved) : nil)
    precondition(resolution == nil || groups == nil, "groups merge above thresholds")
    self.init(
      judge: model.linkage,
      search: neighbors.map { .given($0) } ?? groups.map { .within($0, options.search) }
        ?? .search(options.search),
      neighborCount: neighborCount,
      thresholds: choosesThreshold
        ? .withoutLabels(later: options.laterThreshold)
        : .given(
          Thresholds(
            first,
            later: options.laterThreshold ?? options.threshold
              ?? options.granularity.moved(trained.laterThreshold), resolution: resolution)),
      granularity: options.granularity, maximumLevels: options.maximumLevels,
      stopsEarly: options.stopsEarly, clusterCounts: options.clusterCounts,
      keepsLayers: options.keepsLayers,
      ownership: options.ownership, nodesPerRank: options.nodesPerRank,
      invalidRows: options.invalidRows, memoryBound: options.memoryBound, workers: options.workers)
  }
}

extension SearchOptions {
  /// The recall at which the searches of trials end.
  static let trialRecall = 0.9
}
