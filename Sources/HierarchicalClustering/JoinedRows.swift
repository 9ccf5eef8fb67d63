public import LinearAlgebra

/// Rows of several sources, one after the other. They are `Float` in memory, whatever type files have.
public struct JoinedRows<Source: EmbeddingSource>: EmbeddingSource {
  private let sources: [Source]
  /// Of every source, and in the end of all.
  private let firstRow: [Int]

  /// - Precondition: One source at least, and all with as many columns.
  public init(_ sources: [Source]) {
    precondition(
      !sources.isEmpty && sources.allSatisfy { $0.dimensions == sources[0].dimensions },
      "columns \(sources.map(\.dimensions))")
    self.sources = sources
    firstRow = sources.reduce(into: [0]) { $0.append($0.last! + $1.rowCount) }
  }

  public var name: String { sources.map(\.name).joined(separator: ", ") }
  public var rowCount: Int { firstRow.last! }
  public var dimensions: Int { sources[0].dimensions }

  public func rowName(_ row: Int) -> String {
    let place = firstRow.dropLast().lastIndex { $0 <= row }!
    let (source, own) = (sources[place], row - firstRow[place])
    let name = source.rowName(own)
    // Sources of several files name the file.
    return name == "\(own)" ? "\(name) of \(source.name)" : name
  }

  public func rows(_ range: Range<Int>) throws -> Matrix {
    try read(range) { (try $0.rows($1), []) }.matrix
  }

  public func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    try read(range) { try $0.directions($1) }
  }

  /// Reads what each source has of some rows.
  private func read(
    _ range: Range<Int>, _ body: (Source, Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int])
  ) throws -> (matrix: Matrix, scaledRows: [Int]) {
    var result = (matrix: Matrix(rows: range.count, columns: dimensions), scaledRows: [Int]())
    for (source, first) in zip(sources, firstRow) {
      let part = range.clamped(to: first..<first + source.rowCount)
      guard !part.isEmpty else { continue }
      let (rows, scaled) = try body(source, part.lowerBound - first..<part.upperBound - first)
      result.matrix.replaceRows(part.map { $0 - range.lowerBound }, by: rows.elements)
      result.scaledRows += scaled.map { $0 + first }
    }
    return result
  }
}
