public import DiscriminantTransforms
public import LinearAlgebra
public import Parallelism

/// Embeddings as a model or a user wants them: transformed row by row as they are read, or as they are.
public struct TransformedEmbeddings<Base: EmbeddingSource>: EmbeddingSource {
  public let base: Base
  /// Nil to leave rows as they are.
  public let transform: DiscriminantTransform?
  /// The threads that transform rows. No row depends on them.
  private let workers: Workers

  /// - Precondition: The transform is of rows of this width.
  public init(
    _ base: Base, by transform: DiscriminantTransform?, using workers: Workers = Workers()
  ) {
    precondition(
      transform.map { $0.center.count == base.dimensions } ?? true,
      "\(base.dimensions) columns for a transform of \(transform?.center.count ?? 0)")
    self.base = base
    self.transform = transform
    self.workers = workers
  }

  public var name: String { base.name }
  public var rowCount: Int { base.rowCount }
  public var dimensions: Int { transform?.axes.rowCount ?? base.dimensions }

  public func rowName(_ row: Int) -> String { base.rowName(row) }

  public func rows(_ range: Range<Int>) throws -> Matrix {
    guard let transform else { return try base.rows(range) }
    return try transform.transform(range, using: workers) { try base.directions($0).matrix }
  }

  public func storedRows(_ range: Range<Int>) throws -> StoredRows? {
    transform == nil ? try base.storedRows(range) : nil
  }

  public func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    transform == nil ? try base.directions(range) : (try rows(range), [])
  }
}

extension EmbeddingSource {
  /// These embeddings as a model wants them.
  public func transformed(
    for model: TrainedModel?, using workers: Workers = Workers()
  ) -> TransformedEmbeddings<Self> {
    TransformedEmbeddings(self, by: model?.transform, using: workers)
  }
}
