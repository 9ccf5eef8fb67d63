/// The header of a `.npy` file: versions 1 to 3.
struct ArrayHeader: Equatable {
  var elementType: ElementType
  var shape: [Int]
  /// Whether the bytes of an element stand in the other order than this machine's.
  var isBigEndian: Bool
  /// Whether the first index runs fastest: columns lie one after the other.
  var isFortranOrder: Bool
  /// Where the elements begin, in bytes.
  var dataOffset: Int

  /// - Throws: ``DataError`` if the file is not such an array, or has another size than the
  ///   header says.
  init(_ file: InputFile) throws {
    func error(_ problem: String) -> DataError { DataError(path: file.path, problem: problem) }
    let magic = Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) })
    guard file.byteCount >= 10, try file.bytes(at: 0, count: 6) == magic else {
      throw error("does not begin as a .npy file does" + file.whatItIs())
    }
    let version = try file.bytes(at: 6, count: 1)[0]
    let length: Int
    switch version {
    case 1:
      length = Int(try file.integer(UInt16.self, at: 8))
      dataOffset = 10 + length
    case 2, 3:
      guard file.byteCount >= 12 else { throw error("ends inside the .npy header") }
      length = Int(try file.integer(UInt32.self, at: 8))
      dataOffset = 12 + length
    default: throw error(".npy version \(version); expected 1, 2 or 3")
    }
    guard dataOffset <= file.byteCount else {
      throw error(
        "ends inside the .npy header: \(file.byteCount) bytes; the header alone has \(dataOffset)")
    }
    guard length <= 1 << 16 else { throw error(".npy header of \(length) bytes; expected < 65536") }
    let text = try file.bytes(at: dataOffset - length, count: length)
    do {
      (elementType, shape, isBigEndian, isFortranOrder) = try Self.interpret(text)
    } catch let problem {
      throw error(problem.message)
    }
    guard let expected = byteCount(ofShape: shape, elementByteCount: elementType.byteCount) else {
      throw error("the shape \(Self.text(shape)) is too large")
    }
    guard file.byteCount == dataOffset + expected else {
      let length = file.byteCount < dataOffset + expected ? "short" : "long"
      throw error(
        "too \(length): \(file.byteCount) bytes; a header of \(dataOffset) bytes and "
          + "\(elementType) of shape \(Self.text(shape)) make \(dataOffset + expected)")
    }
  }

  /// The header of an array to be written. Its length is a multiple of 64.
  static func bytes(_ elementType: ElementType, shape: [Int]) -> [UInt8] {
    let dictionary =
      "{'descr': '\(elementType.descriptor)', 'fortran_order': False, 'shape': \(text(shape)), }"
    let length = (10 + dictionary.utf8.count + 1 + 63) / 64 * 64
    let padding = length - 10 - dictionary.utf8.count - 1
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8((length - 10) & 0xff), UInt8((length - 10) >> 8)]
    return bytes + Array((dictionary + String(repeating: " ", count: padding) + "\n").utf8)
  }

  /// The length of the header of an array with one or two dimensions.
  static let usualByteCount = 128

  /// A shape as Python writes it: `(3,)`, `(3, 4)`.
  static func text(_ shape: [Int]) -> String {
    shape.count == 1
      ? "(\(shape[0]),)" : "(\(shape.map { "\($0)" }.joined(separator: ", ")))"
  }

  private struct Problem: Error { var message: String }

  private static func interpret(
    _ text: [UInt8]
  ) throws(Problem) -> (ElementType, shape: [Int], isBigEndian: Bool, isFortranOrder: Bool) {
    var parser = LiteralParser(text)
    guard let entries = parser.dictionary() else {
      throw Problem(message: "malformed .npy header \(quoted(text, limit: 120))")
    }
    func entry(_ key: String) throws(Problem) -> LiteralParser.Value {
      guard let value = entries[key] else { throw Problem(message: "no '\(key)' in .npy header") }
      return value
    }
    guard case .string(let name) = try entry("descr") else {
      throw Problem(message: "elements of several fields; expected numbers")
    }
    let isBigEndian = name.hasPrefix(">")
    let hasOrder = name.first.map { "<>|=".contains($0) } ?? false
    guard let elementType = ElementType(numpyName: hasOrder ? name.dropFirst() : name[...]) else {
      let known = ElementType.allCases.map(\.rawValue)
      throw Problem(
        message: "elements of type \(quoted(Array(name.utf8))); expected \(alternatives(known))")
    }
    guard case .bool(let isFortran) = try entry("fortran_order"),
      case .integers(let shape) = try entry("shape")
    else { throw Problem(message: "malformed .npy header \(quoted(text, limit: 120))") }
    guard shape.allSatisfy({ $0 >= 0 }) else {
      throw Problem(message: "negative length in the shape \(Self.text(shape))")
    }
    return (elementType, shape, isBigEndian && elementType.byteCount > 1, isFortran)
  }
}

/// Reads the one Python literal that a `.npy` header is.
private struct LiteralParser {
  enum Value {
    case string(String)
    case bool(Bool)
    case integers([Int])
    /// A list: the elements have fields.
    case list
  }

  private var rest: ArraySlice<UInt8>

  init(_ text: [UInt8]) { rest = text[...] }

  /// All of the text as a dictionary; nil if it is not one.
  mutating func dictionary() -> [String: Value]? {
    var entries: [String: Value] = [:]
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = string(), take(":"), let value = value(),
        entries.updateValue(value, forKey: key) == nil
      else { return nil }
      // There is nothing to learn from the inside of a list.
      if case .list = value { return entries }
      guard take(",") || rest.first == UInt8(ascii: "}") else { return nil }
    }
    skipSpaces()
    return rest.isEmpty ? entries : nil
  }

  private mutating func value() -> Value? {
    if take("[") { return .list }
    if take("True") { return .bool(true) }
    if take("False") { return .bool(false) }
    if take("(") { return integers().map { .integers($0) } }
    return string().map { .string($0) }
  }

  private mutating func integers() -> [Int]? {
    var values: [Int] = []
    while !take(")") {
      skipSpaces()
      let digits = rest.prefix { $0 == UInt8(ascii: "-") || isDigit($0) }
      rest.removeFirst(digits.count)
      guard let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
      values.append(value)
      _ = take("L")  // Python 2 wrote 3L
      guard take(",") || rest.first == UInt8(ascii: ")") else { return nil }
    }
    return values
  }

  private mutating func string() -> String? {
    for quote in ["'", "\""] where take(quote) {
      guard let end = rest.firstIndex(of: quote.utf8.first!) else { return nil }
      defer { rest = rest[(end + 1)...] }
      return String(decoding: rest[..<end], as: UTF8.self)
    }
    return nil
  }

  private mutating func take(_ text: String) -> Bool {
    skipSpaces()
    guard rest.starts(with: text.utf8) else { return false }
    rest.removeFirst(text.utf8.count)
    return true
  }

  private mutating func skipSpaces() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
