/// The edges of a graph in a text: on every line two ids, and perhaps a weight.
///
/// Ids are anything, between tabs if the first line of an edge has one, else between commas, or else between blanks.
/// Blank lines, and those that begin with #, are comments. A byte order mark is no part of the first line.
public struct EdgeList: Sendable {
  public let path: String
  /// Lines up to the last that is not blank, with comments.
  public let lineCount: Int
  public let hasWeights: Bool
  private let lines: TextLines
  private let separator: Separator

  /// Bytes of a line that are read.
  private static let lineLimit = 1 << 14

  /// - Throws: ``DataError`` if the file cannot be read, or its first edge has not two ids and perhaps a weight.
  /// - Complexity: O(bytes); a few bytes per thousand lines in memory.
  public init(path: String) throws {
    self.path = path
    let lines = try TextLines(InputFile(path: path))
    (self.lines, lineCount) = (lines, lines.filledCount)
    var found: (line: Int, text: [UInt8])?
    for start in stride(from: 0, to: lineCount, by: 1024) where found == nil {
      let block = start..<min(start + 1024, lineCount)
      try lines.forEachLine(block, limit: Self.lineLimit) { line, text in
        if found == nil, !Self.isComment(text) { found = (line, text) }
      }
    }
    guard let first = found else {
      (separator, hasWeights) = (.blanks, false)
      return
    }
    separator = Separator(of: first.text)
    let count = separator.fields(of: first.text).count
    guard (2...3).contains(count) else {
      throw DataError(
        path: path,
        problem:
          "line \(first.line + 1): expected two ids, and perhaps a weight, separated by tabs, commas or "
          + "blanks, found \(quoted(first.text))")
    }
    hasWeights = count == 3
  }

  /// The edges on some lines, by ids that are numbers of points.
  ///
  /// - Parameters:
  ///   - above: Leaves out edges whose weight is not greater.
  ///   - pointCount: Ids are below it.
  /// - Returns: Two ends for each edge, in turn.
  /// - Throws: ``DataError`` if reading fails, or a line is no such edge; it names the line, counted from 1.
  /// - Precondition: The lines are in `0 ..< lineCount`, and there are weights if they are to be above something.
  public func ends(
    _ lines: Range<Int>, above threshold: Double?, pointCount: Int
  ) throws -> [Int64] {
    var ends: [Int64] = []
    try forEachEdge(lines) { line, edge in
      for id in [edge.first, edge.second] {
        guard let number = NumberLines.integer(id), (0..<pointCount).contains(number) else {
          throw DataError(
            path: path,
            problem:
              "line \(line + 1): id \(quoted(id)); expected 0 ..< \(pointCount), as --points says")
        }
        ends.append(Int64(number))
      }
      if let threshold, !(edge.weight! > threshold) { ends.removeLast(2) }
    }
    return ends
  }

  /// The edges on some lines, by numbers of their ids: those in which ids first appear in the file, in an edge of any
  /// weight.
  ///
  /// - Parameter above: Leaves out edges whose weight is not greater.
  /// - Returns: Two ends for each edge, in turn; and all ids of the file, by their numbers.
  /// - Throws: ``DataError`` if reading fails, or a line of the file is no edge; it names the line, counted from 1.
  /// - Complexity: O(bytes of the file), and memory for every id.
  /// - Precondition: The lines are in `0 ..< lineCount`, and there are weights if they are to be above something.
  public func ends(
    _ lines: Range<Int>, above threshold: Double?
  ) throws -> (ends: [Int64], ids: [[UInt8]]) {
    var ids: [[UInt8]] = []
    var numbers: [[UInt8]: Int64] = [:]
    var ends: [Int64] = []
    try forEachEdge(0..<lineCount) { line, edge in
      let isAsked = lines.contains(line) && threshold.map { edge.weight! > $0 } ?? true
      for id in [Array(edge.first), Array(edge.second)] {
        let number = numbers[id] ?? Int64(ids.count)
        if number == Int64(ids.count) {
          numbers[id] = number
          ids.append(id)
        }
        if isAsked { ends.append(number) }
      }
    }
    return (ends, ids)
  }

  /// - Throws: ``DataError`` if there are none.
  public func requireWeights() throws {
    guard !hasWeights, lineCount > 0 else { return }
    throw DataError(path: path, problem: "edges of two ids; expected a weight behind them")
  }

  private struct Edge {
    let first: ArraySlice<UInt8>
    let second: ArraySlice<UInt8>
    /// Nil where edges have none.
    let weight: Double?
  }

  private func forEachEdge(_ range: Range<Int>, _ body: (Int, Edge) throws -> Void) throws {
    try lines.forEachLine(range, limit: Self.lineLimit) { line, text in
      guard !Self.isComment(text) else { return }
      let fields = separator.fields(of: text)
      let weight = hasWeights && fields.count == 3 ? Self.number(fields[2]) : nil
      guard text.count < Self.lineLimit, fields.count == (hasWeights ? 3 : 2),
        fields.allSatisfy({ !$0.isEmpty && !$0.contains(UInt8(ascii: "\t")) }),
        (weight != nil) == hasWeights
      else {
        throw DataError(
          path: path,
          problem:
            "line \(line + 1): expected two ids\(hasWeights ? " and a weight" : "") separated by "
            + "\(separator.rawValue), found \(quoted(text))")
      }
      try body(line, Edge(first: fields[0], second: fields[1], weight: weight))
    }
  }

  private static func number(_ field: ArraySlice<UInt8>) -> Double? {
    Double(String(decoding: field, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
  }

  private static func isComment(_ text: [UInt8]) -> Bool {
    let first = text.first { !TextLines.isBlank($0) }
    return first == nil || first == UInt8(ascii: "#")
  }

  /// What stands between ids.
  private enum Separator: String {
    case tabs, commas, blanks

    init(of line: [UInt8]) {
      self =
        line.contains(UInt8(ascii: "\t"))
        ? .tabs : line.contains(UInt8(ascii: ",")) ? .commas : .blanks
    }

    func fields(of line: [UInt8]) -> [ArraySlice<UInt8>] {
      switch self {
      case .blanks: line.split(whereSeparator: TextLines.isBlank)
      case .tabs, .commas:
        line.split(
          separator: self == .tabs ? UInt8(ascii: "\t") : UInt8(ascii: ","),
          omittingEmptySubsequences: false
        ).map(TextLines.trimmed)
      }
    }
  }
}
