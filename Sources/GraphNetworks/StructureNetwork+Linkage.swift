internal import CKernels
public import Communication
internal import DistributedGraphs
internal import LinearAlgebra
public import Parallelism
public import SimilarityStructure

extension StructureNetwork {
  /// Linkage probabilities and densities of a level.
  ///
  /// Inputs and hidden rows of edges exist a tile of nodes at a time.
  ///
  /// > Collective: over `communicator`. One round, `4 · width` bytes per ghost; at level 0 two more of 80 bytes per rank.
  ///
  /// - Complexity: 2 · edges · width · (4 width + edge features) flops, and less for the nodes.
  public func linkage(
    of features: StructureFeatures, using workers: Workers = Workers(),
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
    let hidden = try graph.halo.extend(
      hiddenRows(of: nodes, over: graph, using: workers), on: communicator)
    let places = max(features.nearLength, 1)
    var logits = Matrix(rows: graph.ownedCount, columns: places)
    logits.forEachTile(ofRows: Self.tileLength, using: workers) {
      EdgeScratch(edgeCount: Self.tileLength * places, inputs: edgeFirst.inputWidth, width: width)
    } _: { nodes, tile, scratch in
      fill(&scratch.inputs, of: nodes, hidden, features)
      let edgeCount = graph.rowOffsets[nodes.upperBound] - graph.rowOffsets[nodes.lowerBound]
      let values = decode(&scratch, edgeCount)
      var next = 0
      for node in nodes {
        let first = (node - nodes.lowerBound) * places
        for place in 0..<graph.edges(into: node).count {
          tile[first + place] = values[next]
          next += 1
        }
      }
    }
    var distance: [Float] = []
    distance.reserveCapacity(graph.edgeCount)
    for node in 0..<graph.ownedCount {
      for place in 0..<graph.edges(into: node).count {
        distance.append(probabilityOfFirst(logitDifference: logits[node, place]))
      }
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

  /// Nodes whose edges are judged together: 48 · 9 edges and their inputs stay in cache.
  private static let tileLength = 48

  /// h of every owned node. Shape `[ownedCount × width]`.
  ///
  /// - Parameter rows: Rescaled features.
  private func hiddenRows(
    of rows: LocalRows, over graph: NeighborGraph, using workers: Workers
  ) -> Matrix {
    var means = Matrix(rows: graph.ownedCount, columns: nodeScale.count)
    addNeighborSums(
      graph.meanWeights, of: rows, over: graph, into: &means, at: 0, using: workers)
    let inputs = nodeScale.count
    let sum = LayerSum(
      sources: [rows.owned, means],
      products: [
        (0, PackedMatrix(columns: nodeHidden.weight.slice(columns: 0..<inputs))),
        (1, PackedMatrix(columns: nodeHidden.weight.slice(columns: inputs..<2 * inputs))),
      ], bias: nodeHidden.bias)
    return sum.hiddenRows(applying: [nodeOutput], using: workers)[0]
  }

  /// Writes [hᵢ + hⱼ , |hᵢ − hⱼ| , eᵢⱼ] of the edges into some nodes, one row per edge.
  private func fill(
    _ inputs: inout Matrix, of nodes: Range<Int>, _ hidden: LocalRows,
    _ features: StructureFeatures
  ) {
    let graph = features.graph
    let (width, stride) = (width, inputs.columnCount)
    let edgeCount = graph.rowOffsets[nodes.upperBound] - graph.rowOffsets[nodes.lowerBound]
    precondition(
      edgeCount <= inputs.rowCount && hidden.width == width
        && hidden.owned.columnCount == width && stride == 2 * width + edgeScale.count)
    let (owned, ghosts) = unsafe (hidden.owned.sharedRows(), hidden.ghosts.sharedRows())
    unsafe inputs.withUnsafeMutableBufferPointer { inputs in
      var row = inputs.baseAddress!
      for node in nodes {
        let h = unsafe owned[node]
        for edge in graph.edges(into: node) {
          let source = Int(graph.columns[edge].index)
          let other =
            unsafe source < graph.ownedCount ? owned[source] : ghosts[source - graph.ownedCount]
          for channel in 0..<width {
            unsafe row[channel] = h[channel] + other[channel]
            unsafe row[width + channel] = abs(h[channel] - other[channel])
          }
          unsafe row += stride
        }
      }
      var all = unsafe MutableSpan(_unsafeElements: inputs)
      features.writeEdgeFeatures(into: nodes, &all, stride: stride, at: 2 * width)
      edgeScale.apply(to: &all, rowCount: edgeCount, stride: stride, at: 2 * width)
    }
  }

  /// o · (u + ReLU(E₃ u)) of the first rows of the inputs.
  private func decode(_ scratch: inout EdgeScratch, _ edgeCount: Int) -> [Float] {
    let edges = 0..<edgeCount
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

/// What a thread works in.
private struct EdgeScratch {
  var inputs: Matrix
  var first: Matrix
  var second: Matrix

  init(edgeCount: Int, inputs: Int, width: Int) {
    self.inputs = Matrix(rows: edgeCount, columns: inputs)
    first = Matrix(rows: edgeCount, columns: width)
    second = Matrix(rows: edgeCount, columns: width)
  }
}

extension NeighborGraph {
  /// 1 over the number of edges into the node, for every edge: weighted sums are means.
  fileprivate var meanWeights: [Float] {
    (0..<ownedCount).flatMap { node in
      let count = edges(into: node).count
      return Array(repeating: 1 / Float(max(count, 1)), count: count)
    }
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
