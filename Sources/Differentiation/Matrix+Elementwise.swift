package import LinearAlgebra
package import Parallelism

// Loops over the elements of matrices, in tiles of rows that threads share. Inlined into generic
// functions that are specialised for both scalars.

extension DenseMatrix {
  /// Rows of a tile: some 64 KiB.
  fileprivate var tileLength: Int { max(1, 16_384 / max(columnCount, 1)) }

  /// f of every element.
  @inline(__always)
  func map(using workers: Workers, _ f: some ElementFunction<Scalar>) -> Self {
    var result = Self(uninitializedRows: rowCount, columns: columnCount)
    let columns = columnCount
    unsafe withUnsafeBufferPointer { x in
      let x = unsafe Shared(x)
      result.forEachTile(ofRows: tileLength, using: workers) { rows, tile in
        let first = rows.lowerBound * columns
        unsafe tile.withUnsafeMutableBufferPointer { tile in
          for place in tile.indices { unsafe tile[place] = f(x.all[first + place]) }
        }
      }
    }
    return result
  }

  /// f of every two elements of the same place.
  @inline(__always)
  func zip(
    _ other: Self, using workers: Workers, _ f: some ElementPairFunction<Scalar>
  ) -> Self {
    precondition(
      rowCount == other.rowCount && columnCount == other.columnCount,
      "[\(rowCount) × \(columnCount)] and [\(other.rowCount) × \(other.columnCount)]")
    var result = Self(uninitializedRows: rowCount, columns: columnCount)
    let columns = columnCount
    unsafe withUnsafeBufferPointer { x in
      unsafe other.withUnsafeBufferPointer { y in
        let (x, y) = unsafe (Shared(x), Shared(y))
        result.forEachTile(ofRows: tileLength, using: workers) { rows, tile in
          let first = rows.lowerBound * columns
          unsafe tile.withUnsafeMutableBufferPointer { tile in
            for place in tile.indices {
              unsafe tile[place] = f(x.all[first + place], y.all[first + place])
            }
          }
        }
      }
    }
    return result
  }

  /// f of every element and the element of a row vector in its column.
  @inline(__always)
  func zipRow(
    _ row: Self, using workers: Workers, _ f: some ElementPairFunction<Scalar>
  ) -> Self {
    precondition(
      row.rowCount == 1 && row.columnCount == columnCount,
      "[\(rowCount) × \(columnCount)] and a row [\(row.rowCount) × \(row.columnCount)]")
    var result = Self(uninitializedRows: rowCount, columns: columnCount)
    let columns = columnCount
    unsafe withUnsafeBufferPointer { x in
      unsafe row.withUnsafeBufferPointer { y in
        let (x, y) = unsafe (Shared(x), Shared(y))
        result.forEachTile(ofRows: tileLength, using: workers) { rows, tile in
          unsafe tile.withUnsafeMutableBufferPointer { tile in
            for row in 0..<rows.count {
              let first = (rows.lowerBound + row) * columns
              for column in 0..<columns {
                unsafe tile[row * columns + column] = f(x.all[first + column], y.all[column])
              }
            }
          }
        }
      }
    }
    return result
  }

  /// Replaces every element by f of it.
  @inline(__always)
  mutating func update(using workers: Workers, _ f: some ElementFunction<Scalar>) {
    forEachTile(ofRows: tileLength, using: workers) { _, tile in
      unsafe tile.withUnsafeMutableBufferPointer { tile in
        for place in tile.indices { unsafe tile[place] = f(tile[place]) }
      }
    }
  }

  /// Replaces every element by f of it and of another matrix's element of the same place.
  @inline(__always)
  mutating func update(
    by other: Self, using workers: Workers, _ f: some ElementPairFunction<Scalar>
  ) {
    precondition(
      rowCount == other.rowCount && columnCount == other.columnCount,
      "[\(rowCount) × \(columnCount)] and [\(other.rowCount) × \(other.columnCount)]")
    let columns = columnCount
    unsafe other.withUnsafeBufferPointer { y in
      let y = unsafe Shared(y)
      forEachTile(ofRows: tileLength, using: workers) { rows, tile in
        let first = rows.lowerBound * columns
        unsafe tile.withUnsafeMutableBufferPointer { tile in
          for place in tile.indices { unsafe tile[place] = f(tile[place], y.all[first + place]) }
        }
      }
    }
  }

  /// Adds another matrix.
  @specialized(where Scalar == Float)
  package mutating func add(_ other: Self, using workers: Workers) {
    update(by: other, using: workers, Sum())
  }

  /// What f adds up over rows, in shares of rows that are added up in order: the same for any number of
  /// threads. Shape `[1 × columnCount]`.
  @inline(__always)
  package func columnSums(
    using workers: Workers,
    _ f:
      @Sendable (
        _ row: Int, _ elements: UnsafeBufferPointer<Scalar>,
        _ sums: UnsafeMutableBufferPointer<Scalar>
      ) -> Void
  ) -> Self {
    let (rows, columns) = (rowCount, columnCount)
    return unsafe withUnsafeBufferPointer { elements in
      let elements = unsafe Shared(elements)
      return unsafe Self.sumsOverRows(rows, columns, using: workers) { row, sums in
        unsafe f(row, elements.all.extracting(row * columns..<(row + 1) * columns), sums)
      }
    }
  }

  /// Changes every row by f, and returns what f adds to sums over rows, in shares of rows that are added
  /// up in order: the same for any number of threads. Shape `[1 × columnCount]`.
  @inline(__always)
  package mutating func updateRows(
    using workers: Workers,
    _ f:
      @Sendable (
        _ row: Int, _ elements: UnsafeMutableBufferPointer<Scalar>,
        _ sums: UnsafeMutableBufferPointer<Scalar>
      ) -> Void
  ) -> Self {
    let (rows, columns) = (rowCount, columnCount)
    return unsafe withUnsafeMutableBufferPointer { elements in
      let elements = unsafe SharedMutable(elements)
      return unsafe Self.sumsOverRows(rows, columns, using: workers) { row, sums in
        unsafe f(row, elements.all.extracting(row * columns..<(row + 1) * columns), sums)
      }
    }
  }

  /// What f adds up, row after row within a share, share after share. Which rows make a share follows
  /// from the number of rows alone. Shape `[1 × columns]`.
  @inline(__always)
  private static func sumsOverRows(
    _ rows: Int, _ columns: Int, using workers: Workers,
    _ f: @Sendable (_ row: Int, _ sums: UnsafeMutableBufferPointer<Scalar>) -> Void
  ) -> Self {
    let shares = (0..<rows).tiles(of: max(512, (rows + 63) / 64))
    var partial = Self(rows: shares.count, columns: columns)
    partial.forEachTile(ofRows: 1, using: workers) { share, sums in
      unsafe sums.withUnsafeMutableBufferPointer { sums in
        for row in shares[share.lowerBound] { unsafe f(row, sums) }
      }
    }
    var total = Self(rows: 1, columns: columns)
    for share in shares.indices {
      for column in 0..<columns { total[0, column] += partial[share, column] }
    }
    return total
  }

  /// The sums over rows. Shape `[1 × columnCount]`.
  @specialized(where Scalar == Float)
  package func sumOfRows(using workers: Workers) -> Self {
    unsafe columnSums(using: workers) { _, elements, sums in
      for column in elements.indices { unsafe sums[column] += elements[column] }
    }
  }

  /// The sum of all elements: of every column in shares of rows, then over columns, in order.
  @specialized(where Scalar == Float)
  package func sum(using workers: Workers) -> Scalar {
    sumOfRows(using: workers).elements.reduce(0, +)
  }

  /// Shape `[columnCount × rowCount]`.
  @specialized(where Scalar == Float)
  package func transposed() -> Self {
    var result = Self(rows: columnCount, columns: rowCount)
    let (rowCount, columnCount) = (rowCount, columnCount)
    unsafe withUnsafeBufferPointer { x in
      unsafe result.withUnsafeMutableBufferPointer { y in
        for row in 0..<rowCount {
          for column in 0..<columnCount {
            unsafe y[column * rowCount + row] = x[row * columnCount + column]
          }
        }
      }
    }
    return result
  }
}

/// Elements that several threads read.
// @unchecked: nobody writes while it is in use.
@unsafe package struct Shared<Scalar>: @unchecked Sendable {
  package let all: UnsafeBufferPointer<Scalar>
  package init(_ all: UnsafeBufferPointer<Scalar>) { unsafe self.all = all }
}

/// Elements that several threads write, each its own.
// @unchecked: a task touches only the rows it was handed.
@unsafe package struct SharedMutable<Scalar>: @unchecked Sendable {
  package let all: UnsafeMutableBufferPointer<Scalar>
  package init(_ all: UnsafeMutableBufferPointer<Scalar>) { unsafe self.all = all }
}
