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
    let tiles = (0..<rowCount).tiles(of: 96)
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

  public static func affineGradient(
    _ gradient: inout Matrix, of y: Matrix?, _ terms: [(x: Matrix, weight: Matrix)],
    wants: [Bool], parts: RowBlocks, using workers: Workers
  ) -> AffineGradient<Float> {
    precondition(wants.count == terms.count, "\(wants.count) wants of \(terms.count) terms")
    let (rowCount, width) = (gradient.rowCount, gradient.columnCount)
    var inputs = zip(terms, wants).map { term, isWanted in
      isWanted ? Matrix(uninitializedRows: rowCount, columns: term.x.columnCount) : nil
    }
    let weights = unsafe terms.map { unsafe $0.weight.sharedRows() }
    let targets = unsafe inputs.indices.map { unsafe inputs[$0]?.disjointRows() }
    let noScratch: @Sendable () -> Void = {}
    let part = unsafe affineGradient(
      &gradient, of: y, terms, parts: parts, using: workers, scratch: noScratch
    ) { rows, g, _, packed in
      for unsafe(weight, target) in unsafe zip(weights, targets) {
        guard let target = unsafe target, unsafe target.columnCount > 0 else { continue }
        unsafe multiplyThin(
          g, .plain, rowCount: rows.count, depth: width, weight.base, columns: weight.columnCount,
          into: target[rows.lowerBound], scratch: &packed)
      }
    }
    withExtendedLifetime(terms) {}
    return AffineGradient(inputs: inputs, sums: part.sums)
  }

  /// The gradients of weights and bias, part by part; what else becomes of a part's rows is `body`'s, while
  /// they are in the cache.
  ///
  /// - Parameter body: Gets the rows of a part and their gradient, 0 where y is, which it may overwrite.
  @unsafe static func affineGradient<Scratch>(
    _ gradient: inout Matrix, of y: Matrix?, _ terms: [(x: Matrix, weight: Matrix)],
    parts: RowBlocks, using workers: Workers, scratch: @Sendable () -> Scratch,
    _ body:
      @Sendable (
        _ rows: Range<Int>, _ gradient: UnsafeMutablePointer<Float>, _ scratch: inout Scratch,
        _ packed: inout PackedMatrix
      ) -> Void
  ) -> AffineGradient<Float> {
    let (rowCount, width) = (gradient.rowCount, gradient.columnCount)
    if let y { check(gradient, y) }
    precondition(
      terms.allSatisfy {
        $0.x.rowCount == rowCount && $0.weight.rowCount == width
          && $0.x.columnCount == $0.weight.columnCount
      } && parts.rowCount == rowCount,
      "\(terms.map { ($0.x.columnCount, $0.weight.columnCount) }) columns of terms, "
        + "\(parts.rowCount) of \(rowCount) rows")
    // The kernel makes 64 columns at once: few of them are better rows than columns.
    let isTurned = terms.map { $0.x.columnCount < min(width, 64) }
    let counts = terms.map { $0.weight.count }
    var stack = Matrix(rows: parts.count, columns: counts.reduce(width, +))
    let (g, sums) = unsafe (gradient.disjointRows(), stack.disjointRows())
    let value = unsafe y?.sharedRows()
    let sources = unsafe terms.map { unsafe $0.x.sharedRows() }
    workers.forEach(parts.count) {
      (own: scratch(), packed: PackedMatrix())
    } _: { part, scratch in
      let (first, count) = (parts[part].lowerBound, parts[part].count)
      guard count > 0, width > 0 else { return }
      var sum = unsafe sums[part]
      let bias = unsafe sum + (sums.columnCount - width)
      if let value = unsafe value {
        unsafe highland_rectify_gradient(g[first], value[first], count, width, bias)
      } else {
        unsafe highland_add_column_sums(g[first], count, width, bias)
      }
      for term in counts.indices where counts[term] > 0 {
        let length = unsafe sources[term].columnCount
        let (x, g) = unsafe (sources[term][first], UnsafePointer(g[first]))
        if isTurned[term] {
          unsafe multiplyThin(
            x, .transposed, rowCount: length, depth: count, g, columns: width, into: sum,
            scratch: &scratch.packed)
        } else {
          unsafe multiplyThin(
            g, .transposed, rowCount: width, depth: count, x, columns: length, into: sum,
            scratch: &scratch.packed)
        }
        unsafe sum += counts[term]
      }
      unsafe body(parts[part], g[first], &scratch.own, &scratch.packed)
    }
    withExtendedLifetime((y, terms)) {}
    var all = PartSums(stack)
    var place = 0
    for term in terms.indices {
      if isTurned[term] {
        all.turned.append(
          TurnedSums(first: place, rows: terms[term].x.columnCount, columns: width))
      }
      place += counts[term]
    }
    return AffineGradient(inputs: [], sums: all)
  }

  public static func means(
    _ x: Matrix, of blocks: RowBlocks, using workers: Workers
  ) -> Matrix {
    let width = x.columnCount
    precondition(
      blocks.rowCount == x.rowCount, "blocks of \(blocks.rowCount) rows of \(x.rowCount)")
    var y = Matrix(rows: blocks.count, columns: width)
    let (source, target) = unsafe (x.sharedRows(), y.disjointRows())
    workers.forEach(blocks.count) { block in
      let rows = blocks[block]
      let factor = 1 / Float(max(rows.count, 1))
      unsafe highland_add_column_sums(source[rows.lowerBound], rows.count, width, target[block])
      for column in 0..<width { unsafe target[block][column] *= factor }
    }
    withExtendedLifetime(x) {}
    return y
  }

  public static func spread(
    _ x: Matrix, over blocks: RowBlocks, using workers: Workers
  ) -> Matrix {
    let width = x.columnCount
    precondition(blocks.count == x.rowCount, "\(blocks.count) blocks for \(x.rowCount) rows")
    var y = Matrix(uninitializedRows: blocks.rowCount, columns: width)
    let (source, target) = unsafe (x.sharedRows(), y.disjointRows())
    workers.forEach(blocks.count) { block in
      let rows = blocks[block]
      unsafe highland_spread_row(
        source[block], 1 / Float(max(rows.count, 1)), rows.count, width, target[rows.lowerBound])
    }
    withExtendedLifetime(x) {}
    return y
  }

  public static func columnSums(
    _ x: Matrix, parts: RowBlocks, using workers: Workers
  ) -> PartSums<Float> {
    let width = x.columnCount
    let source = unsafe x.sharedRows()
    defer { withExtendedLifetime(x) {} }
    return unsafe sums(over: parts, of: x.rowCount, count: width, using: workers) { rows, sums in
      unsafe highland_add_column_sums(source[rows.lowerBound], rows.count, width, sums)
    }
  }

  public static func squares(
    _ x: Matrix, mean: Matrix, parts: RowBlocks, using workers: Workers
  ) -> PartSums<Float> {
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
  ) -> PartSums<Float> {
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

  public static func turnNormalizationGradient(
    _ gradient: inout Matrix, _ x: Matrix, coefficients: Matrix, using workers: Workers
  ) {
    check(gradient, x)
    let width = x.columnCount
    precondition(
      coefficients.rowCount == 3 && coefficients.columnCount == width,
      "[\(coefficients.rowCount) × \(coefficients.columnCount)] coefficients")
    let (g, source) = unsafe (gradient.disjointRows(), x.sharedRows())
    let c = unsafe coefficients.sharedRows()
    forEachTile(ofRows: x.rowCount, width: width, using: workers) { rows in
      unsafe highland_normalization_gradient(
        g[rows.lowerBound], source[rows.lowerBound], c[0], c[1], c[2], rows.count, width)
    }
    withExtendedLifetime((x, coefficients)) {}
  }

  static func check(_ a: Matrix, _ b: Matrix) {
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

  /// What `body` adds to `count` sums, over each part of the rows.
  ///
  /// - Parameter body: Adds a part's to `count` floats, which are 0 before.
  @unsafe private static func sums(
    over parts: RowBlocks, of rowCount: Int, count: Int, using workers: Workers,
    _ body: @Sendable (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) -> PartSums<Float> {
    precondition(parts.rowCount == rowCount, "parts of \(parts.rowCount) rows of \(rowCount)")
    var partial = Matrix(rows: parts.count, columns: count)
    let target = unsafe partial.disjointRows()
    workers.forEach(parts.count) { unsafe body(parts[$0], target[$0]) }
    return PartSums(partial)
  }
}
