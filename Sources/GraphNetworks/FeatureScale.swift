public import LinearAlgebra
internal import Parallelism

/// Rescales features to the size that a network was trained with.
///
///     x ↦ (x − mean) / (deviation + 0.02), into −4 … 4
///
/// A feature whose deviation is the largest finite number becomes 0, whatever its value. Files use this
/// for features that a network does not see.
public struct FeatureScale: Equatable, Sendable {
  /// One per feature.
  public let mean: [Float]
  public let deviation: [Float]
  private let factor: [Float]

  public init(mean: [Float], deviation: [Float]) {
    precondition(mean.count == deviation.count, "\(mean.count) means, \(deviation.count) others")
    self.mean = mean
    self.deviation = deviation
    factor = deviation.map { $0 == Self.unseen ? 0 : 1 / ($0 + 0.02) }
  }

  /// Mean and deviation of features, from their sums over some rows.
  ///
  /// - Parameters:
  ///   - count: The number of rows. 0 gives means of 0.
  ///   - sums: Σ x of every feature.
  ///   - squares: Σ x².
  public init(count: Double, sums: [Double], squares: [Double]) {
    let n = max(count, 1)
    self.init(
      mean: sums.map { Float($0 / n) },
      deviation: zip(sums, squares).map { sum, square in
        Float(max(square / n - (sum / n) * (sum / n), 0).squareRoot())
      })
  }

  /// The deviation of a feature that becomes 0.
  private static let unseen = Float.greatestFiniteMagnitude

  public var count: Int { mean.count }

  /// The same scale, except that some features become 0.
  public func hiding(_ features: some Sequence<Int>) -> FeatureScale {
    var (mean, deviation) = (mean, deviation)
    for feature in features { (mean[feature], deviation[feature]) = (0, Self.unseen) }
    return FeatureScale(mean: mean, deviation: deviation)
  }

  /// Rescales some columns of rows in place.
  ///
  /// - Parameters:
  ///   - stride: From row to row.
  ///   - column: Where the features begin in a row.
  func apply(
    to rows: inout MutableSpan<Float>, rowCount: Int, stride: Int, at column: Int
  ) {
    for row in 0..<rowCount {
      let first = row * stride + column
      for feature in mean.indices {
        let scaled = (rows[first + feature] - mean[feature]) * factor[feature]
        rows[first + feature] = min(max(scaled, -4), 4)
      }
    }
  }

  /// All rows of a matrix, rescaled.
  public func applied(to matrix: Matrix) -> Matrix {
    precondition(matrix.columnCount == count, "\(matrix.columnCount) columns of \(count)")
    var result = matrix
    result.forEachTile(ofRows: max(1, matrix.rowCount), using: Workers()) { rows, tile in
      apply(to: &tile, rowCount: rows.count, stride: count, at: 0)
    }
    return result
  }
}
