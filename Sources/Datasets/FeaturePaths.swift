public import Communication
internal import Glibc

/// The files that a name for features stands for: one, or several whose rows follow each other.
///
/// A name is that of a file. If there is none, it may be a pattern with `*`, `?` or `[…]`. A directory stands for its
/// files of features, and a text whose extension is `.files` or `.list` for the paths on its lines. Of files that hold
/// several arrays, the name of one may follow: `'part-*.npz:embeddings'`.
public struct FeaturePaths: Sendable, Equatable {
  /// As it was given.
  public let name: String
  /// The files that hold the rows, in the order of the rows, with the name of an array if one is given; at least one.
  public let parts: [String]
  /// The text that lists the parts, if one does.
  public let list: String?

  /// Whether the name stands for any number of files, be it one at present.
  public var areSeveral: Bool { list != nil || parts != [name] }

  /// All files that are read.
  public var files: [String] {
    parts.map { FeaturePlace($0).file } + [list].compactMap { $0 }
  }

  /// - Throws: ``DataError`` for a pattern that no file matches, a directory without features or with features of
  ///   several formats, or a text that lists nothing. That a file is not there is found when it is opened.
  public init(_ name: String) throws {
    self.name = name
    // What cannot be looked at cannot be opened either, which says why.
    let place = FeaturePlace(name)
    let kind = try? Datasets.kind(of: place.file)
    if kind == S_IFDIR {
      (parts, list) = (try Self.features(inDirectory: name), nil)
    } else if kind == nil, place.file.contains(where: "*?[".contains) {
      (parts, list) = (try Self.files(matching: place.file).map { place.inFile($0).name }, nil)
    } else if Self.isList(name) {
      (parts, list) = (try Self.files(listedIn: name), name)
    } else {
      (parts, list) = ([name], nil)
    }
  }

  private init(name: String, parts: [String], list: String?) {
    (self.name, self.parts, self.list) = (name, parts, list)
  }

  /// What rank 0 finds, on every rank: a directory may look different from another host.
  ///
  /// > Collective: over `communicator`. A round of one byte, and two with the paths from rank 0.
  public init(_ name: String, on communicator: some Communicator) throws {
    let found = try communicator.agree {
      communicator.rank == Rank(0) ? try FeaturePaths(name) : nil
    }
    // No path holds a byte of zero.
    let texts = found.map { [$0.list ?? ""] + $0.parts } ?? []
    let bytes = try communicator.broadcast(Array(texts.joined(separator: "\0").utf8))
    let paths = bytes.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    self.init(
      name: name, parts: Array(paths.dropFirst()), list: paths[0].isEmpty ? nil : paths[0])
  }

  /// Columns where a file needs to be told: nil if none is `.bin`.
  public func dimensionsIfRaw(_ dimensions: Int?) -> Int? {
    parts.contains { (try? FeatureFormat(path: $0)) == .bin } ? dimensions : nil
  }
}

// Where several files come from.
extension FeaturePaths {
  private static let listExtensions = [".files", ".list"]

  private static func isList(_ path: String) -> Bool {
    listExtensions.contains(where: path.lowercased().hasSuffix)
  }

  private static func files(matching pattern: String) throws -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    let status = unsafe glob(pattern, GLOB_ERR | GLOB_NOSORT | GLOB_NOESCAPE, nil, &found)
    guard status == 0 || status == GLOB_NOMATCH else {
      throw DataError.system(pattern, "cannot look for files")
    }
    let paths = unsafe (0..<Int(found.gl_pathc)).map {
      unsafe String(cString: found.gl_pathv[$0]!)
    }
    guard !paths.isEmpty else {
      throw DataError(path: pattern, problem: "no file matches; expected one or more of features")
    }
    return inOrder(paths)
  }

  private static func features(inDirectory directory: String) throws -> [String] {
    let names = try fileNames(inDirectory: directory).compactMap { name in
      // Hidden files are of programs, not of people.
      name.hasPrefix(".") ? nil : (try? FeatureFormat(path: name)).map { (name, format: $0) }
    }
    guard let first = names.first else {
      throw DataError(
        path: directory, problem: "is a directory; expected a file, or files of features in it")
    }
    if let other = names.first(where: { $0.format != first.format }) {
      throw DataError(
        path: directory,
        problem: "holds features as .\(first.format) and .\(other.format), such as \(first.0) and "
          + "\(other.0); expected one format, or a pattern: '*.\(first.format)'")
    }
    let prefix = directory.hasSuffix("/") ? directory : directory + "/"
    return inOrder(names.map { prefix + $0.0 })
  }

  private static func files(listedIn path: String) throws -> [String] {
    let lines = try TextLines(InputFile(path: path))
    var paths: [String] = []
    try lines.forEachPath(0..<lines.filledCount) { _, path in
      if let path { paths.append(path) }
    }
    guard !paths.isEmpty else {
      throw DataError(path: path, problem: "lists no files; expected a path on each line")
    }
    return paths
  }

  /// By the numbers in the names, `part-2` before `part-10`; by bytes where there are none.
  static func inOrder(_ paths: [String]) -> [String] {
    paths.map { (path: $0, key: OrderingKey($0)) }.sorted { $0.key < $1.key }.map(\.path)
  }
}

/// What paths are ordered by: first by letters and numbers, then, of `1` and `01`, by bytes.
private struct OrderingKey: Comparable {
  /// Bytes, or digits without zeros before them. A number is before a text, as digits are before letters.
  private let pieces: [(isNumber: Bool, bytes: [UInt8])]
  private let path: [UInt8]

  init(_ path: String) {
    self.path = Array(path.utf8)
    var pieces: [(isNumber: Bool, bytes: [UInt8])] = []
    for byte in path.utf8 {
      let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      if let last = pieces.last, last.isNumber, isDigit {
        pieces[pieces.count - 1].bytes.append(byte)
      } else {
        pieces.append((isDigit, [byte]))
      }
    }
    self.pieces = pieces.map { piece in
      guard piece.isNumber else { return piece }
      return (true, Array(piece.bytes.drop { $0 == UInt8(ascii: "0") }))
    }
  }

  static func == (a: OrderingKey, b: OrderingKey) -> Bool { a.path == b.path }

  static func < (a: OrderingKey, b: OrderingKey) -> Bool {
    for (first, second) in zip(a.pieces, b.pieces) {
      if first.isNumber, second.isNumber, first.bytes.count != second.bytes.count {
        return first.bytes.count < second.bytes.count
      }
      if first.isNumber == second.isNumber {
        guard first.bytes != second.bytes else { continue }
        return first.bytes.lexicographicallyPrecedes(second.bytes)
      }
      let digit = UInt8(ascii: "0")
      return first.isNumber ? digit <= second.bytes[0] : first.bytes[0] < digit
    }
    if a.pieces.count != b.pieces.count { return a.pieces.count < b.pieces.count }
    return a.path.lexicographicallyPrecedes(b.path)
  }
}
