internal import CKernels
public import LinearAlgebra
public import Parallelism

// The kernels over rows behind functions that check sizes first. Their plain twins are in
// RowScalar.swift.

extension Float: RowScalar {
  public static func affine(
    _ terms: [(x: Matrix, weight: Matrix)], bias: Matrix?, isRectified: Bool,
    using workers: Workers
  ) -> Matrix {
    let (rowCount, width) = (terms[0].x.rowCount, terms[0].weight.rowCount)
    precondition(
      terms.allSatisfy {
        $0.x.rowCount == rowCount && $0.weight.rowCount == width
          && $0.x.columnCount == $0.weight.columnCount
      } && (bias?.count ?? width) == width,
      "\(terms.map { ($0.x.columnCount, $0.weight.columnCount) }) columns of terms")
    var y = Matrix(uninitializedRows: rowCount, columns: width)
    guard width > 0 else { return y }
    let packed = terms.map { PackedMatrix(columns: $0.weight) }
    let sources = unsafe terms.map { unsafe $0.x.sharedRows() }
    let target = unsafe y.disjointRows()
    let start = bias ?? Matrix(rows: 1, columns: width)
    let initial = unsafe start.sharedRows()
    let tiles = (0..<rowCount).tiles(of: 192)
    workers.forEach(tiles.count) { tile in
      let rows = tiles[tile]
      for index in packed.indices {
        unsafe multiplyPacked(
          sources[index][rows.lowerBound], stride: packed[index].depth, rowCount: rows.count,
          packed[index], into: target[rows.lowerBound], stride: width, start: initial.base,
          accumulates: index > 0)
      }
      if isRectified {
        unsafe highland_rectify(target[rows.lowerBound], width, rows.count, width)
      }
    }
    withExtendedLifetime((terms, start)) {}
    return y
  }

  public static func rectifiedGradient(
    _ gradient: Matrix, of y: Matrix, parts: RowBlocks, using workers: Workers
  ) -> (gradient: Matrix, columnSums: [Double]) {
    check(gradient, y)
    var passed = Matrix(uninitializedRows: y.rowCount, columns: y.columnCount)
    let width = y.columnCount
    let (g, value, target) = unsafe (
      gradient.sharedRows(), y.sharedRows(), passed.disjointRows()
    )
    let sums = unsafe sums(over: parts, of: y.rowCount, count: width, using: workers) {
      rows, sums in
      unsafe highland_rectified_gradient(
        g[rows.lowerBound], value[rows.lowerBound], rows.count, width, target[rows.lowerBound],
        sums)
    }
    withExtendedLifetime((gradient, y)) {}
    return (passed, sums)
  }

  public static func columnSums(
    _ x: Matrix, parts: RowBlocks, using workers: Workers
  ) -> [Double] {
    let width = x.columnCount
    let source = unsafe x.sharedRows()
    defer { withExtendedLifetime(x) {} }
    return unsafe sums(over: parts, of: x.rowCount, count: width, using: workers) { rows, sums in
      unsafe highland_add_column_sums(source[rows.lowerBound], rows.count, width, sums)
    }
  }

  public static func squares(
    _ x: Matrix, mean: Matrix, parts: RowBlocks, using workers: Workers
  ) -> [Double] {
    let width = x.columnCount
    precondition(mean.count == width, "\(mean.count) means of \(width) columns")
    let (source, center) = unsafe (x.sharedRows(), mean.sharedRows())
    defer { withExtendedLifetime((x, mean)) {} }
    return unsafe sums(over: parts, of: x.rowCount, count: width, using: workers) { rows, sums in
      unsafe highland_add_squares(
        source[rows.lowerBound], center.base, rows.count, width, sums)
    }
  }

  public static func normalize(
    _ x: Matrix, mean: Matrix, slope: Matrix, shift: Matrix, using workers: Workers
  ) -> Matrix {
    let width = x.columnCount
    precondition(
      mean.count == width && slope.count == width && shift.count == width,
      "rows of \(mean.count), \(slope.count) and \(shift.count) for \(width) columns")
    var y = Matrix(uninitializedRows: x.rowCount, columns: width)
    let (source, target) = unsafe (x.sharedRows(), y.disjointRows())
    let (m, s, b) = unsafe (mean.sharedRows(), slope.sharedRows(), shift.sharedRows())
    forEachTile(ofRows: x.rowCount, width: width, using: workers) { rows in
      unsafe highland_normalize(
        source[rows.lowerBound], m.base, s.base, b.base, rows.count, width,
        target[rows.lowerBound])
    }
    withExtendedLifetime((x, mean, slope, shift)) {}
    return y
  }

  public static func normalizationSums(
    _ gradient: Matrix, _ x: Matrix, mean: Matrix, parts: RowBlocks, using workers: Workers
  ) -> [Double] {
    check(gradient, x)
    let width = x.columnCount
    precondition(mean.count == width, "\(mean.count) means of \(width) columns")
    let (g, source, m) = unsafe (gradient.sharedRows(), x.sharedRows(), mean.sharedRows())
    defer { withExtendedLifetime((gradient, x, mean)) {} }
    return unsafe sums(over: parts, of: x.rowCount, count: 2 * width, using: workers) {
      rows, sums in
      unsafe highland_add_normalization_sums(
        g[rows.lowerBound], source[rows.lowerBound], m.base, rows.count, width, sums,
        sums + width)
    }
  }

  public static func normalizationGradient(
    _ gradient: Matrix, _ x: Matrix, coefficients: Matrix, using workers: Workers
  ) -> Matrix {
    check(gradient, x)
    let width = x.columnCount
    precondition(
      coefficients.rowCount == 3 && coefficients.columnCount == width,
      "[\(coefficients.rowCount) × \(coefficients.columnCount)] coefficients")
    var result = Matrix(uninitializedRows: x.rowCount, columns: width)
    let (g, source) = unsafe (gradient.sharedRows(), x.sharedRows())
    let (c, target) = unsafe (coefficients.sharedRows(), result.disjointRows())
    forEachTile(ofRows: x.rowCount, width: width, using: workers) { rows in
      unsafe highland_normalization_gradient(
        g[rows.lowerBound], source[rows.lowerBound], c[0], c[1], c[2], rows.count, width,
        target[rows.lowerBound])
    }
    withExtendedLifetime((gradient, x, coefficients)) {}
    return result
  }

  private static func check(_ a: Matrix, _ b: Matrix) {
    precondition(
      a.rowCount == b.rowCount && a.columnCount == b.columnCount,
      "[\(a.rowCount) × \(a.columnCount)] and [\(b.rowCount) × \(b.columnCount)]")
  }

  private static func forEachTile(
    ofRows rowCount: Int, width: Int, using workers: Workers,
    _ body: @Sendable (Range<Int>) -> Void
  ) {
    let tiles = (0..<rowCount).tiles(of: max(1, 16_384 / max(width, 1)))
    workers.forEach(tiles.count) { body(tiles[$0]) }
  }

  /// What `body` adds to so many sums, over all parts of the rows: each part's in `Float`, then all
  /// in `Double`.
  ///
  /// - Parameter body: Adds a part's to `count` floats, which are 0 before.
  @unsafe private static func sums(
    over parts: RowBlocks, of rowCount: Int, count: Int, using workers: Workers,
    _ body: @Sendable (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) -> [Double] {
    precondition(parts.rowCount == rowCount, "parts of \(parts.rowCount) rows of \(rowCount)")
    var partial = Matrix(rows: parts.count, columns: count)
    let target = unsafe partial.disjointRows()
    workers.forEach(parts.count) { unsafe body(parts[$0], target[$0]) }
    return partial.sumsOfRows(times: 1)
  }
}

extension DenseMatrix {
  /// The sum of stacked blocks of `rows` rows each, in double precision. Shape `[rows * columnCount]`.
  @specialized(where Scalar == Float)
  func sumsOfRows(times rows: Int) -> [Double] {
    let length = rows * columnCount
    var sums = Array(repeating: 0.0, count: length)
    guard length > 0 else { return sums }
    unsafe withUnsafeBufferPointer { stack in
      unsafe sums.withUnsafeMutableBufferPointer { sums in
        for first in stride(from: 0, to: stack.count, by: length) {
          for place in 0..<length { unsafe sums[place] += Double(stack[first + place]) }
        }
      }
    }
    return sums
  }
}
