public import LinearAlgebra

/// An array of one or two dimensions in a `.npy` file, read by rows.
///
/// Opening reads the header only; every reading call reads only the rows it is asked for.
public struct ArrayFile: NumberRows, Sendable {
  /// Rows and columns, or one length.
  public private(set) var shape: [Int]
  public let elementType: ElementType
  private let file: InputFile
  private let header: ArrayHeader

  /// - Throws: ``DataError`` if the file cannot be opened, is not an array of numbers of one or two
  ///   dimensions, or its size is not what its header says.
  public init(path: String) throws { try self.init(path: path, expecting: "one or two dimensions") }

  /// - Parameter expected: What errors expect instead of another number of dimensions.
  init(path: String, expecting expected: String) throws {
    try self.init(InputFile(path: path), expecting: expected)
  }

  init(_ file: InputFile, expecting expected: String) throws {
    self.file = file
    header = try ArrayHeader(file)
    guard (1...2).contains(header.shape.count) else {
      throw DataError(
        path: file.path,
        problem:
          "\(header.elementType) of shape \(ArrayHeader.text(header.shape)); expected \(expected)")
    }
    shape = header.shape
    elementType = header.elementType
  }

  public var path: String { file.path }
  public var rowCount: Int { shape[0] }
  /// Elements per row; 1 for an array of one dimension.
  public var columnCount: Int { shape.count == 2 ? shape[1] : 1 }

  /// Whether columns lie one after the other, and not rows; with one column there is no difference.
  private var isTransposed: Bool { header.isFortranOrder && columnCount > 1 }

  /// The rows as `Float`: what `float32` holds is widened exactly (`float16`, integers up to 2²⁴, of
  /// `bool` 0 and 1), all else rounded to nearest.
  ///
  /// - Returns: Shape `[rows.count × columnCount]`.
  /// - Throws: ``DataError`` if reading fails, or the finite values of a row of `float64` are beyond
  ///   `float32`: above what it holds, or all of them below what it holds with 24 bits.
  /// - Precondition: The rows are in `0 ..< rowCount`.
  public func floats(rows: Range<Int>) throws -> Matrix { try narrowedFloats(rows) }

  /// The rows as `Float`, all rounded to nearest: of `float64` values beyond `float32` become 0 or
  /// infinite.
  ///
  /// - Returns: Shape `[rows.count × columnCount]`.
  /// - Throws: ``DataError`` if reading fails.
  /// - Precondition: The rows are in `0 ..< rowCount`.
  public func roundedFloats(rows: Range<Int>) throws -> Matrix { try narrowed(rows) { _, _ in 1 } }

  /// The rows as `Float` up to a factor for each: rows of `float64` that are beyond `float32` come
  /// multiplied by a power of two, and have the same direction.
  ///
  /// - Returns: Shape `[rows.count × columnCount]`, and which rows were multiplied.
  /// - Throws: ``DataError`` if reading fails.
  /// - Precondition: The rows are in `0 ..< rowCount`.
  public func directions(rows: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    try narrowedDirections(rows)
  }

  /// The elements of the rows, row after row; of `bool`, 0 and 1.
  ///
  /// - Returns: Shape `[rows.count * columnCount]`.
  /// - Throws: ``DataError`` if the elements are not integers, one is above `Int64.max`, or
  ///   reading fails.
  /// - Precondition: The rows are in `0 ..< rowCount`.
  public func integers(rows: Range<Int>) throws -> [Int64] {
    check(rows)
    return switch elementType {
    case .bool: try integers(rows, from: UInt8.self).map { $0 == 0 ? 0 : 1 }
    case .int8: try integers(rows, from: Int8.self)
    case .int16: try integers(rows, from: Int16.self)
    case .int32: try integers(rows, from: Int32.self)
    case .int64: try integers(rows, from: Int64.self)
    case .uint8: try integers(rows, from: UInt8.self)
    case .uint16: try integers(rows, from: UInt16.self)
    case .uint32: try integers(rows, from: UInt32.self)
    case .uint64: try integers(rows, from: UInt64.self)
    case .float16, .float32, .float64:
      throw DataError(path: path, problem: "elements of type \(elementType); expected integers")
    }
  }

  /// Some elements of a row; of `bool`, 0 and 1. Of a row that lies in one piece, only these are read.
  ///
  /// - Returns: Shape `[columns.count]`.
  /// - Throws: ``DataError`` as ``integers(rows:)``, with the place of an element as its row.
  /// - Precondition: The row is in `0 ..< rowCount`, and the columns in `0 ..< columnCount`.
  public func integers(row: Int, columns: Range<Int>) throws -> [Int64] {
    check(row..<row + 1)
    precondition(
      columns.lowerBound >= 0 && columns.upperBound <= columnCount,
      "columns \(columns) of \(columnCount) in \(path)")
    guard !isTransposed else { return Array(try integers(rows: row..<row + 1)[columns]) }
    var line = self
    line.shape = [rowCount * columnCount]
    let first = row * columnCount
    return try line.integers(rows: first + columns.lowerBound..<first + columns.upperBound)
  }

  func readFloats(_ rows: Range<Int>, into matrix: inout Matrix) throws -> Bool {
    guard !isTransposed, !header.isBigEndian else { return false }
    try matrix.read(file, at: offset(rows.lowerBound))
    return true
  }

  private func offset(_ row: Int) -> Int {
    header.dataOffset + row * columnCount * elementType.byteCount
  }

  /// Calls `body` with the elements of consecutive rows, row after row, and the place of the first
  /// of them among all that are asked for.
  ///
  /// - Complexity: In Fortran order a read per column for every block of rows, which has 16 MiB, or 256
  ///   rows if that is more.
  func forEachTile<Element: ArrayElement>(
    of type: Element.Type, _ rows: Range<Int>, _ body: (Int, Span<Element>) throws -> Void
  ) throws {
    guard isTransposed else {
      return try file.forEachBlock(
        of: type, count: rows.count * columnCount, at: offset(rows.lowerBound),
        multiple: max(columnCount, 1), isBigEndian: header.isBigEndian, body)
    }
    let stride = MemoryLayout<Element>.stride
    let rowBytes = columnCount * stride
    guard !rows.isEmpty else { return }
    let height = min(rows.count, max(256, (1 << 24) / rowBytes))
    var tile = Array(repeating: Element.zero, count: height * columnCount)
    for first in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
      let count = min(height, rows.upperBound - first)
      for column in 0..<columnCount {
        try file.forEachBlock(
          of: type, count: count, at: header.dataOffset + (column * rowCount + first) * stride,
          isBigEndian: header.isBigEndian
        ) { start, block in
          for index in block.indices {
            tile[(start + index) * columnCount + column] = block[index]
          }
        }
      }
      try body(
        (first - rows.lowerBound) * columnCount, tile.span.extracting(0..<count * columnCount))
    }
  }

  private func integers<Element: ArrayElement & BinaryInteger>(
    _ rows: Range<Int>, from type: Element.Type
  ) throws -> [Int64] {
    var values: [Int64] = []
    values.reserveCapacity(rows.count * columnCount)
    try forEachTile(of: type, rows) { start, block in
      for index in block.indices {
        guard let value = Int64(exactly: block[index]) else {
          let row = rows.lowerBound + (start + index) / columnCount
          throw DataError(
            path: path, problem: "row \(row): \(block[index]) is above \(Int64.max)")
        }
        values.append(value)
      }
    }
    return values
  }
}

extension Matrix {
  /// Fills the matrix with `Float`s of a file from byte `offset` on.
  mutating func read(_ file: InputFile, at offset: Int) throws {
    try unsafe withUnsafeMutableBufferPointer { elements in
      var bytes = unsafe MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(elements))
      try file.read(at: offset, into: &bytes)
    }
  }

  /// Sets the elements from `start` on.
  mutating func write<Element>(_ block: Span<Element>, at start: Int, _ float: (Element) -> Float) {
    precondition(
      start >= 0 && start + block.count <= count, "\(block.count) at \(start) of \(count)")
    unsafe withUnsafeMutableBufferPointer { elements in
      unsafe block.withUnsafeBufferPointer { block in
        for index in 0..<block.count { unsafe elements[start + index] = float(block[index]) }
      }
    }
  }
}
