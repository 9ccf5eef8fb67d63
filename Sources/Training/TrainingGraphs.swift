public import Communication
internal import DistributedGraphs
internal import GraphNetworks
public import HierarchicalClustering
internal import LinearAlgebra
public import NeighborSearch
public import Parallelism

/// The graphs that a network is trained on: for every k some levels, each made from the one before with
/// the truth.
///
/// A node's parent is its most similar neighbour among those of higher *true* density, whether or not
/// they share a label (what the authors' code does); with `usesTrueLinks`, only among those that do.
/// Coarse nodes have the label and direction of their peak, and the mean of the directions of their
/// points. A level of no more than k nodes, or one in which nothing merges, ends its chain.
/// [Xing et al. 2021; hilander, train_subg.py]
///
/// > Collective: over `communicator`. One neighbour search per level, the first shared by all k, and
/// > what merging a level sends (see ``cluster(_:by:observer:on:)``).
///
/// - Parameters:
///   - source: Replicated. Each rank reads its own rows.
///   - labels: Replicated. One per row.
///   - needsAverages: Whether the network takes the average feature.
///   - search: How neighbours of level 0 are searched; those of later levels exactly.
/// - Throws: ``AgreedFailure`` on every rank if rows cannot be read or have no direction.
public func trainingGraphs(
  of source: some EmbeddingSource, labels: [Int64], chains: [TrainingChain],
  usesTrueLinks: Bool = false, needsAverages: Bool, search: SearchOptions = SearchOptions(.exact),
  using workers: Workers = Workers(),
  on communicator: some Communicator
) throws -> [TrainingGraph] {
  precondition(labels.count == source.rowCount, "\(labels.count) labels of \(source.rowCount) rows")
  let source = UnitRows(of: source)
  let points = NodePartition(sharing: source.rowCount, among: communicator.size)
  let owned = points.owned(by: communicator.rank)
  let longest = try nearestNeighbors(
    of: source.unitRows(owned, invalid: .error, on: communicator),
    listLength: (chains.map(\.neighborCount).max() ?? 1) - 1, by: search, in: points,
    using: workers, on: communicator
  ).lists
  return try chains.flatMap { chain in
    let truth = CoordinatesTruth(
      labels: labels, neighborCount: chain.neighborCount, usesTrueLinks: usesTrueLinks,
      means: needsAverages ? .ofInputRows : .peaksOnly)
    let lists = longest.canonical(
      listLength: chain.neighborCount - 1, firstNode: owned.lowerBound)
    _ = try cluster(
      source,
      by: ClusteringPlan(
        judge: truth, search: .given(lists), neighborCount: chain.neighborCount,
        thresholds: .given(Thresholds(0)), maximumLevels: chain.levelCount, workers: workers),
      on: communicator)
    return truth.graphs
  }
}

/// The truth as judge: similarity for linkage, true density. Keeps a graph of every level it judges.
private final class CoordinatesTruth: LinkageJudge {
  /// The labels of the points of all ranks.
  private let labels: [Int64]
  private let neighborCount: Int
  private let usesTrueLinks: Bool
  let means: NodeMeans
  let mergesCopies = false
  private(set) var graphs: [TrainingGraph] = []

  init(labels: [Int64], neighborCount: Int, usesTrueLinks: Bool, means: NodeMeans) {
    self.labels = labels
    self.neighborCount = neighborCount
    self.usesTrueLinks = usesTrueLinks
    self.means = means
  }

  func listLength(neighborCount: Int) -> Int { neighborCount - 1 }

  func linkage(
    _ lists: NeighborLists, over graph: NeighborGraph, of level: inout Level,
    using workers: Workers, on communicator: some Communicator
  ) throws -> Linkage {
    let truth = try LinkageTruth(
      of: level.inputPoint.map { labels[Int($0.index)] }, over: graph,
      neighborCount: neighborCount, on: communicator)
    if level.nodes.nodeCount > neighborCount {
      graphs.append(
        TrainingGraph(
          neighborCount: neighborCount, level: level.number, graph: graph,
          identity: level.rows.directions.unitRows(), average: level.rows.inputMeans, truth: truth))
    }
    return Linkage(
      distance: graph.affinities.indices.map {
        usesTrueLinks && !truth.isSame[$0] ? 1 : 1 - graph.affinities[$0]
      },
      density: truth.density)
  }
}

/// Rows divided by their norms: training averages directions, where inference averages input rows.
struct UnitRows<Base: EmbeddingSource>: EmbeddingSource {
  private let base: Base

  init(of base: Base) { self.base = base }

  var name: String { base.name }
  var rowCount: Int { base.rowCount }
  var dimensions: Int { base.dimensions }

  func rows(_ range: Range<Int>) throws -> Matrix {
    var rows = try base.directions(range).matrix
    _ = rows.normalizeRows()
    return rows
  }

}
