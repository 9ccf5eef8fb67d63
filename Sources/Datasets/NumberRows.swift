internal import LinearAlgebra

/// Rows of numbers of any type that can be read again, a slice at a time: an array in a file or in memory.
protocol NumberRows {
  /// What messages call them.
  var path: String { get }
  var rowCount: Int { get }
  var columnCount: Int { get }
  var elementType: ElementType { get }

  /// Calls `body` with the elements of consecutive rows, row after row, and the place of the first of them
  /// among all that are asked for.
  func forEachTile<Element: ArrayElement>(
    of type: Element.Type, _ rows: Range<Int>, _ body: (Int, Span<Element>) throws -> Void) throws

  /// Fills a matrix with rows of `float32` at once; false if they must come in tiles.
  func readFloats(_ rows: Range<Int>, into matrix: inout Matrix) throws -> Bool
}

extension NumberRows {
  /// - Precondition: The rows exist.
  func check(_ rows: Range<Int>) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount) in \(path)")
  }

  /// The rows as `Float`.
  ///
  /// - Throws: ``DataError`` if reading fails, or a row of `float64` is beyond `float32`.
  func narrowedFloats(_ rows: Range<Int>) throws -> Matrix {
    try narrowed(rows) { row, largest in
      throw DataError(
        path: path,
        problem: "row \(row): values up to \(largest) are too "
          + (largest < 1 ? "small" : "large")
          + " for float32; divide every row by its length, or all by one number")
    }
  }

  /// The rows as `Float` up to a factor for each, and which rows of `float64` have one.
  func narrowedDirections(_ rows: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    var scaled: [Int] = []
    let matrix = try narrowed(rows) { row, largest in
      scaled.append(row)
      return Double(sign: .plus, exponent: min(-largest.exponent, 1023), significand: 1)
    }
    return (matrix, scaled)
  }

  /// - Parameter beyond: What to multiply a row of `float64` by that is beyond `float32`, whose
  ///   largest absolute value is the second argument.
  func narrowed(
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
      if try !readFloats(rows, into: &matrix) { try convert { (value: Float) in value } }
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
  /// - Parameter place: The first row of the target to be written.
  /// - Throws: ``DataError`` if reading fails.
  func read(_ rows: Range<Int>, into target: inout StoredRows, atRow place: Int = 0) throws {
    check(rows)
    let columns = max(columnCount, 1)
    func copy<Element: ArrayElement>(_ type: Element.Type) throws {
      try forEachTile(of: type, rows) { unsafe target.write($1.bytes, atRow: place + $0 / columns) }
    }
    switch elementType {
    case .float16: try copy(Float16.self)
    case .bool:
      try forEachTile(of: UInt8.self, rows) { start, block in
        let bits = block.indices.map { block[$0] == 0 ? UInt8(0) : 1 }
        unsafe target.write(bits.span.bytes, atRow: place + start / columns)
      }
    default: try copy(UInt8.self)
    }
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
