internal import Communication
internal import DistributedGraphs
internal import Evaluation
internal import GraphNetworks
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism
internal import SimilarityStructure

/// Clusters one set above many thresholds, with level 0 judged once.
///
/// Thresholds chosen on held-out identities alone merged too much in larger sets, because fewer points
/// leave fewer to confuse. So all points of a set are clustered, and the judged points are scored, each
/// against all others.
struct ThresholdSearch {
  private let level: FirstLevel<EmbeddingSubset<AnyEmbeddings>, LinkageModel>
  /// The labels of the points of all ranks.
  private let labels: [Int64]
  private let isJudged: [Bool]
  /// The groups of the points of all ranks, if there are groups.
  private let groups: [Int64]?

  /// Whether level 0 may merge by modules.
  let allowsModules: Bool

  /// > Collective: over `communicator`. One neighbour search and one pass of the network.
  ///
  /// - Parameters:
  ///   - points: Which rows take part, ascending.
  ///   - judged: Labels of the identities that are scored.
  init(
    _ set: LabelledEmbeddings, points: [Int], judged: Set<Int64>, network: StructureNetwork,
    by options: StructureTrainingOptions, on communicator: some Communicator
  ) throws {
    let workers = options.workers
    allowsModules = set.groups == nil && !options.omissions.parts.contains(.modules)
    labels = points.map { set.labels[$0] }
    isJudged = labels.map { judged.contains($0) }
    let groups = set.groups.map { groups in points.map { groups[$0] } }
    self.groups = groups
    level = try FirstLevel(
      EmbeddingSubset(AnyEmbeddings(set.source), points),
      by: ClusteringPlan(
        ClusteringOptions(search: options.search, invalidRows: .singleton, workers: workers),
        with: TrainedModel(.structure(network)),
        within: groups.map { PointGroups($0, on: communicator) }),
      on: communicator)
  }

  /// Measures of the points that are scored.
  ///
  /// > Collective: over `communicator`, as clustering; then 8 bytes per point to every rank.
  ///
  /// - Parameter laterThreshold: nil for level 0 alone; the trial has 1 then.
  func trial(
    _ threshold: Double, _ laterThreshold: Double?, resolution: Double? = nil,
    fewestPoints: Int = 1, on communicator: some Communicator
  ) throws -> ThresholdTrial {
    let later = laterThreshold ?? 1
    let clusters = try run(
      above: Thresholds(threshold, later: later, resolution: resolution),
      endingAfter: laterThreshold == nil ? 1 : nil, fewestPoints: fewestPoints, on: communicator)
    let predicted = try communicator.allGather(clusters.labels(on: communicator).labels).values
    let scores = scoresAmongAll(truth: labels, predicted: predicted, isJudged: isJudged)
    return ThresholdTrial(
      threshold: threshold, laterThreshold: later, resolution: resolution,
      pairwiseF: scores.pairwise,
      bcubedF: scores.bcubed, identityF: scores.identity,
      rightCounts: groups.map {
        rightCounts(truth: labels, predicted: predicted, groups: $0)
      }, fewestPoints: groups.map { _ in fewestPoints })
  }

  /// How right p is at every level above the thresholds of a trial, over the edges into nodes of judged identities.
  ///
  /// > Collective: over `communicator`, as clustering with a truth.
  func calibration(
    above trial: ThresholdTrial, on communicator: some Communicator
  ) throws -> [ProbabilityCalibration] {
    let owned = NodePartition(sharing: labels.count, among: communicator.size)
      .owned(by: communicator.rank)
    let truth = PointTruth(
      Array(labels[owned]),
      judging: Set(labels.indices.filter { isJudged[$0] }.map { labels[$0] }))
    return try run(
      above: Thresholds(
        trial.threshold, later: trial.laterThreshold, resolution: trial.resolution),
      fewestPoints: trial.fewestPoints ?? 1, observer: Measuring(truth: truth), on: communicator
    ).history.compactMap(\.calibration)
  }

  private func run(
    above thresholds: Thresholds, endingAfter levelCount: Int? = nil, fewestPoints: Int,
    observer: some ClusteringObserver = NoObserver(), on communicator: some Communicator
  ) throws -> ClusteringRun {
    try level.run(
      above: thresholds,
      within: GroupBounds(fewestPoints: fewestPoints, settles: groups != nil),
      endingAfter: levelCount, observer: observer, on: communicator)
  }
}

/// An observer that has probabilities measured.
private struct Measuring: ClusteringObserver {
  let truth: PointTruth?

  func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
}

/// The share of groups that have as many clusters as labels.
private func rightCounts(truth: [Int64], predicted: [Int64], groups: [Int64]) -> Double {
  func counts(_ labels: [Int64]) -> [Int64: Int] {
    Dictionary(grouping: zip(groups, labels), by: { $0.0 }).mapValues { Set($0.map(\.1)).count }
  }
  let (found, expected) = (counts(predicted), counts(truth))
  return Double(expected.count { found[$0.key] == $0.value }) / Double(max(expected.count, 1))
}

/// Pairwise and BCubed F of some judged points among all points: they count the judged points' pairs with
/// all others, and all members of their clusters. The third score is the mean of both with equal weight
/// for every identity.
///
/// The sums run over the judged points i, with tᵢ points of i's label, cᵢ of i's cluster and nᵢ of both:
///
///     pairwise  P = Σ wᵢ (nᵢ − 1) / Σ wᵢ (cᵢ − 1),   R = Σ wᵢ (nᵢ − 1) / Σ wᵢ (tᵢ − 1)
///     BCubed    P = Σ wᵢ nᵢ / cᵢ  / Σ wᵢ,            R = Σ wᵢ nᵢ / tᵢ  / Σ wᵢ
///
/// wᵢ = 1 in the first two, 1/tᵢ in the third. F = 2 P R / (P + R).
///
/// - Returns: 0 in place of 0/0.
/// - Complexity: O(points).
package func scoresAmongAll(
  truth: [Int64], predicted: [Int64], isJudged: [Bool]
) -> (pairwise: Double, bcubed: Double, identity: Double) {
  struct Cell: Hashable {
    var truth: Int64
    var predicted: Int64
  }
  var cells: [Cell: Double] = [:]
  var trueSizes: [Int64: Double] = [:]
  var sizes: [Int64: Double] = [:]
  for (truth, predicted) in zip(truth, predicted) {
    cells[Cell(truth: truth, predicted: predicted), default: 0] += 1
    trueSizes[truth, default: 0] += 1
    sizes[predicted, default: 0] += 1
  }
  var points = AgreementSums()
  var identities = AgreementSums()
  for point in truth.indices where isJudged[point] {  // in the order of points
    let cell = cells[Cell(truth: truth[point], predicted: predicted[point])]!
    let (trueSize, size) = (trueSizes[truth[point]]!, sizes[predicted[point]]!)
    points.add(cell: cell, size: size, trueSize: trueSize, over: 1)
    identities.add(cell: cell, size: size, trueSize: trueSize, over: trueSize)
  }
  return (
    points.pairwiseF, points.bcubedF, (identities.pairwiseF + identities.bcubedF) / 2
  )
}

/// What points add up to, each over a number of its own.
private struct AgreementSums {
  private var (both, together, alike) = (0.0, 0.0, 0.0)
  private var (precision, recall, count) = (0.0, 0.0, 0.0)

  /// - Parameters:
  ///   - cell: Points that share both cluster and identity with this one, itself included.
  ///   - size: Of its cluster.
  ///   - trueSize: Of its identity.
  mutating func add(cell: Double, size: Double, trueSize: Double, over divisor: Double) {
    both += (cell - 1) / divisor
    together += (size - 1) / divisor
    alike += (trueSize - 1) / divisor
    precision += cell / size / divisor
    recall += cell / trueSize / divisor
    count += 1 / divisor
  }

  var pairwiseF: Double { harmonicMean(quotient(both, together), quotient(both, alike)) }
  var bcubedF: Double { harmonicMean(quotient(precision, count), quotient(recall, count)) }

  private func harmonicMean(_ p: Double, _ r: Double) -> Double {
    p + r > 0 ? 2 * p * r / (p + r) : 0
  }
  private func quotient(_ a: Double, _ b: Double) -> Double { b > 0 ? a / b : 0 }
}

/// Any source of embeddings, as a type.
struct AnyEmbeddings: EmbeddingSource {
  private let base: any EmbeddingSource

  init(_ base: any EmbeddingSource) { self.base = base }

  var name: String { base.name }
  var rowCount: Int { base.rowCount }
  var dimensions: Int { base.dimensions }
  func rows(_ range: Range<Int>) throws -> Matrix { try base.rows(range) }
  func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    try base.directions(range)
  }
}
