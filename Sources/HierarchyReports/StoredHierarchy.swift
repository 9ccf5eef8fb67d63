internal import Datasets
internal import FoundationEssentials

/// What `highland cluster --hierarchy` wrote, read back from its directory (`Docs/Formats.md`).
///
/// Opening reads `hierarchy.json` and the headers of `labels.npy`; levels are read one at a time.
/// What is missing or contradicts the rest is an error that names the file.
public struct StoredHierarchy: Sendable {
  /// The directory.
  public let path: String
  public let summary: Summary
  private let labels: ArrayFile

  /// The file that makes a directory a hierarchy.
  public static let marker = "hierarchy.json"

  /// Of `hierarchy.json`, what reports need.
  public struct Summary: Codable, Sendable {
    public struct Parameters: Codable, Sendable {
      public var features: String
      public var model: String
      /// Places of a neighbour list, the point itself counted.
      public var k: Int
      public var tau: Double
      /// Of the levels after level 0; nil where it was not yet known apart.
      public var tauLater: Double?
      /// γ of level 0, if it merged by modules.
      public var resolution: Double?
    }

    public struct Level: Codable, Sendable {
      public var level, nodeCount, edgeCount, keptEdgeCount, mergedCount, clusterCount: Int
    }

    /// The version that clustered.
    public var highland: String
    public var parameters: Parameters
    public var pointCount, dimensions, clusterCount, singletonCount: Int
    public var stopReason: String
    public var levels: [Level]

    /// Whether nodes of a level went to modules, in which their peak need not be a neighbour.
    func hasModules(_ level: Int) -> Bool { level == 0 && parameters.resolution != nil }

    /// The threshold of a level; nil where nodes went to modules.
    public func threshold(ofLevel level: Int) -> Double? {
      if hasModules(level) { return nil }
      return level == 0 ? parameters.tau : parameters.tauLater ?? parameters.tau
    }
  }

  /// - Throws: ``DataError`` if there is no such directory, it is no hierarchy, or `labels.npy` is
  ///   not of the levels and points that `hierarchy.json` says.
  public init(path: String) throws {
    var path = path
    while path.count > 1, path.last == "/" { path.removeLast() }
    self.path = path
    summary = try Self.readSummary(of: path)
    labels = try ArrayFile(path: "\(path)/labels.npy")
    let (levels, points) = (summary.levels.count, summary.pointCount)
    // Without levels the labels are those of copies; where there are none, the row may be missing.
    let rows = levels == 0 && labels.rowCount == 0 ? 0 : max(levels, 1)
    guard labels.shape == [rows, points], !labels.elementType.isFloatingPoint else {
      throw DataError(
        path: labels.path,
        problem: "\(labels.elementType) of shape \(labels.shape); expected integers of "
          + "[\(max(levels, 1)), \(points)], for the levels and points of \(Self.marker)")
    }
  }

  /// The answer: the cluster of every point.
  ///
  /// - Returns: 0, 1, 2, … by first appearance. Shape `[pointCount]`.
  /// - Throws: ``DataError`` if these are not the numbers, or if their count differs from `hierarchy.json`.
  /// - Complexity: O(pointCount); 16 bytes per point while reading.
  public func finalLabels() throws -> [Int] {
    let row = labels.rowCount - 1
    let read =
      row < 0
      ? (0..<summary.pointCount).map(Int64.init)
      : try labels.integers(rows: row..<row + 1)
    var clusterCount = 0
    for (point, label) in read.enumerated() {
      guard (0...Int64(clusterCount)).contains(label) else {
        throw DataError(
          path: labels.path,
          problem: "row \(row): point \(point) has the label \(label); expected "
            + "0 ... \(clusterCount), as labels count by first appearance")
      }
      if label == clusterCount { clusterCount += 1 }
    }
    guard clusterCount == summary.clusterCount else {
      throw DataError(
        path: labels.path,
        problem: "\(clusterCount) clusters; expected \(summary.clusterCount), as in \(Self.marker)")
    }
    return read.map { Int($0) }
  }

  /// The cluster of some points after a level.
  ///
  /// - Returns: Numbers below the level's count of clusters. Shape `[points.count]`.
  /// - Throws: ``DataError`` for other numbers; it names the point.
  /// - Precondition: The level is among those of the summary, and the points in `0 ..< pointCount`.
  public func labels(afterLevel level: Int, of points: Range<Int>) throws -> [Int64] {
    let count = summary.levels[level].clusterCount
    let found = try labels.integers(row: level, columns: points)
    if let place = found.firstIndex(where: { !(0..<Int64(count)).contains($0) }) {
      throw DataError(
        path: labels.path,
        problem: "row \(level): point \(points.lowerBound + place) has the label \(found[place]); "
          + "expected 0 ..< \(count), the clusters of level \(level) in \(Self.marker)")
    }
    return found
  }

  /// The files that hold the labels of levels, whether they are there or not.
  public static func labelFiles(in directory: String) -> [String] {
    ["\(directory)/\(marker)", "\(directory)/labels.npy"]
  }

  /// One level.
  ///
  /// - Throws: ``DataError`` if a file is missing, or contradicts the others.
  /// - Precondition: The level is among those of the summary.
  public func level(_ number: Int) throws -> StoredLevel {
    try StoredLevel(
      directory: "\(path)/level-\(number)", summary.levels[number],
      pointCount: summary.pointCount, hasModules: summary.hasModules(number))
  }

  private static func readSummary(of directory: String) throws -> Summary {
    var isDirectory = false
    let isThere = try exists(directory)
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory
    else {
      let found = isThere ? "is a file" : "no such directory"
      throw DataError(
        path: directory, problem: "\(found); expected one that highland cluster --hierarchy wrote")
    }
    let file = "\(directory)/\(marker)"
    guard try exists(file) else {
      throw DataError(
        path: directory,
        problem: "holds no \(marker); expected what highland cluster --hierarchy wrote")
    }
    let summary: Summary
    do {
      summary = try JSONDecoder().decode(
        Summary.self, from: Data(contentsOf: URL(filePath: file)))
    } catch {
      throw DataError(path: file, problem: problem(error))
    }
    for (place, level) in summary.levels.enumerated() {
      guard level.level == place, (1...max(1, summary.pointCount)).contains(level.nodeCount),
        (0...level.nodeCount).contains(level.clusterCount),
        level.mergedCount == level.nodeCount - level.clusterCount,
        place == 0 || level.nodeCount == summary.levels[place - 1].clusterCount
      else {
        throw DataError(
          path: file,
          problem: "level \(level.level) of \(level.nodeCount) nodes, \(level.mergedCount) merged, "
            + "\(level.clusterCount) clusters; expected level \(place), numbers that add up, and "
            + "the clusters of the level before as nodes")
      }
    }
    guard summary.pointCount >= 0, summary.parameters.k >= 1,
      summary.levels.last.map({ $0.clusterCount == summary.clusterCount }) ?? true
    else {
      throw DataError(
        path: file,
        problem: "\(summary.pointCount) points, k = \(summary.parameters.k), "
          + "\(summary.clusterCount) clusters; expected numbers that fit each other and the levels")
    }
    return summary
  }

  /// What a decoder complains of, in one line.
  private static func problem(_ error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.map { $0.intValue.map { "[\($0)]" } ?? "'\($0.stringValue)'" }.joined(separator: " ")
    }
    return switch error {
    case DecodingError.keyNotFound(let key, let context):
      "no \(place(context.codingPath + [key])); expected what highland cluster --hierarchy wrote"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(place(context.codingPath)) is of another type than highland cluster --hierarchy writes"
    case DecodingError.dataCorrupted:
      "is not JSON; expected what highland cluster --hierarchy wrote"
    default: "cannot be read"
    }
  }
}
