public import Communication
public import LinearAlgebra

/// The features of many nodes, one row per node, in one file or in several whose rows follow each other; read by rows.
///
/// Opening reads the header of every file. ``rows(_:)`` reads only the rows that it is asked for, from the files that hold
/// them. Errors name the file, and the row within it.
public struct FeatureFiles: Sendable {
  /// The files that are read.
  public let paths: FeaturePaths
  /// Of all files together.
  public let rowCount: Int
  /// Features per row, in 1 ... `Int32.max`; of each file.
  public let columnCount: Int
  /// How ``storedRows(_:)`` keeps the numbers; `float32` if it does not.
  public let storedElement: StoredElement
  /// The type of the numbers in every file, as messages call it.
  public let elementName: String
  private let parts: [Part]

  /// Files that stay open; others are opened for each reading, as a process has only so many at once.
  static let mostOpenFiles = 128
  /// Floats that are read at once where several files make up the rows.
  private static let pieceLength = 1 << 22

  /// What messages about all rows say: the name that was given.
  public var path: String { paths.name }

  /// Opens all files.
  ///
  /// - Parameter dimensions: The number of columns: needed for `.bin`; checked for the others.
  /// - Throws: ``DataError`` if a file cannot be opened or is damaged, or has other columns or numbers of another type
  ///   than the first; it names the file.
  public init(_ paths: FeaturePaths, dimensions: Int? = nil) throws {
    self.paths = paths
    var parts: [Part] = []
    var first: FeatureFile?
    for path in paths.parts {
      let file = try FeatureFile(path: path, dimensions: dimensions)
      let model = first ?? file
      if first == nil { first = file }
      guard file.columnCount == model.columnCount else {
        throw DataError(
          path: path,
          problem: "rows of \(file.columnCount) columns; expected \(model.columnCount), as in "
            + model.path)
      }
      guard file.elementName == model.elementName else {
        throw DataError(
          path: path,
          problem: "\(file.elementName) numbers; expected \(model.elementName), as in \(model.path)"
        )
      }
      let start = parts.last?.rows.upperBound ?? 0
      parts.append(
        Part(
          path: path, rows: start..<start + file.rowCount,
          file: parts.count < Self.mostOpenFiles ? file : nil))
    }
    self.parts = parts
    rowCount = parts.last!.rows.upperBound
    columnCount = first!.columnCount
    storedElement = first!.storedElement
    elementName = first!.elementName
  }

  /// Opens the files that a name stands for, as ``FeaturePaths/init(_:)`` finds them here.
  public init(path: String, dimensions: Int? = nil) throws {
    try self.init(FeaturePaths(path), dimensions: dimensions)
  }

  /// Opens the files that a name stands for on every rank, as rank 0 finds them.
  ///
  /// > Collective: over `communicator`. Two rounds of one byte, and two with the paths from rank 0.
  ///
  /// - Parameter isForOthers: Whether the dimensions are of other features, and count only for `.bin`.
  /// - Throws: ``AgreedFailure`` on every rank, as the other initialisers.
  public init(
    path: String, dimensions: Int?, isForOthers: Bool = false, on communicator: some Communicator
  ) throws {
    let paths = try FeaturePaths(path, on: communicator)
    let own = isForOthers ? paths.dimensionsIfRaw(dimensions) : dimensions
    self = try communicator.agree { try FeatureFiles(paths, dimensions: own) }
  }

  /// A file, and its rows among all.
  private struct Part: Sendable {
    let path: String
    let rows: Range<Int>
    /// Nil of one that is not kept open.
    let file: FeatureFile?
  }

  /// The formats of the files, each once, in order.
  public var formats: [FeatureFormat] {
    get throws {
      try paths.parts.map { try FeatureFormat(path: $0) }.reduce(into: []) {
        if !$0.contains($1) { $0.append($1) }
      }
    }
  }

  /// The file that holds a row, and the row's number in it.
  ///
  /// - Precondition: The row is in `0 ..< rowCount`.
  public func place(of row: Int) -> (path: String, row: Int) {
    precondition((0..<rowCount).contains(row), "row \(row) of \(rowCount) in \(path)")
    let part = parts[firstPart(endingAfter: row)]
    return (part.path, row - part.rows.lowerBound)
  }
}

// Reading.
extension FeatureFiles {
  /// The features of some rows, as ``FeatureFile/rows(_:)``.
  ///
  /// - Returns: Shape `[range.count × columnCount]`.
  /// - Precondition: The range is in `0 ..< rowCount`.
  public func rows(_ range: Range<Int>) throws -> Matrix {
    try matrix(of: range) { file, rows, _ in try file.rows(rows) }
  }

  /// The features of some rows up to a factor for each, as ``FeatureFile/directions(_:)``.
  ///
  /// - Returns: Shape `[range.count × columnCount]`, and which rows were multiplied, by their numbers among all.
  /// - Precondition: The range is in `0 ..< rowCount`.
  public func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    var scaledRows: [Int] = []
    let matrix = try matrix(of: range) { file, rows, offset in
      let found = try file.directions(rows)
      scaledRows += found.scaledRows.map { $0 + offset }
      return found.matrix
    }
    return (matrix, scaledRows)
  }

  /// The features of some rows with their numbers as they are in the files, as ``FeatureFile/storedRows(_:)``.
  ///
  /// - Precondition: The range is in `0 ..< rowCount`.
  public func storedRows(_ range: Range<Int>) throws -> StoredRows? {
    guard storedElement != .float32 else { return nil }
    check(range)
    var result = StoredRows(rows: range.count, columns: columnCount, of: storedElement)
    for part in parts(of: range) {
      let rows = range.clamped(to: part.rows)
      try opened(part).readStored(
        rows.shifted(by: -part.rows.lowerBound), into: &result,
        atRow: rows.lowerBound - range.lowerBound)
    }
    return result
  }

  /// Rows of floats: those of one file as they are read, those of several a piece at a time.
  ///
  /// - Parameter read: Reads rows of a file; the last argument is what to add to its rows to get those among all.
  private func matrix(
    of range: Range<Int>, _ read: (FeatureFile, Range<Int>, Int) throws -> Matrix
  ) throws -> Matrix {
    check(range)
    let parts = parts(of: range)
    if parts.count == 1 {
      let offset = parts.first!.rows.lowerBound
      return try read(opened(parts.first!), range.shifted(by: -offset), offset)
    }
    var result = Matrix(rows: range.count, columns: columnCount)
    for part in parts {
      let (file, offset) = (try opened(part), part.rows.lowerBound)
      let rows = range.clamped(to: part.rows)
      let height = max(1, Self.pieceLength / columnCount)
      for first in stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
        let piece = first..<min(first + height, rows.upperBound)
        try read(file, piece.shifted(by: -offset), offset)
          .copy(into: &result, atRow: first - range.lowerBound)
      }
    }
    return result
  }

  private func check(_ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rowCount,
      "rows \(range) of \(rowCount) in \(path)")
  }

  /// Those that hold rows of a range.
  private func parts(of range: Range<Int>) -> ArraySlice<Part> {
    guard !range.isEmpty else { return [] }
    let first = firstPart(endingAfter: range.lowerBound)
    return parts[first...firstPart(endingAfter: range.upperBound - 1)]
  }

  /// The place of the first that ends after a row: the one that holds it, as rows follow each other.
  private func firstPart(endingAfter row: Int) -> Int {
    var places = 0..<parts.count
    while !places.isEmpty {
      let middle = places.lowerBound + places.count / 2
      if parts[middle].rows.upperBound > row {
        places = places.lowerBound..<middle
      } else {
        places = middle + 1..<places.upperBound
      }
    }
    return places.lowerBound
  }

  /// - Throws: ``DataError`` for a file that is another since all were opened.
  private func opened(_ part: Part) throws -> FeatureFile {
    if let file = part.file { return file }
    let file = try FeatureFile(path: part.path, dimensions: columnCount)
    guard file.rowCount == part.rows.count, file.elementName == elementName else {
      throw DataError(
        path: part.path,
        problem: "\(file.rowCount) rows of \(file.elementName); it had \(part.rows.count) of "
          + "\(elementName) when the run began")
    }
    return file
  }
}

extension Range<Int> {
  fileprivate func shifted(by offset: Int) -> Range<Int> {
    lowerBound + offset..<upperBound + offset
  }
}

extension Matrix {
  /// Copies all rows over some of another matrix.
  fileprivate func copy(into target: inout Matrix, atRow first: Int) {
    unsafe withUnsafeBufferPointer { elements in
      unsafe target.write(Span(_unsafeElements: elements), at: first * columnCount) { $0 }
    }
  }
}
