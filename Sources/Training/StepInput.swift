public import Communication
public import Differentiation
internal import DistributedGraphs
internal import GraphNetworks
internal import LinearAlgebra
public import Parallelism
internal import RandomNumbers

/// A layer's view of neighbours: how rows of some nodes follow from rows of more nodes.
struct LayerInput<Scalar: DifferentiableScalar>: Sendable {
  /// How the rows on this rank are extended to all rows that the layer reads.
  let halo: Halo
  /// Owned, then ghosts: the sources of every node's edges.
  let adjacency: Adjacency
  /// The rows of the nodes themselves.
  let own: Adjacency
  /// w of every edge: affinities that add up to 1 over the edges into a node.
  let weights: [Scalar]
}

/// The input of one training step: a whole graph, or some of its nodes with everything that the network
/// needs for them.
public struct StepInput<Scalar: DifferentiableScalar>: Sendable {
  /// Owned. The distinct column blocks of the input and, before a mean layer, their sums over
  /// neighbours: constants, as the first layer is linear in them. Shape `[rows × any]`.
  let inputs: DenseMatrix<Scalar>
  /// Replicated. Which distinct block each column block of the network's input is.
  let blocks: [Int]
  /// Local. One for every layer that looks at neighbours: all but a first mean layer.
  let layers: [LayerInput<Scalar>]
  /// Owned. The input index of every row of ``inputs`` and of every layer's output, for dropout.
  let nodesOfLayer: [[Int64]]

  /// How the last layer's rows are extended to those of all sources.
  let halo: Halo
  /// Local. The row of every edge's source.
  let sources: Adjacency
  /// Owned. The row of every edge's destination.
  let destinations: Adjacency
  /// Owned. The edges of every node that is judged.
  let edgesOfNode: Adjacency
  /// a / degree of every edge. Shape `[edgeCount]`.
  let densityWeights: [Scalar]

  /// Owned. d* of every node that is judged. Shape `[nodes × 1]`.
  let density: DenseMatrix<Scalar>
  /// Owned. For each judged edge: 1 for the same label, 0 for another, −1 if it does not count.
  let classes: [Int32]
  /// Hashes of edges' ends that are the same on any number of ranks, for random choices.
  let edgeNames: [UInt64]
  /// Replicated. The number of judged nodes on all ranks.
  let nodeCount: Int
}

extension StepInput {
  /// A whole graph.
  ///
  /// > Collective: over `communicator`. The neighbour sums of a first mean layer: one halo exchange of
  /// > the input's rows; then a round of 8 bytes per rank.
  public init(
    all graph: TrainingGraph, for shape: LanderShape, using workers: Workers = Workers(),
    on communicator: some Communicator
  ) throws {
    let rows = graph.graph
    let constant = try FirstLayer(of: graph, for: shape, using: workers, on: communicator)
    let owned = Adjacency(
      selecting: (0..<rows.ownedCount).map { Int32($0) }, of: rows.ownedCount)
    let layer = LayerInput<Scalar>(
      halo: rows.halo,
      adjacency: Adjacency(
        SparsePattern(
          rowOffsets: rows.rowOffsets, columns: rows.columns.map(\.index),
          columnCount: rows.halo.localCount)),
      own: owned, weights: constant.weights.map { Scalar($0) })
    let first = rows.halo.owned.lowerBound
    let names = (0..<rows.ownedCount).map { Int64(first + $0) }
    try self.init(
      inputs: constant.inputs.converted(), blocks: constant.blocks,
      layers: Array(repeating: layer, count: constant.layerCount(of: shape)),
      nodesOfLayer: Array(repeating: names, count: shape.layerCount + 1), halo: rows.halo,
      sources: Adjacency(
        selecting: rows.columns.map(\.index), of: rows.halo.localCount),
      nodes: Array(0..<rows.ownedCount), own: owned, of: graph, on: communicator)
  }

  /// Some nodes of a graph: all edges into them, and for every layer all edges into what it needs.
  ///
  /// > Collective: over `communicator`. Per layer that looks at neighbours, and for the decoder, two
  /// > rounds in which ranks tell each other which rows they need.
  ///
  /// - Parameter nodes: Owned. The nodes that are judged, ascending.
  /// - Complexity: O(e log e + e · columns) for the e edges that the network reads, whatever the size of
  ///   the graph.
  public init(
    _ nodes: [Int], of graph: TrainingGraph, firstLayer: FirstLayer, for shape: LanderShape,
    on communicator: some Communicator
  ) throws {
    let rows = graph.graph
    let first = rows.halo.owned.lowerBound
    let decoder = try Neighborhood(of: nodes, in: rows, on: communicator)
    var needed = decoder
    var layers: [LayerInput<Scalar>] = []
    var names = [needed.rows.map { Int64(first + $0) }]
    for _ in 0..<firstLayer.layerCount(of: shape) {
      let targets = needed.rows
      needed = try Neighborhood(of: targets, in: rows, on: communicator)
      layers.insert(
        LayerInput(
          halo: needed.halo, adjacency: Adjacency(needed.pattern(of: targets, in: rows)),
          own: needed.selection(of: targets),
          weights: targets.flatMap { rows.edges(into: $0) }.map { Scalar(firstLayer.weights[$0]) }),
        at: 0)
      names.insert(needed.rows.map { Int64(first + $0) }, at: 0)
    }
    if names.count == shape.layerCount { names.insert(names[0], at: 0) }
    try self.init(
      inputs: firstLayer.inputs.copy(ofRows: needed.rows).converted(), blocks: firstLayer.blocks,
      layers: layers, nodesOfLayer: names, halo: decoder.halo,
      sources: Adjacency(selecting: decoder.sources, of: decoder.halo.localCount),
      nodes: nodes, own: decoder.selection(of: nodes), of: graph, on: communicator)
  }

  /// - Parameter own: The row of every judged node in the last layer's output.
  private init(
    inputs: DenseMatrix<Scalar>, blocks: [Int], layers: [LayerInput<Scalar>],
    nodesOfLayer: [[Int64]], halo: Halo, sources: Adjacency, nodes: [Int], own: Adjacency,
    of graph: TrainingGraph, on communicator: some Communicator
  ) throws {
    let rows = graph.graph
    self.inputs = inputs
    self.blocks = blocks
    self.layers = layers
    self.nodesOfLayer = nodesOfLayer
    self.halo = halo
    self.sources = sources
    var offsets = [0]
    var destinations: [Int32] = []
    var weights: [Scalar] = []
    var classes: [Int32] = []
    var names: [UInt64] = []
    for (place, node) in nodes.enumerated() {
      let edges = rows.edges(into: node)
      let target = UInt64(rows.halo.owned.lowerBound + node)
      for edge in edges {
        destinations.append(own.pattern.columns[place])
        weights.append(Scalar(rows.affinities[edge]) / Scalar(edges.count))
        classes.append(graph.truth.isKeepable[edge] ? (graph.truth.isSame[edge] ? 1 : 0) : -1)
        names.append(mixed(target) ^ UInt64(rows.source(of: edge).index))
      }
      offsets.append(offsets[place] + edges.count)
    }
    self.destinations = Adjacency(selecting: destinations, of: own.columnCount)
    edgesOfNode = Adjacency(segments: offsets)
    densityWeights = weights
    density = DenseMatrix(
      rows: nodes.count, columns: 1, elements: nodes.map { Scalar(graph.truth.density[$0]) })
    self.classes = classes
    edgeNames = names
    nodeCount = try communicator.sum(nodes.count)
  }
}

/// The rows that some nodes' edges need, on this rank and, as others' ghosts, elsewhere.
private struct Neighborhood {
  /// Owned nodes whose rows are needed, by this rank or another, ascending.
  let rows: [Int]
  /// Over those rows.
  let halo: Halo
  /// The row of every edge's source: of ``rows``, then of the ghosts.
  let sources: [Int32]

  /// > Collective: over `communicator`. Two rounds.
  ///
  /// - Complexity: O(e log e) for the e edges into the nodes and from them to other ranks, whatever the
  ///   size of the graph.
  init(of nodes: [Int], in graph: NeighborGraph, on communicator: some Communicator) throws {
    let edges = nodes.flatMap { graph.edges(into: $0) }
    let (halo, local) = try Halo.localizing(
      edges.map { graph.source(of: $0) }, in: graph.nodes, on: communicator)
    var needed = nodes
    needed.reserveCapacity(nodes.count + local.count + halo.boundary.values.count)
    for node in local where Int(node.index) < graph.ownedCount { needed.append(Int(node.index)) }
    for node in halo.boundary.values { needed.append(Int(node.index)) }
    needed.sort()
    var rows: [Int] = []
    for node in needed where rows.last != node { rows.append(node) }
    self.rows = rows
    self.halo = halo.keeping(rows)
    sources = local.map { node in
      let index = Int(node.index)
      return Int32(
        index < graph.ownedCount
          ? rows.place(ofAscending: index)! : rows.count + index - graph.ownedCount)
    }
  }

  func selection(of nodes: [Int]) -> Adjacency {
    Adjacency(
      selecting: nodes.map { Int32(rows.place(ofAscending: $0)!) }, of: rows.count)
  }

  func pattern(of nodes: [Int], in graph: NeighborGraph) -> SparsePattern {
    var offsets = [0]
    for node in nodes { offsets.append(offsets[offsets.count - 1] + graph.edges(into: node).count) }
    return SparsePattern(rowOffsets: offsets, columns: sources, columnCount: halo.localCount)
  }
}

/// The constants of the first layer of a graph.
public struct FirstLayer: Sendable {
  /// Owned. Shape `[ownedCount × any]`.
  let inputs: Matrix
  let blocks: [Int]
  /// Local. w of every edge of the graph, of which a batch takes its own.
  let weights: [Float]
  private let hasNeighborSums: Bool

  /// > Collective: over `communicator`, before a mean layer: halo exchanges of the input's rows.
  public init(
    of graph: TrainingGraph, for shape: LanderShape, using workers: Workers = Workers(),
    on communicator: some Communicator
  ) throws {
    let input = NodeInput(
      identity: graph.identity, average: graph.average, usesAverage: shape.usesAverageFeature)
    blocks = input.blocks
    hasNeighborSums = shape.headCount == nil
    var columns = input.sources
    weights = graph.graph.normalizedAffinities()
    if hasNeighborSums {
      for source in input.sources {
        columns += try graph.graph.sums(
          [weights], of: source, using: workers, on: communicator)
      }
    }
    var joined = Matrix(
      rows: graph.identity.rowCount, columns: columns.reduce(0) { $0 + $1.columnCount })
    var first = 0
    for block in columns {
      joined.replace(columns: first..<first + block.columnCount, by: block)
      first += block.columnCount
    }
    inputs = joined
  }

  /// How many layers look at neighbours' rows in every step.
  func layerCount(of shape: LanderShape) -> Int {
    hasNeighborSums ? shape.layerCount - 1 : shape.layerCount
  }
}

extension DenseMatrix {
  /// The same numbers as another scalar; the same matrix if that is what it has.
  func converted<Other>() -> DenseMatrix<Other> {
    if let same = self as? DenseMatrix<Other> { return same }
    return DenseMatrix<Other>(
      rows: rowCount, columns: columnCount, elements: elements.map { Other($0) })
  }
}
