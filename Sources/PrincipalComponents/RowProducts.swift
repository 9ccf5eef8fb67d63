internal import Communication
internal import LinearAlgebra
internal import Parallelism

/// The principal axes of fewer rows than columns, from the products of rows:
///
///     K = U Uᵀ,  K w = λ w,  v = Uᵀ w / √λ
///
/// which have the same λ as those of columns. K is smaller, and takes rows · columns · rows flops.
///
/// An element of K is a sum over pieces of the columns, in their order, of products that have the same bits
/// whatever is computed beside them. So nothing is added up over ranks.
struct RowProducts {
  private let rowCount: Int
  private let columnCount: Int
  private let library: OpenBLAS
  private let workers: Workers
  /// The rows that are in memory at once, of which there are two such parts.
  private let tiles: [Range<Int>]

  /// Of a product in single precision; products of pieces are added in double precision.
  private static let pieceLength = 1024

  init(rowCount: Int, columnCount: Int, by library: OpenBLAS, using workers: Workers) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.library = library
    self.workers = workers
    let length = Self.tileLength(columnCount: columnCount)
    tiles = (0..<rowCount).tiles(of: length).map { $0 }
  }

  /// About 128 MiB of rows.
  static func tileLength(columnCount: Int) -> Int {
    min(1024, max(1, (1 << 25) / max(columnCount, 1)))
  }

  /// > Collective: over `communicator`. Five rounds: of a few bytes, but for one of 4 · rows² bytes to rank 0.
  ///
  /// - Parameters:
  ///   - count: Replicated. How many axes, at most as many as rows.
  ///   - requireRows: Throws, on every rank, if too few rows are left without the given number.
  ///   - rows: Reads any rows.
  /// - Returns: On rank 0 the axes and their shares; the number of rows without direction.
  func axes(
    _ count: Int, requiringRows requireRows: (Int) throws -> Void,
    on communicator: some Communicator, observer: (PrincipalAxes.Step, Double) -> Void,
    of rows: (Range<Int>) throws -> Matrix
  ) throws -> (axes: [Float], shares: [Double], invalidRowCount: Int) {
    // Rows of the triangle grow: tiles are dealt in turn.
    let own = stride(from: communicator.rank.index, to: tiles.count, by: communicator.size)
    var invalidCount = 0
    var products: [Double] = []
    try communicator.agree {
      for place in own {
        var tile = try rows(tiles[place])
        invalidCount += tile.makeDirections()
        products += try triangle(place, tile, of: rows) {
          observer(.products, (Double(place) + $0) / Double(tiles.count))
        }
      }
    }
    observer(.products, 1)
    let invalidRowCount = try communicator.sum(invalidCount)
    try requireRows(invalidRowCount)
    observer(.axes, 0)
    let isFirst = communicator.rank == Rank(0)
    let all = try communicator.exchange(
      Buckets(
        values: products,
        counts: [products.count] + Array(repeating: 0, count: communicator.size - 1)),
      receiving: (0..<communicator.size).map {
        isFirst ? productCount(ofRank: $0, of: communicator.size) : 0
      }
    ).values
    products = []
    let found = try communicator.agree { () throws -> (axes: [Float], shares: [Double]) in
      guard isFirst else { return ([], []) }
      return try solve(all, rankCount: communicator.size, count: count, of: rows)
    }
    observer(.axes, 1)
    return (found.axes, found.shares, invalidRowCount)
  }

  private func productCount(ofRank rank: Int, of rankCount: Int) -> Int {
    stride(from: rank, to: tiles.count, by: rankCount).reduce(0) {
      $0 + tiles[$1].count * tiles[$1].upperBound
    }
  }

  /// The products of a tile of rows with all rows up to its last. Shape `[tile × upperBound]`.
  private func triangle(
    _ place: Int, _ tile: Matrix, of rows: (Range<Int>) throws -> Matrix,
    observer: (Double) -> Void
  ) throws -> [Double] {
    let width = tiles[place].upperBound
    var sums = Array(repeating: 0.0, count: tile.rowCount * width)
    for other in 0...place {
      observer(Double(other) / Double(place + 1))
      var others = other == place ? tile : try rows(tiles[other])
      if other != place { others.makeDirections() }
      for piece in (0..<columnCount).tiles(of: Self.pieceLength) {
        let part = product(
          tile.copy(ofColumns: piece), PackedMatrix(columns: others.copy(ofColumns: piece)),
          using: workers)
        for row in 0..<tile.rowCount {
          for (column, value) in part.row(row).enumerated() {
            sums[row * width + tiles[other].lowerBound + column] += Double(value)
          }
        }
      }
    }
    return sums
  }

  /// - Parameter products: Those of all ranks, one after the other.
  private func solve(
    _ products: [Double], rankCount: Int, count: Int, of rows: (Range<Int>) throws -> Matrix
  ) throws -> (axes: [Float], shares: [Double]) {
    var matrix = DenseMatrix<Double>(rows: rowCount, columns: rowCount)
    var next = 0
    for rank in 0..<rankCount {
      for place in stride(from: rank, to: tiles.count, by: rankCount) {
        for row in tiles[place] {
          for column in 0...row { matrix[row, column] = products[next + column] }
          next += tiles[place].upperBound
        }
      }
    }
    let total = (0..<rowCount).reduce(0.0) { $0 + matrix[$1, $1] }
    let values = try library.eigenvalues(ofSymmetric: &matrix)
    let best = Array((rowCount - count..<rowCount).reversed())
    var axes = Array(repeating: Array(repeating: 0.0, count: columnCount), count: count)
    for tile in tiles {
      var slice = try rows(tile)
      slice.makeDirections()
      let weights = Matrix(
        rows: count, columns: tile.count,
        elements: best.flatMap { vector in tile.map { Float(matrix[vector, $0]) } })
      let part = product(weights, PackedMatrix(slice), using: workers)
      for axis in 0..<count {
        for (column, value) in part.row(axis).enumerated() { axes[axis][column] += Double(value) }
      }
    }
    let largest = max(values.last ?? 0, 0).squareRoot()
    makeOrthonormal(&axes, neglecting: 1e-5 * largest)
    var result = Matrix(
      rows: count, columns: columnCount, elements: axes.flatMap { $0.map { Float($0) } })
    result.fixSigns()
    return (result.elements, best.map { max(values[$0], 0) / total })
  }

  /// Makes vectors orthogonal to those before them, and of length 1. In place of one that is shorter than
  /// rounding lets it be comes the direction of the coordinate that the others know least of.
  private func makeOrthonormal(_ vectors: inout [[Double]], neglecting least: Double) {
    for place in vectors.indices {
      let length = dot(vectors[place], vectors[place]).squareRoot()
      var rest = length > least ? removing(vectors[..<place], from: vectors[place]) : []
      if rest.isEmpty || dot(rest, rest).squareRoot() < 0.1 * length {
        var known = Array(repeating: 0.0, count: columnCount)
        for vector in vectors[..<place] {
          for column in 0..<columnCount { known[column] += vector[column] * vector[column] }
        }
        let least = known.indices.min { (known[$0], $0) < (known[$1], $1) }!
        rest = Array(repeating: 0, count: columnCount)
        rest[least] = 1
        rest = removing(vectors[..<place], from: rest)
      }
      let scale = 1 / dot(rest, rest).squareRoot()
      vectors[place] = rest.map { $0 * scale }
    }
  }

  /// What is left of a vector without its parts along vectors of length 1; twice, as the first time rounds.
  private func removing(_ others: ArraySlice<[Double]>, from vector: [Double]) -> [Double] {
    var rest = vector
    for _ in 0..<2 {
      for other in others {
        let share = dot(other, rest)
        for column in 0..<columnCount { rest[column] -= share * other[column] }
      }
    }
    return rest
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for column in 0..<columnCount { sum += a[column] * b[column] }
    return sum
  }
}

extension Matrix {
  fileprivate func copy(ofColumns columns: Range<Int>) -> Matrix {
    var elements: [Float] = []
    elements.reserveCapacity(rowCount * columns.count)
    for row in 0..<rowCount { elements += self.row(row)[columns] }
    return Matrix(rows: rowCount, columns: columns.count, elements: elements)
  }
}
