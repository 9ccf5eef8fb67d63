internal import FoundationEssentials
public import LinearAlgebra

/// An array with a name: a parameter of a network.
public struct Tensor: Equatable, Sendable {
  public var name: String
  public var shape: [Int]
  /// In C order (the last index runs fastest).
  public var elements: [Float]

  /// - Precondition: There are as many elements as the shape says.
  public init(name: String, shape: [Int], elements: [Float]) {
    precondition(
      shape.reduce(1, *) == elements.count, "\(elements.count) elements for shape \(shape)")
    self.name = name
    self.shape = shape
    self.elements = elements
  }

  /// Shape `[rows × columns]`.
  public init(name: String, _ matrix: Matrix) {
    self.init(
      name: name, shape: [matrix.rowCount, matrix.columnCount], elements: matrix.elements)
  }
}

/// Named tensors: in a file, or in memory.
public protocol NamedTensors {
  /// What messages call it.
  var path: String { get }
  var names: [String] { get }
  var metadata: [String: String] { get }

  func shape(of name: String) throws -> [Int]
  func tensor(_ name: String) throws -> Tensor
}

extension TensorFile: NamedTensors {}

/// Named tensors in memory.
public struct TensorList: NamedTensors, Sendable {
  public let path: String
  public let metadata: [String: String]
  public let tensors: [Tensor]

  public init(_ tensors: [Tensor], metadata: [String: String] = [:], name: String) {
    self.tensors = tensors
    self.metadata = metadata
    path = name
  }

  public var names: [String] { tensors.map(\.name) }

  public func shape(of name: String) throws -> [Int] { try tensor(name).shape }

  public func tensor(_ name: String) throws -> Tensor {
    guard let tensor = tensors.first(where: { $0.name == name }) else {
      throw DataError(path: path, problem: "no tensor '\(name)'")
    }
    return tensor
  }
}

/// Named tensors in a `.safetensors` file.
///
/// The file is a `uint64` with the length of the header, the header in JSON, and the elements.
/// Opening reads and checks the header; each tensor is read when it is asked for.
public struct TensorFile: Sendable {
  /// In the order of their elements in the file.
  public let names: [String]
  /// The strings under `__metadata__`.
  public let metadata: [String: String]
  private let file: InputFile
  private let entries: [String: Entry]
  private let dataOffset: Int

  /// Where a tensor is, in bytes from the end of the header, and how to read it.
  struct Entry: Codable, Sendable {
    var dtype: String
    var shape: [Int]
    var offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  public var path: String { file.path }

  /// - Throws: ``DataError`` if the file cannot be opened, its header is longer than the file or
  ///   not as described, or the tensors do not lie one after the other in the file.
  public init(path: String) throws { try self.init(InputFile(path: path)) }

  /// The contents of a file that are in memory already.
  ///
  /// - Parameter name: What messages call it, in place of a path.
  /// - Throws: ``DataError`` as ``init(path:)``.
  public init(contents: [UInt8], name: String) throws {
    try self.init(InputFile(contents: contents, name: name))
  }

  /// All bytes of the file, as they are now.
  public func contents() throws -> [UInt8] { try file.bytes(at: 0, count: file.byteCount) }

  private init(_ file: InputFile) throws {
    func error(_ problem: String) -> DataError { DataError(path: file.path, problem: problem) }
    self.file = file
    guard file.byteCount >= 8 else {
      throw error(
        "\(file.byteCount) bytes; expected at least the 8 of a header's length" + file.whatItIs())
    }
    let length = try file.integer(UInt64.self, at: 0)
    guard length <= file.byteCount - 8 else {
      throw error(
        (try? FileKind.description(of: file)).map { "is \($0); expected a .safetensors file" }
          ?? "\(file.byteCount) bytes; its header alone should have 8 + \(length)")
    }
    guard length <= 100_000_000 else { throw error("header of \(length) bytes is too long") }
    dataOffset = 8 + Int(length)
    let header: Header
    let bytes = try file.bytes(at: 8, count: Int(length))
    do {
      header = try JSONDecoder().decode(Header.self, from: Data(bytes))
    } catch let failure as DecodingError {
      throw error(
        "invalid header: \(failure.summary)"
          + (bytes.first == UInt8(ascii: "{") ? "" : file.whatItIs()))
    }
    metadata = header.metadata
    entries = header.entries
    names = header.entries.sorted {
      ($0.value.offsets, $0.key) < ($1.value.offsets, $1.key)
    }.map(\.key)
    try check()
  }

  /// The tensors fill the file: in order, without gaps, each as long as its shape says.
  private func check() throws {
    let dataByteCount = file.byteCount - dataOffset
    var end = 0
    for name in names {
      let entry = entries[name]!
      func error(_ problem: String) -> DataError {
        DataError(path: path, problem: "tensor '\(name)' \(problem)")
      }
      let offsets = entry.offsets
      guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1],
        offsets[1] <= dataByteCount
      else { throw error("lies at \(offsets); expected a range in 0 ... \(dataByteCount)") }
      guard offsets[0] == end else {
        let relation = offsets[0] < end ? "overlaps the tensor before it" : "leaves a gap"
        throw error("begins at \(offsets[0]), which \(relation); expected \(end)")
      }
      end = offsets[1]
      guard entry.shape.allSatisfy({ $0 >= 0 }) else {
        throw error("has the shape \(entry.shape); expected no negative length")
      }
      // Also lengths beside a 0, so that no product of some of them overflows.
      let lengths = entry.shape.filter { $0 > 0 }
      guard byteCount(ofShape: lengths, elementByteCount: 8) != nil,
        let count = byteCount(ofShape: entry.shape, elementByteCount: 1)
      else { throw error("has the shape \(entry.shape), which is too large") }
      guard let size = Self.elementByteCounts[entry.dtype] else {
        // Of no type is an element less than a bit.
        guard count / 8 <= offsets[1] - offsets[0] else {
          throw error(
            "has \(offsets[1] - offsets[0]) bytes; too few for \(entry.dtype) of shape "
              + "\(entry.shape)")
        }
        continue
      }
      let expected = count * size
      guard offsets[1] - offsets[0] == expected else {
        throw error(
          "has \(offsets[1] - offsets[0]) bytes; \(entry.dtype) of shape \(entry.shape) makes "
            + "\(expected)")
      }
    }
    guard end == dataByteCount else {
      throw DataError(
        path: path, problem: "\(dataByteCount) bytes of elements; the tensors make \(end)")
    }
  }

  /// The types whose size is known; others may be in the file, but are not read.
  private static let elementByteCounts = [
    "BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4, "I32": 4,
    "F32": 4, "U64": 8, "I64": 8, "F64": 8,
  ]

  /// - Throws: ``DataError`` that lists what there is if there is no such tensor.
  public func shape(of name: String) throws -> [Int] { try entry(name).shape }

  private func entry(_ name: String) throws -> Entry {
    if let entry = entries[name] { return entry }
    let shown = names.sorted().prefix(8).map { "'\($0)'" }.joined(separator: ", ")
    let more = names.count > 8 ? " and \(names.count - 8) more" : ""
    throw DataError(
      path: path,
      problem: "no tensor '\(name)'; there " + (names.isEmpty ? "is none" : "are \(shown)\(more)"))
  }

  /// The elements of a tensor in C order, as `Float`: `F16` and `BF16` widened, `F64` rounded.
  ///
  /// - Throws: ``DataError`` if there is no such tensor, it has another type, or reading fails.
  public func tensor(_ name: String) throws -> Tensor {
    let entry = try entry(name)
    let offset = dataOffset + entry.offsets[0]
    var elements: [Float] = []
    func read<Element: ArrayElement>(_ float: (Element) -> Float) throws {
      let count = entry.shape.reduce(1, *)
      elements.reserveCapacity(count)
      try file.forEachBlock(of: Element.self, count: count, at: offset) { _, block in
        for index in block.indices { elements.append(float(block[index])) }
      }
    }
    switch entry.dtype {
    case "F32": try read { (value: Float) in value }
    case "F16": try read { (value: Float16) in Float(value) }
    case "BF16": try read { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
    case "F64": try read { (value: Double) in Float(value) }
    default:
      throw DataError(
        path: path,
        problem: "tensor '\(name)' has the type \(entry.dtype); expected F32, F16, BF16 or F64")
    }
    return Tensor(name: name, shape: entry.shape, elements: elements)
  }

  /// A tensor of two dimensions: where its rows are, and how they are stored.
  ///
  /// - Parameter name: Nil takes the only one.
  /// - Throws: ``DataError`` if there is none or more than one, or its numbers are of another type.
  func storedMatrix(_ name: String?) throws -> (
    file: InputFile, offset: Int, element: StoredElement, rowCount: Int, columnCount: Int
  ) {
    let name = try name ?? onlyMatrix()
    let entry = try entry(name)
    guard entry.shape.count == 2 else {
      throw DataError(
        path: path,
        problem: "tensor '\(name)' has the shape \(entry.shape); expected two dimensions")
    }
    let types: [String: StoredElement] = [
      "F32": .float32, "F16": .float16, "BF16": .bfloat16, "I8": .int8, "U8": .uint8,
    ]
    guard let element = types[entry.dtype] else {
      throw DataError(
        path: path,
        problem: "tensor '\(name)' has the type \(entry.dtype); expected F32, F16, BF16, I8 or U8")
    }
    return (file, dataOffset + entry.offsets[0], element, entry.shape[0], entry.shape[1])
  }

  private func onlyMatrix() throws -> String {
    let matrices = names.filter { entries[$0]!.shape.count == 2 }
    guard matrices.count == 1 else {
      let shown = matrices.prefix(8).map { "'\($0)'" }
      let more = matrices.count > 8 ? " and \(matrices.count - 8) more" : ""
      throw DataError(
        path: path,
        problem:
          "\(matrices.count) tensors of two dimensions; expected one, which holds the features"
          + (matrices.isEmpty
            ? ""
            : "; there are \(alternatives(shown, joinedBy: "and"))\(more): name one, as in "
              + "\(path):\(matrices[0])"))
    }
    return matrices[0]
  }

  /// A tensor of two dimensions.
  ///
  /// - Throws: ``DataError`` as ``tensor(_:)`` does, and if the dimensions are not two.
  public func matrix(_ name: String) throws -> Matrix {
    let shape = try shape(of: name)
    guard shape.count == 2 else {
      throw DataError(
        path: path, problem: "tensor '\(name)' has the shape \(shape); expected two dimensions")
    }
    return Matrix(rows: shape[0], columns: shape[1], elements: try tensor(name).elements)
  }
}

extension TensorFile {
  /// The JSON object: tensors by name, and strings under `__metadata__`.
  struct Header: Codable {
    var entries: [String: Entry]
    var metadata: [String: String]

    static let metadataName = "__metadata__"

    init(entries: [String: Entry], metadata: [String: String]) {
      self.entries = entries
      self.metadata = metadata
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      entries = [:]
      metadata = [:]
      for key in container.allKeys {
        if key.stringValue == Self.metadataName {
          // Some programs write null where there are none.
          metadata = try container.decodeIfPresent([String: String].self, forKey: key) ?? [:]
        } else {
          entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
        }
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      if !metadata.isEmpty {
        try container.encode(metadata, forKey: Key(stringValue: Self.metadataName))
      }
      for (name, entry) in entries {
        try container.encode(entry, forKey: Key(stringValue: name))
      }
    }

    private struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
  }
}

extension DecodingError {
  /// One line: where, and what.
  fileprivate var summary: String {
    let context: Context
    switch self {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default: return "not as described"
    }
    let path = context.codingPath.map(\.stringValue).joined(separator: "/")
    return (path.isEmpty ? "" : "'\(path)': ")
      + context.debugDescription.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}

private func < (a: ([Int], String), b: ([Int], String)) -> Bool {
  a.0 == b.0 ? a.1 < b.1 : a.0.lexicographicallyPrecedes(b.0)
}
