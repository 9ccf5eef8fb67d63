internal import LinearAlgebra
internal import Parallelism
internal import PrincipalComponents

/// What some classes tell of how directions u differ within them and between them: sums over classes of
///
///     n = Σ w,  m = Σ w u / n,  Σ w (u − m)(u − m)ᵀ,  m mᵀ,  m,  n − Σ w² / n,  Σ w² / n²
///
/// The bits are the same in whatever order parts are added: all sums are of integers (``ColumnProducts``).
struct ClassScatter {
  private let columnCount: Int
  /// Of half of w^½ (u − m), which is no longer than 1.
  private var within: ColumnProducts
  private var between: ColumnProducts
  /// Σ m, Σ (n − Σ w² / n) and Σ Σ w² / n² in units of the products; then the classes and their rows.
  private var sums: [Int64]

  /// - Parameter rowCount: Of all classes together.
  init(columnCount: Int, rowCount: Int) {
    self.columnCount = columnCount
    within = ColumnProducts(columnCount: columnCount, rowCount: rowCount)
    between = ColumnProducts(columnCount: columnCount, rowCount: rowCount)
    sums = Array(repeating: 0, count: columnCount + 4)
  }

  /// All sums, to be added up over ranks.
  var integers: [Int64] {
    get { within.sums + between.sums + sums }
    set {
      let (first, second) = (within.sums.count, within.sums.count + between.sums.count)
      within.sums = Array(newValue[..<first])
      between.sums = Array(newValue[first..<second])
      sums = Array(newValue[second...])
    }
  }

  /// Of the classes of both.
  static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.integers = zip(a.integers, b.integers).map { $0 + $1 }
    return sum
  }

  /// Adds classes of a part of `labels`; those left with fewer than two rows that have a direction do not
  /// count.
  ///
  /// - Parameters:
  ///   - classes: Indices of classes, of one part.
  ///   - rows: Reads consecutive rows.
  mutating func add(
    _ classes: [Int], of labels: LabelledRows, by library: OpenBLAS, using workers: Workers,
    reading rows: (Range<Int>) throws -> Matrix
  ) throws {
    // Of a part: no more than one slice.
    var means: [Float] = []
    var deviations: [Float] = []
    func flush(_ elements: inout [Float], into products: inout ColumnProducts) {
      guard !elements.isEmpty else { return }
      products.add(
        Matrix(
          rows: elements.count / columnCount, columns: columnCount, elements: elements),
        by: library, using: workers)
      elements = []
    }
    for index in classes {
      let tiles = labels.classes[index].tiles(of: ColumnProducts.sliceLength)
      var tile = try labels.directions(tiles[0], rows)
      var mean = WeightedMean(columnCount: columnCount)
      for (number, places) in tiles.enumerated() {
        if number > 0 { tile = try labels.directions(places, rows) }
        mean.add(tile, weights: labels.weights[places])
      }
      guard mean.rowCount > 1 else { continue }
      let center = mean.value
      for places in tiles {
        if tiles.count > 1 { tile = try labels.directions(places, rows) }
        if deviations.count + tile.count > ColumnProducts.sliceLength * columnCount {
          flush(&deviations, into: &within)
        }
        for row in 0..<places.count where tile.hasDirection(row) {
          let scale = labels.weights[places.lowerBound + row].squareRoot() / 2
          for (value, middle) in zip(tile.row(row), center) {
            deviations.append(Float(scale * (Double(value) - middle)))
          }
        }
      }
      means += center.map { Float($0) }
      count(mean, center)
    }
    flush(&deviations, into: &within)
    flush(&means, into: &between)
  }

  private mutating func count(_ mean: WeightedMean, _ center: [Double]) {
    let (weight, squares) = (mean.weight, mean.squaredWeight)
    let values = center + [weight - squares / weight, squares / (weight * weight)]
    for (place, value) in values.enumerated() {
      sums[place] += Int64((value * between.scale).rounded(.toNearestOrEven))
    }
    sums[columnCount + 2] += 1
    sums[columnCount + 3] += Int64(mean.rowCount)
  }
}

// What the sums say.

extension ClassScatter {
  var classCount: Int { Int(sums[columnCount + 2]) }
  var rowCount: Int { Int(sums[columnCount + 3]) }

  /// μ: the mean of the classes' means.
  var mean: [Double] {
    sums[..<columnCount].map { Double($0) / between.scale / Double(classCount) }
  }

  /// W: the covariance of a direction about the mean of its class. The lower triangle and the diagonal.
  var withinCovariance: DenseMatrix<Double> {
    var matrix = within.lowerTriangle
    let scale = 4 / (Double(sums[columnCount]) / between.scale)
    for row in 0..<columnCount {
      for column in 0...row { matrix[row, column] *= scale }
    }
    return matrix
  }

  /// B: the covariance of the classes' true means. That of the means found is greater by W Σ w² / n², of
  /// the mean class.
  ///
  /// - Parameter within: W.
  /// - Precondition: At least two classes.
  func betweenCovariance(within: DenseMatrix<Double>) -> DenseMatrix<Double> {
    var matrix = between.lowerTriangle
    let (mean, classes) = (mean, Double(classCount))
    let noise = Double(sums[columnCount + 1]) / between.scale / classes
    for row in 0..<columnCount {
      for column in 0...row {
        let value =
          (matrix[row, column] - classes * mean[row] * mean[column]) / (classes - 1)
          - noise * within[row, column]
        matrix[row, column] = value
        matrix[column, row] = value
      }
    }
    return matrix
  }
}

/// The mean of the rows of a class that have a direction.
private struct WeightedMean {
  private(set) var weight = 0.0
  private(set) var squaredWeight = 0.0
  private(set) var rowCount = 0
  private var sums: [Double]

  init(columnCount: Int) { sums = Array(repeating: 0, count: columnCount) }

  mutating func add(_ rows: Matrix, weights: ArraySlice<Double>) {
    for (row, weight) in weights.enumerated() where rows.hasDirection(row) {
      self.weight += weight
      squaredWeight += weight * weight
      rowCount += 1
      for (column, value) in rows.row(row).enumerated() { sums[column] += weight * Double(value) }
    }
  }

  var value: [Double] { sums.map { $0 / weight } }
}

extension Matrix {
  fileprivate func hasDirection(_ row: Int) -> Bool {
    (0..<columnCount).contains { self[row, $0] != 0 }
  }
}
