import LinearAlgebra
import Parallelism
import Testing

@Suite("Matrix")
struct MatrixTests {
  /// On both sides of the border between heap and mapping, 64 KiB.
  static let shapes = [
    (0, 0), (0, 7), (7, 0), (1, 1), (3, 5), (128, 127), (128, 128), (1000, 129),
  ]

  @Test("A new matrix is zero and starts on a cache line, also where memory is used again")
  func startsZeroAndAligned() {
    for (rows, columns) in Self.shapes {
      for _ in 1...3 {
        var matrix = Matrix(rows: rows, columns: columns)
        #expect(matrix.elements == Array(repeating: 0, count: rows * columns))
        unsafe matrix.withUnsafeBufferPointer {
          #expect(Int(bitPattern: $0.baseAddress) % 64 == 0)
        }
        unsafe matrix.withUnsafeMutableBufferPointer { unsafe $0.update(repeating: 1) }
      }
    }
  }

  @Test("A copy keeps its elements when the original changes")
  func hasValueSemantics() {
    for (rows, columns) in Self.shapes where rows * columns > 0 {
      var matrix = numbered(rows, columns)
      let copy = matrix
      matrix[0, 0] = -1
      matrix[rows - 1, columns - 1] = -2
      #expect(copy == numbered(rows, columns))
      #expect(matrix[rows - 1, columns - 1] == -2)
      #expect(matrix != copy)
    }
  }

  @Test("Discarded rows are as before or zero; all others keep their elements")
  func discardsRowsOnly() {
    for (rows, columns) in Self.shapes where rows > 2 {
      var matrix = numbered(rows, columns)
      let expected = numbered(rows, columns)
      let discarded = 1..<rows - 1
      matrix.discard(rows: discarded)
      #expect(matrix.row(0) == expected.row(0))
      #expect(matrix.row(rows - 1) == expected.row(rows - 1))
      for row in discarded {
        #expect(zip(matrix.row(row), expected.row(row)).allSatisfy { $0 == 0 || $0 == $1 })
      }
    }
  }

  @Test("Discarding rows of a large matrix reads as zero, and leaves a copy alone")
  func discardLeavesCopies() {
    let expected = numbered(1000, 1024)
    var matrix = numbered(1000, 1024)
    let copy = matrix
    matrix.discard(rows: 0..<1000)
    #expect(copy == expected)
    var only = numbered(1000, 1024)
    only.discard(rows: 0..<1000)
    #expect(only == Matrix(rows: 1000, columns: 1024))
  }

  @Test("Equality is of shape and of numbers")
  func comparesShapesAndNumbers() {
    #expect(Matrix(rows: 0, columns: 2) != Matrix(rows: 0, columns: 3))
    #expect(Matrix(rows: 2, columns: 3) != Matrix(rows: 3, columns: 2))
    #expect(
      Matrix(rows: 1, columns: 2, elements: [0, 1])
        == Matrix(rows: 1, columns: 2, elements: [-0, 1]))
    let unknown = Matrix(rows: 1, columns: 1, elements: [.nan])
    #expect(unknown != unknown)
  }

  @Test("Rows and ranges of rows are copies of the elements")
  func readsRows() {
    let matrix = numbered(3, 2)
    #expect(matrix.row(1) == [2, 3])
    #expect(matrix.elements(inRows: 1..<3) == [2, 3, 4, 5])
    #expect(matrix.elements(inRows: 3..<3).isEmpty)
  }

  @Test("Tiles cover every row once, with its own elements", arguments: [1, 2, 3], [1, 2, 5, 100])
  func fillsTiles(workers: Int, length: Int) {
    for (rows, columns) in Self.shapes where rows <= 128 {
      var matrix = numbered(rows, columns)
      let before = matrix
      matrix.forEachTile(ofRows: length, using: Workers(workers)) { rows, elements in
        for row in rows {
          for column in 0..<columns {
            elements[(row - rows.lowerBound) * columns + column] += Float(row)
          }
        }
      }
      for row in 0..<rows {
        #expect(matrix.row(row) == before.row(row).map { $0 + Float(row) })
      }
    }
  }

  private func numbered(_ rows: Int, _ columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map(Float.init))
  }
}
