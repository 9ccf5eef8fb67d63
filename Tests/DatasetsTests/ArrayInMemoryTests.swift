import Datasets
import LinearAlgebra
import Testing

@Suite struct ArraysInMemory {
  /// Five rows of three columns: 0, 1, 2; 3, 4, 5; ...
  private let numbers = (0..<15).map { Float($0) }

  /// The numbers in Fortran order if `isTransposed`: then three rows of five columns, or else five of three.
  private func withArray<R>(
    isTransposed: Bool, _ body: (ArrayInMemory) throws -> R
  ) throws -> R {
    try unsafe numbers.withUnsafeBytes { bytes in
      let (rows, columns) = isTransposed ? (3, 5) : (5, 3)
      return try body(
        unsafe ArrayInMemory(
          at: bytes.baseAddress!, of: .float32, rows: rows, columns: columns,
          rowStride: isTransposed ? 4 : 12, columnStride: isTransposed ? 12 : 4))
    }
  }

  @Test func arePackedByRows() throws {
    func packed(isTransposed: Bool) throws -> [Float] {
      try withArray(isTransposed: isTransposed) { array in
        let bytes = array.packedBytes()
        return stride(from: 0, to: bytes.count, by: 4).map { place in
          Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
        }
      }
    }
    #expect(try packed(isTransposed: false) == numbers)
    #expect(
      try packed(isTransposed: true) == [0, 3, 6, 9, 12, 1, 4, 7, 10, 13, 2, 5, 8, 11, 14])
  }

  /// As rows 4 ..< 9 of twenty, they are read, and named in messages, by these numbers.
  @Test(arguments: [false, true]) func canBeRowsOfALargerArray(isTransposed: Bool) throws {
    try withArray(isTransposed: isTransposed) { array in
      let count = array.rowCount
      let part = array.asRows(4..<4 + count, of: 20)
      #expect(part.rowCount == 20)
      let (read, expected) = (try part.rows(5..<4 + count), try array.rows(1..<count))
      #expect(read.elements == expected.elements)
      #expect(part.packedBytes() == array.packedBytes())
    }
    let large = [1.0, 2.0, 1e300, 4.0]
    try unsafe large.withUnsafeBytes { bytes in
      let array = unsafe try ArrayInMemory(
        at: bytes.baseAddress!, of: .float64, rows: 2, columns: 2, rowStride: 16, columnStride: 8)
      let error = #expect(throws: DataError.self) { try array.asRows(7..<9, of: 9).rows(7..<9) }
      #expect(error.map { "\($0)".contains("row 8: ") } == true)
    }
  }

  @Test func areNothingWithoutRows() throws {
    let none: [Float] = [0]
    try unsafe none.withUnsafeBytes { bytes in
      let array = unsafe try ArrayInMemory(
        at: bytes.baseAddress!, of: .float32, rows: 0, columns: 3, rowStride: 12, columnStride: 4)
      #expect(array.packedBytes().isEmpty)
      #expect(try array.asRows(2..<2, of: 5).rows(2..<2).rowCount == 0)
    }
  }
}
