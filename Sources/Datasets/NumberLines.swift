/// A text of numbers: on every line the same count of them, separated by commas or blanks.
///
/// Spaces, tabs and a carriage return around a number do not count, and neither do blank lines at
/// the end. A byte order mark is no part of the first line.
public enum NumberLines {
  /// All integers of a file, line after line. `2.0` is one, too.
  ///
  /// - Parameter perLine: How many a line must have.
  /// - Returns: Shape `[lines * perLine]`; value i stands on line `i / perLine + 1`.
  /// - Throws: ``DataError`` if reading fails or a line is not so; it names the line, counted from 1.
  /// - Complexity: O(bytes); the whole file is in memory while it is read.
  public static func integers(path: String, perLine: Int) throws -> [Int] {
    var values: [Int] = []
    let expected =
      perLine == 1 ? "an integer" : "\(perLine) integers separated by commas or spaces"
    try forEachLine(of: path) { line, text in
      var count = 0
      try forEachField(of: text) { field in
        count += 1
        guard count <= perLine, let value = integer(field) else {
          throw error(path, line, expected: expected, found: text)
        }
        values.append(value)
      }
      guard count == perLine else { throw error(path, line, expected: expected, found: text) }
    }
    return values
  }

  /// All integers of a file, line after line, and how many a line has.
  ///
  /// - Returns: Shape `[lines * perLine]`; `perLine` is 0 for an empty file.
  /// - Throws: ``DataError`` as ``integers(path:perLine:)``, and if a line has another count of them than the
  ///   first.
  public static func integers(path: String) throws -> (values: [Int], perLine: Int) {
    var values: [Int] = []
    var perLine = 0
    try forEachLine(of: path) { line, text in
      var count = 0
      try forEachField(of: text) { field in
        count += 1
        guard let value = integer(field) else {
          throw error(
            path, line, expected: perLine < 2 ? "an integer" : "\(perLine) integers", found: text)
        }
        values.append(value)
      }
      if line == 1 { perLine = count }
      guard count == perLine else { throw differing(path, line, count, perLine, "integers") }
    }
    return (values, perLine)
  }

  /// All numbers of a file, line after line, and how many a line has.
  ///
  /// - Returns: Shape `[lines * perLine]`; `perLine` is 0 for an empty file.
  /// - Throws: ``DataError`` if reading fails, a field is not a finite number, or a line has another
  ///   count of them than the first; it names the line, counted from 1.
  /// - Complexity: O(bytes); the whole file is in memory while it is read.
  public static func numbers(path: String) throws -> (values: [Float], perLine: Int) {
    var values: [Float] = []
    var perLine = 0
    try forEachLine(of: path) { line, text in
      var count = 0
      try forEachField(of: text) { field in
        let word = String(decoding: field, as: UTF8.self)
        guard let value = Float(word), value.isFinite else {
          if Double(word)?.isFinite == true {
            throw DataError(
              path: path,
              problem:
                "line \(line): \(quoted(field)) is too large for float32, which holds up to 3.4e38")
          }
          throw error(
            path, line, expected: "finite numbers separated by commas or spaces", found: text)
        }
        values.append(value)
        count += 1
      }
      if line == 1 { perLine = count }
      guard count == perLine else { throw differing(path, line, count, perLine, "numbers") }
    }
    return (values, perLine)
  }

  private static func differing(
    _ path: String, _ line: Int, _ count: Int, _ perLine: Int, _ unit: String
  ) -> DataError {
    DataError(
      path: path,
      problem: "line \(line): \(count) \(unit); expected \(perLine), as on line 1")
  }

  private static func error(
    _ path: String, _ line: Int, expected: String, found text: ArraySlice<UInt8>
  ) -> DataError {
    DataError(
      path: path,
      problem: "line \(line): expected \(expected), found \(quoted(TextLines.trimmed(text)))")
  }

  /// Calls `body` for every line up to the last that is not blank, counted from 1.
  private static func forEachLine(
    of path: String, _ body: (_ line: Int, _ text: ArraySlice<UInt8>) throws -> Void
  ) throws {
    let file = try InputFile(path: path)
    let first = try file.textStart()
    var bytes = try file.bytes(at: first, count: file.byteCount - first)
    while let last = bytes.last, last == UInt8(ascii: "\n") || TextLines.isBlank(last) {
      bytes.removeLast()
    }
    var line = 1
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      try body(line, bytes[start..<end])
      line += 1
      start = end + 1
    }
  }

  /// Calls `body` for every field: what stands between commas, or between blanks. Of nothing but blanks it is
  /// one empty field, and so is what stands between two commas, or behind the last.
  private static func forEachField(
    of text: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) throws -> Void
  ) rethrows {
    let text = TextLines.trimmed(text)
    let comma = UInt8(ascii: ",")
    var start = text.startIndex
    while true {
      let end = text[start...].firstIndex { $0 == comma || TextLines.isBlank($0) } ?? text.endIndex
      try body(text[start..<end])
      // Up to the next field: blanks, and at most one comma.
      var next = text[end...].firstIndex { !TextLines.isBlank($0) } ?? text.endIndex
      if next == text.endIndex { return }
      if text[next] == comma {
        next = text[(next + 1)...].firstIndex { !TextLines.isBlank($0) } ?? text.endIndex
      }
      start = next
    }
  }

  /// `-3`, `3`, `+3` or `3.0`; nil for anything else, and where an `Int` does not suffice.
  static func integer(_ text: ArraySlice<UInt8>) -> Int? {
    // Programs that have numbers as floats write integers so.
    var text = text
    if let point = text.lastIndex(of: UInt8(ascii: ".")),
      text[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") })
    {
      text = text[..<point]
    }
    let isNegative = text.first == UInt8(ascii: "-")
    let digits = isNegative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text
    guard !digits.isEmpty else { return nil }
    var value = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      let place = Int(digit - UInt8(ascii: "0"))
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      // Not to be negated at the end, as the least has no positive counterpart.
      let (next, overflows) =
        isNegative
        ? tens.subtractingReportingOverflow(place) : tens.addingReportingOverflow(place)
      guard !isTooLarge, !overflows else { return nil }
      value = next
    }
    return value
  }
}
