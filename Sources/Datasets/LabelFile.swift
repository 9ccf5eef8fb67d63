/// The labels of many nodes in a file, read by slices.
///
/// A `.npy` file holds integers of any type, one per row. Any other file is text with one integer
/// per line; opening it reads all of it once, in blocks, to find the lines.
public struct LabelFile: Sendable {
  public let path: String
  public let count: Int
  private let contents: Contents

  private enum Contents {
    case array(ArrayFile)
    case text(TextLines)
  }

  /// - Throws: ``DataError`` if the file cannot be opened, or is an array of another kind.
  /// - Complexity: O(1) for `.npy`, O(bytes) for text.
  public init(path: String) throws {
    self.path = path
    if Self.isArray(path) {
      let array = try ArrayFile(path: path)
      guard array.columnCount == 1, !array.elementType.isFloatingPoint else {
        throw DataError(
          path: path,
          problem: "\(array.elementType) of shape \(ArrayHeader.text(array.shape)); expected "
            + "integers of shape (n,) or (n, 1)")
      }
      count = array.rowCount
      contents = .array(array)
    } else {
      let lines = try TextLines(InputFile(path: path))
      count = lines.count
      contents = .text(lines)
    }
  }

  /// The labels of some nodes.
  ///
  /// - Returns: Shape `[range.count]`.
  /// - Throws: ``DataError`` if reading fails or, in text, a line is not an integer; it names the
  ///   line, counted from 1.
  /// - Precondition: The range is in `0 ..< count`.
  public func labels(_ range: Range<Int>) throws -> [Int64] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "labels \(range) of \(count) in \(path)")
    return switch contents {
    case .array(let array): try array.integers(rows: range)
    case .text(let lines): try lines.integers(range)
    }
  }
}

/// The lines of a text file, found without keeping them.
private struct TextLines: Sendable {
  /// Lines up to the last that is not blank.
  let count: Int
  private let file: InputFile
  /// Where every `spacing`-th line begins, in bytes.
  private let marks: [Int]
  private static let spacing = 4096

  init(_ file: InputFile) throws {
    self.file = file
    var marks = [0]
    var count = 0
    var line = 0
    try file.forEachBlock(of: UInt8.self, count: file.byteCount, at: 0) { start, block in
      for index in block.indices {
        if block[index] == UInt8(ascii: "\n") {
          line += 1
          if line.isMultiple(of: Self.spacing) { marks.append(start + index + 1) }
        } else if !Self.isBlank(block[index]) {
          count = line + 1
        }
      }
    }
    self.count = count
    self.marks = marks
  }

  func integers(_ range: Range<Int>) throws -> [Int64] {
    guard !range.isEmpty else { return [] }
    var values: [Int64] = []
    values.reserveCapacity(range.count)
    let start = marks[range.lowerBound / Self.spacing]
    let last = (range.upperBound - 1) / Self.spacing + 1
    let end = last < marks.count ? marks[last] : file.byteCount
    var line = range.lowerBound / Self.spacing * Self.spacing
    var text: [UInt8] = []
    func finishLine() throws {
      defer {
        text.removeAll(keepingCapacity: true)
        line += 1
      }
      guard range.contains(line) else { return }
      values.append(try integer(text, line: line))
    }
    try file.forEachBlock(of: UInt8.self, count: end - start, at: start) { _, block in
      for index in block.indices {
        if block[index] == UInt8(ascii: "\n") {
          try finishLine()
        } else if text.count < 64 {  // enough for a number and for a message
          text.append(block[index])
        }
      }
    }
    if values.count < range.count { try finishLine() }
    return values
  }

  private func integer(_ text: [UInt8], line: Int) throws -> Int64 {
    var trimmed = text.drop(while: Self.isBlank)
    while let last = trimmed.last, Self.isBlank(last) { trimmed.removeLast() }
    guard let value = Int64(String(decoding: trimmed, as: UTF8.self)) else {
      throw DataError(
        path: file.path, problem: "line \(line + 1): expected an integer, found \(quoted(text))")
    }
    return value
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
