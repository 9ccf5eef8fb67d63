import Communication
import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

/// Rows of whole numbers that every type holds, one of them zero; around some directions.
private func shortNumbers(_ count: Int, _ depth: Int, seed: Int) -> Matrix {
  let (centers, noise) = (
    randomMatrix(17, depth, seed: seed), randomMatrix(count, depth, seed: seed + 1)
  )
  var rows = Matrix(rows: count, columns: depth)
  for row in 0..<count where row != count / 2 {
    for column in 0..<depth {
      rows[row, column] =
        (min(max(centers[row * 5 % 17, column] + 0.4 * noise[row, column], -2), 2) * 60)
        .rounded() + 0  // no −0, which whole numbers do not have
    }
    rows[row, row % depth] += 3
  }
  return rows
}

/// The numbers as a file of the type holds them, row after row.
func storedBytes(_ values: [Float], as element: StoredElement) -> [UInt8] {
  func bytes<T: BitwiseCopyable>(_ value: T) -> [UInt8] {
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
  }
  return values.flatMap { value in
    switch element {
    case .float32, .float32WithNorm: bytes(value)
    case .float16: bytes(Float16(value))
    case .bfloat16: bytes(UInt16(truncatingIfNeeded: value.bitPattern >> 16))
    case .int8: bytes(Int8(value))
    case .uint8: bytes(UInt8(value))
    }
  }
}

/// Rows as they are stored, and the unit rows that they stand for.
private func both(_ rows: Matrix, as element: StoredElement) -> (
  stored: StoredRows, unitRows: Matrix, largest: [Float]
) {
  var stored = StoredRows(rows: rows.rowCount, columns: rows.columnCount, of: element)
  unsafe stored.write(storedBytes(rows.elements, as: element).span.bytes, atRow: 0)
  let largest = stored.measure(using: Workers(2))
  var unitRows = rows
  unitRows.normalizeRows()
  return (stored, unitRows, largest)
}

private let shortElements = StoredElement.allCases.filter { $0 != .float32 }

@Suite struct RowsOfShortNumbers {
  @Test(arguments: shortElements, [1, 2, 3, 16, 37])
  func areTheUnitRowsOfTheirNumbersBitForBit(element: StoredElement, depth: Int) {
    var rows = shortNumbers(70, depth, seed: 5)
    if element == .uint8 {
      rows = Matrix(rows: 70, columns: depth, elements: rows.elements.map(abs))
    }
    let (stored, unitRows, largest) = both(rows, as: element)
    #expect(stored.rowCount == 70 && stored.columnCount == depth)
    #expect(
      stored.copy(ofRows: 0..<70).elements.map(\.bitPattern) == unitRows.elements.map(\.bitPattern))
    #expect(stored.copy(ofRows: [69, 3, 35]) == unitRows.copy(ofRows: [69, 3, 35]))
    #expect(stored.unitRows() == unitRows)
    for row in 0..<70 {
      #expect(largest[row] == rows.row(row).map(abs).max())
      #expect(stored.isZero(row) == (largest[row] == 0))
    }
  }

  /// What single precision holds with few digits, and what is no number.
  @Test func ofExtremeNumbersHaveTheBitsOfFloatsToo() {
    let tiny = Float(bitPattern: 0x0001_0000)  // the least of bfloat16
    let rows = Matrix(
      rows: 5, columns: 2,
      elements: [tiny, 3 * tiny, 0x1p-120, -0x1p-121, .infinity, 1, .nan, 2, 0x1p127, 0x1p127])
    let (stored, unitRows, largest) = both(rows, as: .bfloat16)
    for row in [0, 1, 4] {
      #expect(stored.copy(ofRows: [row]).row(0) == unitRows.row(row), "\(row)")
    }
    for row in [2, 3] {
      #expect(stored.isZero(row) && largest[row] == 0)
      #expect(stored.copy(ofRows: [row]).row(0) == [0, 0])
    }
    let halves = Matrix(rows: 2, columns: 2, elements: [0x1p-24, -0x1p-23, 65504, 0x1p-24])
    let (half, unitHalves, _) = both(halves, as: .float16)
    #expect(half.unitRows() == unitHalves)
  }

  @Test(arguments: [1, 3], shortElements)
  func areSearchedWithTheSameBits(ranks: Int, element: StoredElement) throws {
    var rows = shortNumbers(700, 13, seed: 6)
    if element == .uint8 {
      rows = Matrix(rows: 700, columns: 13, elements: rows.elements.map(abs))
    }
    let (stored, unitRows, _) = both(rows, as: element)
    let nodes = NodePartition(sharing: 700, among: ranks)
    for options in [SearchOptions(.exact), SearchOptions(.approximate, recall: 0.9)] {
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let owned = nodes.owned(by: communicator.rank)
        return (
          short: try nearestNeighbors(
            of: stored.stored(ofRows: Array(owned)), listLength: 7, by: options, in: nodes,
            using: Workers(2), on: communicator),
          floats: try nearestNeighbors(
            of: unitRows.slice(owned), listLength: 7, by: options, in: nodes, using: Workers(2),
            on: communicator)
        )
      }
      for rank in found {
        #expect(rank.short.lists == rank.floats.lists)
        #expect(bits(rank.short.lists) == bits(rank.floats.lists))
        #expect(rank.short.summary == rank.floats.summary)
      }
    }
  }
}
