public import LinearAlgebra

/// An array of one or two dimensions in a `.npy` file, read by rows.
///
/// Opening reads the header only; every reading call reads only the rows it is asked for.
public struct ArrayFile: Sendable {
  /// Rows and columns, or one length.
  public let shape: [Int]
  public let elementType: ElementType
  private let file: InputFile
  private let header: ArrayHeader

  /// - Throws: ``DataError`` if the file cannot be opened, is not an array of numbers of one or two
  ///   dimensions, or its size is not what its header says.
  public init(path: String) throws { try self.init(path: path, expecting: "one or two dimensions") }

  /// - Parameter expected: What errors expect instead of another number of dimensions.
  init(path: String, expecting expected: String) throws {
    file = try InputFile(path: path)
    header = try ArrayHeader(file)
    guard (1...2).contains(header.shape.count) else {
      throw DataError(
        path: path,
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
  public func floats(rows: Range<Int>) throws -> Matrix {
    try narrowed(rows) { row, largest in
      throw DataError(
        path: path,
        problem: "row \(row): values up to \(largest) are too "
          + (largest < 1 ? "small" : "large")
          + " for float32; divide every row by its length, or all by one number")
    }
  }

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
    var scaled: [Int] = []
    let matrix = try narrowed(rows) { row, largest in
      scaled.append(row)
      return Double(sign: .plus, exponent: min(-largest.exponent, 1023), significand: 1)
    }
    return (matrix, scaled)
  }

  /// - Parameter beyond: What to multiply a row of `float64` by that is beyond `float32`, whose
  ///   largest absolute value is the second argument.
  private func narrowed(
    _ rows: Range<Int>, beyond: (Int, Double) throws -> Double
  ) throws -> Matrix {
    check(rows)
    var matrix = Matrix(rows: rows.count, columns: columnCount)
    func convert<Element: ArrayElement>(_ float: (Element) -> Float) throws {
      try forEachTile(of: Element.self, rows) { start, block in
        matrix.write(block, at: start, float)
      }
    }
    switch elementType {
    case .float32:
      if isTransposed || header.isBigEndian {
        try convert { (value: Float) in value }
      } else {
        try matrix.read(file, at: offset(rows.lowerBound))
      }
    case .float16: try convert(Float.init(halfBits:))
    case .bool: try convert { (value: UInt8) in value == 0 ? 0 : 1 }
    case .int8: try convert { (value: Int8) in Float(value) }
    case .int16: try convert { (value: Int16) in Float(value) }
    case .int32: try convert { (value: Int32) in Float(value) }
    case .int64: try convert { (value: Int64) in Float(value) }
    case .uint8: try convert { (value: UInt8) in Float(value) }
    case .uint16: try convert { (value: UInt16) in Float(value) }
    case .uint32: try convert { (value: UInt32) in Float(value) }
    case .uint64: try convert { (value: UInt64) in Float(value) }
    case .float64:
      let columns = columnCount
      try forEachTile(of: Double.self, rows) { start, block in
        for first in stride(from: 0, to: block.count, by: max(columns, 1)) {
          let values = block.extracting(first..<first + columns)
          let largest = values.largestMagnitude
          guard largest.isBeyondFloat else {
            matrix.write(values, at: start + first) { Float($0) }
            continue
          }
          let factor = try beyond(rows.lowerBound + (start + first) / columns, largest)
          matrix.write(values, at: start + first) { Float($0 * factor) }
        }
      }
    }
    return matrix
  }

  /// How the numbers of a row can stay in memory as they are; `float32` for other types.
  var storedElement: StoredElement {
    switch elementType {
    case .float16: .float16
    case .int8: .int8
    case .uint8, .bool: .uint8
    default: .float32
    }
  }

  /// The numbers of some rows as they are stored; of `bool`, 0 and 1.
  ///
  /// - Throws: ``DataError`` if reading fails.
  func read(_ rows: Range<Int>, into target: inout StoredRows) throws {
    check(rows)
    let columns = max(columnCount, 1)
    func copy<Element: ArrayElement>(_ type: Element.Type) throws {
      try forEachTile(of: type, rows) { unsafe target.write($1.bytes, atRow: $0 / columns) }
    }
    switch elementType {
    case .float16: try copy(Float16.self)
    case .bool:
      try forEachTile(of: UInt8.self, rows) { start, block in
        let bits = block.indices.map { block[$0] == 0 ? UInt8(0) : 1 }
        unsafe target.write(bits.span.bytes, atRow: start / columns)
      }
    default: try copy(UInt8.self)
    }
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

  private func check(_ rows: Range<Int>) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount) in \(path)")
  }

  private func offset(_ row: Int) -> Int {
    header.dataOffset + row * columnCount * elementType.byteCount
  }

  /// Calls `body` with the elements of consecutive rows, row after row, and the place of the first
  /// of them among all that are asked for.
  ///
  /// - Complexity: In Fortran order a read per column for every block of rows, which has 16 MiB, or 256
  ///   rows if that is more.
  private func forEachTile<Element: ArrayElement>(
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

extension Double {
  /// Whether a row with this largest absolute value is lost in `float32`: its values become
  /// infinite, or what is left of the largest has fewer than 24 bits.
  fileprivate var isBeyondFloat: Bool {
    isFinite && self > 0
      && (Float(self).isInfinite || self < Double(Float.leastNormalMagnitude))
  }
}

extension Span<Double> {
  /// NaN if there is one.
  fileprivate var largestMagnitude: Double {
    var largest = 0.0
    for index in indices {
      let magnitude = abs(self[index])
      if !(magnitude <= largest) { largest = magnitude }
      if largest.isNaN { return largest }
    }
    return largest
  }
}

extension Float {
  /// The value of a `Float16`, by arithmetic that runs on several elements at once.
  ///
  /// `Float(Float16(bitPattern: halfBits))` is the same; with it, reading a file took twice the
  /// processor time (7.1 against 3.6 ns per element).
  init(halfBits: UInt16) {
    let magnitude = UInt32(halfBits & 0x7fff) << 13
    // The exponents are biased by 15 and 127; the product is exact, for subnormals too.
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let bits = halfBits & 0x7c00 == 0x7c00 ? magnitude | 0x7f80_0000 : finite
    self.init(bitPattern: bits | UInt32(halfBits & 0x8000) << 16)
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
