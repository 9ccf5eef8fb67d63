public import NeighborSearch
public import Parallelism

/// The options of a clustering; nil leaves the choice to the model.
public struct ClusteringOptions: Sendable {
  /// k: places in a point's neighbour list, including the point itself. At least 1.
  public var neighborCount: Int?
  /// τ: a linkage must be more probable than this to merge. In 0 ... 1. Nil: what training chose or, with
  /// the built-in model, chosen on the data.
  public var threshold: Double?
  /// τ of the levels after level 0. In 0 ... 1. Nil: as level 0 if that is given or chosen on the data, else
  /// what training chose.
  public var laterThreshold: Double?
  /// γ of level 0: ``Thresholds/resolution``. Above 0 and at most 1; not with groups. Nil: what training chose, if τ of
  /// level 0 is left to it, too, and there are no groups.
  public var resolution: Double?
  /// Whether to choose τ on the data, without labels.
  public var choosesThreshold: Bool
  /// Whether to make more or fewer clusters than the model would.
  public var granularity: Granularity
  /// The loop ends after this many levels. At least 1.
  public var maximumLevels: Int
  /// Whether to stop once merges no longer fall by a factor of k − 1 from level to level.
  public var stopsEarly: Bool
  /// How many clusters each group is to have; nil for any number. At least 1.
  public var clusterCounts: ClosedRange<Int>?
  /// Whether to keep the labels after every level: ``Clustering/layers``.
  public var keepsLayers: Bool
  /// How neighbours are searched, at every level.
  public var search: SearchOptions
  /// Which rank owns which nodes, once the neighbours of level 0 are known.
  public var ownership: NodeOwnership
  /// The fewest nodes of a level after level 0 for each rank: a level with fewer is continued on fewer ranks, while
  /// the others wait. 1 for all ranks at every level. No result depends on it.
  public var nodesPerRank: Int
  /// What happens to rows without a direction.
  public var invalidRows: InvalidRowPolicy
  /// What the run may take where fewer nodes merge than was planned; nil for anything.
  public var memoryBound: MemoryBound?
  /// The threads of this rank. No result depends on them.
  public var workers: Workers

  public init(
    neighborCount: Int? = nil, threshold: Double? = nil, laterThreshold: Double? = nil,
    resolution: Double? = nil, choosesThreshold: Bool = false,
    granularity: Granularity = .asTrained, maximumLevels: Int = 10,
    stopsEarly: Bool = false, clusterCounts: ClosedRange<Int>? = nil, keepsLayers: Bool = false,
    search: SearchOptions = SearchOptions(),
    ownership: NodeOwnership = .byLocality, nodesPerRank: Int = 1,
    invalidRows: InvalidRowPolicy = .error, memoryBound: MemoryBound? = nil,
    workers: Workers = Workers()
  ) {
    precondition(neighborCount.map { $0 > 0 } ?? true, "k = \(neighborCount ?? 0)")
    precondition(threshold.map { (0...1).contains($0) } ?? true, "τ = \(threshold ?? 0)")
    precondition(
      laterThreshold.map { (0...1).contains($0) } ?? true, "τ = \(laterThreshold ?? 0) later")
    precondition(resolution.map { $0 > 0 && $0 <= 1 } ?? true, "γ = \(resolution ?? 0)")
    precondition(maximumLevels > 0, "\(maximumLevels) levels")
    precondition(nodesPerRank > 0, "\(nodesPerRank) nodes per rank")
    self.neighborCount = neighborCount
    self.threshold = threshold
    self.laterThreshold = laterThreshold
    self.resolution = resolution
    self.choosesThreshold = choosesThreshold
    self.granularity = granularity
    self.maximumLevels = maximumLevels
    self.stopsEarly = stopsEarly
    self.clusterCounts = clusterCounts
    self.keepsLayers = keepsLayers
    self.search = search
    self.ownership = ownership
    self.nodesPerRank = nodesPerRank
    self.invalidRows = invalidRows
    self.memoryBound = memoryBound
    self.workers = workers
  }
}

/// Whether to make more or fewer clusters than a model would.
public enum Granularity: String, CaseIterable, Codable, Sendable {
  case finer
  case asTrained = "as-trained"
  case coarser

  /// τ with its odds, τ / (1 − τ), multiplied or divided by three.
  public func moved(_ threshold: Double) -> Double {
    let factor: Double
    switch self {
    case .asTrained: return threshold
    case .finer: factor = 3
    case .coarser: factor = 1.0 / 3
    }
    return threshold * factor / (threshold * factor + 1 - threshold)
  }
}
