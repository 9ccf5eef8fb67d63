public import LinearAlgebra
public import Parallelism
internal import PrincipalComponents

/// The transforms that some labelled rows teach, one for each of any settings. On one rank.
public struct TransformFamily {
  private let axes: ClassAxes
  private let columnCount: Int

  /// Whether one can be learned here, or why not.
  public static func requireLibrary() throws { _ = try OpenBLAS.ofOneThread }

  /// - Parameter rows: Reads any consecutive rows, each up to a positive factor.
  /// - Throws: ``DiscriminantTransformError``, `OpenBLASError`, and what `rows` throws.
  /// - Complexity: 2 · rows · columns² flops, and O(columns³).
  public init(
    of labels: LabelledRows, columnCount: Int, using workers: Workers = Workers(),
    reading rows: (Range<Int>) throws -> Matrix
  ) throws {
    guard columnCount <= OpenBLAS.mostEigenvalues else {
      throw DiscriminantTransformError.tooManyColumns(columnCount, most: OpenBLAS.mostEigenvalues)
    }
    let library = try OpenBLAS.ofOneThread
    var scatter = ClassScatter(columnCount: columnCount, rowCount: labels.rows.count)
    for part in labels.parts {
      try scatter.add(Array(part), of: labels, by: library, using: workers, reading: rows)
    }
    guard scatter.classCount > 1 else {
      throw DiscriminantTransformError.tooFewClasses(scatter.classCount)
    }
    axes = try ClassAxes(scatter, by: library, using: workers)
    self.columnCount = columnCount
  }

  /// The transform to as many columns as there are.
  ///
  /// - Throws: `OpenBLASError`.
  /// - Complexity: O(columns³).
  public func transform(by settings: TransformSettings) throws -> DiscriminantTransform {
    try axes.transform(columnCount, by: settings)
  }
}
