internal import Communication
internal import Differentiation
internal import DistributedGraphs
internal import GraphNetworks
internal import HierarchicalClustering
internal import LinearAlgebra
internal import Parallelism
internal import SimilarityStructure

/// One level of labelled points, as a step of training sees it: rescaled features and the truth.
struct StructureGraph<Scalar: DifferentiableScalar>: Sendable {
  let halo: Halo
  /// Owned. [x , mean of the neighbours' x]. Shape `[ownedCount × 2 · node features]`.
  var nodes: DenseMatrix<Scalar>
  /// Owned. Shape `[edgeCount × edge features]`.
  var edges: DenseMatrix<Scalar>
  /// Owned. y: whether both ends have the same label. Shape `[edgeCount]`.
  let isSame: [Bool]
  /// Selects the local source and the owned target of every edge.
  let sources: Adjacency
  let targets: Adjacency

  /// - Parameters:
  ///   - nodeFeatures: Local, rescaled.
  ///   - edgeFeatures: Owned, rescaled.
  init(
    _ graph: NeighborGraph, nodeFeatures: DenseMatrix<Scalar>, edgeFeatures: DenseMatrix<Scalar>,
    isSame: [Bool]
  ) {
    halo = graph.halo
    edges = edgeFeatures
    self.isSame = isSame
    sources = Adjacency(
      selecting: graph.columns.map(\.index), of: graph.halo.localCount)
    targets = Adjacency(
      selecting: (0..<graph.ownedCount).flatMap { node in
        Array(repeating: Int32(node), count: graph.edges(into: node).count)
      }, of: graph.ownedCount)
    let width = nodeFeatures.columnCount
    nodes = DenseMatrix(rows: graph.ownedCount, columns: 2 * width)
    for node in 0..<graph.ownedCount {
      let edges = graph.edges(into: node)
      for column in 0..<width {
        nodes[node, column] = nodeFeatures[node, column]
        var sum: Scalar = 0
        for edge in edges { sum += nodeFeatures[Int(graph.columns[edge].index), column] }
        nodes[node, width + column] = sum / Scalar(max(edges.count, 1))
      }
    }
  }
}

/// A level before its features are rescaled.
struct RawStructureGraph: Sendable {
  let graph: NeighborGraph
  /// Local.
  let nodeFeatures: Matrix
  /// Owned.
  let edgeFeatures: Matrix
  let isSame: [Bool]

  func scaled(_ nodeScale: FeatureScale, _ edgeScale: FeatureScale) -> StructureGraph<Float> {
    StructureGraph(
      graph, nodeFeatures: nodeScale.applied(to: nodeFeatures),
      edgeFeatures: edgeScale.applied(to: edgeFeatures), isSame: isSame)
  }
}

/// The levels that a perfect network would make of labelled points, with their features.
///
/// Linkage is the truth, density follows from it, and a node's parent is the most similar of its
/// denser neighbours of the same label. Coarse nodes have the label of their peak. A level of no
/// more than k nodes, or one in which nothing merges, ends the chain.
///
/// > Collective: over `communicator`, per level what clustering sends.
///
/// - Parameter labels: Replicated. One per row.
func structureGraphs(
  of points: Matrix, labels: [Int64], levelCount: Int, settings: StructureNetwork.Settings,
  using workers: Workers, on communicator: some Communicator
) throws -> [RawStructureGraph] {
  var hierarchy = try Hierarchy(
    EmbeddingsInMemory(points),
    options: ClusteringOptions(
      neighborCount: settings.neighborCount, invalidRows: .singleton, workers: workers),
    averages: .ofDirections, on: communicator)
  try hierarchy.mergeDuplicates(on: communicator)
  var structure: StructureState?
  var graphs: [RawStructureGraph] = []
  while graphs.count < levelCount, hierarchy.nodes.nodeCount > settings.neighborCount {
    let lists = try hierarchy.neighborLists(
      initial: nil, length: settings.contextLength, on: communicator, progress: { _ in })
    let graph = try NeighborGraph(
      lists.prefix(settings.nearLength), in: hierarchy.nodes, on: communicator)
    let features = try hierarchy.structureFeatures(
      lists, graph, &structure, settings: settings, on: communicator)
    let truth = try LinkageTruth(
      of: hierarchy.inputPoint.map { labels[Int($0.index)] }, over: graph,
      neighborCount: settings.neighborCount, on: communicator)
    graphs.append(
      RawStructureGraph(
        graph: graph, nodeFeatures: features.nodeFeatures, edgeFeatures: features.edgeFeatures,
        isSame: truth.isSame))
    guard graphs.count < levelCount else { break }
    let distance = graph.affinities.indices.map {
      truth.isSame[$0] ? min(1 - graph.affinities[$0], 0.999) * 1e-3 : 1
    }
    let merged = try hierarchy.merge(
      by: Linkage(distance: distance, density: truth.density), above: 0.5, over: graph,
      &structure, on: communicator)
    guard merged > 0 else { break }
  }
  return graphs
}
