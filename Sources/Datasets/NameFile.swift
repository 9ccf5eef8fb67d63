/// What people call the points: a text with a line for each, of which a few are read.
public struct NameFile: Sendable {
  public let path: String
  /// Lines; the last may lack its line feed.
  public let count: Int
  private let lines: TextLines

  /// Of longer names as many characters are read (more exactly, Unicode scalars).
  public static let limit = 100

  /// - Throws: ``DataError`` if the file cannot be opened or read.
  /// - Complexity: O(bytes) in time; a few bytes per thousand lines in memory.
  public init(path: String) throws {
    self.path = path
    lines = try TextLines(InputFile(path: path))
    count = lines.count
  }

  /// - Throws: As ``init(path:)``; ``DataError`` for another number of lines than there are points.
  public init(path: String, pointCount: Int) throws {
    try self.init(path: path)
    guard count == pointCount else {
      throw DataError(
        path: path, problem: "\(count) lines; expected \(pointCount), one per point")
    }
  }

  /// The names of some points, an ellipsis where one was cut. What is not UTF-8 is replaced.
  ///
  /// - Throws: ``DataError`` if reading fails.
  /// - Complexity: O(points · bytes of some thousand lines).
  /// - Precondition: The points are in `0 ..< count`.
  public func names(of points: some Sequence<Int>) throws -> [Int: String] {
    var names: [Int: String] = [:]
    for point in Set(points).sorted() {
      precondition((0..<count).contains(point), "name \(point) of \(count) in \(path)")
      // A scalar has at most four bytes, so this limit holds one scalar more than is shown.
      try lines.forEachLine(point..<point + 1, limit: 4 * (Self.limit + 1)) { _, text in
        names[point] = Self.name(text)
      }
    }
    return names
  }

  private static func name(_ text: [UInt8]) -> String {
    var trimmed = text.drop(while: TextLines.isBlank)
    while let last = trimmed.last, TextLines.isBlank(last) { trimmed.removeLast() }
    let scalars = String(decoding: trimmed, as: UTF8.self).unicodeScalars
    guard scalars.count > limit else { return String(scalars) }
    return String(scalars.prefix(limit)) + "…"
  }
}
