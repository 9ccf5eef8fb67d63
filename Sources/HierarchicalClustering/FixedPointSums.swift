internal import DistributedGraphs
package import LinearAlgebra
package import Parallelism

/// Sums of rows, in fixed point: the same whatever the order of the additions.
package struct FixedPointSums {
  /// One for all sums, or one for each.
  private let fixedPoints: [FixedPoint]
  private let width: Int
  private let workers: Workers
  /// Shape `[rowCount × width]`.
  package private(set) var sums: [Int64]

  /// - Parameter fixedPoints: One for all sums, or one for each.
  package init(
    rowCount: Int, width: Int, _ fixedPoints: [FixedPoint], using workers: Workers = Workers()
  ) {
    precondition(
      fixedPoints.count == rowCount || fixedPoints.count == 1, "\(fixedPoints.count) units")
    self.fixedPoints = fixedPoints
    self.width = width
    self.workers = workers
    sums = Array(repeating: 0, count: rowCount * width)
  }

  /// The unit of a sum.
  func fixedPoint(of row: Int) -> FixedPoint { fixedPoints[fixedPoints.count == 1 ? 0 : row] }

  /// Adds some rows of a matrix, each `weights` times, to the sums at `places`.
  ///
  /// - Complexity: O(rows · width).
  package mutating func add(
    _ rows: Matrix, _ selected: [Int], times weights: [Int64], to places: [Int]
  ) {
    let (width, fixedPoints) = (width, fixedPoints)
    precondition(
      selected.count == weights.count && selected.count == places.count
        && rows.columnCount == width && selected.allSatisfy { (0..<rows.rowCount).contains($0) }
        && places.allSatisfy { $0 >= 0 && ($0 + 1) * width <= sums.count },
      "\(selected.count) rows, \(weights.count) weights, \(places.count) places")
    unsafe rows.withUnsafeBufferPointer { elements in
      unsafe sums.withUnsafeMutableBufferPointer { sums in
        for (index, row) in selected.enumerated() {
          let (from, to, weight) = (row * width, places[index] * width, weights[index])
          let fixedPoint = fixedPoints[fixedPoints.count == 1 ? 0 : places[index]]
          for column in 0..<width {
            unsafe sums[to + column] &+= fixedPoint.encode(elements[from + column]) &* weight
          }
        }
      }
    }
  }

  /// Adds rows of sums to the sums at `places`.
  package mutating func add(_ rows: [Int64], to places: [Int]) {
    for (row, place) in places.enumerated() {
      for column in 0..<width { sums[place * width + column] &+= rows[row * width + column] }
    }
  }

  /// Writes every row divided by its count to some columns of a matrix.
  ///
  /// - Parameter column: Where the columns begin.
  package func writeMeans(over counts: [Int64], to means: inout Matrix, at column: Int) {
    precondition(
      means.rowCount == counts.count && column + width <= means.columnCount,
      "\(width) columns from \(column) on of \(means.columnCount)")
    let (width, sums, stride) = (width, sums, means.columnCount)
    means.forEachTile(ofRows: 256, using: workers) { rows, means in
      let sums = sums.span
      for row in rows {
        let fixedPoint = fixedPoint(of: row)
        let first = (row - rows.lowerBound) * stride + column
        for place in 0..<width {
          means[first + place] = fixedPoint.decode(
            sums[row * width + place], dividedBy: counts[row])
        }
      }
    }
  }
}
