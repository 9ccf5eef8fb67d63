/// What a text of labels calls them, where not every line is an integer, and their numbers: by first appearance.
struct LabelNames: Sendable {
  private var order: [[UInt8]] = []
  private var numbers: [[UInt8]: Int64] = [:]
  /// Lines that are integers, and names all the same.
  private(set) var integerCount = 0
  /// The first line that is none, counted from 0.
  let firstOther: (line: Int, text: [UInt8])

  /// Bytes of a line that are read: more than anybody calls a cluster.
  static let lineLimit = 4096

  /// Reads all lines up to the last that is not blank.
  ///
  /// - Returns: Nil if all of them are integers.
  /// - Throws: ``DataError`` if reading fails, or for a line that is no label: blank, very long, or with control characters.
  /// - Complexity: O(bytes), once or twice, and memory for each name.
  init?(_ lines: TextLines) throws {
    var other: (line: Int, text: [UInt8])?
    var integerCount = 0
    try lines.forEachLine(0..<lines.filledCount, limit: Self.lineLimit) { line, text in
      let label = TextLines.trimmed(text[...])
      if Self.integer(label) != nil {
        integerCount += 1
        return
      }
      guard text.count < Self.lineLimit, !label.isEmpty, label.allSatisfy(Self.isOfName) else {
        throw DataError(
          path: lines.file.path,
          problem: "line \(line + 1): expected a label, an integer or a name, found \(quoted(text))"
        )
      }
      if other == nil { other = (line, text) }
    }
    guard let firstOther = other else { return nil }
    self.firstOther = firstOther
    self.integerCount = integerCount
    try lines.forEachLine(0..<lines.filledCount, limit: Self.lineLimit) { _, text in
      let name = Array(TextLines.trimmed(text[...]))
      guard numbers[name] == nil else { return }
      numbers[name] = Int64(order.count)
      order.append(name)
    }
  }

  /// By their numbers. What is not UTF-8 is replaced.
  var names: [String] { order.map { String(decoding: $0, as: UTF8.self) } }

  func number(of name: ArraySlice<UInt8>) -> Int64? { numbers[Array(name)] }

  /// `-3`, `3`, `+3` or `3.0`; nil for anything else.
  static func integer(_ text: ArraySlice<UInt8>) -> Int64? {
    NumberLines.integer(text).map { Int64($0) }
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x7f || byte == UInt8(ascii: "\t")
  }
}
