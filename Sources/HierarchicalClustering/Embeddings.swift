public import Communication
public import Datasets
public import LinearAlgebra
internal import NeighborSearch
public import Parallelism

/// Rows of embeddings that can be read again at any time, a slice at a time.
public protocol EmbeddingSource: Sendable {
  /// Its name in messages.
  var name: String { get }
  var rowCount: Int { get }
  var dimensions: Int { get }

  /// Some rows as they are stored, not normalised. Shape `[range.count × dimensions]`.
  func rows(_ range: Range<Int>) throws -> Matrix

  /// Some rows with their numbers as they are stored, not measured; nil if they are not of a type that
  /// stays in memory as it is.
  func storedRows(_ range: Range<Int>) throws -> StoredRows?

  /// Some rows, each up to a positive factor if ``rows(_:)`` refuses it only for its length; and the
  /// rows that have such a factor.
  func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int])

  /// What messages call a row: its number, and where it is counted within one of several files, the file.
  func rowName(_ row: Int) -> String
}

extension EmbeddingSource {
  public func rowName(_ row: Int) -> String { "\(row)" }

  public func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    (try rows(range), [])
  }

  public func storedRows(_ range: Range<Int>) throws -> StoredRows? { nil }
}

extension FeatureFile: EmbeddingSource {
  public var name: String { path }
  public var dimensions: Int { columnCount }
}

extension FeatureFiles: EmbeddingSource {
  public var name: String { path }
  public var dimensions: Int { columnCount }

  public func rowName(_ row: Int) -> String {
    guard paths.areSeveral else { return "\(row)" }
    let place = place(of: row)
    return "\(place.row) of \(place.path)"
  }
}

extension ArrayInMemory: EmbeddingSource {
  public var name: String { path }
  public var dimensions: Int { columnCount }
}

/// Embeddings that are in memory already, the same on every rank.
public struct EmbeddingsInMemory: EmbeddingSource {
  public let name = "embeddings"
  private let matrix: Matrix

  public init(_ matrix: Matrix) { self.matrix = matrix }

  public var rowCount: Int { matrix.rowCount }
  public var dimensions: Int { matrix.columnCount }

  public func rows(_ range: Range<Int>) throws -> Matrix {
    Matrix(
      rows: range.count, columns: dimensions, elements: matrix.elements(inRows: range))
  }
}

/// What to do with a row that has no direction because it is all zeros or has NaN or infinite values.
public enum InvalidRowPolicy: String, CaseIterable, Sendable {
  /// Refuse the whole input.
  case error
  /// Take it as a row of zeros: similar to nothing, a cluster of its own.
  case singleton
}

extension AgreedFailure {
  /// The code of the failure that ``InvalidRowPolicy/error`` makes of such rows.
  public static let invalidRows = "invalid rows"
}

/// This rank's share of the input, as unit rows.
struct LoadedRows {
  /// Rows without a direction are zeros.
  let rows: StoredRows
  /// Input indices of the rows that were of zeros or held NaN or infinite values.
  let invalid: [Int]
  /// The largest absolute value.
  let largestValue: Float
}

/// Rows as they are stored, except that rows without a direction are zeros.
struct ValidRows {
  /// Shape `[count × dimensions]`.
  var matrix: Matrix
  /// Input indices of the rows that were of zeros or held NaN or infinite values.
  var invalid: [Int]
  /// Input indices of the rows that are stored with values beyond `Float`, and have a factor here.
  var scaled: [Int]
  /// The largest absolute value.
  var largestValue: Float
}

extension EmbeddingSource {
  /// Some rows, with those that have no direction replaced by zeros.
  func validRows(_ range: Range<Int>, using workers: Workers = Workers()) throws -> ValidRows {
    let rows = try directions(range)
    var result = ValidRows(
      matrix: rows.matrix, invalid: [], scaled: rows.scaledRows, largestValue: 0)
    let (elements, dimensions) = unsafe (result.matrix.sharedRows(), dimensions)
    // The largest value of every row; 0 where it has no direction.
    let largestValues = [Float](
      count: range.count, tilesOf: 256, using: workers, filledWith: 0
    ) { rows, largestValues in
      for row in rows {
        let values = unsafe elements[row]
        var largest: Float = 0
        var isFinite = true
        for column in 0..<dimensions {
          let magnitude = unsafe abs(values[column])
          isFinite = isFinite && magnitude.isFinite
          if magnitude > largest { largest = magnitude }
        }
        largestValues[row - rows.lowerBound] = isFinite ? largest : 0
      }
    }
    for (row, largest) in largestValues.enumerated() {
      result.largestValue = max(result.largestValue, largest)
      guard largest == 0 else { continue }
      result.invalid.append(range.lowerBound + row)
      unsafe result.matrix.withUnsafeMutableBufferPointer { elements in
        for place in row * dimensions..<(row + 1) * dimensions { unsafe elements[place] = 0 }
      }
    }
    return result
  }

  /// Some rows, whose numbers stay as they are if they are short.
  private func loadedRows(
    _ range: Range<Int>, asStored: Bool, using workers: Workers
  ) throws -> LoadedRows {
    if var rows = try storedRows(range) {
      let largest = rows.measure(using: workers)
      return LoadedRows(
        rows: rows,
        invalid: largest.indices.filter { largest[$0] == 0 }.map { range.lowerBound + $0 },
        largestValue: largest.max() ?? 0)
    }
    var rows = try validRows(range, using: workers)
    // Says which row it is, and what is wrong with it.
    if asStored, let row = rows.scaled.first { _ = try self.rows(row..<row + 1) }
    rows.matrix.normalizeRows(using: workers)
    return LoadedRows(
      rows: StoredRows(rows.matrix), invalid: rows.invalid, largestValue: rows.largestValue)
  }

  /// This rank's share of the rows, divided by their norms; rows without direction are zeros.
  ///
  /// > Collective: over `communicator`. A round of one byte, and two of a few bytes per rank.
  ///
  /// - Parameter asStored: Whether their lengths matter too: rows whose values are beyond `Float` are
  ///   refused then.
  /// - Throws: ``AgreedFailure`` on all ranks if a slice cannot be read, or if there are invalid rows
  ///   that the policy refuses; it gives their number and the first of them.
  func load(
    _ range: Range<Int>, invalid policy: InvalidRowPolicy, asStored: Bool = false,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws -> LoadedRows {
    let rows = try communicator.agree {
      try loadedRows(range, asStored: asStored, using: workers)
    }
    let invalidCount = try communicator.sum(rows.invalid.count)
    if policy == .error, invalidCount > 0 {
      let first = try communicator.allGather(Array(rows.invalid.prefix(5))).values.prefix(5)
      let list = first.map(rowName).joined(separator: ", ")
      throw AgreedFailure(
        reason: "\(name): \(invalidCount) of \(rowCount) rows have no direction "
          + "(all zeros, or NaN or infinite values): row \(list)"
          + (invalidCount > first.count ? ", …" : ""),
        code: AgreedFailure.invalidRows)
    }
    return rows
  }

  /// This rank's share of the rows, divided by their norms; rows without direction are zeros.
  ///
  /// > Collective: over `communicator`. A round of one byte, and two of a few bytes per rank.
  ///
  /// - Throws: ``AgreedFailure`` on all ranks if a slice cannot be read, or if there are invalid rows
  ///   that the policy refuses; it gives their number and the first of them.
  public func unitRows(
    _ range: Range<Int>, invalid policy: InvalidRowPolicy, using workers: Workers = Workers(),
    on communicator: some Communicator
  ) throws -> StoredRows {
    try load(range, invalid: policy, using: workers, on: communicator).rows
  }
}
