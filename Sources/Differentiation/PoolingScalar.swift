public import LinearAlgebra
public import Parallelism

/// A scalar with the operations of pooling: `Float`, by kernels, and `Double`, by plain loops.
public protocol PoolingScalar: RowScalar {
  /// Every row becomes a distribution: exp(x − max) / Σ exp(x − max).
  static func softmax(ofRows x: DenseMatrix<Self>, using workers: Workers) -> DenseMatrix<Self>

  /// y ∘ (g − Σ of the row of y ∘ g).
  static func softmaxGradient(
    _ y: DenseMatrix<Self>, _ gradient: DenseMatrix<Self>, using workers: Workers
  ) -> DenseMatrix<Self>

  /// Σ −s ln(s + ε) over all elements of some rows.
  static func entropy(_ s: DenseMatrix<Self>, _ rows: Range<Int>, epsilon: Self) -> Double

  /// factor · (ln(s + ε) + s / (s + ε)).
  static func entropyGradient(
    _ s: DenseMatrix<Self>, epsilon: Self, factor: Self
  ) -> DenseMatrix<Self>

  /// One of the three products, block by block.
  static func blockProducts(
    _ kind: BlockProduct, _ a: DenseMatrix<Self>, _ b: DenseMatrix<Self>, blocks: RowBlocks,
    using workers: Workers
  ) -> DenseMatrix<Self>
}

/// Consecutive runs of rows, one per graph.
public struct RowBlocks: Equatable, Sendable {
  /// Block g is the rows `offsets[g] ..< offsets[g + 1]`. Ascending from 0.
  public let offsets: [Int]

  /// - Precondition: The offsets ascend from 0.
  public init(offsets: [Int]) {
    precondition(
      offsets.first == 0 && zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 },
      "offsets that begin with \(offsets.prefix(3))")
    self.offsets = offsets
  }

  /// So many blocks of equal length.
  public init(count: Int, length: Int) {
    self.init(offsets: (0...count).map { $0 * length })
  }

  public var count: Int { offsets.count - 1 }
  public var rowCount: Int { offsets[count] }
  public subscript(block: Int) -> Range<Int> { offsets[block]..<offsets[block + 1] }
}

/// A product of two stacks of blocks. The *tall* operand has the rows of `RowBlocks`; a *stack* has
/// as many rows for each block.
public enum BlockProduct: Sendable {
  /// aᵀ · b of tall a `[rows × m]` and tall b `[rows × n]`: a stack `[count · m × n]`.
  case transposed
  /// a · b of tall a `[rows × m]` and a stack b `[count · m × n]`: tall `[rows × n]`.
  case plain
  /// a · bᵀ of tall a `[rows × n]` and a stack b `[count · m × n]`: tall `[rows × m]`, with m given,
  /// as no block may be there to tell.
  case byRows(height: Int)

  /// The rows of a stack for each block.
  func height<Scalar>(_ a: DenseMatrix<Scalar>) -> Int {
    if case .byRows(let height) = self { height } else { a.columnCount }
  }

  /// The shape of the result.
  func shape<Scalar>(
    _ a: DenseMatrix<Scalar>, _ b: DenseMatrix<Scalar>, _ blocks: RowBlocks
  ) -> (rows: Int, columns: Int) {
    let isPossible: Bool
    let result: (rows: Int, columns: Int)
    switch self {
    case .transposed:
      isPossible = b.rowCount == blocks.rowCount
      result = (blocks.count * a.columnCount, b.columnCount)
    case .plain:
      isPossible = b.rowCount == blocks.count * a.columnCount
      result = (blocks.rowCount, b.columnCount)
    case .byRows(let height):
      isPossible = b.rowCount == blocks.count * height && a.columnCount == b.columnCount
      result = (blocks.rowCount, height)
    }
    precondition(
      isPossible && a.rowCount == blocks.rowCount,
      "\(self) product of [\(a.rowCount) × \(a.columnCount)] and [\(b.rowCount) × "
        + "\(b.columnCount)] in \(blocks.count) blocks of \(blocks.rowCount) rows")
    return result
  }
}

// The plain loops: `Double`'s, and the twins of the kernels.
extension PoolingScalar {
  package static func plainSoftmax(ofRows x: DenseMatrix<Self>) -> DenseMatrix<Self> {
    var y = x
    for row in 0..<x.rowCount {
      let largest = (0..<x.columnCount).reduce(-Self.infinity) { max($0, x[row, $1]) }
      var sum: Self = 0
      for column in 0..<x.columnCount {
        y[row, column] = exponential(x[row, column] - largest)
        sum += y[row, column]
      }
      for column in 0..<x.columnCount { y[row, column] /= sum }
    }
    return y
  }

  package static func plainSoftmaxGradient(
    _ y: DenseMatrix<Self>, _ gradient: DenseMatrix<Self>
  ) -> DenseMatrix<Self> {
    var x = gradient
    for row in 0..<y.rowCount {
      let mean = (0..<y.columnCount).reduce(Self(0)) { $0 + y[row, $1] * gradient[row, $1] }
      for column in 0..<y.columnCount {
        x[row, column] = y[row, column] * (gradient[row, column] - mean)
      }
    }
    return x
  }

  package static func plainEntropy(
    _ s: DenseMatrix<Self>, _ rows: Range<Int>, epsilon: Self
  ) -> Double {
    rows.reduce(0.0) { sum, row in
      s.row(row).reduce(sum) { $0 - Double($1 * logarithm($1 + epsilon)) }
    }
  }

  package static func plainEntropyGradient(
    _ s: DenseMatrix<Self>, epsilon: Self, factor: Self
  ) -> DenseMatrix<Self> {
    DenseMatrix(
      rows: s.rowCount, columns: s.columnCount,
      elements: s.elements.map { factor * (logarithm($0 + epsilon) + $0 / ($0 + epsilon)) })
  }

  package static func plainBlockProducts(
    _ kind: BlockProduct, _ a: DenseMatrix<Self>, _ b: DenseMatrix<Self>, blocks: RowBlocks
  ) -> DenseMatrix<Self> {
    let (rows, columns) = kind.shape(a, b, blocks)
    var c = DenseMatrix<Self>(rows: rows, columns: columns)
    let height = kind.height(a)
    for block in 0..<blocks.count {
      for row in blocks[block] {
        for m in 0..<height {
          let stack = block * height + m
          switch kind {
          case .transposed:
            for n in 0..<columns { c[stack, n] += a[row, m] * b[row, n] }
          case .plain:
            for n in 0..<columns { c[row, n] += a[row, m] * b[stack, n] }
          case .byRows:
            for n in 0..<b.columnCount { c[row, m] += a[row, n] * b[stack, n] }
          }
        }
      }
    }
    return c
  }
}

extension Double: PoolingScalar {
  public static func softmax(
    ofRows x: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> { plainSoftmax(ofRows: x) }

  public static func softmaxGradient(
    _ y: DenseMatrix<Double>, _ gradient: DenseMatrix<Double>, using workers: Workers
  ) -> DenseMatrix<Double> { plainSoftmaxGradient(y, gradient) }

  public static func entropy(
    _ s: DenseMatrix<Double>, _ rows: Range<Int>, epsilon: Double
  ) -> Double {
    plainEntropy(s, rows, epsilon: epsilon)
  }

  public static func entropyGradient(
    _ s: DenseMatrix<Double>, epsilon: Double, factor: Double
  ) -> DenseMatrix<Double> { plainEntropyGradient(s, epsilon: epsilon, factor: factor) }

  public static func blockProducts(
    _ kind: BlockProduct, _ a: DenseMatrix<Double>, _ b: DenseMatrix<Double>, blocks: RowBlocks,
    using workers: Workers
  ) -> DenseMatrix<Double> { plainBlockProducts(kind, a, b, blocks: blocks) }
}
