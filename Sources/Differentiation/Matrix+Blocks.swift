package import LinearAlgebra

// Copies of blocks of a matrix.

extension DenseMatrix {
  package func copy(ofRows rows: Range<Int>) -> Self {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows)")
    var copy = Self(rows: rows.count, columns: columnCount)
    let width = columnCount
    unsafe withUnsafeBufferPointer { source in
      unsafe copy.withUnsafeMutableBufferPointer {
        unsafe $0.baseAddress!.update(
          from: source.baseAddress! + rows.lowerBound * width, count: rows.count * width)
      }
    }
    return copy
  }

  /// Its rows, then those of another matrix.
  package func stacked(on other: Self) -> Self {
    precondition(
      columnCount == other.columnCount, "\(columnCount) and \(other.columnCount) columns")
    var result = Self(rows: rowCount + other.rowCount, columns: columnCount)
    let count = count
    unsafe result.withUnsafeMutableBufferPointer { target in
      unsafe withUnsafeBufferPointer {
        unsafe target.baseAddress!.update(from: $0.baseAddress!, count: $0.count)
      }
      unsafe other.withUnsafeBufferPointer {
        unsafe (target.baseAddress! + count).update(from: $0.baseAddress!, count: $0.count)
      }
    }
    return result
  }

  @specialized(where Scalar == Float)
  package func copy(ofColumns range: Range<Int>) -> Self {
    precondition(range.lowerBound >= 0 && range.upperBound <= columnCount, "columns \(range)")
    var copy = Self(rows: rowCount, columns: range.count)
    guard !range.isEmpty else { return copy }
    let (rows, width) = (rowCount, columnCount)
    unsafe withUnsafeBufferPointer { source in
      unsafe copy.withUnsafeMutableBufferPointer { target in
        for row in 0..<rows {
          unsafe (target.baseAddress! + row * range.count).update(
            from: source.baseAddress! + row * width + range.lowerBound, count: range.count)
        }
      }
    }
    return copy
  }

  @specialized(where Scalar == Float)
  package mutating func replace(columns range: Range<Int>, by other: Self) {
    precondition(
      other.rowCount == rowCount && other.columnCount == range.count && range.lowerBound >= 0
        && range.upperBound <= columnCount, "columns \(range) of \(columnCount)")
    guard !range.isEmpty else { return }
    let (rows, width) = (rowCount, columnCount)
    unsafe other.withUnsafeBufferPointer { source in
      unsafe withUnsafeMutableBufferPointer { target in
        for row in 0..<rows {
          unsafe (target.baseAddress! + row * width + range.lowerBound).update(
            from: source.baseAddress! + row * range.count, count: range.count)
        }
      }
    }
  }
}
