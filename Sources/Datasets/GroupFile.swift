internal import SpeakerTurns

/// The group of every row, in a file: integers in an `.npy` file, or text.
///
/// A line of a text is the name of a group, which may be a number; or a segment of a recording, which is the
/// group: `recording start end`, or with the segment's name before that, as Kaldi writes it. Before segments there may be
/// a line of headings.
public struct GroupFile: Sendable {
  public let path: String
  public let count: Int
  /// The line of the first row, from 0: 1 after headings.
  public let firstLine: Int
  let contents: Contents

  enum Contents {
    case integers(LabelFile)
    case text(TextLines)
  }

  /// - Throws: ``DataError`` if the file cannot be opened, or is an array of another kind.
  public init(path: String) throws {
    self.path = path
    if LabelFile.isArray(path) {
      let file = try LabelFile(path: path)
      count = file.count
      firstLine = 0
      contents = .integers(file)
    } else {
      let lines = try TextLines(InputFile(path: path))
      firstLine = try Self.hasHeadings(lines) ? 1 : 0
      count = lines.filledCount - firstLine
      contents = .text(lines)
    }
  }

  /// Whether the first line has as many words as the segment on the second, and no times.
  private static func hasHeadings(_ lines: TextLines) throws -> Bool {
    guard lines.filledCount > 1 else { return false }
    var first: [[UInt8]] = []
    try lines.forEachLine(0..<2, limit: lineLimit) { _, text in first.append(text) }
    let form = Form(first[1])
    guard form != .name else { return false }
    let (words, fields) = (Form.fields(first[0]), Form.fields(first[1]))
    return words.count == fields.count && words.suffix(2).allSatisfy { Form.number($0) == nil }
  }

  /// Calls `body` with every row before a given one, its line, and the form of all.
  ///
  /// - Throws: ``DataError`` for a line that is longer than lines can be, and what `body` throws.
  func forEachRow(
    of lines: TextLines, upTo end: Int, _ body: (Int, [UInt8], Form) throws -> Void
  ) throws {
    var form: Form?
    try lines.forEachLine(firstLine..<firstLine + end, limit: Self.lineLimit) { line, text in
      form = form ?? Form(text)
      guard text.count < Self.lineLimit else {
        throw unexpected(text, line - firstLine, expected(form!))
      }
      try body(line - firstLine, text, form!)
    }
  }

  /// What to say of a file that has another number of rows than `expected`.
  ///
  /// - Parameter reason: Why that number is expected: `one per point`.
  public func miscount(expected: Int, _ reason: String) -> DataError {
    DataError(
      path: path,
      problem: count < expected
        ? "no group for row \(count); expected \(expected) rows, \(reason)"
        : "\(count) rows; expected \(expected), \(reason): row \(expected) is of no point"
          + (count == expected + 1 ? ", unless the first line is a heading" : ""))
  }

  /// The first row of the group of each of some rows.
  ///
  /// - Throws: ``DataError`` if reading fails, or for a line that is not like the first; it names the line.
  /// - Complexity: O(rows up to the end of the range), memory for the names of their groups.
  /// - Precondition: The range is in `0 ..< count`.
  public func firstRows(_ range: Range<Int>) throws -> [Int64] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "rows \(range) of \(count) in \(path)")
    var rows: [Int64] = []
    rows.reserveCapacity(range.count)
    switch contents {
    case .integers(let file):
      var groups = FirstRows<Int64>()
      for start in stride(from: 0, to: range.upperBound, by: 1 << 20) {
        let tile = start..<min(start + 1 << 20, range.upperBound)
        for (row, label) in zip(tile, try file.labels(tile)) {
          let first = groups.row(of: label, at: row)
          if row >= range.lowerBound { rows.append(first) }
        }
      }
    case .text(let lines):
      var groups = FirstRows<[UInt8]>()
      try forEachName(of: lines, upTo: range.upperBound) { line, name in
        let first = groups.row(of: name, at: line)
        if line >= range.lowerBound { rows.append(first) }
      }
    }
    return rows
  }

  /// What is made of the name of the group of each of some rows: its bytes, or the decimal digits of an integer.
  ///
  /// - Throws, Complexity, Precondition: As of ``firstRows(_:)``.
  public func names<Name>(_ range: Range<Int>, as name: ([UInt8]) -> Name) throws -> [Name] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "rows \(range) of \(count) in \(path)")
    var names: [Name] = []
    names.reserveCapacity(range.count)
    switch contents {
    case .integers(let file):
      for label in try file.labels(range) { names.append(name(Array("\(label)".utf8))) }
    case .text(let lines):
      try forEachName(of: lines, upTo: range.upperBound) { line, text in
        if line >= range.lowerBound { names.append(name(text)) }
      }
    }
    return names
  }

  /// Calls `body` with every row before a given one, and the name of its group.
  private func forEachName(
    of lines: TextLines, upTo end: Int, _ body: (Int, [UInt8]) -> Void
  ) throws {
    try forEachRow(of: lines, upTo: end) { row, text, form in
      guard let name = form.name(text) else { throw unexpected(text, row, expected(form)) }
      body(row, name)
    }
  }

  func unexpected(_ text: [UInt8], _ row: Int, _ expected: String) -> DataError {
    DataError(
      path: path,
      problem: "line \(firstLine + row + 1): expected \(expected), found \(quoted(text))")
  }

  /// What every line is to hold.
  func expected(_ form: Form) -> String {
    switch form {
    case .name: "the name of a group"
    case .segment: "a recording, a start and an end, as on line \(firstLine + 1)"
    case .namedSegment: "a segment, its recording, a start and an end, as on line \(firstLine + 1)"
    }
  }

  /// Bytes of a line that are read.
  static let lineLimit = 4096

  /// What a line holds.
  enum Form {
    case name, segment, namedSegment

    init(_ line: [UInt8]) {
      self = [.segment, .namedSegment].first { $0.name(line) != nil } ?? .name
    }

    /// The name of the group; nil if the line is of another form.
    func name(_ line: [UInt8]) -> [UInt8]? {
      guard self != .name else {
        let name = Self.trimmed(line[...])
        return name.isEmpty ? nil : Array(name)
      }
      return segment(line)?.recording
    }

    /// The recording, start and end; nil if the line is of another form.
    func segment(_ line: [UInt8]) -> (recording: [UInt8], times: Interval)? {
      let fields = Self.fields(line)
      guard self != .name, fields.count == (self == .segment ? 3 : 4),
        let start = Self.number(fields[fields.count - 2]),
        let end = Self.number(fields[fields.count - 1])
      else { return nil }
      return (Array(fields[fields.count - 3]), Interval(start, end))
    }

    /// What stands between tabs; without them between commas, or else between blanks. Between tabs or commas a field may
    /// stand in quotation marks, which are no part of it.
    static func fields(_ line: [UInt8]) -> [ArraySlice<UInt8>] {
      for separator in [UInt8(ascii: "\t"), UInt8(ascii: ",")] where line.contains(separator) {
        return line.split(separator: separator, omittingEmptySubsequences: false).map {
          unquoted(trimmed($0))
        }
      }
      return line.split(whereSeparator: TextLines.isBlank)
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
      var text = text.drop(while: TextLines.isBlank)
      while let last = text.last, TextLines.isBlank(last) { text.removeLast() }
      return text
    }

    private static func unquoted(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
      let mark = UInt8(ascii: "\"")
      return text.count > 1 && text.first == mark && text.last == mark
        ? text.dropFirst().dropLast() : text
    }

    static func number(_ field: ArraySlice<UInt8>) -> Double? {
      Double(String(decoding: field, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
    }
  }
}

/// The first row of every name so far.
public struct FirstRows<Name: Hashable> {
  private var rows: [Name: Int64] = [:]
  /// Most rows are of the group of the row before.
  private var last: (name: Name, row: Int64)?

  public init() {}

  /// The first row that had this name: this one, if none before had it.
  ///
  /// - Parameter row: Ascends from call to call.
  public mutating func row(of name: Name, at row: Int) -> Int64 {
    if let last, last.name == name { return last.row }
    let first = rows[name] ?? Int64(row)
    if first == Int64(row) { rows[name] = first }
    last = (name, first)
    return first
  }
}
