internal import CKernels
public import LinearAlgebra
public import Parallelism

// The kernels of pooling behind functions that check sizes first. Their plain twins are in
// PoolingScalar.swift.

extension Float: PoolingScalar {
  public static func softmax(ofRows x: Matrix, using workers: Workers) -> Matrix {
    var y = Matrix(uninitializedRows: x.rowCount, columns: x.columnCount)
    let (width, rows) = (x.columnCount, x.rowCount)
    guard width > 0 else { return y }
    let tiles = (0..<rows).tiles(of: max(1, 16_384 / max(width, 1)))
    let (source, target) = unsafe (x.sharedRows(), y.disjointRows())
    workers.forEach(tiles.count) { tile in
      let first = tiles[tile].lowerBound
      unsafe highland_softmax_rows(source[first], target[first], tiles[tile].count, width)
    }
    withExtendedLifetime(x) {}
    return y
  }

  public static func softmaxGradient(
    _ y: Matrix, _ gradient: Matrix, using workers: Workers
  ) -> Matrix {
    precondition(
      y.rowCount == gradient.rowCount && y.columnCount == gradient.columnCount,
      "[\(y.rowCount) × \(y.columnCount)] and [\(gradient.rowCount) × \(gradient.columnCount)]")
    var x = Matrix(uninitializedRows: y.rowCount, columns: y.columnCount)
    let width = y.columnCount
    let tiles = (0..<y.rowCount).tiles(of: max(1, 16_384 / max(width, 1)))
    let (p, g, target) = unsafe (y.sharedRows(), gradient.sharedRows(), x.disjointRows())
    workers.forEach(tiles.count) { tile in
      let first = tiles[tile].lowerBound
      unsafe highland_softmax_gradient(
        p[first], g[first], target[first], tiles[tile].count, width)
    }
    withExtendedLifetime((y, gradient)) {}
    return x
  }

  public static func entropy(_ s: Matrix, _ rows: Range<Int>, epsilon: Float) -> Double {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= s.rowCount, "rows \(rows)")
    guard !rows.isEmpty, s.columnCount > 0 else { return 0 }
    let width = s.columnCount
    return unsafe s.withUnsafeBufferPointer {
      unsafe highland_entropy(
        $0.baseAddress! + rows.lowerBound * width, rows.count * width, epsilon)
    }
  }

  public static func entropyGradient(_ s: Matrix, epsilon: Float, factor: Float) -> Matrix {
    var gradient = Matrix(uninitializedRows: s.rowCount, columns: s.columnCount)
    unsafe s.withUnsafeBufferPointer { s in
      unsafe gradient.withUnsafeMutableBufferPointer {
        unsafe highland_entropy_gradient(
          s.baseAddress!, $0.baseAddress!, s.count, epsilon, factor)
      }
    }
    return gradient
  }

  public static func blockProducts(
    _ kind: BlockProduct, _ a: Matrix, _ b: Matrix, blocks: RowBlocks, using workers: Workers
  ) -> Matrix {
    let (rows, columns) = kind.shape(a, b, blocks)
    let height = kind.height(a)
    let (depth, width) = (a.columnCount, b.columnCount)
    guard height > 0, columns > 0, depth > 0 else { return Matrix(rows: rows, columns: columns) }
    var c = Matrix(uninitializedRows: rows, columns: columns)
    let (left, right, target) = unsafe (a.sharedRows(), b.sharedRows(), c.disjointRows())
    workers.forEach(blocks.count) {
      PackedMatrix()
    } _: { block, packed in
      let rows = blocks[block]
      let stack = block * height
      switch kind {
      case .transposed:
        unsafe multiplyThin(
          left[rows.lowerBound], .transposed, rowCount: depth, depth: rows.count,
          right[rows.lowerBound], columns: width, into: target[stack], scratch: &packed)
      case .plain:
        unsafe multiplyThin(
          left[rows.lowerBound], .plain, rowCount: rows.count, depth: depth, right[stack],
          columns: width, into: target[rows.lowerBound], scratch: &packed)
      case .byRows:
        unsafe packed.pack(rows: right[stack], stride: width, count: height, depth: width)
        unsafe multiplyPacked(
          left[rows.lowerBound], stride: width, rowCount: rows.count, packed,
          into: target[rows.lowerBound], stride: height)
      }
    }
    withExtendedLifetime((a, b)) {}
    return c
  }
}
