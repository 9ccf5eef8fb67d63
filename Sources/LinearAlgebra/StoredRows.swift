internal import CKernels
public import Parallelism

/// How the numbers of ``StoredRows`` are kept.
public enum StoredElement: Int32, CaseIterable, Sendable {
  case float32, float16, bfloat16, int8, uint8
  /// Numbers of `float32` that are needed as they are, too, such as means.
  case float32WithNorm

  public var byteCount: Int {
    switch self {
    case .float32, .float32WithNorm: 4
    case .float16, .bfloat16: 2
    case .int8, .uint8: 1
    }
  }
}

/// Unit rows whose numbers stay in memory as they were stored.
///
/// Rows of `float32` are divided by their norms once. Others stay as they are, with the norm of
/// each row beside them; whoever needs a row gets it widened to `float32` and divided. It has the same bits
/// as if the file had been converted before. Rows of zeros are rows without direction.
public struct StoredRows: Sendable {
  public let element: StoredElement
  public let columnCount: Int
  /// One row of whole words each: unit rows of `float32`; or the bytes of other numbers, zeros up to a whole
  /// word, and the norm. What moves rows of a matrix moves these.
  package private(set) var words: Matrix

  public var rowCount: Int { words.rowCount }

  /// The memory of a row.
  package var rowByteCount: Int { words.columnCount * MemoryLayout<Float>.stride }

  /// Unit rows, or rows of zeros, that exist already.
  public init(_ unitRows: Matrix) {
    element = .float32
    columnCount = unitRows.columnCount
    words = unitRows
  }

  /// Rows of zeros, to be written.
  ///
  /// - Precondition: The numbers have a norm beside them; ``init(_:)`` takes others.
  public init(rows: Int, columns: Int, of element: StoredElement) {
    precondition(element != .float32, "rows of float32 are a matrix")
    self.element = element
    columnCount = columns
    words = Matrix(rows: rows, columns: Self.wordCount(columns, element))
  }

  /// Rows of `float32` that stay as they are.
  ///
  /// - Parameter words: The numbers of each row, and a place for its norm, which is written.
  package init(measuring words: consuming Matrix, using workers: Workers) {
    element = .float32WithNorm
    columnCount = words.columnCount - 1
    self.words = words
    _ = measure(using: workers)
  }

  /// Rows of `float32` that stay as they are.
  package init(keeping numbers: Matrix, using workers: Workers) {
    var words = Matrix(rows: numbers.rowCount, columns: numbers.columnCount + 1)
    let (from, to) = unsafe (numbers.sharedRows(), words.disjointRows())
    for row in 0..<numbers.rowCount {
      unsafe to[row].update(from: from[row], count: numbers.columnCount)
    }
    withExtendedLifetime(numbers) {}
    self.init(measuring: words, using: workers)
  }

  /// Other rows of the same kind, as they travel.
  package init(words: Matrix, like other: StoredRows) {
    precondition(words.columnCount == other.words.columnCount, "rows of \(words.columnCount) words")
    element = other.element
    columnCount = other.columnCount
    self.words = words
  }

  /// Hands over the only reference to the words.
  package consuming func takeWords() -> Matrix { words }

  private static func wordCount(_ columns: Int, _ element: StoredElement) -> Int {
    element == .float32 ? columns : (columns * element.byteCount + 3) / 4 + 1
  }

  /// The memory of a row.
  public static func byteCount(columns: Int, of element: StoredElement) -> Int {
    4 * wordCount(columns, element)
  }
}

// Reading.

extension StoredRows {
  /// Sets the numbers of some consecutive rows. Afterwards ``measure(using:)`` is due.
  ///
  /// - Parameter bytes: The numbers, row after row.
  public mutating func write(_ bytes: RawSpan, atRow first: Int) {
    let length = columnCount * element.byteCount
    guard length > 0 else { return }
    let (count, stride) = (bytes.byteCount / length, 4 * words.columnCount)
    precondition(
      element != .float32 && bytes.byteCount == count * length && first >= 0
        && first + count <= rowCount, "\(bytes.byteCount) bytes for rows from \(first) on")
    words.withMutableBytes { target in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe bytes.withUnsafeBytes { bytes in
          for row in 0..<count {
            unsafe (target.baseAddress! + (first + row) * stride).copyMemory(
              from: bytes.baseAddress! + row * length, byteCount: length)
          }
        }
      }
    }
  }

  /// Finds the norms of rows whose numbers were written; rows of zeros or with numbers that are not finite
  /// become rows without direction.
  ///
  /// The norm is that of ``DenseMatrix/normalizeRows(using:)``: squares added in column order in double
  /// precision, rounded to `Float`.
  ///
  /// - Returns: The largest magnitude of each row; 0 for one without direction.
  public mutating func measure(using workers: Workers = Workers()) -> [Float] {
    let (element, columns, stride) = (element, columnCount, words.columnCount)
    precondition(element != .float32, "rows of float32 have no norms")
    let rowCount = rowCount
    let rows = unsafe words.disjointRows()
    let largest = [Float](
      count: rowCount, tilesOf: 256, using: workers, filledWith: 0
    ) { range, largest in
      for row in range {
        var norm = 0.0
        let magnitude = unsafe highland_measure_row(rows[row], element.rawValue, columns, &norm)
        largest[row - range.lowerBound] = magnitude
        if magnitude > 0 {
          unsafe rows[row][stride - 1] = Float(norm)
        } else {
          unsafe rows[row].update(repeating: 0, count: stride)
        }
      }
    }
    withExtendedLifetime(words) {}
    return largest
  }
}

// Rows as unit rows of Float.

extension StoredRows {
  /// All rows as unit rows; those of `float32` without a copy.
  public consuming func unitRows() -> Matrix {
    element == .float32 ? words : copy(ofRows: 0..<rowCount)
  }

  /// Copies of some rows, as unit rows. Shape `[range.count × columnCount]`.
  public func copy(ofRows range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount, "rows \(range)")
    var result = Matrix(uninitializedRows: range.count, columns: columnCount)
    let target = unsafe result.disjointRows().base
    unsafe copy(range, to: target)
    return result
  }

  /// Copies of some rows, as unit rows. Shape `[rows.count × columnCount]`.
  ///
  /// - Precondition: The rows exist.
  public func copy(ofRows rows: [Int]) -> Matrix {
    if element == .float32 { return words.copy(ofRows: rows) }
    precondition(rows.allSatisfy { (0..<rowCount).contains($0) }, "rows past the end")
    var result = Matrix(uninitializedRows: rows.count, columns: columnCount)
    let target = unsafe result.disjointRows().base
    for (place, row) in rows.enumerated() {
      unsafe copy(row..<row + 1, to: target + place * columnCount)
    }
    return result
  }

  @unsafe private func copy(_ rows: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    unsafe words.withUnsafeBufferPointer { words in
      guard let base = words.baseAddress else { return }
      let stride = self.words.columnCount
      if element == .float32 {
        unsafe target.update(from: base + rows.lowerBound * stride, count: rows.count * stride)
      } else {
        unsafe highland_widen_rows(
          base + rows.lowerBound * stride, stride, element.rawValue, nil, rows.count, columnCount,
          target)
      }
    }
  }

  /// The norm of every row, 1 for unit rows. Shape `[rowCount]`.
  package var norms: [Float] {
    element == .float32
      ? Array(repeating: 1, count: rowCount)
      : (0..<rowCount).map { words[$0, words.columnCount - 1] }
  }

  /// Some columns of some rows as they are stored, not divided by their norms; of shorter numbers, which are
  /// points, as unit rows. Shape `[rows.count × columns.count]`.
  package func numbers(ofRows rows: Range<Int>, columns: Range<Int>) -> Matrix {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount && columns.lowerBound >= 0
        && columns.upperBound <= columnCount, "rows \(rows), columns \(columns)")
    let isAsStored = element == .float32 || element == .float32WithNorm
    var numbers = Matrix(uninitializedRows: rows.count, columns: columns.count)
    let to = unsafe numbers.disjointRows()
    // Shorter numbers are widened some rows at a time, with all their columns.
    for tile in rows.tiles(of: isAsStored ? max(rows.count, 1) : 256) {
      let source = isAsStored ? words : copy(ofRows: tile)
      let from = unsafe source.sharedRows()
      for row in tile {
        unsafe to[row - rows.lowerBound].update(
          from: from[isAsStored ? row : row - tile.lowerBound] + columns.lowerBound,
          count: columns.count)
      }
      withExtendedLifetime(source) {}
    }
    return numbers
  }

  /// Copies of some rows as they are stored.
  package func stored(ofRows rows: [Int]) -> StoredRows {
    StoredRows(words: words.copy(ofRows: rows), like: self)
  }

  /// Consecutive rows as unit rows, `columnCount` floats apart: where they are, or in `scratch`.
  ///
  /// Unsafe in that it is only valid while this value and the scratch live and are not mutated.
  @unsafe package func read(
    _ rows: Range<Int>, into scratch: inout Matrix
  ) -> UnsafePointer<Float> {
    if element == .float32 { return unsafe words.sharedRows()[rows.lowerBound] }
    if scratch.rowCount < rows.count || scratch.columnCount != columnCount {
      scratch = Matrix(uninitializedRows: rows.count, columns: columnCount)
    }
    let target = unsafe scratch.disjointRows().base
    unsafe copy(rows, to: target)
    return unsafe UnsafePointer(target)
  }

  /// Whether a row has no direction.
  package func isZero(_ row: Int) -> Bool {
    unsafe words.withUnsafeBufferPointer { words in
      let stride = self.words.columnCount
      if element != .float32 { return unsafe words[row * stride + stride - 1] == 0 }
      return unsafe words[row * stride..<(row + 1) * stride].allSatisfy { $0 == 0 }
    }
  }
}
