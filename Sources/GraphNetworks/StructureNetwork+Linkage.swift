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
  /// > Collective: over `communicator`. One round, `4 · width` bytes per ghost.
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
    let hidden = try graph.halo.extend(
      hiddenRows(of: features, using: workers), on: communicator)
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
    return Linkage(distance: distance, density: density(distance: distance, over: graph))
  }

  /// Nodes whose edges are judged together: 48 · 9 edges and their inputs stay in cache.
  private static let tileLength = 48

  /// h of every owned node. Shape `[ownedCount × width]`.
  private func hiddenRows(of features: StructureFeatures, using workers: Workers) -> Matrix {
    let graph = features.graph
    let rows = features.localNodeFeatures { nodeScale.applied(to: $0) }
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
