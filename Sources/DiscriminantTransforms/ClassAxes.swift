internal import LinearAlgebra
internal import Parallelism
internal import PrincipalComponents

/// The axes that make the covariance within classes 1 and that between them diagonal, for any shrinkage α:
///
///     W′ = (1 − α) W + α (tr W / columns) I,  B a = λ W′ a,  aᵀ W′ a = 1
///
/// With the eigenvectors U of W, W′ᵢ = (1 − α) wᵢ + α Σ w / columns has the same ones, and
/// W′^−½ U B Uᵀ W′^−½ is symmetric.
struct ClassAxes {
  private let library: OpenBLAS
  private let workers: Workers
  /// U, an eigenvector of W in each row.
  private let vectors: Matrix
  private let values: [Double]
  /// U B Uᵀ.
  private let between: Matrix
  /// μ.
  let mean: [Double]

  /// - Throws: ``DiscriminantTransformError/noSpread`` if W is zero; `OpenBLASError`.
  /// - Precondition: At least two classes.
  init(_ scatter: ClassScatter, by library: OpenBLAS, using workers: Workers) throws {
    self.library = library
    self.workers = workers
    mean = scatter.mean
    var within = scatter.withinCovariance
    let between = Matrix(scatter.betweenCovariance(within: within))
    values = try library.eigenvalues(ofSymmetric: &within).map { max($0, 0) }
    vectors = Matrix(within)
    // Rounding alone makes less than this of rows of length 1.
    guard values.reduce(0, +) > 1e-9 else { throw DiscriminantTransformError.noSpread }
    self.between = product(
      product(vectors, PackedMatrix(columns: between), using: workers),
      PackedMatrix(columns: vectors), using: workers)
  }

  /// The axes a, the one with the greatest λ first, and λ.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - shrinkage: α, above 0.
  func axes(_ count: Int, shrinkage: Double) throws -> (axes: Matrix, ratios: [Double]) {
    let size = values.count
    let least = shrinkage * values.reduce(0, +) / Double(size)
    let scales = values.map { 1 / ((1 - shrinkage) * $0 + least).squareRoot() }
    var ratios = DenseMatrix<Double>(rows: size, columns: size)
    for row in 0..<size {
      for column in 0...row {
        ratios[row, column] = Double(between[row, column]) * scales[row] * scales[column]
      }
    }
    let found = try library.eigenvalues(ofSymmetric: &ratios)
    let best = (size - count..<size).reversed()
    let turned = Matrix(
      rows: count, columns: size,
      elements: best.flatMap { row in zip(ratios.row(row), scales).map { Float($0 * $1) } })
    var axes = product(turned, PackedMatrix(vectors), using: workers)
    axes.fixSigns()
    return (axes, best.map { max(found[$0], 0) })
  }

  /// A transform of so many axes.
  func transform(_ count: Int, by settings: TransformSettings) throws -> DiscriminantTransform {
    var (axes, ratios) = try axes(count, shrinkage: settings.shrinkage)
    axes.scaleRows(by: ratios.map(settings.form.scale))
    return DiscriminantTransform(
      center: mean.map { Float(settings.centering * $0) }, axes: axes)
  }
}

extension Matrix {
  fileprivate mutating func scaleRows(by factors: [Double]) {
    for (row, factor) in factors.enumerated() {
      for column in 0..<columnCount { self[row, column] *= Float(factor) }
    }
  }

  fileprivate init(_ matrix: DenseMatrix<Double>) {
    self.init(
      rows: matrix.rowCount, columns: matrix.columnCount,
      elements: matrix.elements.map { Float($0) })
  }
}
