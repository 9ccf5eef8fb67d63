public import LinearAlgebra
public import Parallelism

/// A scalar with the fused passes over rows that training of graph classifiers needs: `Float`, by
/// kernels, and `Double`, by plain loops.
public protocol RowScalar: DifferentiableScalar {
  /// bias + Σ x · wᵀ over the terms, where wanted max(0, that). Shapes of a term: `[n × in]`,
  /// `[out × in]`.
  static func affine(
    _ terms: [(x: DenseMatrix<Self>, weight: DenseMatrix<Self>)], bias: DenseMatrix<Self>?,
    isRectified: Bool, using workers: Workers
  ) -> DenseMatrix<Self>

  /// ∂y where y > 0, and its column sums. Shapes `[n × out]`, `[1 × out]`.
  static func rectifiedGradient(
    _ gradient: DenseMatrix<Self>, of y: DenseMatrix<Self>, using workers: Workers
  ) -> (gradient: DenseMatrix<Self>, columnSums: DenseMatrix<Self>)

  /// The mean of every column, and the sum of squares round it. Shape `[2 × columns]`.
  static func moments(_ x: DenseMatrix<Self>, using workers: Workers) -> DenseMatrix<Self>

  /// (x − mean) · slope + shift, column by column; rows `[1 × columns]`.
  static func normalize(
    _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>, slope: DenseMatrix<Self>,
    shift: DenseMatrix<Self>, using workers: Workers
  ) -> DenseMatrix<Self>

  /// Σ g and Σ g · (x − mean) of every column. Shape `[2 × columns]`.
  static func normalizationSums(
    _ gradient: DenseMatrix<Self>, _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>,
    using workers: Workers
  ) -> DenseMatrix<Self>

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
  ) -> (gradient: DenseMatrix<Self>, columnSums: DenseMatrix<Self>) {
    var passed = gradient
    var sums = DenseMatrix<Self>(rows: 1, columns: y.columnCount)
    for row in 0..<y.rowCount {
      for column in 0..<y.columnCount {
        if y[row, column] <= 0 { passed[row, column] = 0 }
        sums[0, column] += passed[row, column]
      }
    }
    return (passed, sums)
  }

  package static func plainMoments(_ x: DenseMatrix<Self>) -> DenseMatrix<Self> {
    var moments = DenseMatrix<Self>(rows: 2, columns: x.columnCount)
    for column in 0..<x.columnCount {
      let mean =
        (0..<x.rowCount).reduce(Self(0)) { $0 + x[$1, column] } / Self(max(x.rowCount, 1))
      moments[0, column] = mean
      moments[1, column] = (0..<x.rowCount).reduce(Self(0)) {
        $0 + (x[$1, column] - mean) * (x[$1, column] - mean)
      }
    }
    return moments
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
  ) -> DenseMatrix<Self> {
    var sums = DenseMatrix<Self>(rows: 2, columns: x.columnCount)
    for row in 0..<x.rowCount {
      for column in 0..<x.columnCount {
        sums[0, column] += gradient[row, column]
        sums[1, column] += gradient[row, column] * (x[row, column] - mean[0, column])
      }
    }
    return sums
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
    _ gradient: DenseMatrix<Double>, of y: DenseMatrix<Double>, using workers: Workers
  ) -> (gradient: DenseMatrix<Double>, columnSums: DenseMatrix<Double>) {
    plainRectifiedGradient(gradient, of: y)
  }

  public static func moments(
    _ x: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> { plainMoments(x) }

  public static func normalize(
    _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>, slope: DenseMatrix<Double>,
    shift: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> { plainNormalize(x, mean: mean, slope: slope, shift: shift) }

  public static func normalizationSums(
    _ gradient: DenseMatrix<Double>, _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>,
    using workers: Workers
  ) -> DenseMatrix<Double> { plainNormalizationSums(gradient, x, mean: mean) }

  public static func normalizationGradient(
    _ gradient: DenseMatrix<Double>, _ x: DenseMatrix<Double>,
    coefficients: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> {
    plainNormalizationGradient(gradient, x, coefficients: coefficients)
  }
}
