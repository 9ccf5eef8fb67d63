package import Communication
public import DistributedGraphs
package import LinearAlgebra
package import Parallelism

// The part of a layer that looks at neighbours. It is linear in the neighbours' rows, so it can
// sum before it projects or project before it sums: whichever rows are narrower travel.

extension ConvolutionLayer {
  /// Everything of the layer that needs other nodes.
  ///
  /// > Collective: over `communicator`. One halo exchange of rows as wide as the distinct inputs or
  /// > the outputs of all heads, whichever is narrower, in slabs of columns; attention exchanges
  /// > `headCount` more floats per ghost before.
  ///
  /// - Parameter input: Owned. Consumed.
  func neighborSums(
    of input: consuming NodeInput, over graph: NeighborGraph, using workers: Workers,
    on communicator: some Communicator
  ) throws -> LayerSum {
    switch self {
    case .mean(let layer):
      var sum = LayerSum(sources: [], products: [], bias: layer.bias)
      try sum.addNeighborTerms(
        [layer.neighborWeight], weightedBy: [graph.normalizedAffinities()], of: input,
        over: graph, using: workers, on: communicator)
      sum.addOwnTerm(layer.selfWeight, of: consume input)
      return sum
    case .attention(let layer):
      var sum = LayerSum(sources: [], products: [], bias: layer.bias)
      try sum.addNeighborTerms(
        (0..<layer.headCount).map { layer.averagedWeight(ofHead: $0) },
        weightedBy: layer.attention(of: input, over: graph, using: workers, on: communicator),
        of: input, over: graph, using: workers, on: communicator)
      return sum
    }
  }
}

extension LayerSum {
  /// Adds W xᵢ.
  fileprivate mutating func addOwnTerm(_ weight: Matrix, of input: consuming NodeInput) {
    add(weight, of: input.blocks, input.blockColumns, sources: input.sources)
  }

  /// Adds Wₖ Σⱼ wₖᵢⱼ xⱼ for every head k.
  ///
  /// - Parameters:
  ///   - weights: W of every head. Shape `[out × in]` each.
  ///   - edgeWeights: w of every edge, per head.
  fileprivate mutating func addNeighborTerms(
    _ weights: [Matrix], weightedBy edgeWeights: [[Float]], of input: borrowing NodeInput,
    over graph: NeighborGraph, using workers: Workers, on communicator: some Communicator
  ) throws {
    let inputWidth = input.sources.reduce(0) { $0 + $1.columnCount }
    let outputWidth = weights.reduce(0) { $0 + $1.rowCount }
    if inputWidth <= outputWidth {
      let sums = try input.sources.map {
        try graph.sums(edgeWeights, of: $0, using: workers, on: communicator)
      }
      for (head, weight) in weights.enumerated() {
        add(weight, of: input.blocks, input.blockColumns, sources: sums.map { $0[head] })
      }
    } else {
      for (weight, edgeWeights) in zip(weights, edgeWeights) {
        let projected = input.product(with: weight, using: workers)
        addends.append(sources.count)
        sources += try graph.sums(
          [edgeWeights], of: projected, using: workers, on: communicator)
      }
    }
  }

  /// Adds the product with a weight over column blocks of some new sources.
  private mutating func add(
    _ weight: Matrix, of blocks: [Int], _ blockColumns: [Range<Int>],
    sources newSources: consuming [Matrix]
  ) {
    let first = sources.count
    sources += newSources
    for (block, columns) in zip(blocks, blockColumns) {
      products.append((first + block, PackedMatrix(columns: weight.slice(columns: columns))))
    }
  }
}

extension NodeInput {
  /// W xᵢ of every owned node. Shape `[ownedCount × weight.rowCount]`.
  func product(with weight: Matrix, using workers: Workers) -> Matrix {
    let sum = LayerSum(
      sources: sources,
      products: zip(blocks, blockColumns).map {
        ($0, PackedMatrix(columns: weight.slice(columns: $1)))
      },
      bias: Array(repeating: 0, count: weight.rowCount))
    return sum.hiddenRows(rectified: false, using: workers)
  }
}

extension NeighborGraph {
  /// w of every edge: affinities that add up to 1 over the edges into a node.
  ///
  ///     wᵢⱼ = aᵢⱼ / Σⱼ aᵢⱼ
  ///
  /// The sum runs in double precision in row order; the reference's runs by source index.
  public func normalizedAffinities() -> [Float] {
    var weights = affinities
    for node in 0..<ownedCount {
      let edges = edges(into: node)
      let sum = edges.reduce(0.0) { $0 + Double(affinities[$1]) }
      let reciprocal = sum > 0 ? 1 / sum : 1
      for edge in edges { weights[edge] = Float(reciprocal * Double(affinities[edge])) }
    }
    return weights
  }

  /// The weighted sums of the sources' rows over every owned node's in-edges, per head.
  ///
  ///     mₖᵢ = Σⱼ wₖᵢⱼ xⱼ
  ///
  /// Ghost rows come in slabs of columns: a column's sum needs no other column, and no rank holds
  /// more than a slab of its ghosts.
  ///
  /// > Collective: over `communicator`. ⌈columns / 32⌉ rounds, `4 · columns` bytes per ghost,
  /// > whatever the number of heads.
  ///
  /// - Parameters:
  ///   - weights: One per edge, for every head.
  ///   - rows: Owned. Shape `[ownedCount × columns]`.
  package func sums(
    _ weights: [[Float]], of rows: Matrix, using workers: Workers,
    on communicator: some Communicator
  ) throws -> [Matrix] {
    try communicator.assertReplicated(
      (heads: weights.count, columns: rows.columnCount), from: .all)
    var sums = weights.map { _ in Matrix(rows: ownedCount, columns: rows.columnCount) }
    let slabWidth = communicator.size > 1 ? 32 : max(rows.columnCount, 1)
    for slab in (0..<rows.columnCount).tiles(of: slabWidth) {
      let local = try halo.extend(rows, columns: slab, on: communicator)
      for (head, weights) in weights.enumerated() {
        addNeighborSums(
          weights, of: local, over: self, into: &sums[head], at: slab.lowerBound, using: workers)
      }
    }
    return sums
  }
}

extension AttentionLayer {
  /// α of every edge, per head. Shape `[headCount][edgeCount]`.
  ///
  ///     eᵢⱼ = LeakyReLU₀.₂( aₗ · W xⱼ + aᵣ · W xᵢ ),  αᵢⱼ = exp(eᵢⱼ − max) / Σⱼ exp(eᵢⱼ − max)
  ///
  /// > Collective: over `communicator`. One round, `8 · headCount` bytes per ghost.
  func attention(
    of input: borrowing NodeInput, over graph: NeighborGraph, using workers: Workers,
    on communicator: some Communicator
  ) throws -> [[Float]] {
    let logits = input.product(with: logitWeights, using: workers)
    let sources = try graph.halo.extend(logits, columns: 0..<headCount, on: communicator)
    return (0..<headCount).map { head in
      let source =
        (0..<graph.ownedCount).map { logits[$0, head] }
        + (0..<graph.halo.ghostCount).map { sources.ghosts[$0, head] }
      var attention = Array(repeating: Float(0), count: graph.edgeCount)
      for node in 0..<graph.ownedCount {
        let edges = graph.edges(into: node)
        let destination = logits[node, headCount + head]
        for edge in edges {
          let sum = source[Int(graph.columns[edge].index)] + destination
          attention[edge] = sum > 0 ? sum : 0.2 * sum
        }
        softmax(&attention, over: edges)
      }
      return attention
    }
  }
}
