/// The rows of a matrix that several threads write at once, each its own.
///
/// Unsafe in that nothing checks that the rows are disjoint or that the matrix outlives it.
// @unchecked: a thread only touches the rows of the tasks it was handed.
@unsafe public struct DisjointRows: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Float>
  public let columnCount: Int

  /// The first element of a row.
  public subscript(row: Int) -> UnsafeMutablePointer<Float> {
    unsafe base + row * columnCount
  }
}

/// The rows of a matrix that several threads read at once.
// @unchecked: nobody writes while it is in use.
@unsafe public struct SharedRows: @unchecked Sendable {
  public let base: UnsafePointer<Float>
  public let columnCount: Int

  /// The first element of a row.
  public subscript(row: Int) -> UnsafePointer<Float> { unsafe base + row * columnCount }
}

extension Matrix {
  /// Hands out the rows for writing by several threads; valid inside `body`.
  @unsafe public mutating func withDisjointRows<R>(_ body: (DisjointRows) throws -> R) rethrows
    -> R
  {
    let columns = columnCount
    return try unsafe withUnsafeMutableBufferPointer {
      try unsafe body(DisjointRows(base: $0.baseAddress!, columnCount: columns))
    }
  }

  /// Hands out the rows for reading by several threads; valid inside `body`.
  @unsafe public func withSharedRows<R>(_ body: (SharedRows) throws -> R) rethrows -> R {
    try unsafe withUnsafeBufferPointer {
      try unsafe body(SharedRows(base: $0.baseAddress!, columnCount: columnCount))
    }
  }
}
