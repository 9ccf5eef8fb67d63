extension FeatureFile {
  /// Refuses a file whose bytes are laid out in another way than its extension says.
  ///
  /// The formats but `.npy` would take almost any bytes as numbers.
  ///
  /// - Throws: ``DataError`` that says what the file is.
  static func check(_ file: InputFile, is format: FeatureFormat, _ dimensions: Int?) throws {
    guard file.byteCount > 0 else { return }
    if let kind = try FileKind.description(of: file, isCertain: true) {
      throw DataError(path: file.path, problem: "is \(kind); expected features as .\(format)")
    }
    let records = try recordCount(file, elementByteCount: 4)
    let byteRecords = try recordCount(file, elementByteCount: 1)
    let counted = try countedShape(file)
    // A small file may be of both kinds; then its extension decides.
    switch format {
    case .fvecs where records == nil, .ivecs where records == nil: break
    case .bvecs where byteRecords == nil: break
    case .fbin where counted?.byteCount != 4: break
    case .u8bin where counted?.byteCount != 1, .i8bin where counted?.byteCount != 1: break
    case .bin: break
    default: return
    }
    for (records, name) in [(records, "fvecs"), (byteRecords, "bvecs")] {
      guard let records else { continue }
      throw DataError(
        path: file.path,
        problem:
          "is laid out as .\(name): \(records.count) records that begin with \(records.columns), "
          + "their number of columns; expected .\(format)")
    }
    if let counted, counted.byteCount != format.countedByteCount {
      let element =
        counted.byteCount == 4 ? "as .fbin" : "as vectors of \(counted.byteCount)-byte numbers"
      throw DataError(
        path: file.path,
        problem: "is laid out \(element): it begins with the numbers of rows and columns, "
          + "\(counted.rows) and \(counted.columns); expected .\(format)")
    }
  }

  /// Records of one length that make up the file, each beginning with its number of columns; nil if
  /// the first 64, the last, and some between do not.
  private static func recordCount(
    _ file: InputFile, elementByteCount: Int
  ) throws -> (count: Int, columns: Int)? {
    guard file.byteCount > 8 else { return nil }
    let columns = Int(try file.integer(Int32.self, at: 0))
    let length = 4 + elementByteCount * columns
    guard columns > 0, file.byteCount.isMultiple(of: length) else { return nil }
    let count = file.byteCount / length
    let places = Array(0..<min(count, 64)) + (1...64).map { (count - 1) / 64 * $0 } + [count - 1]
    for place in places {
      let found = Int(try file.integer(Int32.self, at: place * length))
      guard found == columns else { return nil }
    }
    return (count, columns)
  }

  /// Two `uint32` that say how many rows and columns follow, and the size of a number in bytes; nil
  /// if the size of the file is none that they make.
  private static func countedShape(
    _ file: InputFile
  ) throws -> (rows: Int, columns: Int, byteCount: Int)? {
    guard file.byteCount > 8 else { return nil }
    let rows = Int(try file.integer(UInt32.self, at: 0))
    let columns = Int(try file.integer(UInt32.self, at: 4))
    guard rows > 0, columns > 0 else { return nil }
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, (file.byteCount - 8).isMultiple(of: count) else { return nil }
    let byteCount = (file.byteCount - 8) / count
    return [1, 2, 4, 8].contains(byteCount) ? (rows, columns, byteCount) : nil
  }
}

extension FeatureFormat {
  /// Bytes of a number after the two of rows and columns; nil for formats that do not begin so.
  fileprivate var countedByteCount: Int? {
    switch self {
    case .fbin: 4
    case .u8bin, .i8bin: 1
    default: nil
    }
  }
}
