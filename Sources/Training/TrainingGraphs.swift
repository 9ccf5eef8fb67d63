public import Communication
internal import DistributedGraphs
internal import GraphNetworks
public import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
public import Parallelism

/// The graphs that a network is trained on: for every k some levels, each made from the one before by
/// the truth.
///
/// A node's parent is its most similar neighbour among those of higher *true* density, whether or not
/// they share a label (what the authors' code does); with `usesTrueLinks`, only among those that do.
/// Coarse nodes have the label and direction of their peak, and the mean of the directions of their
/// points. A level of no more than k nodes, or one in which nothing merges, ends its chain.
/// [Xing et al. 2021; hilander, train_subg.py]
///
/// > Collective: over `communicator`. One neighbour search per level, the first shared by all k, and
/// > what merging a level sends (see ``cluster(_:with:options:initialNeighbors:observer:on:)``).
///
/// - Parameters:
///   - source: Replicated. Each rank reads its own rows.
///   - labels: Replicated. One per row.
///   - needsAverages: Whether the network takes the average feature.
/// - Throws: ``AgreedFailure`` on every rank: rows that cannot be read or have no direction.
public func trainingGraphs(
  of source: some EmbeddingSource, labels: [Int64], chains: [TrainingChain],
  usesTrueLinks: Bool = false, needsAverages: Bool, using workers: Workers = Workers(),
  on communicator: some Communicator
) throws -> [TrainingGraph] {
  precondition(labels.count == source.rowCount, "\(labels.count) labels of \(source.rowCount) rows")
  let source = UnitRows(of: source)
  let longest = chains.map(\.neighborCount).max() ?? 1
  var lists: NeighborLists?  // of level 0, as long as any chain wants them
  var graphs: [TrainingGraph] = []
  for chain in chains {
    var hierarchy = try Hierarchy(
      source,
      options: ClusteringOptions(neighborCount: chain.neighborCount, workers: workers),
      needsAverages: needsAverages, on: communicator)
    let points = hierarchy.points.owned(by: communicator.rank)
    var isMerging = true  // replicated
    while isMerging, hierarchy.level < chain.levelCount,
      hierarchy.nodes.nodeCount > chain.neighborCount
    {
      let nodes = hierarchy.nodes
      if lists == nil {
        lists = try nearestNeighbors(
          of: hierarchy.features.identity, listLength: longest - 1, in: nodes, using: workers,
          on: communicator)
      }
      let neighbors = try hierarchy.neighborLists(
        initial: lists!.canonical(
          listLength: chain.neighborCount - 1, firstNode: points.lowerBound),
        on: communicator, progress: { _ in })
      let graph = try NeighborGraph(neighbors, in: nodes, on: communicator)
      let truth = try LinkageTruth(
        of: hierarchy.inputPoint.map { labels[Int($0.index)] }, over: graph,
        neighborCount: chain.neighborCount, on: communicator)
      graphs.append(
        TrainingGraph(
          neighborCount: chain.neighborCount, level: hierarchy.level, graph: graph,
          identity: hierarchy.features.identity, average: hierarchy.features.average,
          truth: truth))

      guard hierarchy.level + 1 < chain.levelCount else { break }
      let parents = try bestDenserNeighbor(
        truth.linkage(over: graph, usesTrueLinks: usesTrueLinks), above: 0, in: graph,
        on: communicator)
      isMerging = try communicator.any(parents.mergedCount > 0)
      var roots = parents.parent
      try compressPaths(&roots, in: nodes, on: communicator)
      try hierarchy.contract(to: roots, isLast: false, on: communicator)
    }
  }
  return graphs
}

extension LinkageTruth {
  /// The truth as if a network had said it: similarity for linkage, true density.
  fileprivate func linkage(over graph: NeighborGraph, usesTrueLinks: Bool) -> Linkage {
    Linkage(
      distance: graph.affinities.indices.map {
        usesTrueLinks && !isSame[$0] ? 1 : 1 - graph.affinities[$0]
      },
      density: density)
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
    var rows = try base.rows(range)
    _ = rows.normalizeRows()
    return rows
  }
}
