import CKernels
import LinearAlgebra
import Parallelism
import RandomInputs
import TestTags
import Testing

@Suite("Products")
struct ProductTests {
  /// Around every size of register tile, panel and block of the kernel.
  static let sizes = [0, 1, 2, 5, 6, 7, 15, 16, 17, 40, 63, 64, 65, 97, 130]

  @Test("The kernel has the bits of the plain chain", arguments: sizes)
  func agreesWithTwin(rowCount: Int) {
    for columns in Self.sizes {
      for depth in [0, 1, 7, 15, 16, 17, 33] {
        let a = randomMatrix(rowCount, depth, seed: 1)
        let b = randomMatrix(columns, depth, seed: 2)
        let bias = randomMatrix(1, columns, seed: 3).elements
        let packed = PackedMatrix(columns: b)
        #expect(packed.columnCount == columns && packed.depth == depth)
        #expect(
          product(a, packed).bits == referenceProduct(a, b).bits,
          "[\(rowCount) × \(depth)] by [\(depth) × \(columns)]")
        #expect(
          product(a, packed, bias: bias).bits == referenceProduct(a, b, bias: bias).bits,
          "[\(rowCount) × \(depth)] by [\(depth) × \(columns)] with bias")
      }
    }
  }

  @Test(
    "The chain goes on over blocks of depth and of rows", arguments: [255, 256, 257, 602, 1030])
  func agreesWithTwinOverBlocks(depth: Int) {
    for (rowCount, columns) in [(1, 1), (101, 40), (200, 65)] {
      let a = randomMatrix(rowCount, depth, seed: 4)
      let b = randomMatrix(columns, depth, seed: 5)
      let bias = randomMatrix(1, columns, seed: 6).elements
      #expect(
        product(a, PackedMatrix(columns: b), bias: bias).bits
          == referenceProduct(a, b, bias: bias).bits)
    }
  }

  @Test("Every level of instructions gives the same bits")
  func levelsAgree() {
    let levels = (0...highland_simd_level()).map { $0 }
    for (rowCount, columns, depth) in [
      (1, 1, 1), (7, 2, 40), (13, 40, 64), (19, 65, 33), (101, 130, 300), (0, 3, 3), (3, 3, 0),
    ] {
      let a = randomMatrix(rowCount, depth, seed: 7)
      let b = randomMatrix(columns, depth, seed: 8)
      let bias = randomMatrix(1, columns, seed: 9).elements
      for start in Start.allCases {
        let expected = multiplyAt(a, b, bias, start, packedAt: 0, multipliedAt: 0)
        for level in levels {
          #expect(
            multiplyAt(a, b, bias, start, packedAt: level, multipliedAt: level).bits
              == expected.bits,
            "level \(level), \(start), [\(rowCount) × \(depth)] by [\(depth) × \(columns)]")
          // The layout is common to all levels.
          #expect(
            multiplyAt(a, b, bias, start, packedAt: level, multipliedAt: 0).bits == expected.bits)
        }
      }
    }
  }

  private enum Start: CaseIterable { case zero, bias, contents }

  private func multiplyAt(
    _ a: Matrix, _ b: Matrix, _ bias: [Float], _ start: Start, packedAt packLevel: Int32,
    multipliedAt level: Int32
  ) -> Matrix {
    let (columns, depth) = (b.rowCount, b.columnCount)
    // Neither what was in `packed` nor what lies beside C may matter.
    var packed = [Float](repeating: .nan, count: highland_packed_count(columns, depth) + 1)
    var c = randomMatrix(a.rowCount, columns + 1, seed: 10)
    let before = c
    unsafe b.withUnsafeBufferPointer {
      unsafe highland_pack_rows_at(packLevel, $0.baseAddress!, depth, columns, depth, &packed)
    }
    #expect(packed.last?.isNaN == true)
    unsafe a.withUnsafeBufferPointer { a in
      unsafe bias.withUnsafeBufferPointer { bias in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe highland_multiply_packed_at(
            level, a.baseAddress!, depth, packed, c.baseAddress!, columns + 1,
            a.count / max(depth, 1), columns, depth, start == .bias ? bias.baseAddress : nil,
            start == .contents ? 1 : 0)
        }
      }
    }
    for row in 0..<a.rowCount { #expect(c[row, columns] == before[row, columns]) }
    return c
  }

  @Test("Sides that stand in place give the bits of the plain chain, at every level")
  func thinProductsAgreeWithTheirTwin() {
    for columns in [0, 1, 3, 15, 16, 17, 32, 48, 64, 65, 80, 160, 256, 272] {
      for (rowCount, depth) in [(0, 3), (1, 1), (7, 40), (97, 64), (13, 300), (64, 156), (5, 0)] {
        let a = randomMatrix(rowCount, depth, seed: 1)
        let b = randomMatrix(depth, columns, seed: 2)
        let expected = referenceProduct(a, b.turned)
        #expect(product(a, b, using: Workers(3)).bits == expected.bits)
        for orientation in [Orientation.plain, .transposed] {
          #expect(
            thinProduct(a, b, orientation).bits == expected.bits,
            "\(orientation) [\(rowCount) × \(depth)] by [\(depth) × \(columns)]")
          guard columns > 0, columns.isMultiple(of: 16) else { continue }
          for level in 0...highland_simd_level() {
            #expect(
              inPlaceProduct(a, b, orientation, at: level).bits == expected.bits, "level \(level)")
          }
        }
      }
    }
  }

  private func thinProduct(_ a: Matrix, _ b: Matrix, _ orientation: Orientation) -> Matrix {
    var c = Matrix(rows: a.rowCount, columns: b.columnCount)
    var scratch = PackedMatrix()
    let left = orientation == .plain ? a : a.turned
    unsafe multiplyThin(
      left.sharedRows().base, orientation, rowCount: a.rowCount, depth: a.columnCount,
      b.sharedRows().base, columns: b.columnCount, into: c.disjointRows().base, scratch: &scratch)
    withExtendedLifetime((left, b)) {}
    return c
  }

  private func inPlaceProduct(
    _ a: Matrix, _ b: Matrix, _ orientation: Orientation, at level: Int32
  ) -> Matrix {
    let (m, n, depth) = (a.rowCount, b.columnCount, a.columnCount)
    var c = randomMatrix(m, n, seed: 3)
    let (right, target) = unsafe (b.sharedRows().base, c.disjointRows().base)
    defer { withExtendedLifetime((a, b)) {} }
    switch orientation {
    case .plain:
      unsafe highland_multiply_rows_at(
        level, a.sharedRows().base, depth, right, n, target, n, m, n, depth)
    case .transposed:
      let turned = a.turned
      unsafe highland_multiply_transposed_at(
        level, turned.sharedRows().base, m, right, n, target, n, m, n, depth)
      withExtendedLifetime(turned) {}
    }
    return c
  }

  @Test("A row has the same bits in any range of rows", arguments: 1...20)
  func doesNotDependOnSplit(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let rowCount = Int.random(in: 1...300, using: &generator)
    let columns = Int.random(in: 1...200, using: &generator)
    let depth = Int.random(in: 1...600, using: &generator)
    let a = randomMatrix(rowCount, depth, seed: seed)
    let b = PackedMatrix(columns: randomMatrix(columns, depth, seed: -seed))
    let bias = randomMatrix(1, columns, seed: 11).elements
    let whole = product(a, b, bias: bias)
    var parts = Matrix(rows: rowCount + 2, columns: columns)
    var row = 0
    while row < rowCount {
      let end = min(rowCount, row + Int.random(in: 1...70, using: &generator))
      multiply(a, rows: row..<end, b, bias: bias, into: &parts, at: row + 1)
      row = end
    }
    #expect(
      parts.elements(inRows: 1..<rowCount + 1).map(\.bitPattern) == whole.bits, "seed \(seed)")
    #expect(parts.row(0).allSatisfy { $0 == 0 } && parts.row(rowCount + 1).allSatisfy { $0 == 0 })
  }

  @Test("The number of threads does not change the bits", .tags(.threads), arguments: [1, 2, 3, 8])
  func doesNotDependOnThreads(workers: Int) {
    for rowCount in [0, 1, 23, 24, 25, 100, 1003] {
      let a = randomMatrix(rowCount, 70, seed: 12)
      let b = PackedMatrix(columns: randomMatrix(50, 70, seed: 13))
      #expect(product(a, b, using: Workers(workers)).bits == product(a, b).bits)
    }
  }

  @Test("A column has the same bits beside any other columns")
  func doesNotDependOnOtherColumns() {
    let a = randomMatrix(37, 300, seed: 14)
    let rows = randomMatrix(130, 300, seed: 15)
    let whole = product(a, PackedMatrix(columns: rows))
    var part = PackedMatrix()
    for range in [0..<1, 3..<5, 10..<50, 60..<70, 63..<130, 129..<130, 5..<5] {
      part.pack(rows: range, of: rows)
      let found = product(a, part)
      for i in 0..<37 {
        for j in range {
          #expect(found[i, j - range.lowerBound].bitPattern == whole[i, j].bitPattern)
        }
      }
    }
  }

  @Test(
    "The product of points with themselves is symmetric, bit for bit", arguments: [1, 100, 257])
  func isSymmetric(depth: Int) {
    let points = randomMatrix(150, depth, seed: 16)
    let scores = product(points, PackedMatrix(columns: points))
    for i in 0..<150 {
      for j in 0..<i { #expect(scores[i, j].bitPattern == scores[j, i].bitPattern) }
    }
  }

  @Test("Infinities and quiet NaNs stay where they belong")
  func keepsSpecialValuesInPlace() {
    var a = randomMatrix(9, 20, seed: 17)
    a[4, 7] = .infinity
    a[5, 7] = .nan
    let b = randomMatrix(70, 20, seed: 18)
    let found = product(a, PackedMatrix(columns: b))
    let expected = referenceProduct(a, b)
    for i in [0, 1, 2, 3, 4, 6, 7, 8] { #expect(found.row(i) == expected.row(i)) }
    #expect(found.row(5).allSatisfy { $0.isNaN })
  }
}

extension Matrix {
  /// The transpose.
  fileprivate var turned: Matrix {
    Matrix(
      rows: columnCount, columns: rowCount,
      elements: (0..<columnCount).flatMap { column in
        (0..<rowCount).map { self[$0, column] }
      })
  }
}
