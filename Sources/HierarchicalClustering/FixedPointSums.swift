internal import DistributedGraphs
internal import LinearAlgebra

/// Sums of rows per group, in fixed point: the same whatever the order of the additions.
struct FixedPointSums {
  private let width: Int
  /// Shape `[rowCount × width]`.
  private var sums: [Int64]

  init(rowCount: Int, width: Int) {
    self.width = width
    sums = Array(repeating: 0, count: rowCount * width)
  }

  /// The sums of the rows of each group that occurs, by ascending group.
  ///
  /// - Parameters:
  ///   - weights: How often each row counts.
  ///   - groups: The group of each row.
  static func grouping(
    _ rows: Matrix, times weights: ArraySlice<Int64>, by groups: ArraySlice<GlobalNode>,
    _ fixedPoint: FixedPoint
  ) -> (groups: [GlobalNode], sums: [Int64]) {
    let width = rows.columnCount
    let names = Array(groups)
    let order = names.indices.sorted { (names[$0], $0) < (names[$1], $1) }
    let counts = Array(weights)
    var present: [GlobalNode] = []
    var sums: [Int64] = []
    unsafe rows.withUnsafeBufferPointer { elements in
      for row in order {
        if present.last != names[row] {
          present.append(names[row])
          sums.append(contentsOf: repeatElement(0, count: width))
        }
        let first = sums.count - width
        for column in 0..<width {
          sums[first + column] +=
            unsafe fixedPoint.encode(elements[row * width + column]) * counts[row]
        }
      }
    }
    return (present, sums)
  }

  /// Adds rows of sums.
  mutating func add(_ rows: [Int64], to places: [Int]) {
    for (row, place) in places.enumerated() {
      for column in 0..<width { sums[place * width + column] += rows[row * width + column] }
    }
  }

  /// Every row divided by its count. Shape `[rowCount × width]`.
  func means(over counts: [Int64], _ fixedPoint: FixedPoint) -> Matrix {
    var means = Matrix(rows: counts.count, columns: width)
    unsafe means.withUnsafeMutableBufferPointer { means in
      for place in means.indices {
        unsafe means[place] = fixedPoint.decode(sums[place], dividedBy: counts[place / width])
      }
    }
    return means
  }
}
