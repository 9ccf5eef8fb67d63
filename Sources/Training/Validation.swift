public import Communication
public import Differentiation
internal import DistributedGraphs
internal import Evaluation
internal import GraphNetworks
public import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
public import Optimization
public import Parallelism

/// How well a network does on identities that it was not trained on.
public struct ValidationResult: Codable, Equatable, Sendable {
  /// Of level 0, over keepable edges.
  public var linkageLoss: Double
  /// Of level 0.
  public var densityLoss: Double
  /// The probability that an edge of level 0 whose ends share a label has a higher p than one whose
  /// ends do not; 0.5 is chance, NaN if one kind is missing.
  public var edgeAUC: Double?
  /// A full hierarchical run for every τ.
  public var curve: [Point]
  /// The place in ``curve`` of the best one.
  public var best: Int

  /// What clustering above one τ gives.
  public struct Point: Codable, Equatable, Sendable {
    public var tau: Double
    public var pairwiseF: Double
    public var bcubedF: Double
    public var nmi: Double
    public var clusterCount: Int

    /// What networks and τ are chosen by: the mean of the two F.
    public var score: Double { (pairwiseF + bcubedF) / 2 }
  }

  public var chosen: Point { curve[best] }
}

/// Held-out points, their truth and their neighbours: the same in every validation.
public struct Validator<Source: EmbeddingSource>: Sendable {
  private let source: Source
  private let neighborCount: Int
  private let graph: TrainingGraph
  private let lists: NeighborLists
  /// Owned.
  private let labels: [Int64]
  private let workers: Workers

  /// > Collective: over `communicator`. One neighbour search.
  ///
  /// - Parameters:
  ///   - labels: Replicated. One per row.
  ///   - neighborCount: k of clustering.
  public init(
    _ source: Source, labels: [Int64], neighborCount: Int, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    self.source = source
    self.neighborCount = neighborCount
    self.workers = workers
    let nodes = NodePartition(sharing: source.rowCount, among: communicator.size)
    let owned = nodes.owned(by: communicator.rank)
    let rows = try source.unitRows(owned, invalid: .error, on: communicator)
    lists = try nearestNeighbors(
      of: rows, listLength: neighborCount - 1, in: nodes, using: workers, on: communicator)
    self.labels = Array(labels[owned])
    let neighborGraph = try NeighborGraph(lists, in: nodes, on: communicator)
    graph = TrainingGraph(
      neighborCount: neighborCount, level: 0, graph: neighborGraph, identity: rows, average: nil,
      truth: try LinkageTruth(
        of: self.labels, over: neighborGraph, neighborCount: neighborCount, on: communicator))
  }

  /// Losses, AUC, and a full run for every τ.
  ///
  /// > Collective: over `communicator`. What one pass of the network and the runs send; 8 bytes per edge
  /// > to every rank.
  ///
  /// - Parameter taus: Replicated, ascending. At least one.
  public func validate(
    _ parameters: Parameters<Float>, shape: LanderShape, taus: [Double],
    on communicator: some Communicator
  ) throws -> ValidationResult {
    let network = try shape.network(parameters)
    let input = NodeInput(
      identity: graph.identity, average: nil, usesAverage: shape.usesAverageFeature)
    let linkage = try network.linkage(
      of: input, over: graph.graph, using: workers, on: communicator)
    let losses = try self.losses(of: linkage, on: communicator)
    let curve = try taus.map { tau in try point(tau, network, on: communicator) }
    let best = curve.indices.max { curve[$0].score < curve[$1].score } ?? 0
    return ValidationResult(
      linkageLoss: losses.linkage, densityLoss: losses.density,
      edgeAUC: try edgeAUC(linkage, on: communicator), curve: curve, best: best)
  }

  private func point(
    _ tau: Double, _ network: Lander, on communicator: some Communicator
  ) throws -> ValidationResult.Point {
    let clustering = try cluster(
      source, with: network,
      options: ClusteringOptions(
        neighborCount: neighborCount, threshold: tau, workers: workers),
      initialNeighbors: lists, on: communicator)
    let metrics = try compareLabels(
      truth: labels, predicted: clustering.labels, on: communicator)
    func number(_ value: Double) -> Double { value.isNaN ? 0 : value }
    return ValidationResult.Point(
      tau: tau, pairwiseF: number(metrics.pairwise.f), bcubedF: number(metrics.bcubed.f),
      nmi: number(metrics.nmi), clusterCount: clustering.clusterCount)
  }

  private func losses(of linkage: Linkage, on communicator: some Communicator) throws -> (
    linkage: Double, density: Double
  ) {
    var (cross, edges, squares) = (0.0, 0.0, 0.0)
    for edge in linkage.distance.indices where graph.truth.isKeepable[edge] {
      let distance = Double(linkage.distance[edge])
      let right = graph.truth.isSame[edge] ? 1 - distance : distance
      cross -= logarithm(max(right, 1e-12))
      edges += 1
    }
    for (density, truth) in zip(linkage.density, graph.truth.density) {
      squares += Double(density - truth) * Double(density - truth)
    }
    let sums = try communicator.sums([cross, edges, squares, Double(labels.count)])
    return (sums[0] / max(sums[1], 1), sums[2] / max(sums[3], 1))
  }

  /// From the ranks of positive edges among all, ties in the middle.      [Mann and Whitney 1947]
  private func edgeAUC(_ linkage: Linkage, on communicator: some Communicator) throws -> Double? {
    let all = try communicator.allGather(
      zip(linkage.distance, graph.truth.isSame).map { JudgedEdge(distance: $0, isSame: $1) }
    ).values.sorted { $0.distance > $1.distance }
    let positives = all.count { $0.isSame }
    guard positives > 0, positives < all.count else { return nil }
    var rankSum = 0.0
    var first = 0
    while first < all.count {
      var end = first
      while end < all.count, all[end].distance == all[first].distance { end += 1 }
      let middle = Double(first + end + 1) / 2
      rankSum += middle * Double(all[first..<end].count { $0.isSame })
      first = end
    }
    let pairs = Double(positives) * Double(all.count - positives)
    return (rankSum - Double(positives) * Double(positives + 1) / 2) / pairs
  }
}

private struct JudgedEdge: Message {
  var distance: Float
  var isSame: Bool
}

private func logarithm(_ x: Double) -> Double { Double.logarithm(x) }
