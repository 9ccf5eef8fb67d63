internal import CKernels
internal import LinearAlgebra

/// The similarities of rows that point almost the same way, or almost opposite ways.
///
/// A chain of multiply-adds over D columns is off by up to D · 2⁻²⁴: copies of a row get similarities
/// above 1, or so far below that they look different. The difference of two unit rows is more exact:
///
///     a = 1 − |x − y|² / 2,   or |x + y|² / 2 − 1 if a < 0
///
/// It is exactly 1 for copies and never above, and its error is only a share of 1 − |a|. It replaces the
/// chain if the chain gives |a| ≥ 1 − (D · 2⁻²⁴ + 2⁻²⁰), a bound of at least 1/2, so no pair within
/// 10⁻⁶ of ±1 is missed. All other similarities come from the chain.
package enum CloseSimilarities {
  /// The |a| from which the result of a chain over `depth` columns is replaced.
  package static func limit(depth: Int) -> Float {
    max(0.5, 1 - Float(Double(depth) * 0x1p-24 + 0x1p-20))
  }

  /// The plain twin of ``refine(_:stride:_:rows:of:columns:of:)`` for one pair.
  ///
  /// Sixteen sums, one of every sixteenth column, are added one after the other.
  package static func refined(_ score: Float, _ x: [Float], _ y: [Float]) -> Float {
    guard abs(score) >= limit(depth: x.count) else { return score }
    var sums = Array(repeating: Float(0), count: 16)
    for (column, (a, b)) in zip(x, y).enumerated() {
      let d = score < 0 ? a + b : a - b
      sums[column % 16].addProduct(d, d)
    }
    let half = sums.reduce(0, +) / 2
    return score < 0 ? half - 1 : 1 - half
  }

  /// Refines the scores of a tile.
  ///
  /// Unsafe in that nothing checks that the tile is there.
  @unsafe static func refine(
    _ scores: UnsafeMutablePointer<Float>, stride: Int, rows: Range<Int>, of x: Matrix,
    columns: Range<Int>, of y: Matrix
  ) {
    unsafe refine(
      scores, stride: stride, rows: (x.sharedRows()[rows.lowerBound], rows.count),
      columns: (y.sharedRows()[columns.lowerBound], columns.count), depth: x.columnCount)
  }

  /// The same for rows that lie one after the other.
  @unsafe static func refine(
    _ scores: UnsafeMutablePointer<Float>, stride: Int,
    rows: (first: UnsafePointer<Float>, count: Int),
    columns: (first: UnsafePointer<Float>, count: Int), depth: Int
  ) {
    unsafe highland_refine_similarities(
      scores, stride, rows.count, columns.count, rows.first, columns.first, depth,
      limit(depth: depth))
  }
}
