public import Communication
internal import DistributedGraphs
internal import Glibc
public import GraphNetworks
public import HierarchicalClustering
public import NeighborSearch
public import Parallelism

/// A set of embeddings whose identities are known.
public struct LabelledEmbeddings: Sendable {
  public let source: any EmbeddingSource
  /// Replicated. One per row. No identity is in two groups, if there are groups.
  public let labels: [Int64]
  /// Replicated. The group of each row, if rows are clustered within groups.
  let groups: [Int64]?
  /// The group of each identity, and what it is called there, if there are groups.
  let identities: GroupedIdentities?

  /// - Parameter groups: Equal labels in two groups are two identities, and become the numbers of their first
  ///   rows.
  /// - Precondition: A label per row, and a group if there are groups.
  public init(_ source: some EmbeddingSource, labels: [Int64], groups: [Int64]? = nil) {
    precondition(
      labels.count == source.rowCount && groups?.count ?? labels.count == labels.count,
      "\(labels.count) labels, \(groups?.count ?? 0) groups of \(source.rowCount) rows")
    self.source = source
    self.groups = groups
    guard let groups else {
      (self.labels, identities) = (labels, nil)
      return
    }
    self.labels = firstRows(of: zip(groups, labels).map { [$0, $1] })
    identities = GroupedIdentities(self.labels, groups: groups, names: labels)
  }
}

/// For each name the place of the first that is equal.
func firstRows<Name: Hashable>(of names: [Name]) -> [Int64] {
  var first: [Name: Int64] = [:]
  return names.enumerated().map { row, name in
    if let row = first[name] { return row }
    first[name] = Int64(row)
    return Int64(row)
  }
}

extension PointGroups {
  /// The groups of this rank's share of points.
  ///
  /// - Parameter groups: Replicated. Any numbers, one per point.
  init(_ groups: [Int64], on communicator: some Communicator) {
    let owned = NodePartition(sharing: groups.count, among: communicator.size)
      .owned(by: communicator.rank)
    self.init(
      firstPoint: firstRows(of: groups)[owned].map { GlobalNode($0) }, staysWhole: true)
  }
}

/// How to train a network of structure.
public struct StructureTrainingOptions: Equatable, Sendable {
  public var shape: StructureShape
  /// k and K, if k is not chosen; the thresholds are chosen in training.
  public var settings: StructureNetwork.Settings
  /// Every k to choose from on held-out identities (``LengthChoice``); if there is none, it is that of
  /// ``settings``.
  public var neighborCounts: [Int]
  /// Whether transforms of rows are tried: ``TransformChoice``. A network with one is for rows of one kind alone.
  public var triesTransforms: Bool
  /// How many selections of every set to make, each changed in a different way (``augmentedSelection``).
  public var graphCount: Int
  /// How many generated sets to add (``syntheticMixture``).
  public var mixtureCount: Int
  /// The maximum number of points in a training graph.
  public var pointLimit: Int
  /// The maximum number of levels in a training graph.
  public var levelCount: Int
  /// Every level gives one step of an epoch.
  public var epochCount: Int
  /// The approximate maximum of edges in a step. In a level with more edges, every epoch takes another part;
  /// if there are more parts than epochs, the remaining parts are not learned from.
  public var stepEdgeCount: Int
  /// η of the first step.
  public var learningRate: Double
  public var warmUpSteps: Int
  public var weightDecay: Double
  /// The largest norm of all gradients together.
  public var gradientLimit: Double
  /// The share of identities to hold out, to choose thresholds on; 0 to choose them on the training
  /// identities.
  public var validationFraction: Double
  /// What to leave out of training.
  public var omissions: StructureOmissions
  /// How neighbours are searched.
  public var search: SearchOptions
  public var seed: UInt64
  public var workers: Workers

  public init(
    shape: StructureShape = StructureShape(),
    settings: StructureNetwork.Settings = StructureNetwork.Settings(),
    neighborCounts: [Int] = [], triesTransforms: Bool = false, graphCount: Int = 28,
    mixtureCount: Int = 0, pointLimit: Int = 8000, levelCount: Int = 4, epochCount: Int = 12,
    stepEdgeCount: Int = 3000,
    learningRate: Double = 3e-3, warmUpSteps: Int = 30, weightDecay: Double = 1e-4,
    gradientLimit: Double = 1, validationFraction: Double = 0,
    omissions: StructureOmissions = StructureOmissions(),
    search: SearchOptions = SearchOptions(), seed: UInt64 = 0,
    workers: Workers = Workers()
  ) {
    precondition(
      graphCount >= 0 && mixtureCount >= 0 && levelCount > 0 && epochCount >= 0,
      "\(graphCount) graphs, \(mixtureCount) mixtures, \(levelCount) levels, \(epochCount) epochs")
    precondition(pointLimit > settings.neighborCount, "graphs of \(pointLimit) points")
    self.shape = shape
    self.settings = settings
    self.neighborCounts = neighborCounts
    self.triesTransforms = triesTransforms
    self.graphCount = graphCount
    self.mixtureCount = mixtureCount
    self.pointLimit = pointLimit
    self.levelCount = levelCount
    self.epochCount = epochCount
    self.stepEdgeCount = stepEdgeCount
    self.learningRate = learningRate
    self.warmUpSteps = warmUpSteps
    self.weightDecay = weightDecay
    self.gradientLimit = gradientLimit
    self.validationFraction = validationFraction
    self.omissions = omissions
    self.search = search
    self.seed = seed
    self.workers = workers
  }
}

extension StructureTrainingOptions {
  /// These options without the threads, which may differ between ranks.
  var replicated: Self {
    var options = self
    options.workers = Workers(1)
    return options
  }
}

/// The result of training a network of structure. Replicated.
public struct StructureTraining: Sendable {
  public let network: StructureNetwork
  /// The length of lists, and how it was chosen.
  public let lengths: LengthChoice
  /// What is done to rows before, and how that was chosen.
  public let transformChoice: TransformChoice
  public let epochs: [StructureEpoch]
  /// Updates of the parameters.
  public let stepCount: Int
  /// How many levels of how many graphs were trained on.
  public let graphCount: Int
  /// The trials of thresholds; never empty.
  public let trials: [ThresholdTrial]
  /// How right p is at the levels of clustering above the thresholds that were chosen.
  public let calibration: LevelCalibration

  /// Mean cross entropy over the steps of every epoch.
  public var losses: [Double] { epochs.map(\.loss) }

  /// The trial whose thresholds the network has: of rows as they are, or of transformed ones.
  public var chosen: ThresholdTrial? { transformChoice.thresholds ?? trials.chosen }
}

extension [ThresholdTrial] {
  /// Among the trials with a score within 0.01 of the highest, the one with the thresholds nearest to ½, by
  /// the sum of their absolute log odds to nine digits; ties go to the one that ``best`` would prefer.
  ///
  /// One half is the natural threshold for a probability. A few hundred identities cannot tell closer scores
  /// apart, so which of them is highest is an accident of the seed. Where there are groups, only those count that
  /// have the right number of clusters in most of them, or in up to 5 % fewer.
  ///
  /// With modules at level 0, those trials count whose F, with every point of one weight, is no lower than that of the
  /// pair that is chosen. Of the γ within 0.01 of their highest score, with the same τ of later levels, the middle one is
  /// taken (of two the one with the higher score, of equal ones the smaller), as the best one is an accident, too; and
  /// only if its score is higher than the pair's by 0.002.
  package var chosen: ThresholdTrial? {
    guard let withThreshold = filter({ $0.resolution == nil }).chosenThresholds else { return nil }
    let byModules = filter {
      $0.resolution != nil
        && $0.pairwiseF + $0.bcubedF >= withThreshold.pairwiseF + withThreshold.bcubedF
    }
    guard let best = byModules.max(by: { $0.score < $1.score }) else { return withThreshold }
    let good = byModules.filter {
      $0.laterThreshold == best.laterThreshold && $0.score >= best.score - 0.01
    }.sorted { $0.resolution! < $1.resolution! }
    let middle = good[(good.count - 1) / 2...good.count / 2].max { $0.score < $1.score }!
    return middle.score > withThreshold.score + 0.002 ? middle : withThreshold
  }

  private var chosenThresholds: ThresholdTrial? {
    guard let best else { return nil }
    func distance(_ trial: ThresholdTrial) -> Double {
      let sum = [trial.threshold, trial.laterThreshold].reduce(0) { $0 + abs(log($1 / (1 - $1))) }
      return (sum * 1e9).rounded()
    }
    let good = filter { $0.score >= best.score - 0.01 }
    let mostRight = good.compactMap(\.rightCounts).max() ?? 0
    return good.filter { $0.rightCounts ?? 0 >= mostRight - 0.05 }.max {
      (-distance($0), $0.score, $0.threshold, $0.laterThreshold)
        < (-distance($1), $1.score, $1.threshold, $1.laterThreshold)
    }
  }

  /// The trial with the highest score; ties go to the one that merges least, with the highest threshold of
  /// level 0 first, then of later levels.
  package var best: ThresholdTrial? {
    self.max {
      ($0.score, $0.threshold, $0.laterThreshold) < ($1.score, $1.threshold, $1.laterThreshold)
    }
  }
}

/// The result of two thresholds, or of γ and the threshold of later levels, on the identities that they are chosen on: means
/// over sets.
public struct ThresholdTrial: Codable, Equatable, Sendable {
  public var threshold: Double
  public var laterThreshold: Double
  /// γ of level 0, if it merges by modules. ``threshold`` is then the one that was best without.
  public var resolution: Double?
  public var pairwiseF: Double
  public var bcubedF: Double
  /// The mean of pairwise and BCubed F in which a point counts 1 over the size of its identity, so that
  /// every identity has the same weight.
  public var identityF: Double
  /// The share of groups with the right number of clusters, if there are groups.
  public var rightCounts: Double?
  /// Points of the smallest cluster, if there are groups.
  public var fewestPoints: Int?

  package init(
    threshold: Double, laterThreshold: Double, resolution: Double? = nil, pairwiseF: Double,
    bcubedF: Double, identityF: Double, rightCounts: Double? = nil, fewestPoints: Int? = nil
  ) {
    self.threshold = threshold
    self.laterThreshold = laterThreshold
    self.resolution = resolution
    self.pairwiseF = pairwiseF
    self.bcubedF = bcubedF
    self.identityF = identityF
    self.rightCounts = rightCounts
    self.fewestPoints = fewestPoints
  }

  /// The score that decides between thresholds. Every identity has the same weight in it. Otherwise the
  /// largest identity of a long tail would outvote all others, and the next set may have none like it.
  public var score: Double { identityF }
}

/// Receives the progress of training. Called on every rank.
public protocol StructureTrainingObserver: RunObserver {
  /// A length of lists was tried on held-out identities.
  func tried(_ trial: LengthTrial)
  /// A transform of rows, or none, was tried on half of the identities.
  func tried(_ trial: TransformTrial)
  /// The length of lists was chosen, was given, or is that of the run that goes on.
  ///
  /// > Collective: over `communicator`.
  func chose(_ lengths: LengthChoice, on communicator: some Communicator) throws
  func madeGraphs(_ count: Int)
  func finishedStep(_ step: Int, of count: Int, loss: Double)
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - steps: The steps of the epoch.
  ///   - step: Updates of the parameters so far.
  func finished(
    _ epoch: StructureEpoch, steps: Int, after step: Int, on communicator: some Communicator)
    throws
  /// > Collective: over `communicator`.
  func tried(_ trial: ThresholdTrial, after step: Int, on communicator: some Communicator) throws
}

extension StructureTrainingObserver {
  public func tried(_ trial: LengthTrial) {}
  public func tried(_ trial: TransformTrial) {}
  public func chose(_ lengths: LengthChoice, on communicator: some Communicator) throws {}
  public func madeGraphs(_ count: Int) {}
  public func finishedStep(_ step: Int, of count: Int, loss: Double) {}
  public func finished(
    _ epoch: StructureEpoch, steps: Int, after step: Int, on communicator: some Communicator
  ) throws {}
  public func tried(_ trial: ThresholdTrial, after step: Int, on communicator: some Communicator)
    throws
  {}
}

/// An observer that does nothing.
public struct NoStructureObserver: StructureTrainingObserver {
  public init() {}
}
