package import Communication
package import Differentiation
package import DistributedGraphs
package import GraphNetworks
internal import HierarchicalClustering
package import LinearAlgebra
package import NeighborSearch
package import Parallelism
internal import RandomNumbers
internal import SimilarityStructure

/// One level of labelled points, as training steps see it: rescaled features and the truth.
package struct StructureGraph<Scalar: DifferentiableScalar>: Sendable {
  package let halo: Halo
  /// Owned. [x , mean of the neighbours' x]. Shape `[ownedCount × 2 · node features]`.
  package let nodes: DenseMatrix<Scalar>
  /// The edges in parts, one for each step.
  package let parts: [EdgePart]

  /// The edges into some of the nodes.
  package struct EdgePart: Sendable {
    /// Owned. Shape `[edges × edge features]`.
    package let features: DenseMatrix<Scalar>
    /// Owned. y: whether both ends have the same label. Shape `[edges]`.
    package let isSame: [Bool]
    /// Owned. The weight of each edge in the loss. Shape `[edges]`.
    package let weights: [Scalar]
    /// Selects the local source and the owned target of every edge.
    package let sources: Adjacency
    package let targets: Adjacency
  }

  /// - Parameters:
  ///   - nodeFeatures: Local, rescaled.
  ///   - edgeFeatures: Owned, rescaled.
  ///   - row: The row of `edgeFeatures` of every edge that is in a part; nil if they are those of all edges.
  ///   - weights: Owned. The weight of the edges into every node.
  ///   - part: Which part the edges into an owned node are in, below `partCount`; nil for none.
  package init(
    _ graph: NeighborGraph, nodeFeatures: DenseMatrix<Scalar>, edgeFeatures: DenseMatrix<Scalar>,
    row: [Int32]? = nil,
    isSame: [Bool], weights: [Scalar], partCount: Int = 1, part: (GlobalNode) -> Int? = { _ in 0 }
  ) {
    halo = graph.halo
    let width = nodeFeatures.columnCount
    var nodes = DenseMatrix<Scalar>(rows: graph.ownedCount, columns: 2 * width)
    var edgesOfPart: [[(edge: Int, target: Int)]] = Array(repeating: [], count: partCount)
    for node in 0..<graph.ownedCount {
      let edges = graph.edges(into: node)
      for column in 0..<width {
        nodes[node, column] = nodeFeatures[node, column]
        var sum: Scalar = 0
        for edge in edges { sum += nodeFeatures[Int(graph.columns[edge].index), column] }
        nodes[node, width + column] = sum / Scalar(max(edges.count, 1))
      }
      if let part = part(graph.halo.global(LocalNode(node))) {
        edgesOfPart[part] += edges.map { ($0, node) }
      }
    }
    self.nodes = nodes
    parts = edgesOfPart.map { edges in
      EdgePart(
        features: edgeFeatures.copy(
          ofRows: edges.map { edge, _ in row.map { Int($0[edge]) } ?? edge }),
        isSame: edges.map { isSame[$0.edge] },
        weights: edges.map { weights[$0.target] },
        sources: Adjacency(
          selecting: edges.map { graph.columns[$0.edge].index }, of: graph.halo.localCount),
        targets: Adjacency(selecting: edges.map { Int32($0.target) }, of: graph.ownedCount))
    }
  }
}

/// A level before its features are rescaled.
package struct RawStructureGraph: Sendable {
  package let graph: NeighborGraph
  /// Local.
  package let nodeFeatures: Matrix
  /// Owned. Of all edges or, where ``row`` says so, of some.
  package private(set) var edgeFeatures: Matrix
  /// Owned edges. The row of ``edgeFeatures`` of each; −1 if it has none. Nil if all have their own.
  private var row: [Int32]?
  package let isSame: [Bool]
  /// Owned nodes. 1/√n, where n nodes of the level have the node's label. So a few large identities, whose
  /// edges are easy, do not outvote the many small ones.
  package let weights: [Float]

  package init(
    graph: NeighborGraph, nodeFeatures: Matrix, edgeFeatures: Matrix, isSame: [Bool],
    weights: [Float]
  ) {
    self.graph = graph
    self.nodeFeatures = nodeFeatures
    self.edgeFeatures = edgeFeatures
    self.isSame = isSame
    self.weights = weights
  }

  /// The level with rescaled features, and with its nodes dealt at random into parts of about equally many
  /// edges.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  package func scaled(
    _ nodeScale: FeatureScale, _ edgeScale: FeatureScale, by deal: EdgeDeal,
    on communicator: some Communicator
  ) throws -> StructureGraph<Float> {
    let partCount = deal.partCount(of: try communicator.sum(graph.edgeCount))
    return StructureGraph(
      graph, nodeFeatures: nodeScale.applied(to: nodeFeatures),
      edgeFeatures: edgeScale.applied(to: edgeFeatures), row: row, isSame: isSame,
      weights: weights, partCount: min(partCount, deal.mostParts)
    ) { deal.part(of: $0, among: partCount) }
  }

  /// Forgets the features of the edges that no step takes: most of them, if lists are long.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  package mutating func keepEdges(of deal: EdgeDeal, on communicator: some Communicator) throws {
    let partCount = deal.partCount(of: try communicator.sum(graph.edgeCount))
    guard partCount > deal.mostParts else { return }
    var row = Array(repeating: Int32(-1), count: graph.edgeCount)
    var kept: [Int] = []
    for node in 0..<graph.ownedCount
    where deal.part(of: graph.halo.global(LocalNode(node)), among: partCount) != nil {
      for edge in graph.edges(into: node) {
        row[edge] = Int32(kept.count)
        kept.append(edge)
      }
    }
    edgeFeatures = edgeFeatures.copy(ofRows: kept)
    self.row = row
  }
}

/// How the nodes of a level are dealt at random to steps, each with all edges into it.
package struct EdgeDeal: Sendable {
  /// About how many edges a part has.
  let edgesOfPart: Int
  /// Nodes of further parts are left out, because no step would take them.
  let mostParts: Int
  let seed: UInt64

  package init(edgesOfPart: Int, mostParts: Int = .max, seed: UInt64) {
    self.edgesOfPart = edgesOfPart
    self.mostParts = mostParts
    self.seed = seed
  }

  func partCount(of edgeCount: Int) -> Int { max(1, (edgeCount - 1) / edgesOfPart + 1) }

  /// Nil for a node that is left out.
  func part(of node: GlobalNode, among partCount: Int) -> Int? {
    let part = Int(mixed(seed ^ UInt64(bitPattern: node.index)) % UInt64(partCount))
    return part < mostParts ? part : nil
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
/// - Parameters:
///   - labels: Replicated. One per row. No label is in two groups.
///   - groups: Replicated. The group of each row, if rows merge only within groups.
///   - linkedPlaces: How many of a node's nearest neighbours it may merge with. A few leave clusters in parts,
///     which later levels must join; in small groups all leave nothing to join.
///   - isBalanced: Whether edges of large identities weigh less; otherwise all weigh 1.
package func structureGraphs(
  of points: Matrix, labels: [Int64], groups: [Int64]? = nil, linkedPlaces: Int = .max,
  levelCount: Int, settings: StructureNetwork.Settings,
  isBalanced: Bool = true, search: SearchOptions = SearchOptions(), using workers: Workers,
  on communicator: some Communicator
) throws -> [RawStructureGraph] {
  let truth = StructureTruth(
    labels: labels, settings: settings, linkedPlaces: linkedPlaces, isBalanced: isBalanced)
  _ = try cluster(
    EmbeddingsInMemory(points),
    by: ClusteringPlan(
      judge: truth,
      search: groups.map { .within(PointGroups($0, on: communicator), search) } ?? .search(search),
      neighborCount: settings.neighborCount,
      thresholds: .given(Thresholds(0.5)),
      maximumLevels: levelCount, invalidRows: .singleton, workers: workers),
    on: communicator)
  return truth.graphs
}

/// The truth as judge, for structure. Keeps a graph of every level it judges.
private final class StructureTruth: LinkageJudge {
  /// The labels of the points of all ranks.
  private let labels: [Int64]
  private let settings: StructureNetwork.Settings
  private let linkedPlaces: Int
  private let isBalanced: Bool
  let means = NodeMeans.ofDirections
  let mergesCopies = true
  var mergesFewNodes: Bool { settings.mergesFewNodes }
  private(set) var graphs: [RawStructureGraph] = []

  init(
    labels: [Int64], settings: StructureNetwork.Settings, linkedPlaces: Int, isBalanced: Bool
  ) {
    self.labels = labels
    self.linkedPlaces = linkedPlaces
    self.settings = settings
    self.isBalanced = isBalanced
  }

  func listLength(neighborCount: Int) -> Int { settings.contextLength }

  func linkage(
    _ lists: NeighborLists, over graph: NeighborGraph, of level: inout Level,
    using workers: Workers, on communicator: some Communicator
  ) throws -> Linkage {
    let features = try level.structureFeatures(
      lists, graph, nearLength: settings.nearLength, using: workers, on: communicator)
    let labelsOfNodes = level.inputPoint.map { labels[Int($0.index)] }
    let truth = try LinkageTruth(
      of: labelsOfNodes, over: graph, neighborCount: settings.neighborCount, on: communicator)
    if mergesFewNodes || level.nodes.nodeCount > settings.neighborCount {
      graphs.append(
        RawStructureGraph(
          graph: graph, nodeFeatures: features.nodeFeatures, edgeFeatures: features.edgeFeatures,
          isSame: truth.isSame,
          weights: isBalanced
            ? try rarity(of: labelsOfNodes, on: communicator)
            : Array(repeating: 1, count: labelsOfNodes.count)))
    }
    return Linkage(
      distance: (0..<graph.ownedCount).flatMap { node in
        graph.edges(into: node).enumerated().map { place, edge in
          truth.isSame[edge] && place < linkedPlaces
            ? min(1 - graph.affinities[edge], 0.999) * 1e-3 : 1
        }
      },
      density: truth.density)
  }
}

/// 1 / √n of every owned node, n the nodes of all ranks that have its label.
///
/// > Collective: over `communicator`. One round, 8 bytes per node to every rank.
package func rarity(of labels: [Int64], on communicator: some Communicator) throws -> [Float] {
  var counts: [Int64: Int] = [:]
  for label in try communicator.allGather(labels).values { counts[label, default: 0] += 1 }
  return labels.map { 1 / Float(counts[$0]!).squareRoot() }
}
