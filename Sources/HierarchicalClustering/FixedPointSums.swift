internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// Sums of rows, in fixed point: the same whatever the order of the additions.
struct FixedPointSums {
  let fixedPoint: FixedPoint
  private let width: Int
  private let workers: Workers
  /// Shape `[rowCount × width]`.
  private(set) var sums: [Int64]

  init(rowCount: Int, width: Int, _ fixedPoint: FixedPoint, using workers: Workers = Workers()) {
    self.fixedPoint = fixedPoint
    self.width = width
    self.workers = workers
    sums = Array(repeating: 0, count: rowCount * width)
  }

  /// Adds some rows of a matrix, each `weights` times, to the sums at `places`.
  ///
  /// - Complexity: O(rows · width).
  mutating func add(_ rows: Matrix, _ selected: [Int], times weights: [Int64], to places: [Int]) {
    let (fixedPoint, width) = (fixedPoint, width)
    precondition(
      selected.count == weights.count && selected.count == places.count
        && rows.columnCount == width && selected.allSatisfy { (0..<rows.rowCount).contains($0) }
        && places.allSatisfy { $0 >= 0 && ($0 + 1) * width <= sums.count },
      "\(selected.count) rows, \(weights.count) weights, \(places.count) places")
    unsafe rows.withUnsafeBufferPointer { elements in
      unsafe sums.withUnsafeMutableBufferPointer { sums in
        for (index, row) in selected.enumerated() {
          let (from, to, weight) = (row * width, places[index] * width, weights[index])
          for column in 0..<width {
            unsafe sums[to + column] &+= fixedPoint.encode(elements[from + column]) &* weight
          }
        }
      }
    }
  }

  /// Adds rows of sums to the sums at `places`.
  mutating func add(_ rows: [Int64], to places: [Int]) {
    for (row, place) in places.enumerated() {
      for column in 0..<width { sums[place * width + column] &+= rows[row * width + column] }
    }
  }

  /// Every row divided by its count. Shape `[rowCount × width]`.
  func means(over counts: [Int64]) -> Matrix {
    var means = Matrix(rows: counts.count, columns: width)
    let (width, sums, fixedPoint) = (width, sums, fixedPoint)
    means.forEachTile(ofRows: 256, using: workers) { rows, means in
      let sums = sums.span
      let first = rows.lowerBound * width
      for row in rows {
        for place in row * width..<(row + 1) * width {
          means[place - first] = fixedPoint.decode(sums[place], dividedBy: counts[row])
        }
      }
    }
    return means
  }
}
