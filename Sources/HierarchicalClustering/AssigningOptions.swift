public import NeighborSearch
public import Parallelism

/// How new points are assigned, or a fit is updated.
public struct AssigningOptions: Sendable {
  /// How neighbours are searched.
  public var search: SearchOptions
  /// What happens to rows without a direction.
  public var invalidRows: InvalidRowPolicy
  /// The threads of this rank. No result depends on them.
  public var workers: Workers

  public init(
    search: SearchOptions = SearchOptions(), invalidRows: InvalidRowPolicy = .error,
    workers: Workers = Workers()
  ) {
    self.search = search
    self.invalidRows = invalidRows
    self.workers = workers
  }
}
