internal import CKernels

/// The right-hand side of a product, laid out for the kernel.
///
/// Packed from the *rows* of a row-major matrix: those of the weights `[out × in]` of a layer, or of
/// the points `[candidates × dimensions]` that queries are compared with. The product with it is
/// x · rowsᵀ: `columnCount` is the number of rows packed and `depth` their length.
///
/// - Complexity: Packing reads and writes each element once, at about 10 billion elements a second.
///   It takes `columnCount` rounded up to a multiple of 64, times `depth`, floats.
public struct PackedMatrix: Sendable {
  /// The number of columns of a product with it.
  public private(set) var columnCount: Int
  /// The number of columns of the matrix it is multiplied with.
  public private(set) var depth: Int
  private var storage: Matrix

  /// Nothing, to be packed later.
  public init() {
    columnCount = 0
    depth = 0
    storage = Matrix(rows: 1, columns: 0)
  }

  /// - Parameter rows: The transposed right-hand side. Shape `[columnCount × depth]`.
  public init(columns rows: Matrix) {
    self.init()
    pack(rows: 0..<rows.rowCount, of: rows)
  }

  /// Replaces the contents by some rows of a matrix; the memory is used again if it suffices.
  public mutating func pack(rows: Range<Int>, of matrix: Matrix) {
    matrix.checkRows(rows)
    reserve(columns: rows.count, depth: matrix.columnCount)
    unsafe matrix.withUnsafeBufferPointer { source in
      unsafe storage.withUnsafeMutableBufferPointer { packed in
        guard let source = source.baseAddress, let packed = packed.baseAddress else { return }
        unsafe highland_pack_rows(
          source + rows.lowerBound * matrix.columnCount, matrix.columnCount, rows.count,
          matrix.columnCount, packed)
      }
    }
  }

  /// - Parameter matrix: The right-hand side itself. Shape `[depth × columnCount]`.
  public init(_ matrix: Matrix) {
    self.init()
    unsafe matrix.withUnsafeBufferPointer {
      unsafe pack(
        $0.baseAddress!, stride: matrix.columnCount, depth: matrix.rowCount,
        columns: matrix.columnCount)
    }
  }

  /// Replaces the contents by a right-hand side as it stands.
  ///
  /// - Parameter b: Valid for `depth` rows of `columns` elements, `stride` elements apart.
  @unsafe public mutating func pack(
    _ b: UnsafePointer<Float>, stride: Int, depth: Int, columns: Int
  ) {
    reserve(columns: columns, depth: depth)
    unsafe storage.withUnsafeMutableBufferPointer { packed in
      guard let packed = packed.baseAddress else { return }
      unsafe highland_pack_columns(b, stride, depth, columns, packed)
    }
  }

  /// Replaces the contents by rows that lie `stride` elements apart.
  ///
  /// - Parameter rows: Valid for `count` rows of `depth` elements.
  @unsafe public mutating func pack(
    rows: UnsafePointer<Float>, stride: Int, count: Int, depth: Int
  ) {
    reserve(columns: count, depth: depth)
    unsafe storage.withUnsafeMutableBufferPointer { packed in
      guard let packed = packed.baseAddress else { return }
      unsafe highland_pack_rows(rows, stride, count, depth, packed)
    }
  }

  private mutating func reserve(columns: Int, depth: Int) {
    let count = highland_packed_count(columns, depth)
    if storage.count < count { storage = Matrix(rows: 1, columns: count) }
    columnCount = columns
    self.depth = depth
  }

  /// The panels, for `highland_multiply_packed`. The pointer is valid inside `body`.
  public func withUnsafePanels<R, E: Error>(
    _ body: (UnsafePointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    try unsafe storage.withUnsafeBufferPointer { panels throws(E) in
      // Not nil: storage is memory even of a matrix without elements.
      try unsafe body(panels.baseAddress!)
    }
  }
}
