public import Communication
internal import Glibc
public import LinearAlgebra
public import Parallelism

/// A scalar that the tape computes with: `Float`, whose products are the kernels of inference, and
/// `Double`, whose products are plain loops, to check gradients by.
///
/// Everything else the tape does is written once for both.
public protocol DifferentiableScalar: MatrixScalar {
  /// a · rowsᵀ + bias. Shapes `[n × depth]`, `[columns × depth]`, `[columns]`.
  static func product(
    _ a: DenseMatrix<Self>, byRowsOf b: DenseMatrix<Self>, bias: [Self]?, using workers: Workers
  ) -> DenseMatrix<Self>

  /// a · b. Shapes `[n × depth]`, `[depth × columns]`.
  static func product(
    _ a: DenseMatrix<Self>, _ b: DenseMatrix<Self>, using workers: Workers
  ) -> DenseMatrix<Self>

  /// aᵀ · b. Shapes `[n × rows]`, `[n × columns]`.
  static func transposedProduct(
    _ a: DenseMatrix<Self>, _ b: DenseMatrix<Self>, using workers: Workers
  ) -> DenseMatrix<Self>

  /// Σ over the entries e of every row of weight[e] · x[column(e)]. Weights of nil are 1.
  static func weightedSums(
    _ weights: [Self]?, of x: DenseMatrix<Self>, over pattern: SparsePattern,
    using workers: Workers
  ) -> DenseMatrix<Self>

  /// PReLU( u[sources[e]] + t[destinations[e]] ) of every edge e, a slope per column.
  static func edgeInputs(
    _ u: DenseMatrix<Self>, _ sources: [Int32], _ t: DenseMatrix<Self>, _ destinations: [Int32],
    slopes: DenseMatrix<Self>, using workers: Workers
  ) -> DenseMatrix<Self>

  static func exponential(_ x: Self) -> Self
  static func logarithm(_ x: Self) -> Self

  /// The sums of the ranks' values, place by place: ``Communicator/sums(_:)-([Float])``.
  ///
  /// > Collective: over `communicator`, as that.
  static func sums(_ values: [Self], on communicator: some Communicator) throws -> [Self]
}

// The plain loops. `Float` has kernels in their place.
extension DifferentiableScalar {
  static func plainProduct(
    _ a: DenseMatrix<Self>, byRowsOf b: DenseMatrix<Self>, bias: [Self]?
  ) -> DenseMatrix<Self> {
    var c = DenseMatrix<Self>(rows: a.rowCount, columns: b.rowCount)
    for i in 0..<a.rowCount {
      for j in 0..<b.rowCount {
        var sum = bias?[j] ?? 0
        for k in 0..<a.columnCount { sum += a[i, k] * b[j, k] }
        c[i, j] = sum
      }
    }
    return c
  }

  static func plainWeightedSums(
    _ weights: [Self]?, of x: DenseMatrix<Self>, over pattern: SparsePattern
  ) -> DenseMatrix<Self> {
    var sums = DenseMatrix<Self>(rows: pattern.rowCount, columns: x.columnCount)
    for row in 0..<pattern.rowCount {
      for entry in pattern.entries(ofRow: row) {
        let weight = weights?[entry] ?? 1
        for column in 0..<x.columnCount {
          sums[row, column] += weight * x[Int(pattern.columns[entry]), column]
        }
      }
    }
    return sums
  }
}

extension DifferentiableScalar {
  static func plainEdgeInputs(
    _ u: DenseMatrix<Self>, _ sources: [Int32], _ t: DenseMatrix<Self>, _ destinations: [Int32],
    slopes: DenseMatrix<Self>
  ) -> DenseMatrix<Self> {
    var y = DenseMatrix<Self>(rows: sources.count, columns: u.columnCount)
    for edge in sources.indices {
      for column in 0..<u.columnCount {
        let x = u[Int(sources[edge]), column] + t[Int(destinations[edge]), column]
        y[edge, column] = x > 0 ? x : slopes[0, column] * x
      }
    }
    return y
  }
}

extension Double: DifferentiableScalar {
  public static func product(
    _ a: DenseMatrix<Double>, byRowsOf b: DenseMatrix<Double>, bias: [Double]?,
    using workers: Workers
  ) -> DenseMatrix<Double> {
    plainProduct(a, byRowsOf: b, bias: bias)
  }

  public static func product(
    _ a: DenseMatrix<Double>, _ b: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> {
    plainProduct(a, byRowsOf: b.transposed(), bias: nil)
  }

  public static func transposedProduct(
    _ a: DenseMatrix<Double>, _ b: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> {
    plainProduct(a.transposed(), byRowsOf: b.transposed(), bias: nil)
  }

  public static func weightedSums(
    _ weights: [Double]?, of x: DenseMatrix<Double>, over pattern: SparsePattern,
    using workers: Workers
  ) -> DenseMatrix<Double> {
    plainWeightedSums(weights, of: x, over: pattern)
  }

  public static func edgeInputs(
    _ u: DenseMatrix<Double>, _ sources: [Int32], _ t: DenseMatrix<Double>,
    _ destinations: [Int32], slopes: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> {
    plainEdgeInputs(u, sources, t, destinations, slopes: slopes)
  }

  public static func exponential(_ x: Double) -> Double { exp(x) }
  public static func logarithm(_ x: Double) -> Double { log(x) }

  public static func sums(_ values: [Double], on communicator: some Communicator) throws -> [Double]
  { try communicator.sums(values) }
}

extension Float: DifferentiableScalar {
  public static func product(
    _ a: Matrix, byRowsOf b: Matrix, bias: [Float]?, using workers: Workers
  ) -> Matrix {
    LinearAlgebra.product(a, PackedMatrix(columns: b), bias: bias, using: workers)
  }

  public static func product(_ a: Matrix, _ b: Matrix, using workers: Workers) -> Matrix {
    LinearAlgebra.product(a, b, using: workers)
  }

  public static func transposedProduct(_ a: Matrix, _ b: Matrix, using workers: Workers) -> Matrix {
    LinearAlgebra.transposedProduct(a, b, using: workers)
  }

  public static func weightedSums(
    _ weights: [Float]?, of x: Matrix, over pattern: SparsePattern, using workers: Workers
  ) -> Matrix {
    Differentiation.weightedSums(weights, of: x, over: pattern, using: workers)
  }

  public static func edgeInputs(
    _ u: Matrix, _ sources: [Int32], _ t: Matrix, _ destinations: [Int32], slopes: Matrix,
    using workers: Workers
  ) -> Matrix {
    Differentiation.edgeInputs(u, sources, t, destinations, slopes: slopes, using: workers)
  }

  public static func exponential(_ x: Float) -> Float { Float(exp(Double(x))) }
  public static func logarithm(_ x: Float) -> Float { Float(log(Double(x))) }

  public static func sums(_ values: [Float], on communicator: some Communicator) throws -> [Float] {
    try communicator.sums(values)
  }
}
