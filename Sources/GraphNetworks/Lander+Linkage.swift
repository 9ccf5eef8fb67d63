public import Communication
public import DistributedGraphs
internal import LinearAlgebra
public import Parallelism

/// The network's answer for a level.
public struct Linkage: Equatable, Sendable {
  /// Owned. 1 − p of every edge, the probability that its ends are apart. Shape `[edgeCount]`.
  ///
  /// It is kept in place of p because decisions compare it: even if p rounds to 1, 1 − p still tells
  /// edges apart.
  public let distance: [Float]
  /// Owned. d of every node. Shape `[ownedCount]`.
  public let density: [Float]
  /// Replicated. How far the nodes are from those that the network learned from
  /// (``StructureNetwork/strangeness(_:on:)``); nil if that is not known.
  public let strangeness: Double?

  public init(distance: [Float], density: [Float], strangeness: Double? = nil) {
    self.distance = distance
    self.density = density
    self.strangeness = strangeness
  }

  /// Owned. Linkage probability p of every edge. Shape `[edgeCount]`.
  public var probability: [Float] { distance.map { 1 - $0 } }
}

extension Lander {
  /// Linkage probabilities and densities of a level.
  ///
  /// The encoder runs layer by layer over all owned nodes; the last layer's hidden rows exist a
  /// tile at a time, as the decoder's two linear maps of them are all that is needed.
  ///
  /// > Collective: over `communicator`. Per layer the halo exchange of its neighbour sums; then one
  /// > row of the decoder's width per ghost, in pieces.
  ///
  /// - Parameters:
  ///   - input: Owned. Consumed: if the caller holds no other reference, its memory is freed on the
  ///     way.
  /// - Complexity: Per layer 4 · n · in · out + 2 · edges · in flops, then
  ///   4 · n · hidden · width + 2 · edges · width · (width + 1).
  public func linkage(
    of input: consuming NodeInput, over graph: NeighborGraph, using workers: Workers = Workers(),
    on communicator: some Communicator
  ) throws -> Linkage {
    try communicator.assertReplicated(
      (layers: layers.count, usesAverageFeature: usesAverageFeature, dimensions: dimensions))
    var input = input
    for layer in layers.dropLast() {
      let sum = try layer.neighborSums(
        of: consume input, over: graph, using: workers, on: communicator)
      input = NodeInput(hidden: (consume sum).hiddenRows(using: workers))
    }
    let sum = try layers[layers.count - 1].neighborSums(
      of: consume input, over: graph, using: workers, on: communicator)
    let ends = (consume sum).hiddenRows(
      applying: [decoder.source, decoder.destination], using: workers)
    let distance = try decoder.distances(
      source: ends[0], destination: ends[1], over: graph, using: workers, on: communicator)
    return Linkage(distance: distance, density: density(distance: distance, over: graph))
  }
}

/// The density of every owned node: how strongly its neighbourhood agrees with it.
///
///     dᵢ = 1/|N(i)| · Σⱼ (2 pᵢⱼ − 1) aᵢⱼ,   j ∈ N(i)        [Xing et al. 2021, arXiv:2107.01319]
///
/// The sum runs in double precision in row order.
///
/// - Parameter distance: 1 − p of every edge. Shape `[edgeCount]`.
/// - Returns: In [−1, 1]; 0 for a node without edges. Shape `[ownedCount]`.
/// - Complexity: O(edges).
public func density(distance: [Float], over graph: NeighborGraph) -> [Float] {
  precondition(distance.count == graph.edgeCount, "\(distance.count) of \(graph.edgeCount) edges")
  return (0..<graph.ownedCount).map { node in
    let edges = graph.edges(into: node)
    guard !edges.isEmpty else { return 0 }
    let sum = edges.reduce(0.0) {
      $0 + (1 - 2 * Double(distance[$1])) * Double(graph.affinities[$1])
    }
    return Float(sum / Double(edges.count))
  }
}

extension LinkageDecoder {
  /// 1 − p of every edge.
  ///
  /// Edges from owned nodes are decoded first, then those from each piece of the ghosts as it
  /// arrives. An edge's value depends only on its ends.
  ///
  /// > Collective: over `communicator`. A round to agree on the number of pieces, one per piece;
  /// > `4 · width` bytes per ghost in all.
  ///
  /// - Parameters:
  ///   - source: Owned. S hⱼ + s. Shape `[ownedCount × width]`.
  ///   - destination: Owned. T hᵢ + t. Shape `[ownedCount × width]`.
  func distances(
    source: Matrix, destination: Matrix, over graph: NeighborGraph, using workers: Workers,
    on communicator: some Communicator
  ) throws -> [Float] {
    try communicator.assertReplicated(width, from: .all)
    var logits = Array(repeating: Float(0), count: graph.edgeCount)
    try graph.forEachSources(source, on: communicator) { sources in
      decode(edgesFrom: sources, destination, over: graph, into: &logits, using: workers)
    }
    return logits.map { probabilityOfFirst(logitDifference: $0) }
  }

  /// Decodes the edges from some of the local nodes, a run of destinations at a time.
  private func decode(
    edgesFrom sources: EdgeSources, _ destination: Matrix, over graph: NeighborGraph,
    into logits: inout [Float], using workers: Workers
  ) {
    for nodes in (0..<graph.ownedCount).tiles(of: 16_384) {
      var batch = EdgeBatch()
      for node in nodes {
        for edge in graph.edges(into: node) {
          guard let row = sources.row(of: graph.columns[edge]) else { continue }
          batch.edges.append(edge)
          batch.sources.append(Int32(row))
          batch.destinations.append(Int32(node))
        }
      }
      decode(
        batch, source: sources.rows, destination: destination, into: &logits, using: workers)
    }
  }
}
