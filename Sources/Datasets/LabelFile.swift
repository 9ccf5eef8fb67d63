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
      let expected = "integers of shape (n,) or (n, 1)"
      let array = try ArrayFile(path: path, expecting: expected)
      guard array.columnCount == 1, !array.elementType.isFloatingPoint else {
        throw DataError(
          path: path,
          problem:
            "\(array.elementType) of shape \(ArrayHeader.text(array.shape)); expected \(expected)")
      }
      count = array.rowCount
      contents = .array(array)
    } else {
      let lines = try TextLines(InputFile(path: path))
      count = lines.filledCount
      contents = .text(lines)
    }
  }

  /// What to say of a file that has another number of labels than `expected`: in text the first
  /// line that is none, as a header or a comment counts as a line; else the two numbers.
  ///
  /// - Parameter reason: Why that number is expected: `one per point`.
  /// - Complexity: O(bytes) for text.
  public func miscount(expected: Int, _ reason: String) -> DataError {
    if case .text(let lines) = contents {
      do {
        try lines.checkIntegers()
      } catch let error as DataError {
        return error
      } catch {}  // nothing else is thrown
    }
    return DataError(path: path, problem: "\(count) labels; expected \(expected), \(reason)")
  }

  /// Reads all labels.
  ///
  /// - Throws: ``DataError`` for the first that is no integer.
  public func check() throws {
    switch contents {
    case .array: _ = try labels(0..<count)
    case .text(let lines): try lines.checkIntegers()
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

extension TextLines {
  /// - Throws: ``DataError`` if reading fails or a line is not an integer.
  fileprivate func integers(_ range: Range<Int>) throws -> [Int64] {
    var values: [Int64] = []
    values.reserveCapacity(range.count)
    try forEachLine(range, limit: Self.lineLimit) { line, text in
      values.append(try integer(text, line: line))
    }
    return values
  }

  /// - Throws: ``DataError`` for the first line that is not an integer.
  fileprivate func checkIntegers() throws {
    try forEachLine(0..<filledCount, limit: Self.lineLimit) { line, text in
      _ = try integer(text, line: line)
    }
  }

  /// Bytes of a line that are read: enough for a number and for a message. A line that is cut there is
  /// no integer.
  private static var lineLimit: Int { 64 }

  private func integer(_ text: [UInt8], line: Int) throws -> Int64 {
    var trimmed = text.drop(while: Self.isBlank)
    while let last = trimmed.last, Self.isBlank(last) { trimmed.removeLast() }
    guard text.count < Self.lineLimit, let value = Int64(String(decoding: trimmed, as: UTF8.self))
    else {
      throw DataError(
        path: file.path, problem: "line \(line + 1): expected an integer, found \(quoted(text))")
    }
    return value
  }
}
