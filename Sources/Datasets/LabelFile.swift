/// The labels of many nodes in a file, read by slices.
///
/// A `.npy` file holds whole numbers of any type, one per row. Any other file is text with one label per line: integers,
/// or, if a line is none, names, which become numbers in the order in which they first appear. Opening a text reads all
/// of it, in blocks, so the numbers are the same on every rank.
public struct LabelFile: Sendable {
  public let path: String
  public let count: Int
  private let contents: Contents

  private enum Contents {
    case array(ArrayFile)
    case integers(TextLines)
    case names(TextLines, LabelNames)
  }

  /// - Throws: ``DataError`` if the file cannot be opened, or is an array of another kind, or a line of text is no label;
  ///   it names the line, counted from 1.
  /// - Complexity: O(1) for `.npy`, O(bytes) for text, and memory for each name.
  public init(path: String) throws {
    self.path = path
    if Self.isArray(path) {
      let expected = "integers of shape (n,) or (n, 1)"
      let array = try ArrayFile(path: path, expecting: expected)
      guard array.columnCount == 1 else {
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
      contents = try LabelNames(lines).map { .names(lines, $0) } ?? .integers(lines)
    }
  }

  /// What a text of names calls its labels, by their numbers; nil where labels are numbers.
  public var names: [String]? {
    guard case .names(_, let names) = contents else { return nil }
    return names.names
  }

  /// What is odd about a text that is taken for names though some of its lines are integers: its first line that is none.
  public var oddity: String? {
    guard case .names(_, let names) = contents, names.integerCount > 0 else { return nil }
    return "line \(names.firstOther.line + 1) is \(quoted(names.firstOther.text)), no integer"
  }

  /// What to say of a file that has another number of labels than `expected`; of text also a line that is unlike others,
  /// as a header or a comment counts as a line.
  ///
  /// - Parameter reason: Why that number is expected: `one per point`.
  public func miscount(expected: Int, _ reason: String) -> DataError {
    DataError(
      path: path,
      problem: "\(count) labels; expected \(expected), \(reason)"
        + (oddity.map { "; \($0): is it a heading or a comment?" } ?? ""))
  }

  /// Refuses names, where numbers have a meaning.
  ///
  /// - Throws: ``DataError`` for the first line that is no integer.
  public func requireIntegers() throws {
    guard case .names(_, let names) = contents else { return }
    throw DataError(
      path: path,
      problem: "line \(names.firstOther.line + 1): expected an integer, found "
        + quoted(names.firstOther.text))
  }

  /// The number of a label as a person writes it; nil if no node has this name.
  ///
  /// - Throws: ``DataError`` if labels are numbers, and this is none.
  public func number(of label: String) throws -> Int64? {
    let text = TextLines.trimmed(Array(label.utf8)[...])
    if case .names(_, let names) = contents { return names.number(of: text) }
    guard let number = LabelNames.integer(text) else {
      throw DataError(path: path, problem: "holds integers; the label '\(label)' is none")
    }
    return number
  }

  /// Reads all labels.
  ///
  /// - Throws: ``DataError`` for the first that is no integer.
  public func check() throws {
    // Those of text are known since it was opened.
    if case .array = contents { _ = try labels(0..<count) }
  }

  /// The labels of some nodes.
  ///
  /// - Returns: Shape `[range.count]`.
  /// - Throws: ``DataError`` if reading fails, or a number of an array is not whole; it names the row.
  /// - Precondition: The range is in `0 ..< count`.
  public func labels(_ range: Range<Int>) throws -> [Int64] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "labels \(range) of \(count) in \(path)")
    switch contents {
    case .array(let array):
      return switch array.elementType {
      case .float16: try array.wholeNumbers(range, of: Float16.self)
      case .float32: try array.wholeNumbers(range, of: Float.self)
      case .float64: try array.wholeNumbers(range, of: Double.self)
      default: try array.integers(rows: range)
      }
    case .integers(let lines): return try lines.numbers(range, LabelNames.integer)
    case .names(let lines, let names): return try lines.numbers(range, names.number)
    }
  }
}

extension ArrayFile {
  /// The numbers of some rows of one column.
  ///
  /// - Throws: ``DataError`` if reading fails, or for the first that is no integer, or none of 64 bits.
  fileprivate func wholeNumbers<Element: ArrayElement & BinaryFloatingPoint>(
    _ rows: Range<Int>, of type: Element.Type
  ) throws -> [Int64] {
    var values: [Int64] = []
    values.reserveCapacity(rows.count)
    try forEachTile(of: type, rows) { start, block in
      for index in block.indices {
        guard let value = Int64(exactly: block[index]) else {
          throw DataError(
            path: path,
            problem: "row \(rows.lowerBound + start + index): \(block[index]); expected a whole "
              + "number, as labels are")
        }
        values.append(value)
      }
    }
    return values
  }
}

extension TextLines {
  /// - Parameter number: Of the text of a line; nil if it has none.
  /// - Throws: ``DataError`` if reading fails, or a line is another since the file was opened.
  fileprivate func numbers(
    _ range: Range<Int>, _ number: (ArraySlice<UInt8>) -> Int64?
  ) throws -> [Int64] {
    var values: [Int64] = []
    values.reserveCapacity(range.count)
    try forEachLine(range, limit: LabelNames.lineLimit) { line, text in
      guard let value = number(Self.trimmed(text[...])) else {
        throw DataError(
          path: file.path,
          problem: "line \(line + 1): \(quoted(text)) was another when it was opened")
      }
      values.append(value)
    }
    return values
  }
}
