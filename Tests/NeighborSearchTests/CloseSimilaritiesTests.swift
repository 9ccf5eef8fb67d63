import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

/// Every row twice, the second time times a factor, then normalised.
private func twice(_ rows: Matrix, times factor: Float) -> Matrix {
  var both = Matrix(
    rows: 2 * rows.rowCount, columns: rows.columnCount,
    elements: rows.elements + rows.elements.map { $0 * factor })
  both.normalizeRows()
  return both
}

@Suite struct SimilaritiesCloseToOne {
  @Test(arguments: [1, 2, 3, 64, 1000, 8192], [1, 3, -1, -0.7] as [Float])
  func ofCopiesAreOneWithinAMillionthAndNeverMore(depth: Int, factor: Float) throws {
    let count = 12
    let rows = twice(randomMatrix(count, depth, seed: 51), times: factor)
    let found = try search(
      rows, listLength: 2 * count - 1, in: NodePartition(sharing: 2 * count, among: 1))
    #expect(found.similarities.allSatisfy { abs($0) <= 1 })
    for node in 0..<2 * count {
      let copy = (node + count) % (2 * count)
      let places = node * found.listLength..<(node + 1) * found.listLength
      let place = places.first { found.neighbors[$0] == GlobalNode(copy) }!
      let similarity = found.similarities[place] * (factor < 0 ? -1 : 1)
      #expect(similarity <= 1 && similarity > 1 - 1e-6, "\(depth) columns, times \(factor)")
      if abs(factor) == 1 { #expect(similarity == 1) }
    }
  }

  /// The chain's error is largest where all products are equal.
  @Test(arguments: [100, 1000, 8191])
  func ofRowsOfOneNumberAreOne(depth: Int) throws {
    var rows = Matrix(rows: 5, columns: depth, elements: Array(repeating: 0.3, count: 5 * depth))
    rows.normalizeRows()
    let found = try search(rows, listLength: 4, in: NodePartition(sharing: 5, among: 2))
    #expect(found.similarities.allSatisfy { $0 == 1 })
    #expect(found.neighbors.prefix(4).map(\.index) == [1, 2, 3, 4])
  }

  /// Against the cosine in double precision, at angles on both sides of where the chain is left.
  @Test(arguments: [16, 257, 4096])
  func areTheCosine(depth: Int) throws {
    let first = unitRows(1, depth, seed: 52).row(0)
    let other = unitRows(1, depth, seed: 53).row(0)
    let angles: [Float] = [0, 1e-5, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 0.03, 0.1]
    var rows = Matrix(
      rows: angles.count, columns: depth,
      elements: angles.flatMap { angle in zip(first, other).map { $0 + angle * $1 } })
    rows.normalizeRows()
    let found = try search(
      rows, listLength: angles.count - 1, in: NodePartition(sharing: angles.count, among: 1))
    for (place, neighbor) in found.neighbors.enumerated() {
      let (a, b) = (rows.row(place / found.listLength), rows.row(Int(neighbor.index)))
      func dot(_ x: [Float], _ y: [Float]) -> Double {
        zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
      // Where the chain is left, off by a share of 1 − a and half a unit in the last place.
      let isClose = cosine > Double(CloseSimilarities.limit(depth: depth)) + 1e-5
      let tolerance = isClose ? 1e-7 : Double(depth).squareRoot() * 1e-7
      #expect(abs(Double(found.similarities[place]) - cosine) <= tolerance)
    }
  }
}

@Suite struct RowsWithoutDirection {
  @Test(arguments: 1...4, [2, 5, 11])
  func haveNoNeighborsAndAreNobodys(ranks: Int, listLength: Int) throws {
    var rows = unitRows(12, 8, seed: 54)
    for row in stride(from: 1, to: 12, by: 2) { for column in 0..<8 { rows[row, column] = 0 } }
    let found = try search(
      rows, listLength: listLength, in: NodePartition(sharing: 12, among: ranks))
    #expect(found == BruteForce(rows).lists(listLength: listLength))
    for (place, neighbor) in found.neighbors.enumerated() {
      let (node, place) = (place / listLength, place % listLength)
      #expect((neighbor != NeighborLists.none) == (node % 2 == 0 && place < 5))
      #expect(neighbor == NeighborLists.none || neighbor.index % 2 == 0)
    }
    #expect(found.similarities.contains { $0 < 0 } || listLength == 2)
  }

  @Test func mayBeAll() throws {
    let found = try search(
      Matrix(rows: 200, columns: 3), listLength: 4, in: NodePartition(sharing: 200, among: 2))
    #expect(found.neighbors.allSatisfy { $0 == NeighborLists.none })
    #expect(found.similarities.allSatisfy { $0 == 0 })
  }
}

@Suite struct LongLists {
  /// Beyond 128 places a list is a heap while it is searched.
  @Test(arguments: [127, 128, 129, 299, 300, 1000], 1...3)
  func areThoseOfBruteForceBitForBit(listLength: Int, ranks: Int) throws {
    var rows = unitRows(300, 5, seed: 55)
    // Ties, and rows that take no part.
    for column in 0..<5 {
      for row in stride(from: 7, to: 300, by: 9) { rows[row, column] = rows[0, column] }
      rows[150, column] = 0
    }
    let expected = BruteForce(rows).lists(listLength: listLength)
    let found = try search(
      rows, listLength: listLength, in: NodePartition(sharing: 300, among: ranks), threads: 2)
    #expect(found == expected)
    #expect(bits(found) == bits(expected))
  }
}
