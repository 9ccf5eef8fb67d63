internal import Communication
internal import Datasets
internal import DistributedGraphs
internal import FlowClustering
internal import GraphNetworks
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism
internal import SimilarityStructure

// New clusters.

extension NewNodes {
  /// Fewer nodes for each place of a list are clustered among the neighbours of the fit, too.
  private static let fewNodesPerPlace = 20

  /// Clusters the nodes that have no label yet as the fit was clustered.
  ///
  /// Of few nodes alone every list would reach everything, and what is near could not be told from what is far. Those are
  /// clustered along the edges between them that were judged among the neighbours of the fit and all new nodes.
  ///
  /// > Collective: over `communicator`. 8 bytes per such node to every rank, 8 bytes per ghost, and as clustering them; of
  /// > few without a search of level 0.
  ///
  /// - Parameter edges: Those of ``edges(by:measuredBy:on:)``.
  /// - Returns: Replicated. How many clusters they make.
  mutating func clusterRest(
    along edges: Edges, of source: some EmbeddingSource, by options: AssigningOptions,
    on communicator: some Communicator
  ) throws -> Int {
    let rest = try RestOfNodes(
      open.indices.filter { labels[open[$0]] == Self.none }, in: edges.graph, on: communicator)
    guard rest.nodes.nodeCount > 0 else { return 0 }
    let own = rest.places.map { open[$0] }
    let rows = SelectedRows(
      of: source,
      try communicator.allGather(own.map { run.level.inputPoint[$0].index }).values
        .map { Int($0) })
    let plan = try fit.plan(options, pointCount: own.count)
    // In a group that is no larger than lists, these reach everything anyway.
    let k = fit.settings.neighborCount
    let areFew =
      rest.nodes.nodeCount < Self.fewNodesPerPlace * k
      && (!fit.hasGroups || fit.nodes.nodeCount > k)
    let (found, count): ([Int64], Int)
    switch (areFew, plan) {
    case (true, .flow):
      (found, count) = try modules(
        of: rest, along: edges, using: options.workers, on: communicator)
    case (true, .network(let plan)):
      (found, count) = try levels(of: rest, along: edges, of: rows, by: plan, on: communicator)
    default:
      let clustering = try cluster(rows, by: plan, on: communicator)
      count = clustering.clusterCount
      found = try clustering.points.hand(clustering.labels, to: rest.nodes, on: communicator)
    }
    for (node, label) in zip(own, found) {
      labels[node] = Int64(fit.settings.clusterCount) + label
    }
    return count
  }

  /// The modules of flow.
  private func modules(
    of rest: RestOfNodes, along edges: Edges, using workers: Workers,
    on communicator: some Communicator
  ) throws -> (labels: [Int64], clusterCount: Int) {
    let first = rest.nodes.owned(by: communicator.rank).lowerBound
    let kept = rest.places.indices.flatMap { node in
      rest.edges(into: node, in: edges.graph).filter { edges.weights[$0.edge] > 0 }.map {
        FlowEdge(
          target: GlobalNode(first + node), source: $0.source, flow: edges.weights[$0.edge])
      }
    }
    let names = run.level.rows.directions.rowNames(using: workers)
    let graph = try FlowGraph(
      kept, alsoReversed: true, names: rest.places.map { names[open[$0]] }, in: rest.nodes,
      on: communicator)
    let modules = try FlowModules(of: graph, using: workers, on: communicator)
    return try numberByFirstAppearance(
      modules.roots, of: rest.nodes, in: rest.nodes, on: communicator)
  }

  /// What a network makes of level 0, and of the levels after it.
  ///
  /// - Parameter rows: Of all these nodes.
  private func levels(
    of rest: RestOfNodes, along edges: Edges, of rows: some EmbeddingSource,
    by plan: ClusteringPlan<LinkageModel>, on base: some Communicator
  ) throws -> (labels: [Int64], clusterCount: Int) {
    let communicator = CountingCommunicator(base)
    var found = try ClusteringRun(
      reading: rows, invalid: plan.invalidRows, asStored: plan.judge.means == .ofInputRows,
      using: plan.workers, on: communicator)
    found.thresholds = fit.settings.thresholds
    let (linkage, scales) = edges.judged!
    let length = plan.neighborCount - 1
    var neighbors = Array(repeating: NeighborLists.none, count: rest.places.count * length)
    var similarities = Array(repeating: Float(0), count: neighbors.count)
    var distances = similarities
    for node in rest.places.indices {
      for (place, edge) in rest.edges(into: node, in: edges.graph).enumerated() {
        neighbors[node * length + place] = edge.source
        similarities[node * length + place] = edges.graph.affinities[edge.edge]
        distances[node * length + place] = linkage.distance[edge.edge]
      }
    }
    let nodes = found.level.nodes
    func hand<T: Message>(_ values: [T], width: Int) throws -> [T] {
      try rest.nodes.hand(values, width: width, to: nodes, on: communicator)
    }
    let lists = NeighborLists(
      listLength: length, neighbors: try hand(neighbors, width: length),
      similarities: try hand(similarities, width: length))
    distances = try hand(distances, width: length)
    let graph = try NeighborGraph(lists, in: nodes, on: communicator)
    let judged = JudgedEdges(
      neighbors: nil, graph: graph,
      linkage: Linkage(
        distance: (0..<graph.ownedCount).flatMap {
          distances[$0 * length..<$0 * length + graph.edges(into: $0).count]
        }, density: try hand(rest.places.map { linkage.density[$0] }, width: 1)), search: nil)
    found.level.evidence = scales.map { Evidence(scales: $0, pointEdges: PointEdges(graph)) }
    try found.finish(
      along: found.stopReason == nil ? judged : nil, of: rows, by: plan,
      measuredBy: PhaseClock(communicator, NoObserver()), on: communicator)
    let (labels, clusterCount) = try found.labels(on: communicator)
    return (
      try found.points.hand(labels, to: rest.nodes, on: communicator), clusterCount
    )
  }
}

/// The new nodes that have not joined, and the edges between them.
private struct RestOfNodes {
  /// Owned. Their places among the nodes of a graph.
  let places: [Int]
  /// Replicated. Who owns which of them, in the same order.
  let nodes: NodePartition
  /// Local. Which of them a node of the graph is; ``none`` for another.
  private let named: [Int64]

  private static let none = Int64(-1)

  /// > Collective: over `communicator`. A round of 8 bytes per rank, and 8 bytes per ghost.
  init(_ places: [Int], in graph: NeighborGraph, on communicator: some Communicator) throws {
    self.places = places
    nodes = NodePartition(
      firstNode: (try communicator.gatherOne(places.count) + [0]).exclusivePrefixSums())
    let first = nodes.owned(by: communicator.rank).lowerBound
    var own = Array(repeating: Self.none, count: graph.ownedCount)
    for (node, place) in places.enumerated() { own[place] = Int64(first + node) }
    named = try graph.halo.extend(own, on: communicator)
  }

  /// The edges into one of the owned from others, and where these are from.
  func edges(into node: Int, in graph: NeighborGraph) -> [(edge: Int, source: GlobalNode)] {
    graph.edges(into: places[node]).compactMap { edge in
      let source = named[Int(graph.columns[edge].index)]
      return source == Self.none ? nil : (edge, GlobalNode(source))
    }
  }
}

/// Some rows of embeddings, in a given order.
struct SelectedRows<Source: EmbeddingSource>: EmbeddingSource {
  private let source: Source
  /// Replicated.
  private let places: [Int]

  init(of source: Source, _ places: [Int]) {
    self.source = source
    self.places = places
  }

  var name: String { source.name }
  var rowCount: Int { places.count }
  var dimensions: Int { source.dimensions }

  func rows(_ range: Range<Int>) throws -> Matrix {
    try read(range) { (try source.rows($0), []) }.matrix
  }

  func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    try read(range) { try source.directions($0) }
  }

  /// Reads successive rows at once.
  private func read(
    _ range: Range<Int>, _ body: (Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int])
  ) throws -> (matrix: Matrix, scaledRows: [Int]) {
    var result = (matrix: Matrix(rows: range.count, columns: dimensions), scaledRows: [Int]())
    var first = 0
    for run in Array(places[range]).runs {
      let (rows, scaled) = try body(run)
      result.matrix.replaceRows(Array(first..<first + run.count), by: rows.elements)
      result.scaledRows += scaled.map { $0 - run.lowerBound + range.lowerBound + first }
      first += run.count
    }
    return result
  }
}
