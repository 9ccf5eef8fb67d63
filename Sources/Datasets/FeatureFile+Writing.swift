public import Communication
public import LinearAlgebra

extension FeatureFile {
  /// Writes features of which every rank has some rows, in the format of the file's extension.
  ///
  /// The file appears when all ranks have written theirs, or not at all.
  ///
  /// > Collective: seven rounds: four of 1 byte and one of 24 bytes per rank, and the broadcast of
  /// > the temporary name. The rows go from each rank to the file.
  ///
  /// - Parameters:
  ///   - slice: This rank's rows. May be none, but with as many columns as elsewhere.
  ///   - rowCount: Replicated. The rows of the whole file.
  ///   - firstRow: The place of the slice among them.
  ///   - elementType: Of `.npy`: `int8` or `float16` (rounded to nearest), `float32` or `float64`; the
  ///     other formats are `float32`.
  /// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DataError`` says: the
  ///   extension is unknown, the format cannot hold the features, the type cannot hold a value, the file
  ///   exists and `overwrite` is false, or writing failed on some rank.
  /// - Precondition: The slices of all ranks make up the rows, without gap or overlap.
  public static func write(
    _ slice: Matrix, rowCount: Int, firstRow: Int, to path: String,
    as elementType: ElementType = .float32, overwrite: Bool, on communicator: some Communicator
  ) throws {
    try write(
      rows: firstRow..<firstRow + slice.rowCount, of: rowCount, columnCount: slice.columnCount,
      sliceLength: max(slice.rowCount, 1), to: path, as: elementType, overwrite: overwrite,
      on: communicator
    ) { _ in slice }
  }

  /// Writes features of which every rank makes some rows, a slice at a time: the way of those that do not fit
  /// into memory.
  ///
  /// > Collective: as ``write(_:rowCount:firstRow:to:as:overwrite:on:)``.
  ///
  /// - Parameters:
  ///   - owned: This rank's rows.
  ///   - rowCount: Replicated. The rows of the whole file.
  ///   - columnCount: Replicated.
  ///   - sliceLength: How many rows are asked for at once.
  ///   - place: The file that a row comes from, and its number there, as errors about values call it. Default: `path`,
  ///     and the row itself.
  ///   - slice: Makes some of the owned rows, which are asked for in order. Does not communicate.
  /// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DataError`` says or `slice` throws.
  /// - Precondition: The rows of all ranks make up the file, without gap or overlap.
  public static func write(
    rows owned: Range<Int>, of rowCount: Int, columnCount: Int, sliceLength: Int, to path: String,
    as elementType: ElementType = .float32, overwrite: Bool,
    from place: ((Int) -> (path: String, row: Int))? = nil, on communicator: some Communicator,
    _ slice: (Range<Int>) throws -> Matrix
  ) throws {
    try communicator.assertReplicated(
      (
        rowCount: rowCount, columnCount: columnCount, path: path, elementType: elementType,
        overwrite: overwrite
      ))
    let format = try communicator.agree {
      let format = try FeatureFormat(path: path)
      try check(format, elementType, rowCount: rowCount, columnCount: columnCount, path)
      return format
    }
    try requireTiling(
      of: rowCount, first: owned.lowerBound, count: owned.count, rowLength: columnCount,
      on: communicator)
    let header = header(format, elementType, rowCount: rowCount, columnCount: columnCount)
    let rowByteCount =
      columnCount * elementType.byteCount + (format == .fvecs ? MemoryLayout<Int32>.size : 0)
    try writeAtomically(
      to: path, header: header, byteCount: header.count + rowCount * rowByteCount,
      overwrite: overwrite, on: communicator
    ) { file in
      for first in stride(from: owned.lowerBound, to: owned.upperBound, by: sliceLength) {
        let range = first..<min(first + sliceLength, owned.upperBound)
        let rows = try slice(range)
        precondition(
          rows.rowCount == range.count && rows.columnCount == columnCount,
          "[\(rows.rowCount) × \(rows.columnCount)] for rows \(range) of \(columnCount) columns")
        let offset = header.count + first * rowByteCount
        func named(_ row: Int) -> (path: String, row: Int) {
          place?(first + row) ?? (path: path, row: first + row)
        }
        if elementType == .int8 { try checkByte(rows, named) }
        if elementType == .float16 { try checkHalf(rows, named) }
        if format == .fvecs {
          try writeRecords(rows, to: file, at: offset)
        } else {
          try write(rows, as: elementType, to: file, at: offset)
        }
      }
    }
  }

  private static func write(
    _ rows: Matrix, as elementType: ElementType, to file: borrowing OutputFile, at offset: Int
  ) throws {
    try unsafe rows.withUnsafeBufferPointer { elements throws in
      switch elementType {
      case .int8:
        try file.write(count: elements.count, at: offset) { unsafe Int8(elements[$0].rounded()) }
      case .float16:
        try file.write(count: elements.count, at: offset) { unsafe Float16(elements[$0]) }
      case .float64:
        try file.write(count: elements.count, at: offset) { unsafe Double(elements[$0]) }
      default: try unsafe file.write(Span(_unsafeElements: elements).bytes, at: offset)
      }
    }
  }

  /// - Throws: ``DataError`` for the first value that is beyond `int8`.
  private static func checkByte(
    _ rows: Matrix, _ place: (Int) -> (path: String, row: Int)
  ) throws {
    for row in 0..<rows.rowCount {
      for (column, value) in rows.row(row).enumerated() where !(-128.5 < value && value < 127.5) {
        throw DataError(
          path: place(row).path,
          problem: "row \(place(row).row), column \(column): \(value) is beyond int8, which holds "
            + "-128 ... 127")
      }
    }
  }

  /// - Throws: ``DataError`` for the first value that would become infinite, or the first row that would
  ///   lose its direction because all its values are below what `float16` holds with 11 bits.
  private static func checkHalf(
    _ rows: Matrix, _ place: (Int) -> (path: String, row: Int)
  ) throws {
    try unsafe rows.withUnsafeBufferPointer { elements throws in
      for row in 0..<rows.rowCount {
        var largest: Float = 0
        for column in 0..<rows.columnCount {
          let value = unsafe elements[row * rows.columnCount + column]
          guard value.isInfinite || !Float16(value).isInfinite else {
            throw DataError(
              path: place(row).path,
              problem:
                "row \(place(row).row), column \(column): \(value) is too large for float16, which "
                + "holds up to 65504")
          }
          largest = max(largest, abs(value))  // NaN does not count
        }
        guard largest == 0 || largest >= Float(Float16.leastNormalMagnitude) else {
          throw DataError(
            path: place(row).path,
            problem: "row \(place(row).row): values up to \(largest) are too small for float16")
        }
      }
    }
  }

  private static func check(
    _ format: FeatureFormat, _ elementType: ElementType, rowCount: Int, columnCount: Int,
    _ path: String
  ) throws {
    func error(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    guard FeatureFormat.written.contains(format) else {
      throw error("features are not written as .\(format)")
    }
    guard
      elementType == .float32
        || format == .npy && (elementType.isFloatingPoint || elementType == .int8)
    else {
      throw error("features cannot be written as \(elementType) in .\(format)")
    }
    guard columnCount > 0 else { throw error("features without columns cannot be written") }
    guard rowCount > 0 || format != .fvecs else {
      throw error("0 rows of \(columnCount) columns; .fvecs has no place for columns without rows")
    }
    let limit = format == .fbin ? Int(UInt32.max) : format == .fvecs ? Int(Int32.max) : Int.max
    guard columnCount <= limit, format != .fbin || rowCount <= limit else {
      throw error("[\(rowCount) × \(columnCount)] is too large for .\(format)")
    }
  }

  private static func header(
    _ format: FeatureFormat, _ elementType: ElementType, rowCount: Int, columnCount: Int
  ) -> [UInt8] {
    switch format {
    case .npy: ArrayHeader.bytes(elementType, shape: [rowCount, columnCount])
    case .fbin:
      [rowCount, columnCount].flatMap { count in
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
      }
    default: []
    }
  }

  private static func writeRecords(
    _ slice: Matrix, to file: borrowing OutputFile, at offset: Int
  ) throws {
    let length = slice.columnCount + 1
    let lengthField = Float(bitPattern: UInt32(slice.columnCount))
    try unsafe slice.withUnsafeBufferPointer { elements throws in
      try file.write(count: slice.rowCount * length, at: offset, multiple: length) { place in
        let (row, column) = place.quotientAndRemainder(dividingBy: length)
        return unsafe column == 0 ? lengthField : elements[row * (length - 1) + column - 1]
      }
    }
  }
}
