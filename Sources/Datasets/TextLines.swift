internal import Glibc

/// The lines of a text file, found without keeping them.
struct TextLines: Sendable {
  /// Lines, whether or not a line feed ends the last.
  let count: Int
  /// Lines up to the last that is not blank.
  let filledCount: Int
  let file: InputFile
  /// Where every `spacing`-th line begins, in bytes.
  private let marks: [Int]
  private static let spacing = 4096

  /// Reads the file once, in blocks. A byte order mark is no part of the first line.
  ///
  /// - Throws: ``DataError`` if reading fails, or the file is no text in UTF-8 at first sight.
  init(_ file: InputFile) throws {
    self.file = file
    var marks = [0]
    var filledCount = 0
    var line = 0
    var isOpen = false
    let first = try file.textStart()
    marks[0] = first
    try file.forEachBlock(of: UInt8.self, count: file.byteCount - first, at: first) {
      start, block in
      for index in block.indices {
        if block[index] == UInt8(ascii: "\n") {
          line += 1
          if line.isMultiple(of: Self.spacing) { marks.append(first + start + index + 1) }
        } else if !Self.isBlank(block[index]) {
          filledCount = line + 1
        }
        isOpen = block[index] != UInt8(ascii: "\n")
      }
    }
    count = line + (isOpen ? 1 : 0)
    self.filledCount = filledCount
    self.marks = marks
  }

  /// Calls `body` with every line of a range and its number, which counts from 0.
  ///
  /// - Parameter limit: The maximum bytes of a line; longer lines are cut there.
  /// - Precondition: The range is in `0 ..< count`.
  func forEachLine(
    _ range: Range<Int>, limit: Int, _ body: (Int, [UInt8]) throws -> Void
  ) throws {
    guard !range.isEmpty else { return }
    let start = marks[range.lowerBound / Self.spacing]
    let last = (range.upperBound - 1) / Self.spacing + 1
    let end = last < marks.count ? marks[last] : file.byteCount
    var line = range.lowerBound / Self.spacing * Self.spacing
    var text: [UInt8] = []
    func finishLine() throws {
      if range.contains(line) { try body(line, text) }
      text.removeAll(keepingCapacity: true)
      line += 1
    }
    try file.forEachBlock(of: UInt8.self, count: end - start, at: start) { _, block in
      for index in block.indices {
        if block[index] == UInt8(ascii: "\n") {
          try finishLine()
        } else if text.count < limit {
          text.append(block[index])
        }
      }
    }
    if range.contains(line) { try finishLine() }
  }

  /// Without the blanks around it.
  static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text.drop(while: isBlank)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }

  /// Calls `body` with the path on every line of a range and the line's number, which counts from 0.
  ///
  /// Relative paths are from the directory of the text. Of a blank line the path is nil.
  ///
  /// - Throws: ``DataError`` for a line that is no path, as it is too long or holds a byte of zero.
  /// - Precondition: The range is in `0 ..< count`.
  func forEachPath(_ range: Range<Int>, _ body: (Int, String?) throws -> Void) throws {
    let longest = Int(PATH_MAX)
    try forEachLine(range, limit: longest) { line, text in
      guard text.count < longest, !text.contains(0) else {
        throw DataError(path: file.path, problem: "line \(line + 1): expected the path of a file")
      }
      let name = String(decoding: Self.trimmed(text[...]), as: UTF8.self)
      guard !name.isEmpty else { return try body(line, nil) }
      let isRelative = !name.hasPrefix("/") && file.path.contains("/")
      try body(line, isRelative ? "\(directory(of: file.path))/\(name)" : name)
    }
  }

  static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
