internal import CKernels
public import Parallelism

// Every product here has the same bits: an element is one chain of fused multiply-adds in ascending
// order of depth, from the bias or 0. They do not depend on the number of rows, the range of rows,
// the number of threads or the CPU. ``referenceProduct(_:_:bias:)`` is the chain written down.

/// Writes rows · weights + bias over consecutive rows of a result.
///
/// - Parameters:
///   - a: Shape `[any × weights.depth]`.
///   - rows: Which rows of `a`.
///   - bias: Added to every row; nil for 0. Shape `[weights.columnCount]`.
///   - result: Overwritten from row `row` on. Shape `[any × weights.columnCount]`.
/// - Complexity: O(rows · columns · depth) on one thread.
public func multiply(
  _ a: Matrix, rows: Range<Int>, _ weights: PackedMatrix, bias: [Float]? = nil,
  into result: inout Matrix, at row: Int = 0
) {
  a.checkRows(rows)
  check(a, weights, bias)
  precondition(
    result.columnCount == weights.columnCount && row >= 0 && row + rows.count <= result.rowCount,
    """
    rows \(row)..<\(row + rows.count) of [\(result.rowCount) × \(result.columnCount)] for a product \
    of \(weights.columnCount) columns
    """)
  unsafe a.withUnsafeBufferPointer { a in
    unsafe result.withUnsafeMutableBufferPointer { result in
      unsafe multiplyRows(
        a, rows, weights, bias, into: result, at: row)
    }
  }
}

/// a · b + bias, its tiles of rows shared among the workers.
///
/// - Parameters:
///   - a: Shape `[rows × b.depth]`.
///   - bias: Added to every row; nil for 0. Shape `[b.columnCount]`.
/// - Returns: Shape `[rows × b.columnCount]`.
public func product(
  _ a: Matrix, _ b: PackedMatrix, bias: [Float]? = nil, using workers: Workers = Workers()
) -> Matrix {
  check(a, b, bias)
  var result = Matrix(uninitializedRows: a.rowCount, columns: b.columnCount)
  result.forEachTile(
    ofRows: tileLength(rowCount: a.rowCount, workers: workers), using: workers
  ) { rows, tile in
    unsafe tile.withUnsafeMutableBufferPointer { tile in
      unsafe a.withUnsafeBufferPointer { a in
        unsafe multiplyRows(a, rows, b, bias, into: tile, at: 0)
      }
    }
  }
  return result
}

/// A few blocks of the kernel, fewer if a thread would else have nothing to do.
func tileLength(rowCount: Int, workers: Workers) -> Int {
  let kernelRows = 24  // whole register tiles of 6 and of 8 rows
  let share = (rowCount + workers.count - 1) / workers.count
  return min(384, max(1, (share + kernelRows - 1) / kernelRows) * kernelRows)
}

@unsafe private func multiplyRows(
  _ a: UnsafeBufferPointer<Float>, _ rows: Range<Int>, _ b: PackedMatrix, _ bias: [Float]?,
  into result: UnsafeMutableBufferPointer<Float>, at row: Int
) {
  guard let a = a.baseAddress, let c = result.baseAddress else { return }
  unsafe withOptionalPointer(to: bias) { initial in
    unsafe multiplyPacked(
      a + rows.lowerBound * b.depth, stride: b.depth, rowCount: rows.count, b,
      into: c + row * b.columnCount, stride: b.columnCount, start: initial)
  }
}

/// The kernel on pointers, for the kernel wrappers of other modules: C = start + A · b.
///
/// - Parameters:
///   - a: `rowCount` rows of `b.depth` elements, `aStride` elements apart.
///   - c: `rowCount` rows of `b.columnCount` elements, `cStride` elements apart; overlaps nothing.
///   - initial: What every row starts from, `b.columnCount` elements; nil for 0.
///   - accumulates: Whether C starts from its own contents instead.
@unsafe public func multiplyPacked(
  _ a: UnsafePointer<Float>, stride aStride: Int, rowCount: Int, _ b: PackedMatrix,
  into c: UnsafeMutablePointer<Float>, stride cStride: Int,
  start initial: UnsafePointer<Float>? = nil, accumulates: Bool = false
) {
  unsafe b.withUnsafePanels { panels in
    unsafe highland_multiply_packed(
      a, aStride, panels, c, cStride, rowCount, b.columnCount, b.depth, initial,
      accumulates ? 1 : 0)
  }
}

/// a · rowsᵀ + bias, plainly: the twin of ``product(_:_:bias:using:)``, bit for bit.
///
/// - Parameters:
///   - a: Shape `[n × depth]`.
///   - rows: The transposed right-hand side. Shape `[columns × depth]`.
/// - Returns: Shape `[n × columns]`.
/// - Complexity: O(n · columns · depth), some hundred times slower than the kernel.
public func referenceProduct(_ a: Matrix, _ rows: Matrix, bias: [Float]? = nil) -> Matrix {
  precondition(
    a.columnCount == rows.columnCount && (bias == nil || bias?.count == rows.rowCount),
    """
    [\(a.rowCount) × \(a.columnCount)] by the transpose of [\(rows.rowCount) × \(rows.columnCount)]
    """)
  let b = (0..<rows.rowCount).map { rows.row($0) }
  var result: [Float] = []
  result.reserveCapacity(a.rowCount * b.count)
  for i in 0..<a.rowCount {
    let x = a.row(i)
    for j in b.indices {
      result.append(
        zip(x, b[j]).reduce(bias?[j] ?? 0) { sum, pair in sum.addingProduct(pair.0, pair.1) })
    }
  }
  return Matrix(rows: a.rowCount, columns: b.count, elements: result)
}

private func check(_ a: Matrix, _ b: PackedMatrix, _ bias: [Float]?) {
  precondition(
    a.columnCount == b.depth,
    "[\(a.rowCount) × \(a.columnCount)] by [\(b.depth) × \(b.columnCount)]")
  if let bias {
    precondition(bias.count == b.columnCount, "bias of \(bias.count) for \(b.columnCount) columns")
  }
}
