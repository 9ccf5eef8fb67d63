public import LinearAlgebra
public import Parallelism

/// A scalar with the fused passes over rows that training of graph classifiers needs: `Float`, by
/// kernels, and `Double`, by plain loops.
///
/// *Part by part* are sums over rows that must not depend on which ranks hold the rows: each part's sum is
/// rounded as it is for this part alone, and the parts' sums are added in double precision in the order of the
/// parts' numbers. Ranks that hold whole parts come to the same bits: see ``PartSums``.
public protocol RowScalar: DifferentiableScalar {
  /// bias + Σ x · wᵀ over the terms, where wanted max(0, that). Shapes of a term: `[n × in]`,
  /// `[out × in]`.
  static func affine(
    _ terms: [(x: DenseMatrix<Self>, weight: DenseMatrix<Self>)], bias: DenseMatrix<Self>?,
    isRectified: Bool, using workers: Workers
  ) -> DenseMatrix<Self>

  /// What the gradient of ``affine(_:bias:isRectified:using:)`` makes of that of its result: the gradients of
  /// the x that are wanted, and those of weights and bias, part by part.
  ///
  /// - Parameters:
  ///   - gradient: Becomes 0 where y is. Shape `[n × out]`.
  ///   - y: The result, if it was rectified.
  ///   - wants: Of which terms the gradient of x is wanted.
  static func affineGradient(
    _ gradient: inout DenseMatrix<Self>, of y: DenseMatrix<Self>?,
    _ terms: [(x: DenseMatrix<Self>, weight: DenseMatrix<Self>)], wants: [Bool], parts: RowBlocks,
    using workers: Workers
  ) -> AffineGradient<Self>

  /// A x, and b + (A x) · wᵀ or max(0, that).
  static func convolution(
    _ x: DenseMatrix<Self>, over graph: PartedGraph<Self>, weight: DenseMatrix<Self>,
    bias: DenseMatrix<Self>, isRectified: Bool, using workers: Workers
  ) -> (sums: DenseMatrix<Self>, result: DenseMatrix<Self>)

  /// As ``affineGradient(_:of:_:wants:parts:using:)`` for one term, the sums A x; its input is x.
  ///
  /// - Parameter gradient: Spent afterwards.
  static func convolutionGradient(
    _ gradient: inout DenseMatrix<Self>, of y: DenseMatrix<Self>?, sums: DenseMatrix<Self>,
    over graph: PartedGraph<Self>, weight: DenseMatrix<Self>, wantsInput: Bool,
    using workers: Workers
  ) -> AffineGradient<Self>

  /// Σ x / n of every block of n rows; 0 of an empty one. Shape `[blocks × columns]`.
  static func means(
    _ x: DenseMatrix<Self>, of blocks: RowBlocks, using workers: Workers
  ) -> DenseMatrix<Self>

  /// Row g divided by the number of rows of block g, in each of them.
  static func spread(
    _ x: DenseMatrix<Self>, over blocks: RowBlocks, using workers: Workers
  ) -> DenseMatrix<Self>

  /// Σ x of every column, part by part.
  static func columnSums(
    _ x: DenseMatrix<Self>, parts: RowBlocks, using workers: Workers
  ) -> PartSums<Self>

  /// Σ (x − mean)² of every column, part by part.
  static func squares(
    _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>, parts: RowBlocks, using workers: Workers
  ) -> PartSums<Self>

  /// Sums of parts, added in order in double precision. Shape `[columns]`.
  static func sumsOfRows(_ x: DenseMatrix<Self>) -> [Double]

  /// (x − mean) · slope + shift, column by column; rows `[1 × columns]`.
  static func normalize(
    _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>, slope: DenseMatrix<Self>,
    shift: DenseMatrix<Self>, using workers: Workers
  ) -> DenseMatrix<Self>

  /// Σ g, then Σ g · (x − mean), of every column, part by part.
  static func normalizationSums(
    _ gradient: DenseMatrix<Self>, _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>,
    parts: RowBlocks, using workers: Workers
  ) -> PartSums<Self>

  /// g becomes a · g + b · x + c, column by column.
  ///
  /// - Parameter coefficients: a, b and c. Shape `[3 × columns]`.
  static func turnNormalizationGradient(
    _ gradient: inout DenseMatrix<Self>, _ x: DenseMatrix<Self>, coefficients: DenseMatrix<Self>,
    using workers: Workers)
}

/// The gradients of the arguments of a dense layer.
public struct AffineGradient<Scalar: RowScalar>: Sendable {
  /// Of every term's x; nil where it is not wanted.
  public var inputs: [DenseMatrix<Scalar>?]
  /// Of every term's weight, one after the other, then of the bias; the sums over this rank's rows.
  public var sums: PartSums<Scalar>
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

  package static func plainAffineGradient(
    _ gradient: inout DenseMatrix<Self>, of y: DenseMatrix<Self>?,
    _ terms: [(x: DenseMatrix<Self>, weight: DenseMatrix<Self>)], wants: [Bool], parts: RowBlocks
  ) -> AffineGradient<Self> {
    if let y {
      for row in 0..<y.rowCount {
        for column in 0..<y.columnCount where y[row, column] <= 0 { gradient[row, column] = 0 }
      }
    }
    let passed = gradient
    return AffineGradient(
      inputs: zip(terms, wants).map { term, isWanted in
        isWanted
          ? plainProduct(passed, byRowsOf: term.weight.transposed(), bias: nil) : nil
      },
      sums: PartSums(parts: parts) { rows in
        var sums: [Double] = []
        for (x, _) in terms {
          for out in 0..<passed.columnCount {
            for column in 0..<x.columnCount {
              sums.append(
                rows.reduce(0) { $0 + Double(passed[$1, out]) * Double(x[$1, column]) })
            }
          }
        }
        return sums + plainColumnSums(passed, rows)
      })
  }

  package static func plainMeans(
    _ x: DenseMatrix<Self>, of blocks: RowBlocks
  ) -> DenseMatrix<Self> {
    var y = DenseMatrix<Self>(rows: blocks.count, columns: x.columnCount)
    for block in 0..<blocks.count {
      let factor = 1 / Self(max(blocks[block].count, 1))
      for column in 0..<x.columnCount {
        y[block, column] = factor * blocks[block].reduce(0) { $0 + x[$1, column] }
      }
    }
    return y
  }

  package static func plainSpread(
    _ x: DenseMatrix<Self>, over blocks: RowBlocks
  ) -> DenseMatrix<Self> {
    var y = DenseMatrix<Self>(rows: blocks.rowCount, columns: x.columnCount)
    for block in 0..<blocks.count {
      let factor = 1 / Self(max(blocks[block].count, 1))
      for row in blocks[block] {
        for column in 0..<x.columnCount { y[row, column] = factor * x[block, column] }
      }
    }
    return y
  }

  package static func plainColumnSums(
    _ x: DenseMatrix<Self>, _ rows: Range<Int>
  ) -> [Double] {
    (0..<x.columnCount).map { column in rows.reduce(0) { $0 + Double(x[$1, column]) } }
  }

  package static func plainColumnSums(
    _ x: DenseMatrix<Self>, parts: RowBlocks
  ) -> PartSums<Self> { PartSums(parts: parts) { plainColumnSums(x, $0) } }

  package static func plainSquares(
    _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>, parts: RowBlocks
  ) -> PartSums<Self> {
    PartSums(parts: parts) { rows in
      (0..<x.columnCount).map { column in
        rows.reduce(0) { sum, row in
          let distance = Double(x[row, column] - mean[0, column])
          return sum + distance * distance
        }
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
    _ gradient: DenseMatrix<Self>, _ x: DenseMatrix<Self>, mean: DenseMatrix<Self>,
    parts: RowBlocks
  ) -> PartSums<Self> {
    PartSums(parts: parts) { rows in
      plainColumnSums(gradient, rows)
        + (0..<x.columnCount).map { column in
          rows.reduce(0) {
            $0 + Double(gradient[$1, column] * (x[$1, column] - mean[0, column]))
          }
        }
    }
  }

  package static func plainTurnNormalizationGradient(
    _ gradient: inout DenseMatrix<Self>, _ x: DenseMatrix<Self>, coefficients: DenseMatrix<Self>
  ) {
    for row in 0..<x.rowCount {
      for column in 0..<x.columnCount {
        gradient[row, column] =
          coefficients[0, column] * gradient[row, column]
          + coefficients[1, column] * x[row, column] + coefficients[2, column]
      }
    }
  }
}

extension Double: RowScalar {
  public static func affine(
    _ terms: [(x: DenseMatrix<Double>, weight: DenseMatrix<Double>)], bias: DenseMatrix<Double>?,
    isRectified: Bool, using workers: Workers
  ) -> DenseMatrix<Double> { plainAffine(terms, bias: bias, isRectified: isRectified) }

  public static func affineGradient(
    _ gradient: inout DenseMatrix<Double>, of y: DenseMatrix<Double>?,
    _ terms: [(x: DenseMatrix<Double>, weight: DenseMatrix<Double>)], wants: [Bool],
    parts: RowBlocks, using workers: Workers
  ) -> AffineGradient<Double> {
    plainAffineGradient(&gradient, of: y, terms, wants: wants, parts: parts)
  }

  public static func means(
    _ x: DenseMatrix<Double>, of blocks: RowBlocks, using workers: Workers
  ) -> DenseMatrix<Double> { plainMeans(x, of: blocks) }

  public static func spread(
    _ x: DenseMatrix<Double>, over blocks: RowBlocks, using workers: Workers
  ) -> DenseMatrix<Double> { plainSpread(x, over: blocks) }

  public static func columnSums(
    _ x: DenseMatrix<Double>, parts: RowBlocks, using workers: Workers
  ) -> PartSums<Double> { plainColumnSums(x, parts: parts) }

  public static func squares(
    _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>, parts: RowBlocks, using workers: Workers
  ) -> PartSums<Double> { plainSquares(x, mean: mean, parts: parts) }

  public static func normalize(
    _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>, slope: DenseMatrix<Double>,
    shift: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> { plainNormalize(x, mean: mean, slope: slope, shift: shift) }

  public static func normalizationSums(
    _ gradient: DenseMatrix<Double>, _ x: DenseMatrix<Double>, mean: DenseMatrix<Double>,
    parts: RowBlocks, using workers: Workers
  ) -> PartSums<Double> { plainNormalizationSums(gradient, x, mean: mean, parts: parts) }

  public static func turnNormalizationGradient(
    _ gradient: inout DenseMatrix<Double>, _ x: DenseMatrix<Double>,
    coefficients: DenseMatrix<Double>, using workers: Workers
  ) {
    plainTurnNormalizationGradient(&gradient, x, coefficients: coefficients)
  }
}
