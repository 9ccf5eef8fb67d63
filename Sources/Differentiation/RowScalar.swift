public import LinearAlgebra
public import Parallelism

/// A scalar with the fused passes over rows that training of graph classifiers needs: `Float`, by
/// kernels, and `Double`, by plain loops.
///
/// *Part by part* are sums over rows that must not depend on which ranks hold the rows: each part's sum is
/// rounded as it is for this part alone, and the parts' sums are added in double precision. Ranks that
/// hold whole parts come to the same sum over all of them, up to the last bits of a `Double`.
public protocol RowScalar: DifferentiableScalar {
  /// bias + Σ x · wᵀ over the terms, where wanted max(0, that). Shapes of a term: `[n × in]`,
  /// `[out × in]`.
  static func affine(
    _ terms: [(x: DenseMatrix<Self>, weight: DenseMatrix<Self>)], bias: DenseMatrix<Self>?,
    isRectified: Bool, using workers: Workers
  ) -> DenseMatrix<Self>

  /// ∂y where y > 0, and its column sums, part by part. Shapes `[n × out]`, `[out]`.
  static func rectifiedGradient(
    _ gradient: DenseMatrix<Self>, of y: DenseMatrix<Self>, parts: RowBlocks,
    using workers: Workers
  ) -> (gradient: DenseMatrix<Self>, columnSums: [Double])

  /// Σ x of every column, part by part. Shape `[columns]`.
  static func columnSums(
    _ x: DenseMatrix<Self>, parts: RowBlocks, using workers: Workers
  ) -> [Double]

  /// Σ (x − mean)² of every column, part by part. Shape `[columns]`.
  static func squares(
    _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>, parts: RowBlocks, using workers: Workers
  ) -> [Double]

  /// (x − mean) · slope + shift, column by column; rows `[1 × columns]`.
  static func normalize(
    _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>, slope: DenseMatrix<Self>,
    shift: DenseMatrix<Self>, using workers: Workers
  ) -> DenseMatrix<Self>

  /// Σ g, then Σ g · (x − mean), of every column, part by part. Shape `[2 * columns]`.
  static func normalizationSums(
    _ gradient: DenseMatrix<Self>, _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>,
    parts: RowBlocks, using workers: Workers
  ) -> [Double]

  /// a · g + b · x + c, column by column.
  ///
  /// - Parameter coefficients: a, b and c. Shape `[3 × columns]`.
  static func normalizationGradient(
    _ gradient: DenseMatrix<Self>, _ x: DenseMatrix<Self>, coefficients: DenseMatrix<Self>,
    using workers: Workers
  ) -> DenseMatrix<Self>
}

// The plain loops: `Double`'s, and the twins of the kernels.
extension RowScalar {
  package static func plainAffine(
    _ terms: [(x: DenseMatrix<Self>, weight: DenseMatrix<Self>)], bias: DenseMatrix<Self>?,
    isRectified: Bool
  ) -> DenseMatrix<Self> {
    let (rows, columns) = (terms[0].x.rowCount, terms[0].weight.rowCount)
    var y = DenseMatrix<Self>(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = bias?[0, column] ?? 0
        for (x, weight) in terms {
          for k in 0..<x.columnCount { sum += x[row, k] * weight[column, k] }
        }
        y[row, column] = isRectified ? max(sum, 0) : sum
      }
    }
    return y
  }

  package static func plainRectifiedGradient(
    _ gradient: DenseMatrix<Self>, of y: DenseMatrix<Self>
  ) -> (gradient: DenseMatrix<Self>, columnSums: [Double]) {
    var passed = gradient
    for row in 0..<y.rowCount {
      for column in 0..<y.columnCount where y[row, column] <= 0 { passed[row, column] = 0 }
    }
    return (passed, plainColumnSums(passed))
  }

  package static func plainColumnSums(_ x: DenseMatrix<Self>) -> [Double] {
    (0..<x.columnCount).map { column in
      (0..<x.rowCount).reduce(0) { $0 + Double(x[$1, column]) }
    }
  }

  package static func plainSquares(_ x: DenseMatrix<Self>, mean: DenseMatrix<Self>) -> [Double] {
    (0..<x.columnCount).map { column in
      (0..<x.rowCount).reduce(0) { sum, row in
        let distance = Double(x[row, column] - mean[0, column])
        return sum + distance * distance
      }
    }
  }

  package static func plainNormalize(
    _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>, slope: DenseMatrix<Self>,
    shift: DenseMatrix<Self>
  ) -> DenseMatrix<Self> {
    var y = x
    for row in 0..<x.rowCount {
      for column in 0..<x.columnCount {
        y[row, column] = (x[row, column] - mean[0, column]) * slope[0, column] + shift[0, column]
      }
    }
    return y
  }

  package static func plainNormalizationSums(
    _ gradient: DenseMatrix<Self>, _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>
  ) -> [Double] {
    plainColumnSums(gradient)
      + (0..<x.columnCount).map { column in
        (0..<x.rowCount).reduce(0) {
          $0 + Double(gradient[$1, column] * (x[$1, column] - mean[0, column]))
        }
      }
  }

  package static func plainNormalizationGradient(
    _ gradient: DenseMatrix<Self>, _ x: DenseMatrix<Self>, coefficients: DenseMatrix<Self>
  ) -> DenseMatrix<Self> {
    var result = gradient
    for row in 0..<x.rowCount {
      for column in 0..<x.columnCount {
        result[row, column] =
          coefficients[0, column] * gradient[row, column]
          + coefficients[1, column] * x[row, column] + coefficients[2, column]
      }
    }
    return result
  }
}

extension Double: RowScalar {
  public static func affine(
    _ terms: [(x: DenseMatrix<Double>, weight: DenseMatrix<Double>)], bias: DenseMatrix<Double>?,
    isRectified: Bool, using workers: Workers
  ) -> DenseMatrix<Double> { plainAffine(terms, bias: bias, isRectified: isRectified) }

  public static func rectifiedGradient(
    _ gradient: DenseMatrix<Double>, of y: DenseMatrix<Double>, parts: RowBlocks,
    using workers: Workers
  ) -> (gradient: DenseMatrix<Double>, columnSums: [Double]) {
    plainRectifiedGradient(gradient, of: y)
  }

  public static func columnSums(
    _ x: DenseMatrix<Double>, parts: RowBlocks, using workers: Workers
  ) -> [Double] { plainColumnSums(x) }

  public static func squares(
    _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>, parts: RowBlocks, using workers: Workers
  ) -> [Double] { plainSquares(x, mean: mean) }

  public static func normalize(
    _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>, slope: DenseMatrix<Double>,
    shift: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> { plainNormalize(x, mean: mean, slope: slope, shift: shift) }

  public static func normalizationSums(
    _ gradient: DenseMatrix<Double>, _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>,
    parts: RowBlocks, using workers: Workers
  ) -> [Double] { plainNormalizationSums(gradient, x, mean: mean) }

  public static func normalizationGradient(
    _ gradient: DenseMatrix<Double>, _ x: DenseMatrix<Double>,
    coefficients: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> {
    plainNormalizationGradient(gradient, x, coefficients: coefficients)
  }
}
