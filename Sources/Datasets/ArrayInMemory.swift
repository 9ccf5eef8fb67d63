public import LinearAlgebra

/// An array of two dimensions in somebody else's memory, read by rows as ``ArrayFile`` reads a file: nothing is
/// copied before the rows are asked for.
///
/// Rows and columns may lie at any distances, so that C and Fortran order, slices and reversed views are read
/// where they are.
// @unchecked: the memory is only read, and whoever makes a value keeps it alive and unchanged.
@safe public struct ArrayInMemory: NumberRows, @unchecked Sendable {
  /// What messages call it.
  public let path: String
  public let elementType: ElementType
  public private(set) var rowCount: Int
  /// The rows that are in memory: all, but for a part of a larger array.
  private var present: Range<Int>
  /// In 1 ... `Int32.max`.
  public let columnCount: Int
  private let base: UnsafeRawPointer
  /// In bytes.
  private let rowStride: Int
  private let columnStride: Int

  /// - Parameters:
  ///   - base: The first element of the first row; any address if there are no rows. It lives as long as this
  ///     value and its copies.
  ///   - rowStride: Bytes from a row to the next; negative for a reversed view.
  ///   - columnStride: Bytes from a column to the next.
  ///   - name: What messages call the array.
  /// - Throws: ``DataError`` for a number of rows or columns outside 0 ... and 1 ... `Int32.max`, or rows that no
  ///   memory holds.
  @unsafe public init(
    at base: UnsafeRawPointer, of elementType: ElementType, rows: Int, columns: Int,
    rowStride: Int, columnStride: Int, name: String = "features"
  ) throws {
    let size = elementType.byteCount
    guard rows >= 0, (1...Int(Int32.max)).contains(columns),
      byteCount(ofShape: [rows, columns], elementByteCount: size) != nil,
      rows < 2 || !rowStride.multipliedReportingOverflow(by: rows - 1).overflow,
      !columnStride.multipliedReportingOverflow(by: columns - 1).overflow
    else {
      throw DataError(
        path: name,
        problem: "[\(rows) × \(columns)] \(elementType); expected 0 rows or more, of 1 ... "
          + "\(Int32.max) columns")
    }
    path = name
    self.elementType = elementType
    rowCount = rows
    present = 0..<rows
    columnCount = columns
    unsafe self.base = base
    self.rowStride = rowStride
    self.columnStride = columnStride
  }

  /// The same rows as a range of those of a larger array, of which no others can be read.
  ///
  /// - Precondition: There are as many, and the larger array has them.
  public func asRows(_ range: Range<Int>, of count: Int) -> ArrayInMemory {
    precondition(
      range.count == present.count && range.lowerBound >= 0 && range.upperBound <= count,
      "\(present.count) rows as \(range) of \(count)")
    var part = self
    (part.present, part.rowCount) = (range, count)
    return part
  }

  /// All elements as they are in memory, row by row without gaps.
  public func packedBytes() -> [UInt8] {
    let size = elementType.byteCount
    let byteCount = present.count * columnCount * size
    guard byteCount > 0 else { return [] }
    return unsafe Array(unsafeUninitializedCapacity: byteCount) { bytes, count in
      unsafe copy(present, of: size, to: UnsafeMutableRawBufferPointer(bytes))
      count = byteCount
    }
  }

  /// The rows as `Float`, as ``ArrayFile/floats(rows:)``.
  ///
  /// - Throws: ``DataError`` if a row of `float64` is beyond `float32`.
  public func rows(_ rows: Range<Int>) throws -> Matrix { try narrowedFloats(rows) }

  /// The rows as `Float` up to a factor for each, as ``ArrayFile/directions(rows:)``.
  public func directions(_ rows: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    try narrowedDirections(rows)
  }

  /// How ``storedRows(_:)`` keeps the numbers; `float32` if it does not.
  public var element: StoredElement { storedElement }

  /// The rows with their numbers as they are in memory, to be measured; nil if they are not of a type that
  /// stays as it is.
  public func storedRows(_ rows: Range<Int>) throws -> StoredRows? {
    guard storedElement != .float32 else { return nil }
    var stored = StoredRows(rows: rows.count, columns: columnCount, of: storedElement)
    try read(rows, into: &stored)
    return stored
  }

  func readFloats(_ rows: Range<Int>, into matrix: inout Matrix) throws -> Bool {
    let rowBytes = 4 * columnCount
    guard columnStride == 4 || columnCount == 1 else { return false }
    checkPresence(of: rows)
    unsafe matrix.withUnsafeMutableBufferPointer { elements in
      let target = UnsafeMutableRawPointer(elements.baseAddress!)
      for (place, row) in rows.enumerated() {
        unsafe (target + place * rowBytes).copyMemory(
          from: address(ofRow: row), byteCount: rowBytes)
      }
    }
    return true
  }

  func forEachTile<Element: ArrayElement>(
    of type: Element.Type, _ rows: Range<Int>, _ body: (Int, Span<Element>) throws -> Void
  ) throws {
    guard !rows.isEmpty else { return }
    let size = MemoryLayout<Element>.stride
    // About a mebibyte, and enough rows to use whole cache lines of columns.
    let height = min(rows.count, max(64, (1 << 20) / (columnCount * size)))
    var tile = Array(repeating: Element.zero, count: height * columnCount)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
      let count = min(height, rows.upperBound - first)
      unsafe tile.withUnsafeMutableBytes { unsafe copy(first..<first + count, of: size, to: $0) }
      try body(
        (first - rows.lowerBound) * columnCount, tile.span.extracting(0..<count * columnCount))
    }
  }

  private func checkPresence(of rows: Range<Int>) {
    precondition(
      rows.lowerBound >= present.lowerBound && rows.upperBound <= present.upperBound,
      "rows \(rows) of \(path), of which \(present) are here")
  }

  private func address(ofRow row: Int) -> UnsafeRawPointer {
    unsafe base + (row - present.lowerBound) * rowStride
  }

  /// Copies rows into memory without gaps, along the shorter stride.
  private func copy(
    _ rows: Range<Int>, of size: Int, to target: UnsafeMutableRawBufferPointer
  ) {
    checkPresence(of: rows)
    let target = target.baseAddress!
    if columnStride == size || columnCount == 1 {
      for (place, row) in rows.enumerated() {
        unsafe (target + place * columnCount * size).copyMemory(
          from: address(ofRow: row), byteCount: columnCount * size)
      }
      return
    }
    for column in 0..<columnCount {
      for (place, row) in rows.enumerated() {
        unsafe (target + (place * columnCount + column) * size).copyMemory(
          from: address(ofRow: row) + column * columnStride, byteCount: size)
      }
    }
  }
}
