import LinearAlgebra
import Parallelism
import RandomInputs
import Testing

@Suite("Transposed products")
struct TransposedProductTests {
  @Test(
    "The kernel has the bits of the plain chains, for any number of threads",
    arguments: [0, 1, 7, 8, 9, 255, 256, 257, 2048, 2049, 5000])
  func agreesWithTwin(rowCount: Int) {
    for (m, n) in [(1, 1), (3, 70), (17, 5)] {
      let a = randomMatrix(rowCount, m, seed: 1)
      let b = randomMatrix(rowCount, n, seed: 2)
      let expected = referenceTransposedProduct(a, b).bits
      for threads in [1, 2, 3] {
        #expect(
          transposedProduct(a, b, using: Workers(threads)).bits == expected,
          "\(rowCount) rows, [\(m) × \(n)], \(threads) threads")
      }
    }
  }

  @Test("A right-hand side packed as it stands is the one packed from its transpose")
  func packsBothWays() {
    for (depth, columns) in [(1, 1), (5, 64), (16, 65), (33, 130)] {
      let b = randomMatrix(depth, columns, seed: 3)
      var transpose = Matrix(rows: columns, columns: depth)
      for row in 0..<depth { for column in 0..<columns { transpose[column, row] = b[row, column] } }
      let a = randomMatrix(9, depth, seed: 4)
      #expect(
        product(a, PackedMatrix(b)).bits == product(a, PackedMatrix(columns: transpose)).bits)
    }
  }
}

@Suite("Sparse patterns")
struct SparsePatternTests {
  @Test("A transpose has the same entries, rows ascending in every column")
  func transposes() {
    let pattern = SparsePattern(
      rowOffsets: [0, 3, 3, 4, 6], columns: [0, 2, 2, 1, 4, 0], columnCount: 5)
    let (transpose, entries) = pattern.transposed()
    #expect(transpose.rowOffsets == [0, 2, 3, 5, 5, 6])
    #expect(transpose.columns == [0, 3, 2, 0, 0, 3])
    #expect(entries == [0, 5, 3, 1, 2, 4])
    #expect(pattern.rows == [0, 0, 0, 2, 3, 3])
    // Transposed twice, every row's columns ascend.
    #expect(transpose.transposed().pattern.columns == [0, 2, 2, 1, 0, 4])
  }
}
