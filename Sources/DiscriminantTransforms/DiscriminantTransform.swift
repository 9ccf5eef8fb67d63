public import LinearAlgebra
public import Parallelism
internal import PrincipalComponents

/// A linear map of directions, learned from labelled rows, after which angles tell classes apart better.
/// Replicated.
///
///     u = x / |x|,  y = A (u − c),  x ↦ y / |y|
public struct DiscriminantTransform: Equatable, Sendable {
  /// c: what is taken from a row of length 1. Shape `[columns]`.
  public let center: [Float]
  /// A. Shape `[D × columns]`.
  public let axes: Matrix
  /// ``axes`` as products take them.
  private let packed: PackedMatrix

  /// - Precondition: The centre has as many elements as an axis.
  public init(center: [Float], axes: Matrix) {
    precondition(
      axes.columnCount == center.count, "\(axes.columnCount) columns, centre of \(center.count)")
    self.center = center
    self.axes = axes
    packed = PackedMatrix(columns: axes)
  }

  public static func == (a: Self, b: Self) -> Bool { (a.center, a.axes) == (b.center, b.axes) }

  /// Rows that are in memory untransformed.
  private static let tileLength = 4096

  /// The rows in terms of the axes, of length 1. Rows of zeros, or with NaN or infinite values, become zeros.
  ///
  /// A row has the same bits whatever the others are.
  ///
  /// - Parameters:
  ///   - range: Which rows.
  ///   - rows: Reads some of them, each up to a positive factor. Shape `[count × columns]`.
  /// - Returns: Shape `[range.count × D]`.
  /// - Complexity: 2 · rows · columns · D flops.
  public func transform(
    _ range: Range<Int>, using workers: Workers = Workers(), of rows: (Range<Int>) throws -> Matrix
  ) rethrows -> Matrix {
    var elements: [Float] = []
    elements.reserveCapacity(range.count * axes.rowCount)
    for tile in range.tiles(of: Self.tileLength) {
      var directions = try rows(tile)
      directions.makeDirections()
      let invalid = directions.subtractFromRows(center)
      var result = product(directions, packed, using: workers)
      result.clear(rows: invalid)
      result.makeDirections()
      elements += result.elements
    }
    return Matrix(rows: range.count, columns: axes.rowCount, elements: elements)
  }
}

extension Matrix {
  /// Takes a vector from every row that is not of zeros.
  ///
  /// - Returns: The rows of zeros.
  @discardableResult
  mutating func subtractFromRows(_ vector: [Float]) -> [Int] {
    let (rows, columns) = (rowCount, columnCount)
    return unsafe withUnsafeMutableBufferPointer { elements in
      var zeros: [Int] = []
      for row in 0..<rows {
        let places = row * columns..<(row + 1) * columns
        guard places.contains(where: { unsafe elements[$0] != 0 }) else {
          zeros.append(row)
          continue
        }
        for (place, value) in zip(places, vector) { unsafe elements[place] -= value }
      }
      return zeros
    }
  }

  fileprivate mutating func clear(rows: [Int]) {
    for row in rows {
      for column in 0..<columnCount { self[row, column] = 0 }
    }
  }
}
