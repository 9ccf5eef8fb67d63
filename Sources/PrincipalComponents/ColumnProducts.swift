package import LinearAlgebra
package import Parallelism

/// Σ uᵢ · uⱼ over rows u of length 1 at most, of every pair of columns: the same bits in whatever order slices of the
/// rows are added, on any number of ranks and threads.
///
/// A slice has ``sliceLength`` rows, the last one fewer, whoever has it. Its products are made in blocks of
/// columns, which have the same shapes on any number of threads, and are rounded to whole multiples of a unit:
/// sums of integers are associative. See `Docs/Decisions/0003-fixed-point-sums.md`.
package struct ColumnProducts: Sendable {
  package static let sliceLength = 1024
  private static let blockLength = 128

  let columnCount: Int
  /// How many units make 1: a power of two.
  package let scale: Double
  /// Of each block of columns its products with the columns from its first on, row after row.
  package var sums: [Int64]
  private let blocks: [Block]

  private struct Block: Sendable {
    var columns: Range<Int>
    /// Where its sums begin.
    var first: Int
  }

  /// - Parameter rowCount: Of all slices together.
  package init(columnCount: Int, rowCount: Int) {
    self.columnCount = columnCount
    var count = 0
    blocks = (0..<columnCount).tiles(of: Self.blockLength).map { columns in
      defer { count += columns.count * (columnCount - columns.lowerBound) }
      return Block(columns: columns, first: count)
    }
    sums = Array(repeating: 0, count: count)
    // No sum is beyond the number of rows, and that of a slice in units has at most 50 bits.
    let sumBits = Int.bitWidth - max(rowCount, 1).leadingZeroBitCount
    scale = Double(sign: .plus, exponent: min(62 - sumBits, 40), significand: 1)
  }

  /// Adds the products of a slice.
  ///
  /// - Parameters:
  ///   - slice: Rows of length 1 at most.
  ///   - library: With one thread; the workers share the blocks of columns.
  /// - Complexity: O(rows · columns²) of flops; a block of columns of memory per thread.
  package mutating func add(_ slice: Matrix, by library: OpenBLAS, using workers: Workers) {
    precondition(
      slice.columnCount == columnCount && slice.rowCount <= Self.sliceLength,
      "[\(slice.rowCount) × \(slice.columnCount)] of \(columnCount) columns")
    let (blocks, scale, columnCount) = (blocks, scale, columnCount)
    unsafe sums.withUnsafeMutableBufferPointer { sums in
      guard let base = sums.baseAddress else { return }
      let shared = unsafe SharedSums(base: base)
      workers.forEach(blocks.count) {
        Matrix(rows: Self.blockLength, columns: columnCount)
      } _: { index, products in
        let block = blocks[index]
        library.multiplyColumns(block.columns, of: slice, into: &products)
        let count = block.columns.count * (columnCount - block.columns.lowerBound)
        unsafe products.withUnsafeBufferPointer { products in
          let target = unsafe shared.base + block.first
          for place in 0..<count {
            unsafe target[place] += Int64(
              (Double(products[place]) * scale).rounded(.toNearestOrEven))
          }
        }
      }
    }
  }

  /// The sums, each divided by the unit, below the diagonal and on it; zeros above.
  package var lowerTriangle: DenseMatrix<Double> {
    var matrix = DenseMatrix<Double>(rows: columnCount, columns: columnCount)
    let width = columnCount
    unsafe matrix.withUnsafeMutableBufferPointer { matrix in
      for block in blocks {
        var place = block.first
        for row in block.columns {
          for column in block.columns.lowerBound..<width {
            if column >= row { unsafe matrix[column * width + row] = Double(sums[place]) / scale }
            place += 1
          }
        }
      }
    }
    return matrix
  }
}

/// Sums that several threads add to, each its own.
// @unchecked: a thread only touches the sums of the blocks it was handed.
@unsafe private struct SharedSums: @unchecked Sendable {
  let base: UnsafeMutablePointer<Int64>
}
