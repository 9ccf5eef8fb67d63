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
  /// The rows for writing by several threads, copied first if another value shares them.
  ///
  /// Unsafe in that it is only valid while this value lives and is not mutated otherwise.
  @unsafe public mutating func disjointRows() -> DisjointRows {
    let columns = columnCount
    return unsafe withUnsafeMutableBufferPointer {
      unsafe DisjointRows(base: $0.baseAddress!, columnCount: columns)
    }
  }

  /// The rows for reading by several threads.
  ///
  /// Unsafe in that it is only valid while this value lives and is not mutated.
  @unsafe public func sharedRows() -> SharedRows {
    unsafe withUnsafeBufferPointer {
      unsafe SharedRows(base: $0.baseAddress!, columnCount: columnCount)
    }
  }
}
