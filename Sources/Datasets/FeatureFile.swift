public import LinearAlgebra

/// How a file of features is laid out; known by the extension of its name.
public enum FeatureFormat: String, CaseIterable, Sendable {
  /// NumPy's array: numbers of any type, two dimensions.
  case npy
  /// Each row a record: an `int32` with the number of columns, then that many `float32`.
  case fvecs
  /// Two `uint32`, the numbers of rows and columns, then the rows in `float32`.
  case fbin
  /// The rows in `float32` and nothing else: the number of columns must be said.
  case bin
  /// As ``fbin``, with rows of `uint8` or `int8`.
  case u8bin, i8bin
  /// As ``fvecs``, with `uint8` or `int32`.
  case bvecs, ivecs
  /// A tensor of two dimensions among those of the file: the only one, or one that is named.
  case safetensors
  /// An array of two dimensions in NumPy's archive: the only one, or one that is named.
  case npz

  /// Those in which features are written.
  public static let written: [FeatureFormat] = [.npy, .fvecs, .fbin, .bin]

  /// - Parameter path: Of a file, perhaps with the name of an array in it.
  /// - Throws: ``DataError`` that lists the formats if the extension is none of them.
  public init(path: String) throws {
    let name =
      FeaturePlace(path).file.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let suffix = name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? ""
    guard let format = FeatureFormat(rawValue: suffix.lowercased()) else {
      let known = FeatureFormat.allCases.map { ".\($0.rawValue)" }
      throw DataError(
        path: path,
        problem: (suffix.isEmpty ? "no extension" : "unknown extension '.\(suffix)'")
          + "; features are \(alternatives(known))")
    }
    self = format
  }
}

/// The features of many nodes in a file, one row per node, read by rows.
///
/// Of a file that holds several arrays the path may end with the name of one: `faces.npz:embeddings`.
///
/// Opening reads the header only; ``rows(_:)`` reads only the rows it is asked for.
public struct FeatureFile: Sendable {
  public let path: String
  public let format: FeatureFormat
  public let rowCount: Int
  /// Features per row, in 1 ... `Int32.max`.
  public let columnCount: Int
  private let contents: Contents

  private enum Contents {
    case array(ArrayFile)
    /// Rows, one after the other, that begin at a byte.
    case plain(InputFile, offset: Int, StoredElement)
    /// Rows that begin with their number of columns.
    case records(InputFile, RecordElement)
  }

  /// What records consist of.
  private enum RecordElement: String {
    case float32, int32, uint8

    var byteCount: Int { self == .uint8 ? 1 : 4 }
  }

  /// Opens a file whose extension says its format.
  ///
  /// - Parameter dimensions: The number of columns: needed for `.bin`; checked for the others.
  /// - Throws: ``DataError`` if the file cannot be opened, is damaged, or has another number of
  ///   columns or one outside 1 ... `Int32.max`.
  public init(path: String, dimensions: Int? = nil) throws {
    func error(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    self.path = path
    do {
      format = try FeatureFormat(path: path)
    } catch let error as DataError {
      // What is not there has no extension to blame.
      let file = try InputFile(path: path)
      throw DataError(
        path: path,
        problem: error.problem + file.whatItIs()
          + (FileKind.hasRecipe(file) ? ", which Python converts: Docs/Formats.md says how" : ""))
    }
    let place = FeaturePlace(path)
    if let dimensions, !(1...Int(Int32.max)).contains(dimensions) {
      throw error("\(dimensions) dimensions asked for; expected 1 ... \(Int32.max)")
    }
    switch format {
    case .npy, .npz:
      let array =
        try format == .npz
        ? ArrayFile(archive: place.file, named: place.member)
        : ArrayFile(path: path, expecting: "numbers of two dimensions")
      guard array.shape.count == 2 else {
        throw error(
          "\(array.elementType) of shape \(ArrayHeader.text(array.shape)); expected numbers of two "
            + "dimensions")
      }
      (rowCount, columnCount) = (array.rowCount, array.columnCount)
      contents = .array(array)
    case .fvecs, .bvecs, .ivecs:
      let element: RecordElement =
        format == .fvecs ? .float32 : format == .bvecs ? .uint8 : .int32
      let file = try InputFile(path: path)
      try Self.check(file, is: format, dimensions)
      columnCount = try Self.recordLength(of: file, dimensions)
      let recordByteCount = 4 + element.byteCount * columnCount
      guard file.byteCount.isMultiple(of: recordByteCount) else {
        throw error(
          "\(file.byteCount) bytes; expected a multiple of \(recordByteCount) for records of "
            + "\(columnCount) columns")
      }
      rowCount = file.byteCount / recordByteCount
      contents = .records(file, element)
    case .fbin, .u8bin, .i8bin:
      let element: StoredElement =
        format == .fbin ? .float32 : format == .u8bin ? .uint8 : .int8
      let file = try InputFile(path: path)
      try Self.check(file, is: format, dimensions)
      guard file.byteCount >= 8 else {
        throw error("\(file.byteCount) bytes; expected a header of 8")
      }
      rowCount = Int(try file.integer(UInt32.self, at: 0))
      columnCount = Int(try file.integer(UInt32.self, at: 4))
      let expected = byteCount(
        ofShape: [rowCount, columnCount], elementByteCount: element.byteCount)
      guard let expected, file.byteCount == 8 + expected else {
        throw error(
          "\(file.byteCount) bytes; a header of 8 bytes and [\(rowCount) × \(columnCount)] "
            + "\(element) make \(expected.map { "\(8 + $0)" } ?? "more")")
      }
      contents = .plain(file, offset: 8, element)
    case .safetensors:
      let tensor = try TensorFile(path: place.file).storedMatrix(place.member)
      (rowCount, columnCount) = (tensor.rowCount, tensor.columnCount)
      contents = .plain(tensor.file, offset: tensor.offset, tensor.element)
    case .bin:
      let file = try InputFile(path: path)
      guard let dimensions else {
        throw error(
          "a .bin file does not say its number of columns; give the dimensions (--dimensions)")
      }
      try Self.check(file, is: .bin, dimensions)
      columnCount = dimensions
      guard file.byteCount.isMultiple(of: 4 * dimensions) else {
        throw error(
          "\(file.byteCount) bytes; expected a multiple of \(4 * dimensions) for rows of "
            + "\(dimensions) float32")
      }
      rowCount = file.byteCount / (4 * dimensions)
      contents = .plain(file, offset: 0, .float32)
    }
    guard columnCount > 0 else { throw error("rows of 0 columns; expected at least 1") }
    // The size of a file without rows says nothing about it.
    guard columnCount <= Int32.max else {
      throw error("rows of \(columnCount) columns; expected at most \(Int32.max)")
    }
    if let dimensions, dimensions != columnCount {
      throw error("rows of \(columnCount) columns; expected \(dimensions)")
    }
  }

  /// The number of columns that the first record states.
  private static func recordLength(of file: InputFile, _ dimensions: Int?) throws -> Int {
    guard file.byteCount >= 4 else {
      if file.byteCount == 0, let dimensions { return dimensions }
      throw DataError(
        path: file.path, problem: "\(file.byteCount) bytes; expected at least one record")
    }
    let length = Int(try file.integer(Int32.self, at: 0))
    guard length > 0 else {
      throw DataError(path: file.path, problem: "record 0 has \(length) columns; expected > 0")
    }
    return length
  }

  /// The features of some rows, as `Float`: rounded to nearest where `float32` does not hold them.
  ///
  /// - Returns: Shape `[range.count × columnCount]`.
  /// - Throws: ``DataError`` if reading fails, a record has another length, or a row of
  ///   `float64` is beyond `float32`.
  /// - Precondition: The range is in `0 ..< rowCount`.
  public func rows(_ range: Range<Int>) throws -> Matrix {
    guard case .array(let array) = contents else { return try plainRows(range) }
    return try array.floats(rows: range)
  }

  /// The features of some rows up to a factor for each: those of `float64` that are beyond
  /// `float32` come multiplied by a power of two, and have the same direction.
  ///
  /// - Returns: Shape `[range.count × columnCount]`, and which rows were multiplied.
  /// - Throws: ``DataError`` if reading fails, or a record of `.fvecs` has another length.
  /// - Precondition: The range is in `0 ..< rowCount`.
  public func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    guard case .array(let array) = contents else { return (try plainRows(range), []) }
    return try array.directions(rows: range)
  }

  /// The type of the numbers in the file, as messages call it.
  public var elementName: String {
    switch contents {
    case .array(let array): array.elementType.rawValue
    case .plain(_, _, let element): "\(element)"
    case .records(_, let element): element.rawValue
    }
  }

  /// How ``storedRows(_:)`` keeps the numbers; `float32` if it does not.
  public var storedElement: StoredElement {
    switch contents {
    case .array(let array): array.storedElement
    case .plain(_, _, let element): element
    case .records(_, let element): element == .uint8 ? .uint8 : .float32
    }
  }

  /// The features of some rows with their numbers as they are in the file, to be measured; nil if they are
  /// not of a type that stays in memory as it is.
  ///
  /// - Throws: ``DataError`` if reading fails.
  /// - Precondition: The range is in `0 ..< rowCount`.
  public func storedRows(_ range: Range<Int>) throws -> StoredRows? {
    guard storedElement != .float32 else { return nil }
    var rows = StoredRows(rows: range.count, columns: columnCount, of: storedElement)
    try readStored(range, into: &rows, atRow: 0)
    return rows
  }

  /// Reads the numbers of some rows as they are in the file.
  ///
  /// - Parameter place: The first row of the target to be written.
  /// - Throws: ``DataError`` if reading fails.
  /// - Precondition: The range is in `0 ..< rowCount`, and the numbers are of a type that stays as it is.
  func readStored(_ range: Range<Int>, into rows: inout StoredRows, atRow place: Int) throws {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rowCount,
      "rows \(range) of \(rowCount) in \(path)")
    switch contents {
    case .array(let array): try array.read(range, into: &rows, atRow: place)
    case .plain(let file, let offset, let element):
      let length = columnCount * element.byteCount
      try file.forEachBlock(
        of: UInt8.self, count: range.count * length, at: offset + range.lowerBound * length,
        multiple: length
      ) { unsafe rows.write($1.bytes, atRow: place + $0 / length) }
    case .records(let file, _):
      try forEachRecord(range, of: UInt8.self, in: file) { row, values in
        unsafe rows.write(values.bytes, atRow: place + row)
      }
    }
  }

  private func plainRows(_ range: Range<Int>) throws -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rowCount,
      "rows \(range) of \(rowCount) in \(path)")
    switch contents {
    case .array: preconditionFailure("rows of an array")
    case .plain(let file, let offset, let element):
      var matrix = Matrix(rows: range.count, columns: columnCount)
      let start = offset + range.lowerBound * columnCount * element.byteCount
      func convert<Element: ArrayElement>(_ float: (Element) -> Float) throws {
        try file.forEachBlock(of: Element.self, count: matrix.count, at: start) {
          matrix.write($1, at: $0, float)
        }
      }
      switch element {
      case .float32, .float32WithNorm: try matrix.read(file, at: start)
      case .float16: try convert(Float.init(halfBits:))
      case .bfloat16: try convert { Float(bitPattern: UInt32($0 as UInt16) << 16) }
      case .int8: try convert { Float($0 as Int8) }
      case .uint8: try convert { Float($0 as UInt8) }
      }
      return matrix
    case .records(let file, let element):
      var matrix = Matrix(rows: range.count, columns: columnCount)
      func convert<Element: ArrayElement>(_ float: (Element) -> Float) throws {
        try forEachRecord(range, of: Element.self, in: file) {
          matrix.write($1, at: $0 * columnCount, float)
        }
      }
      switch element {
      case .float32: try convert { (value: Float) in value }
      case .int32: try convert { (value: Int32) in Float(value) }
      case .uint8: try convert { (value: UInt8) in Float(value) }
      }
      return matrix
    }
  }

  /// Calls `body` with the numbers of every record of a range, and the place of the record in it.
  ///
  /// - Throws: ``DataError`` if reading fails, or a record has another length than the first.
  private func forEachRecord<Element: ArrayElement>(
    _ range: Range<Int>, of type: Element.Type, in file: InputFile,
    _ body: (Int, Span<Element>) throws -> Void
  ) throws {
    let columnCount = columnCount
    let stride = MemoryLayout<Element>.stride
    // The number of columns takes the place of one element, or of four.
    let header = 4 / stride
    let length = header + columnCount
    try file.forEachBlock(
      of: type, count: range.count * length, at: range.lowerBound * length * stride,
      multiple: length
    ) { start, block in
      for record in 0..<block.count / length {
        let row = start / length + record
        let found = unsafe block.bytes.unsafeLoadUnaligned(
          fromByteOffset: record * length * stride, as: Int32.self)
        guard found == columnCount else {
          throw DataError(
            path: path,
            problem: "record \(range.lowerBound + row) has \(found) columns; expected "
              + "\(columnCount) as in record 0")
        }
        let first = record * length + header
        try body(row, block.extracting(first..<first + columnCount))
      }
    }
  }
}
