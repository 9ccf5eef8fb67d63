public import Communication
public import Differentiation
internal import DistributedGraphs
internal import Evaluation
internal import GraphNetworks
public import HierarchicalClustering
internal import LinearAlgebra
public import NeighborSearch
public import Optimization
public import Parallelism

/// How well a network does on identities that it was not trained on.
public struct ValidationResult: Codable, Equatable, Sendable {
  /// The linkage loss of level 0, over keepable edges.
  public var linkageLoss: Double
  /// The density loss of level 0.
  public var densityLoss: Double
  /// The probability that an edge of level 0 whose ends share a label has a higher p than one whose
  /// ends do not; 0.5 is chance, nil if one kind is missing.
  public var edgeAUC: Double?
  /// A full hierarchical run for every τ.
  public var curve: [Point]
  /// The place in ``curve`` of the chosen τ: the largest with a score within 5 % of the best.
  ///
  /// With more identities than were held out, more can be confused. F then falls steeply if τ is too low,
  /// because everything merges, but slowly if it is too high. So among thresholds that do about equally
  /// well the largest is the safest, just as the simplest model is by the rule of one standard error
  /// [Breiman et al. 1984].
  public var best: Int

  /// The result of clustering above one τ.
  public struct Point: Codable, Equatable, Sendable {
    public var tau: Double
    public var pairwiseF: Double
    public var bcubedF: Double
    public var nmi: Double
    public var clusterCount: Int

    package init(tau: Double, pairwiseF: Double, bcubedF: Double, nmi: Double, clusterCount: Int) {
      self.tau = tau
      self.pairwiseF = pairwiseF
      self.bcubedF = bcubedF
      self.nmi = nmi
      self.clusterCount = clusterCount
    }

    /// The mean of the two F.
    public var score: Double { (pairwiseF + bcubedF) / 2 }
  }

  public var chosen: Point { curve[best] }

  /// The score that decides between networks: the best of any τ.
  public var score: Double { curve.map(\.score).max() ?? 0 }

  package static func choice(from curve: [Point]) -> Int {
    let bound = 0.95 * (curve.map(\.score).max() ?? 0)
    return curve.indices.filter { curve[$0].score >= bound }.max { curve[$0].tau < curve[$1].tau }
      ?? 0
  }
}

/// Held-out points, their truth and their neighbours: the same in every validation.
public struct Validator<Source: EmbeddingSource>: Sendable {
  private let source: Source
  private let neighborCount: Int
  /// The truth about the edges to `lists`.
  private let truth: LinkageTruth
  private let lists: NeighborLists
  /// Owned.
  private let labels: [Int64]
  private let workers: Workers

  /// > Collective: over `communicator`. One neighbour search.
  ///
  /// - Parameters:
  ///   - source: Replicated. Points of identities that are not trained on; each rank reads its own.
  ///   - labels: Replicated. One per row.
  ///   - neighborCount: k of clustering.
  ///   - search: How neighbours of level 0 are searched.
  /// - Throws: ``AgreedFailure`` on every rank if rows cannot be read or have no direction.
  public init(
    _ source: Source, labels: [Int64], neighborCount: Int,
    search: SearchOptions = SearchOptions(.exact), using workers: Workers,
    on communicator: some Communicator
  ) throws {
    precondition(
      labels.count == source.rowCount, "\(labels.count) labels of \(source.rowCount) rows")
    self.source = source
    self.neighborCount = neighborCount
    self.workers = workers
    let nodes = NodePartition(sharing: source.rowCount, among: communicator.size)
    let owned = nodes.owned(by: communicator.rank)
    self.labels = Array(labels[owned])
    let rows = try source.unitRows(owned, invalid: .error, on: communicator)
    lists = try nearestNeighbors(
      of: rows, listLength: neighborCount - 1, by: search, in: nodes, using: workers,
      on: communicator
    ).lists
    truth = try LinkageTruth(
      of: self.labels, over: NeighborGraph(lists, in: nodes, on: communicator),
      neighborCount: neighborCount, on: communicator)
  }

  /// Losses, AUC, and a full run for every τ; level 0 is judged once for all of them.
  ///
  /// > Collective: over `communicator`. What one pass of the network and the later levels of the runs
  /// > send; 8 bytes per edge of level 0 to every rank.
  ///
  /// - Parameters:
  ///   - taus: Replicated, ascending. At least one.
  ///   - betweenLevels: Called before each level of each run. If it throws, it must throw on every rank, and
  ///     the validation ends with that error.
  /// - Throws: ``AgreedFailure`` on every rank if the network answers with NaN.
  public func validate(
    _ parameters: Parameters<Float>, shape: LanderShape, taus: [Double],
    on communicator: some Communicator, betweenLevels: () throws -> Void = {}
  ) throws -> ValidationResult {
    let network = try communicator.agree { try shape.network(parameters) }
    let level = try FirstLevel(
      source,
      by: ClusteringPlan(
        judge: LinkageModel.coordinates(network), search: .given(lists),
        neighborCount: neighborCount, thresholds: .ofEachRun, workers: workers),
      on: communicator)
    let losses = try self.losses(of: level.linkage, on: communicator)
    guard losses.linkage.isFinite, losses.density.isFinite else {
      throw AgreedFailure(reason: "the network answers with NaN about held-out identities")
    }
    let curve = try withoutActuallyEscaping(betweenLevels) { betweenLevels in
      try taus.map { tau in
        try point(
          tau,
          of: level.run(
            above: Thresholds(tau), observer: LevelBeginnings(action: betweenLevels),
            on: communicator),
          on: communicator)
      }
    }
    let best = ValidationResult.choice(from: curve)
    return ValidationResult(
      linkageLoss: losses.linkage, densityLoss: losses.density,
      edgeAUC: try edgeAUC(level.linkage, on: communicator), curve: curve, best: best)
  }

  private func point(
    _ tau: Double, of clusters: ClusteringRun, on communicator: some Communicator
  ) throws -> ValidationResult.Point {
    let (predicted, clusterCount) = try clusters.labels(on: communicator)
    let metrics = try compareLabels(truth: labels, predicted: predicted, on: communicator)
    func number(_ value: Double) -> Double { value.isNaN ? 0 : value }
    return ValidationResult.Point(
      tau: tau, pairwiseF: number(metrics.pairwise.f), bcubedF: number(metrics.bcubed.f),
      nmi: number(metrics.nmi), clusterCount: clusterCount)
  }

  private func losses(of linkage: Linkage, on communicator: some Communicator) throws -> (
    linkage: Double, density: Double
  ) {
    var (cross, edges, squares) = (0.0, 0.0, 0.0)
    for edge in linkage.distance.indices where truth.isKeepable[edge] {
      let distance = Double(linkage.distance[edge])
      let right = truth.isSame[edge] ? 1 - distance : distance
      cross -= right.isNaN ? -.nan : logarithm(max(right, 1e-12))
      edges += 1
    }
    for node in linkage.density.indices {
      let difference = Double(linkage.density[node] - truth.density[node])
      squares += difference * difference
    }
    let sums = try communicator.sums([cross, edges, squares, Double(labels.count)])
    return (sums[0] / max(sums[1], 1), sums[2] / max(sums[3], 1))
  }

  /// The area from the ranks of positive edges among all; ties get the mean rank.      [Mann and Whitney 1947]
  private func edgeAUC(_ linkage: Linkage, on communicator: some Communicator) throws -> Double? {
    let all = try communicator.allGather(
      zip(linkage.distance, truth.isSame).map { JudgedEdge(distance: $0, isSame: $1) }
    ).values.sorted { $0.distance > $1.distance }
    let positives = all.count { $0.isSame }
    guard positives > 0, positives < all.count else { return nil }
    var rankSum = 0.0
    var first = 0
    while first < all.count {
      var end = first + 1
      while end < all.count, all[end].distance == all[first].distance { end += 1 }
      let middle = Double(first + end + 1) / 2
      rankSum += middle * Double(all[first..<end].count { $0.isSame })
      first = end
    }
    let pairs = Double(positives) * Double(all.count - positives)
    return (rankSum - Double(positives) * Double(positives + 1) / 2) / pairs
  }
}

/// An observer that does something before each level.
private struct LevelBeginnings: ClusteringObserver {
  let action: () throws -> Void

  func begins(level: Int) throws { try action() }
  func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
}

private struct JudgedEdge: Message {
  var distance: Float
  var isSame: Bool
}

private func logarithm(_ x: Double) -> Double { Double.logarithm(x) }
