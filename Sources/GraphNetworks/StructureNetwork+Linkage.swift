internal import CKernels
public import Communication
internal import DistributedGraphs
internal import LinearAlgebra
public import Parallelism
public import SimilarityStructure

extension StructureNetwork {
  /// Linkage probabilities and densities of a level.
  ///
  /// Inputs and hidden rows of edges exist for a batch of edges at a time.
  ///
  /// > Collective: over `communicator`. A round to agree on the number of pieces of the ghosts, and one for each,
  /// > `4 · width` bytes per ghost in all; at level 0 two more of 80 bytes per rank.
  ///
  /// - Parameter targetCount: Owned. Only edges into so many of the first nodes are judged; those into others are taken to be
  ///   apart, and densities of these say nothing. Nil for all.
  /// - Complexity: 2 · edges · width · (4 width + edge features) flops, and less for the nodes.
  public func linkage(
    of features: StructureFeatures, intoFirst targetCount: Int? = nil,
    using workers: Workers = Workers(),
    on communicator: some Communicator
  ) throws -> Linkage {
    try communicator.assertReplicated((settings: settings, width: width))
    try communicator.assertReplicated(
      [nodeHidden, nodeOutput, edgeFirst, edgeSecond, edgeThird, output].map(\.weight.elements),
      from: .all)
    let graph = features.graph
    let nodes = features.localNodeFeatures { nodeScale.applied(to: $0) }
    let strangeness =
      features.levelNumber == 0 ? try strangeness(nodes.owned, on: communicator) : nil
    let hidden = hiddenRows(of: consume nodes, over: graph, using: workers)
    var distance = Array(repeating: Float(1), count: graph.edgeCount)
    let targets = 0..<(targetCount ?? graph.ownedCount)
    try graph.forEachSources(hidden, on: communicator) { sources in
      judge(features, from: sources, to: hidden, targets, into: &distance, using: workers)
    }
    return Linkage(
      distance: distance, density: density(distance: distance, over: graph),
      strangeness: strangeness)
  }

  /// How far some nodes are from those that the network learned from: the root of the mean square, over what
  /// neighbourhoods look like, of the mean difference from the mean of training, in standard deviations.
  ///
  /// > Collective: over `communicator`. Two rounds of 80 bytes per rank.
  ///
  /// - Parameter rows: Owned. Rescaled features of level 0. Shape `[ownedCount × nodeWidth]`.
  /// - Returns: Nil for fewer than a hundred nodes, whose neighbourhoods are a good part of all of them.
  private func strangeness(_ rows: Matrix, on communicator: some Communicator) throws -> Double? {
    // Those of the members of a node follow; at level 0 they say little.
    let count = NodeFeature.logSize.rawValue
    // Whole numbers, so that the bits do not depend on ranks: 2¹⁸ at most, of 10¹³ nodes.
    var sums = Array(repeating: Int64(0), count: count + 1)
    sums[count] = Int64(rows.rowCount)
    let width = rows.columnCount
    unsafe rows.withUnsafeBufferPointer { rows in
      for first in stride(from: 0, to: rows.count, by: width) {
        for feature in 0..<count {
          unsafe sums[feature] += Int64((rows[first + feature] * 65536).rounded())
        }
      }
    }
    sums = try communicator.sums(sums)
    guard sums[count] >= 100 else { return nil }
    let scale = 1 / (65536 * Double(sums[count]))
    let squares = sums[..<count].reduce(0.0) { $0 + Double($1) * scale * (Double($1) * scale) }
    return (squares / Double(count)).squareRoot()
  }

  /// h of every owned node. Shape `[ownedCount × width]`.
  ///
  /// - Parameter rows: Rescaled features. Consumed: their memory is freed as the result fills up.
  private func hiddenRows(
    of rows: consuming LocalRows, over graph: NeighborGraph, using workers: Workers
  ) -> Matrix {
    var means = Matrix(rows: graph.ownedCount, columns: nodeScale.count)
    addNeighborSums(
      graph.meanWeights, of: rows, over: graph, into: &means, at: 0, using: workers)
    let inputs = nodeScale.count
    let owned = (consume rows).owned
    let sum = LayerSum(
      sources: [consume owned, consume means],
      products: [
        (0, PackedMatrix(columns: nodeHidden.weight.slice(columns: 0..<inputs))),
        (1, PackedMatrix(columns: nodeHidden.weight.slice(columns: inputs..<2 * inputs))),
      ], bias: nodeHidden.bias)
    return (consume sum).hiddenRows(applying: [nodeOutput], using: workers)[0]
  }

  /// Writes 1 − p of the edges from some nodes.
  ///
  /// Inputs and hidden rows exist for a batch of edges at a time; an edge's value depends only on its ends.
  ///
  /// - Parameters:
  ///   - hidden: h of the owned nodes. Shape `[ownedCount × width]`.
  ///   - targets: Only edges into these are judged.
  ///   - distance: One per edge; of edges from other nodes they stay.
  private func judge(
    _ features: StructureFeatures, from sources: EdgeSources, to hidden: Matrix,
    _ targets: Range<Int>, into distance: inout [Float], using workers: Workers
  ) {
    let graph = features.graph
    let tiles = targets.tiles(of: 192)
    distance.forEachTile(
      tiles.map { graph.rowOffsets[$0.lowerBound]..<graph.rowOffsets[$0.upperBound] },
      using: workers
    ) {
      EdgeScratch(inputs: edgeFirst.inputWidth, width: width)
    } _: { tile, distance, scratch in
      let firstEdge = graph.rowOffsets[tiles[tile].lowerBound]
      func judgeBatch() {
        for (batched, logit) in zip(scratch.edges, decode(&scratch)) {
          distance[batched.edge - firstEdge] = probabilityOfFirst(logitDifference: logit)
        }
        scratch.edges.removeAll(keepingCapacity: true)
      }
      for target in tiles[tile] {
        for (place, edge) in graph.edges(into: target).enumerated() {
          guard let source = sources.row(of: graph.columns[edge]) else { continue }
          scratch.append(
            BatchedEdge(edge: edge, place: place, target: target, sourceRow: source),
            from: sources.rows, to: hidden, features, edgeScale)
          if scratch.isFull { judgeBatch() }
        }
      }
      if !scratch.edges.isEmpty { judgeBatch() }
    }
  }

  /// o · (u + ReLU(E₃ u)) of a batch of edges.
  private func decode(_ scratch: inout EdgeScratch) -> [Float] {
    let edges = 0..<scratch.edges.count
    multiply(
      scratch.inputs, rows: edges, edgeFirst.packed, bias: edgeFirst.bias, into: &scratch.first)
    scratch.first.rectify(rows: edges)
    multiply(
      scratch.first, rows: edges, edgeSecond.packed, bias: edgeSecond.bias, into: &scratch.second)
    scratch.second.rectify(rows: edges)
    multiply(
      scratch.second, rows: edges, edgeThird.packed, bias: edgeThird.bias, into: &scratch.first)
    scratch.first.rectify(rows: edges)
    scratch.first.add(scratch.second, rows: edges)
    return scratch.first.dots(rows: edges, with: output.weight.elements, plus: output.bias[0])
  }
}

/// An edge j → i, the place that it has among those into i, and the row of j among those at hand.
private struct BatchedEdge {
  var edge: Int
  var place: Int
  var target: Int
  var sourceRow: Int
}

/// A batch of edges, and what a thread works in to judge them.
private struct EdgeScratch {
  var edges: [BatchedEdge] = []
  /// [hᵢ + hⱼ , |hᵢ − hⱼ| , eᵢⱼ], a row per edge.
  var inputs: Matrix
  var first: Matrix
  var second: Matrix

  /// With their inputs, these stay in cache.
  private static let capacity = 432

  init(inputs: Int, width: Int) {
    edges.reserveCapacity(Self.capacity)
    self.inputs = Matrix(rows: Self.capacity, columns: inputs)
    first = Matrix(rows: Self.capacity, columns: width)
    second = Matrix(rows: Self.capacity, columns: width)
  }

  var isFull: Bool { edges.count == Self.capacity }

  /// - Parameters:
  ///   - sources: h of the sources, in the rows that edges name.
  ///   - hidden: h of the targets.
  ///   - scale: Of the features.
  mutating func append(
    _ edge: BatchedEdge, from sources: Matrix, to hidden: Matrix, _ features: StructureFeatures,
    _ scale: FeatureScale
  ) {
    let (width, stride) = (hidden.columnCount, inputs.columnCount)
    precondition(
      !isFull && sources.columnCount == width && stride == 2 * width + StructureFeatures.edgeWidth)
    let (from, to) = unsafe (sources.sharedRows(), hidden.sharedRows())
    let first = edges.count * stride
    unsafe inputs.withUnsafeMutableBufferPointer { inputs in
      let row = unsafe inputs.baseAddress! + first
      let (h, other) = unsafe (to[edge.target], from[edge.sourceRow])
      for channel in 0..<width {
        unsafe row[channel] = h[channel] + other[channel]
        unsafe row[width + channel] = abs(h[channel] - other[channel])
      }
      var all = unsafe MutableSpan(_unsafeElements: inputs)
      features.writeFeatures(
        ofEdge: edge.edge, at: edge.place, into: edge.target, to: &all, at: first + 2 * width)
      scale.apply(to: &all, rowCount: 1, stride: stride, at: first + 2 * width)
    }
    edges.append(edge)
  }
}

extension NeighborGraph {
  /// 1 over the number of edges into the node, for every edge: weighted sums are means.
  fileprivate var meanWeights: [Float] {
    var weights = Array(repeating: Float(0), count: edgeCount)
    for node in 0..<ownedCount {
      let edges = edges(into: node)
      for edge in edges { weights[edge] = 1 / Float(edges.count) }
    }
    return weights
  }
}

extension Matrix {
  /// Replaces negative elements of some rows by 0.
  fileprivate mutating func rectify(rows: Range<Int>) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
    let width = columnCount
    unsafe withUnsafeMutableBufferPointer {
      unsafe highland_rectify(
        $0.baseAddress! + rows.lowerBound * width, width, rows.count, width)
    }
  }

  /// Adds the same rows of a matrix of the same shape.
  fileprivate mutating func add(_ other: Matrix, rows: Range<Int>) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount && other.rowCount == rowCount
        && other.columnCount == columnCount, "rows \(rows) of \(rowCount)")
    let width = columnCount
    unsafe other.withUnsafeBufferPointer { other in
      unsafe withUnsafeMutableBufferPointer {
        let first = rows.lowerBound * width
        unsafe highland_add(
          other.baseAddress! + first, width, $0.baseAddress! + first, width, rows.count, width)
      }
    }
  }

  /// The inner product of every row with `weights`, in sixteen lanes, plus a number.
  fileprivate func dots(rows: Range<Int>, with weights: [Float], plus bias: Float) -> [Float] {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount && weights.count == columnCount,
      "rows \(rows) of \(rowCount), \(weights.count) weights")
    let slopes = Array(repeating: Float(1), count: weights.count)
    var dots = Array(repeating: Float(0), count: rows.count)
    unsafe withUnsafeBufferPointer { rowsOfAll in
      unsafe dots.withUnsafeMutableBufferPointer { dots in
        guard let target = dots.baseAddress else { return }
        unsafe highland_edge_outputs(
          rowsOfAll.baseAddress! + rows.lowerBound * columnCount, rows.count, slopes, weights, bias,
          columnCount, target)
      }
    }
    return dots
  }
}
