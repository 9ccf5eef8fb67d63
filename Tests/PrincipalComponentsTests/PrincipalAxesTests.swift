import Communication
import LinearAlgebra
import Parallelism
import PrincipalComponents
import RandomInputs
import Testing

@Suite("Principal axes", .timeLimit(.minutes(2)))
struct PrincipalAxesTests {
  @Test("Axes and shares are those of the plain twin, on one rank and on three", arguments: [1, 3])
  func agreesWithTwin(ranks: Int) throws {
    var rows = spread(rows: 2500, columns: 20, seed: 1)
    for column in 0..<20 { rows[7, column] = 0 }
    rows[1200, 3] = .nan
    rows[2499, 0] = -.infinity
    let found = try axes(6, of: rows, ranks: ranks)
    let expected = referenceAxes(6, of: rows)
    #expect(found.invalidRowCount == 3)
    for axis in 0..<6 {
      #expect(abs(found.shares[axis] - expected.shares[axis]) < 1e-6)
      for column in 0..<20 {
        #expect(abs(Double(found.axes[axis, column]) - expected.axes[axis][column]) < 1e-4)
      }
    }
    #expect(abs(found.keptShare - expected.shares.reduce(0, +)) < 1e-6)
  }

  @Test(
    "Bits are the same on any number of ranks and threads", arguments: [(2, 1), (3, 2), (5, 1)])
  func haveTheSameBits(ranks: Int, threads: Int) throws {
    let rows = spread(rows: 4500, columns: 150, seed: 2)
    let alone = try axes(40, of: rows, ranks: 1)
    #expect(try axes(40, of: rows, ranks: ranks, threads: threads) == alone)
  }

  @Test("Of rows of one length all columns keep lengths and angles, and a few most of them")
  func isARotation() throws {
    let rows = spread(rows: 300, columns: 12, seed: 3)
    let all = try axes(12, of: rows, ranks: 1)
    let turned = all.reduce(rows)
    for (a, b) in [(0, 0), (0, 1), (17, 250)] {
      #expect(abs(dot(turned, a, b) - dot(rows, a, b)) < 1e-4)
    }
    #expect(abs(all.keptShare - 1) < 1e-9)
    #expect(all.shares == all.shares.sorted(by: >))
    // The first columns are the same whatever comes after them.
    let few = try axes(4, of: rows, ranks: 1)
    #expect(few.axes.elements == all.axes.elements(inRows: 0..<4))
  }

  @Test("How long a row is does not count")
  func lengthsDoNotCount() throws {
    let rows = spread(rows: 200, columns: 8, seed: 4)
    var scaled = rows
    for row in 0..<200 {
      for column in 0..<8 {
        scaled[row, column] *= Float(sign: .plus, exponent: row % 80 - 40, significand: 1)
      }
    }
    #expect(try axes(3, of: scaled, ranks: 1) == axes(3, of: rows, ranks: 1))
  }

  @Test("Axes of fewer rows than columns are those of the plain twin", arguments: [1, 3])
  func ofFewRowsAgreeWithTwin(ranks: Int) throws {
    var rows = spread(rows: 24, columns: 60, seed: 8)
    for column in 0..<60 { rows[7, column] = 0 }
    rows[20, 3] = .nan
    let found = try axes(5, of: rows, ranks: ranks)
    let expected = referenceAxes(5, of: rows)
    #expect(found.invalidRowCount == 2)
    for axis in 0..<5 {
      #expect(abs(found.shares[axis] - expected.shares[axis]) < 1e-6)
      for column in 0..<60 {
        #expect(abs(Double(found.axes[axis, column]) - expected.axes[axis][column]) < 1e-3)
      }
    }
  }

  @Test(
    "Axes of few rows have the same bits on any number of ranks and threads",
    arguments: [(2, 1), (3, 2), (5, 1)])
  func ofFewRowsHaveTheSameBits(ranks: Int, threads: Int) throws {
    // Two tiles of rows, two pieces of columns.
    let rows = randomMatrix(1100, 1200, seed: 9)
    let alone = try axes(4, of: rows, ranks: 1)
    #expect(try axes(4, of: rows, ranks: ranks, threads: threads) == alone)
    #expect(try axes(2, of: rows, ranks: 1).axes.elements == alone.axes.elements(inRows: 0..<2))
  }

  @Test("Copies of few rows have axes at right angles, too")
  func ofCopiesAreOrthonormal() throws {
    let two = spread(rows: 2, columns: 40, seed: 10)
    let rows = Matrix(rows: 9, columns: 40, elements: (0..<9).flatMap { two.row($0 % 2) })
    let found = try axes(6, of: rows, ranks: 1)
    #expect(abs(found.shares[0] + found.shares[1] - 1) < 1e-6)
    for a in 0..<6 {
      for b in 0..<6 {
        #expect(abs(dot(found.axes, a, b) - (a == b ? 1 : 0)) < 1e-5)
      }
    }
    #expect(try axes(6, of: rows, ranks: 3) == found)
  }

  @Test("Rows without a direction stay so")
  func invalidRowsStayInvalid() throws {
    var rows = spread(rows: 50, columns: 6, seed: 5)
    for column in 0..<6 { rows[1, column] = 0 }
    rows[2, 5] = .nan
    rows[3, 0] = .infinity
    let reduced = try axes(2, of: rows, ranks: 2).reduce(rows)
    #expect(reduced.row(0).allSatisfy { $0.isFinite })
    #expect(reduced.row(1) == [0, 0])
    #expect((reduced.row(2) + reduced.row(3)).allSatisfy { $0.isNaN })
  }

  @Test("Axes beyond the dimension of the rows, and axes of equal shares, are at right angles")
  func degenerateAxesAreOrthonormal() throws {
    // Three directions of equal weight in ten columns.
    var rows = Matrix(rows: 30, columns: 10)
    for row in 0..<30 { rows[row, row % 3 * 4] = row < 15 ? 1 : -1 }
    let found = try axes(5, of: rows, ranks: 1)
    for share in found.shares[..<3] { #expect(abs(share - 1.0 / 3) < 1e-9) }
    for share in found.shares[3...] { #expect(share < 1e-9) }
    for a in 0..<5 {
      for b in 0..<5 {
        #expect(abs(dot(found.axes, a, b) - (a == b ? 1 : 0)) < 1e-5)
      }
    }
    #expect(try axes(5, of: rows, ranks: 3) == found)
  }

  @Test("A row and its opposite have the same axis, whose first large element is positive")
  func signsAreFixed() throws {
    for sign: Float in [1, -1] {
      let row: [Float] = [0.1, -0.6, 0.8, 0].map { sign * $0 }
      let found = try axes(1, of: Matrix(rows: 1, columns: 4, elements: row), ranks: 1)
      #expect(found.axes[0, 1] > 0 && found.axes[0, 2] < 0)
    }
  }

  @Test(
    "More axes than columns, than rows, or than rows with a direction are refused on every rank")
  func refusesTooManyAxes() throws {
    let rows = spread(rows: 4, columns: 6, seed: 6)
    var invalid = rows
    invalid[0, 0] = .nan
    for (count, input, message) in [
      (7, rows, "7 columns cannot be made of 6"),
      (5, rows, "5 columns cannot be made of 4 rows; expected at least as many rows"),
      (
        4, invalid,
        "4 columns cannot be made of 4 rows, of which 1 are of zeros or hold NaN or infinite values; "
          + "expected at least as many rows"
      ),
    ] {
      let failures = try ThreadCommunicator.run(ranks: 3) { communicator in
        #expect(throws: AgreedFailure.self) {
          _ = try PrincipalAxes(
            count, rowCount: input.rowCount, columnCount: 6, on: communicator
          ) { input.slice($0) }
        }?.description
      }
      #expect(failures == [message, message, message])
    }
  }

  @Test("Rows that cannot be read on one rank are an error on all")
  func readingMayFail() throws {
    struct Unreadable: Error {}
    let rows = spread(rows: 3000, columns: 3, seed: 7)
    let failures = try ThreadCommunicator.run(ranks: 3) { communicator in
      #expect(throws: AgreedFailure.self) {
        _ = try PrincipalAxes(2, rowCount: 3000, columnCount: 3, on: communicator) { range in
          if range.contains(2100) { throw Unreadable() }
          return rows.slice(range)
        }
      }?.rank
    }
    #expect(failures == [Rank(2), Rank(2), Rank(2)])
  }
}

private func axes(_ count: Int, of rows: Matrix, ranks: Int, threads: Int = 1) throws
  -> PrincipalAxes
{
  let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
    try PrincipalAxes(
      count, rowCount: rows.rowCount, columnCount: rows.columnCount, using: Workers(threads),
      on: communicator
    ) { rows.slice($0) }
  }
  #expect(found.allSatisfy { $0 == found[0] })
  return found[0]
}

/// Random rows that spread in every direction by another amount.
private func spread(rows: Int, columns: Int, seed: Int) -> Matrix {
  var matrix = randomMatrix(rows, columns, seed: seed)
  let mixing = randomMatrix(columns, columns, seed: seed + 1000)
  for row in 0..<rows {
    for column in 0..<columns { matrix[row, column] /= Float(1 + column) }
  }
  return product(matrix, mixing)
}

private func dot(_ matrix: Matrix, _ a: Int, _ b: Int) -> Double {
  zip(matrix.row(a), matrix.row(b)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// The plain twin: products of columns in double precision, and Jacobi's rotations.
private func referenceAxes(_ count: Int, of rows: Matrix) -> (axes: [[Double]], shares: [Double]) {
  let width = rows.columnCount
  var s = Array(repeating: Array(repeating: 0.0, count: width), count: width)
  for row in 0..<rows.rowCount {
    let x = rows.row(row).map(Double.init)
    let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0, length.isFinite else { continue }
    for i in 0..<width { for j in 0..<width { s[i][j] += x[i] * x[j] / (length * length) } }
  }
  var v = (0..<width).map { i in (0..<width).map { $0 == i ? 1.0 : 0 } }
  for _ in 0..<30 {
    for p in 0..<width {
      for q in p + 1..<width where abs(s[p][q]) > 1e-14 {
        let theta = (s[q][q] - s[p][p]) / (2 * s[p][q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        for k in 0..<width {
          (s[k][p], s[k][q]) = (c * s[k][p] - t * c * s[k][q], t * c * s[k][p] + c * s[k][q])
        }
        for k in 0..<width {
          (s[p][k], s[q][k]) = (c * s[p][k] - t * c * s[q][k], t * c * s[p][k] + c * s[q][k])
          (v[p][k], v[q][k]) = (c * v[p][k] - t * c * v[q][k], t * c * v[p][k] + c * v[q][k])
        }
      }
    }
  }
  let order = (0..<width).sorted { s[$0][$0] > s[$1][$1] }.prefix(count)
  let total = (0..<width).reduce(0.0) { $0 + s[$1][$1] }
  let axes = order.map { axis in
    let largest = v[axis].map { abs($0) }.max() ?? 0
    let first = v[axis].first { abs($0) >= largest / 2 } ?? 1
    return v[axis].map { first < 0 ? -$0 : $0 }
  }
  return (axes, order.map { s[$0][$0] / total })
}
