public import Parallelism

/// aᵀ · b: the product that sums over rows, as the gradient of weights is.
///
/// The rows are cut into at most 32 shares of at least 2048, the sum of each share is one chain of
/// fused multiply-adds, and the shares are added up in order: the bits depend on the shapes alone,
/// not on the number of threads.
///
/// - Parameters:
///   - a: Shape `[rows × m]`.
///   - b: Shape `[rows × n]`.
/// - Returns: Shape `[m × n]`.
/// - Complexity: 2 · rows · m · n flops; m · n floats per share.
public func transposedProduct(_ a: Matrix, _ b: Matrix, using workers: Workers = Workers())
  -> Matrix
{
  precondition(a.rowCount == b.rowCount, "\(a.rowCount) and \(b.rowCount) rows")
  let (m, n) = (a.columnCount, b.columnCount)
  let shares = transposedProductShares(rowCount: a.rowCount)
  guard shares.count > 1 else {
    var sum = Matrix(rows: m, columns: n)
    if let rows = shares.first {
      unsafe addTransposedProduct(a.sharedRows(), b.sharedRows(), rows, to: sum.disjointRows(), m)
    }
    return sum
  }
  var partial = shares.map { _ in Matrix(rows: m, columns: n) }
  let targets = unsafe partial.indices.map { unsafe partial[$0].disjointRows() }
  let (left, right) = unsafe (a.sharedRows(), b.sharedRows())
  workers.forEach(shares.count) { share in
    unsafe addTransposedProduct(left, right, shares[share], to: targets[share], m)
  }
  var sum = partial.removeFirst()
  unsafe sum.withUnsafeMutableBufferPointer { sum in
    for share in partial {
      unsafe share.withUnsafeBufferPointer { share in
        for place in sum.indices { unsafe sum[place] += share[place] }
      }
    }
  }
  withExtendedLifetime((a, b)) {}
  return sum
}

/// How many rows go into one chain of sums: a function of the number of rows alone.
func transposedProductShares(rowCount: Int) -> [Range<Int>] {
  (0..<rowCount).tiles(of: max(2048, (rowCount + 31) / 32))
}

/// Rows that are transposed at once: those of a panel of the kernel, whose columns then are rows of a
/// left-hand side that lie as far apart.
private let blockLength = 64

/// C += aᵀ · b over some rows, in one chain per element; C is zero before.
///
/// Read where they stand if the kernel can: a fifth faster than transposing and packing, and three times for
/// 16 columns.
@unsafe private func addTransposedProduct(
  _ a: SharedRows, _ b: SharedRows, _ rows: Range<Int>, to c: DisjointRows, _ m: Int
) {
  let n = unsafe b.columnCount
  guard m > 0, n > 0 else { return }
  var (transpose, packed) = (PackedMatrix(), PackedMatrix())
  if standsInPlace(columns: n) {
    return unsafe multiplyThin(
      a[rows.lowerBound], .transposed, rowCount: m, depth: rows.count, b[rows.lowerBound],
      columns: n, into: c.base, scratch: &packed)
  }
  for block in rows.tiles(of: blockLength) {
    unsafe transpose.pack(rows: a[block.lowerBound], stride: m, count: block.count, depth: m)
    unsafe packed.pack(b[block.lowerBound], stride: n, depth: block.count, columns: n)
    unsafe transpose.withUnsafePanels { transpose in
      unsafe multiplyPacked(
        transpose, stride: blockLength, rowCount: m, packed, into: c.base, stride: n,
        accumulates: true)
    }
  }
}

/// aᵀ · b, plainly: the twin of ``transposedProduct(_:_:using:)``, bit for bit.
public func referenceTransposedProduct(_ a: Matrix, _ b: Matrix) -> Matrix {
  precondition(a.rowCount == b.rowCount, "\(a.rowCount) and \(b.rowCount) rows")
  var result = Matrix(rows: a.columnCount, columns: b.columnCount)
  for i in 0..<a.columnCount {
    for j in 0..<b.columnCount {
      var sum: Float?
      for rows in transposedProductShares(rowCount: a.rowCount) {
        let share = rows.reduce(Float(0)) { $0.addingProduct(a[$1, i], b[$1, j]) }
        sum = sum.map { $0 + share } ?? share
      }
      result[i, j] = sum ?? 0
    }
  }
  return result
}
