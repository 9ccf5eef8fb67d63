internal import CKernels
public import Parallelism

// Products so thin that packing their sides would cost as much as multiplying them: of the rows of some
// graphs with weights of a few columns. The same bits as all products here.

/// How a left-hand side lies in memory.
public enum Orientation: Sendable {
  /// As it is: row after row.
  case plain
  /// As its transpose.
  case transposed
}

/// Whether the kernel uses a right-hand side of `columns` columns unpacked: its rows are whole vectors, and
/// so short that those of a panel lie close together.
func standsInPlace(columns: Int) -> Bool { columns.isMultiple(of: 16) && columns <= 256 }

/// C = A · B, where A is read as it stands, and B too if ``standsInPlace(columns:)``.
///
/// - Parameters:
///   - a: Of `rowCount` rows of `depth` elements, or the other way round if it is the transpose; rows lie as
///     far apart as they are long.
///   - b: `depth` rows of `columns` elements.
///   - c: `rowCount` rows of `columns` elements; overlaps nothing.
///   - scratch: Memory to pack B in.
@unsafe public func multiplyThin(
  _ a: UnsafePointer<Float>, _ orientation: Orientation, rowCount: Int, depth: Int,
  _ b: UnsafePointer<Float>, columns: Int, into c: UnsafeMutablePointer<Float>,
  scratch: inout PackedMatrix
) {
  func multiply(_ b: UnsafePointer<Float>, stride: Int) {
    switch orientation {
    case .plain:
      unsafe highland_multiply_rows(a, depth, b, stride, c, columns, rowCount, columns, depth)
    case .transposed:
      unsafe highland_multiply_transposed(
        a, rowCount, b, stride, c, columns, rowCount, columns, depth)
    }
  }
  if standsInPlace(columns: columns) {
    unsafe multiply(b, stride: columns)
  } else {
    unsafe scratch.pack(b, stride: columns, depth: depth, columns: columns)
    unsafe scratch.withUnsafePanels { unsafe multiply($0, stride: 0) }
  }
}

/// a · b, its tiles of rows shared among the workers; b is packed only if it does not stand in place.
///
/// - Parameters:
///   - a: Shape `[rows × depth]`.
///   - b: Shape `[depth × columns]`.
/// - Returns: Shape `[rows × columns]`.
public func product(_ a: Matrix, _ b: Matrix, using workers: Workers = Workers()) -> Matrix {
  precondition(
    a.columnCount == b.rowCount,
    "[\(a.rowCount) × \(a.columnCount)] by [\(b.rowCount) × \(b.columnCount)]")
  guard standsInPlace(columns: b.columnCount), b.columnCount > 0 else {
    return product(a, PackedMatrix(b), using: workers)
  }
  var result = Matrix(uninitializedRows: a.rowCount, columns: b.columnCount)
  let (left, right, target) = unsafe (a.sharedRows(), b.sharedRows(), result.disjointRows())
  let tiles = (0..<a.rowCount).tiles(of: tileLength(rowCount: a.rowCount, workers: workers))
  workers.forEach(tiles.count) {
    PackedMatrix()
  } _: { tile, scratch in
    let rows = tiles[tile]
    unsafe multiplyThin(
      left[rows.lowerBound], .plain, rowCount: rows.count, depth: left.columnCount, right.base,
      columns: right.columnCount, into: target[rows.lowerBound], scratch: &scratch)
  }
  withExtendedLifetime((a, b)) {}
  return result
}
