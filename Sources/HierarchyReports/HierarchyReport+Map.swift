internal import Datasets
internal import LinearAlgebra

extension HierarchyReport {
  /// Points at places of a plane: every n-th row of the input, so that there are not too many to see.
  public struct Map: Codable, Equatable, Sendable {
    /// n.
    public var step: Int
    public var points: [MapPoint]

    /// At most so many are shown.
    public static let limit = 3000
  }

  public struct MapPoint: Codable, Equatable, Sendable {
    public var point: Point
    public var cluster: Int
    public var x, y: Double
  }
}

extension HierarchyReport.Map {
  /// How many rows are from one point to the next.
  static func step(of count: Int) -> Int { max(1, (count + limit - 1) / limit) }

  /// - Parameters:
  ///   - coordinates: A row of two numbers for each point.
  ///   - point: What is shown of a row.
  /// - Throws: ``DataError`` if reading fails, or for a number that is not finite.
  init(
    at coordinates: ArrayFile, labels: [Int], _ point: (_ row: Int) -> HierarchyReport.Point
  ) throws {
    step = Self.step(of: labels.count)
    points = []
    let rows = stride(from: 0, to: labels.count, by: step)
    for block in stride(from: 0, to: labels.count, by: 1 << 16) {
      let range = block..<min(block + 1 << 16, labels.count)
      let places = try coordinates.floats(rows: range)
      for row in rows where range.contains(row) {
        let (x, y) = (places[row - block, 0], places[row - block, 1])
        guard x.isFinite, y.isFinite else {
          throw DataError(
            path: coordinates.path, problem: "row \(row): \(x), \(y); expected finite numbers")
        }
        points.append(
          HierarchyReport.MapPoint(
            point: point(row), cluster: labels[row], x: Double(x), y: Double(y)))
      }
    }
  }
}
