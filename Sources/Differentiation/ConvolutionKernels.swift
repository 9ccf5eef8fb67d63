internal import CKernels
public import LinearAlgebra
public import Parallelism

// Graph convolutions in passes that stay in the cache. Their plain twins are in
// Variable+Convolution.swift.

extension Float {
  public static func convolution(
    _ x: Matrix, over graph: PartedGraph<Float>, weight: Matrix, bias: Matrix, isRectified: Bool,
    using workers: Workers
  ) -> (sums: Matrix, result: Matrix) {
    let (rowCount, width) = (graph.pattern.rowCount, weight.rowCount)
    let length = x.columnCount
    precondition(
      x.rowCount == rowCount && weight.columnCount == length && bias.count == width,
      "[\(x.rowCount) × \(length)] of \(rowCount) nodes by [\(width) × \(weight.columnCount)]")
    var sums = Matrix(uninitializedRows: rowCount, columns: length)
    var y = Matrix(uninitializedRows: rowCount, columns: width)
    guard width > 0 else { return (sums, y) }
    let packed = PackedMatrix(columns: weight)
    let (source, start) = unsafe (x.sharedRows(), bias.sharedRows())
    let (middle, target) = unsafe (sums.disjointRows(), y.disjointRows())
    let tiles = (0..<rowCount).tiles(of: 96)
    workers.forEach(tiles.count) { tile in
      let rows = tiles[tile]
      unsafe addNeighbors(
        of: rows, in: graph, source.base, count: rowCount, width: length,
        to: middle[rows.lowerBound])
      unsafe multiplyPacked(
        middle[rows.lowerBound], stride: length, rowCount: rows.count, packed,
        into: target[rows.lowerBound], stride: width, start: start.base)
      if isRectified {
        unsafe highland_rectify(target[rows.lowerBound], width, rows.count, width)
      }
    }
    withExtendedLifetime((x, bias)) {}
    return (sums, y)
  }

  public static func convolutionGradient(
    _ gradient: inout Matrix, of y: Matrix?, sums: Matrix, over graph: PartedGraph<Float>,
    weight: Matrix, wantsInput: Bool, using workers: Workers
  ) -> AffineGradient<Float> {
    let (length, width) = (weight.columnCount, weight.rowCount)
    precondition(
      gradient.rowCount == graph.pattern.rowCount && gradient.columnCount == width
        && sums.columnCount == length && (y?.count ?? gradient.count) == gradient.count,
      "[\(gradient.rowCount) × \(gradient.columnCount)] of \(graph.pattern.rowCount) nodes")
    let parts = graph.parts.blocks
    let longest = wantsInput ? (0..<parts.count).reduce(0) { max($0, parts[$1].count) } : 0
    // A part's result may take the place of what came in.
    var input = Matrix(
      uninitializedRows: wantsInput && length != width ? gradient.rowCount : 0, columns: length)
    let target = unsafe length == width ? gradient.disjointRows() : input.disjointRows()
    let weights = unsafe weight.sharedRows()
    let part = unsafe affineGradient(
      &gradient, of: y, [(sums, weight)], parts: parts, using: workers
    ) {
      Matrix(uninitializedRows: longest, columns: length)
    } _: { rows, g, scratch, packed in
      guard wantsInput, length > 0 else { return }
      let product = unsafe scratch.disjointRows()
      unsafe multiplyThin(
        g, .plain, rowCount: rows.count, depth: width, weights.base, columns: length,
        into: product.base, scratch: &packed)
      // The part's neighbours are in the part.
      unsafe addNeighbors(
        of: rows, in: graph, UnsafePointer(product.base) - rows.lowerBound * length,
        count: rows.upperBound, width: length, to: target[rows.lowerBound])
    }
    withExtendedLifetime(weight) {}
    return AffineGradient(
      inputs: [wantsInput ? (length == width ? gradient : input) : nil], sums: part.sums)
  }
}

/// Writes the weighted sums of some nodes' neighbours.
///
/// - Parameters:
///   - x: Valid for the rows of these nodes' neighbours, which are below `count`.
///   - target: `rows.count` rows.
@unsafe private func addNeighbors(
  of rows: Range<Int>, in graph: PartedGraph<Float>, _ x: UnsafePointer<Float>, count: Int,
  width: Int, to target: UnsafeMutablePointer<Float>
) {
  unsafe graph.pattern.rowOffsets.withUnsafeBytes { offsets in
    unsafe graph.pattern.columns.withUnsafeBufferPointer { columns in
      unsafe graph.weights.withUnsafeBufferPointer { weights in
        // Int is 64 bits wide.
        unsafe highland_weighted_sums(
          offsets.baseAddress!.assumingMemoryBound(to: Int64.self) + rows.lowerBound, rows.count,
          columns.baseAddress, weights.baseAddress,
          highland_local_rows(
            owned: x, owned_stride: width, owned_count: count, ghosts: x, ghost_stride: width),
          width, target, width)
      }
    }
  }
}
