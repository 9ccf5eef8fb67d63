public import Communication
public import LinearAlgebra
public import Parallelism

/// The scale on which similarities of any embedding are comparable: 0 is the mean over all pairs of
/// different points, and 1 is equality.
///
///     z = (a − μ) / (1 − μ)
public struct ClosenessScale: BitwiseCopyable, Equatable, Sendable {
  /// μ: the mean cosine similarity of two different nodes of level 0. Below 1.
  public let mean: Float

  /// - Parameter mean: Values at or near 1 are replaced by a value slightly below 1.
  public init(mean: Float) { self.mean = min(mean, 1 - 1e-4) }

  /// z of a cosine similarity, in −8 … 1 up to rounding; never above 2, whatever the argument.
  public func closeness(_ similarity: Float) -> Float {
    min(max((similarity - mean) / (1 - mean), -8), 2)
  }

  /// The scale of some unit rows, measured over all pairs at once.
  ///
  ///     μ = (|Σ x|² − n) / (n (n − 1))
  ///
  /// Sums are of integers: the same bits on any number of ranks and in any order of the rows. A
  /// column's has room for 2⁹⁴ rows.
  ///
  /// > Collective: over `communicator`. Two rounds, `16 · columns` bytes per rank to every rank.
  ///
  /// - Parameter rows: Owned. Unit rows; rows of zeros are not counted.
  /// - Complexity: O(ownedCount · columns).
  public init(
    measuring rows: Matrix, using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    try self.init(measuring: StoredRows(rows), using: workers, on: communicator)
  }

  /// The scale of rows that are stored.
  ///
  /// > Collective: over `communicator`, as for a matrix.
  ///
  /// - Parameter range: Owned. Which rows count; nil for all.
  public init(
    measuring rows: StoredRows, in range: Range<Int>? = nil, using workers: Workers = Workers(),
    on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated(rows.columnCount, from: .all)
    // 64 bits are enough for a tile; its last number counts rows that are not zero.
    let width = rows.columnCount + 1
    let tiles = (range ?? 0..<rows.rowCount).tiles(of: 4096)
    let partial = [Int64](
      count: tiles.count * width, tilesOf: width, using: workers, filledWith: 0
    ) { places, sums in
      let tile = tiles[places.lowerBound / width]
      var scratch = Matrix(rows: 0, columns: 0)
      let elements = unsafe rows.read(tile, into: &scratch)
      defer { withExtendedLifetime(scratch) {} }
      for index in 0..<tile.count {
        let row = unsafe elements + index * (width - 1)
        var isZero = true
        for column in 0..<width - 1 {
          let value = unsafe row[column]
          sums[column] &+= nearestInteger(Double(value) * Self.unit)
          isZero = isZero && value == 0
        }
        if !isZero { sums[width - 1] &+= 1 }
      }
    }
    var sums = Array(repeating: Int128(0), count: width)
    for tile in tiles.indices {
      for column in 0..<width { sums[column] += Int128(partial[tile * width + column]) }
    }
    let all = try communicator.allGather(sums)
    let totals = (0..<width).map { column in
      communicator.ranks.reduce(Int128(0)) { $0 + all[$1][all[$1].startIndex + column] }
    }
    self.init(columnSums: Array(totals.dropLast()), ofRows: totals[width - 1])
  }

  /// The scale of rows that were added up elsewhere.
  ///
  /// - Parameters:
  ///   - columnSums: Σ x, in units of 2⁻³².
  ///   - count: n, not counting rows of zeros.
  package init(columnSums: [Int128], ofRows count: Int128) {
    guard count > 1 else {
      self.init(mean: 0)
      return
    }
    var squares = 0.0
    for sum in columnSums {
      let sum = Double(sum) / Self.unit
      squares += sum * sum
    }
    let n = Double(count)
    self.init(mean: Float((squares - n) / (n * (n - 1))))
  }

  fileprivate static let unit = 0x1p32
}

/// The scale of every node: one for all, or that of the group in which a node is clustered.
public enum ClosenessScales: Equatable, Sendable {
  /// Replicated.
  case ofAll(ClosenessScale)
  /// Owned. Edges are between nodes of the same scale. Shape `[ownedCount]`.
  case ofNodes([ClosenessScale])

  /// That of an owned node.
  public subscript(node: Int) -> ClosenessScale {
    switch self {
    case .ofAll(let scale): scale
    case .ofNodes(let scales): scales[node]
    }
  }

  /// That of all nodes, if there is one.
  public var ofAll: ClosenessScale? { if case .ofAll(let scale) = self { scale } else { nil } }
}

extension ClosenessScale {
  /// The scales of ranges of unit rows, each measured as if its rows were all there are.
  ///
  /// - Returns: One for each range.
  /// - Complexity: O(rows · columns).
  package static func measuring(
    _ rows: StoredRows, in ranges: [Range<Int>], using workers: Workers
  ) -> [ClosenessScale] {
    let width = rows.columnCount
    return [ClosenessScale](
      count: ranges.count, tilesOf: 64, using: workers, filledWith: ClosenessScale(mean: 0)
    ) { places, scales in
      var scratch = Matrix(rows: 0, columns: 0)
      for place in places {
        var sums = Array(repeating: Int128(0), count: width)
        var count = Int128(0)
        for tile in ranges[place].tiles(of: 4096) {
          var partial = Array(repeating: Int64(0), count: width)
          let elements = unsafe rows.read(tile, into: &scratch)
          for index in 0..<tile.count where !rows.isZero(tile.lowerBound + index) {
            let row = unsafe elements + index * width
            count += 1
            for column in 0..<width {
              unsafe partial[column] &+= nearestInteger(Double(row[column]) * unit)
            }
          }
          for column in 0..<width { sums[column] += Int128(partial[column]) }
        }
        scales[place - places.lowerBound] = ClosenessScale(columnSums: sums, ofRows: count)
      }
      withExtendedLifetime(scratch) {}
    }
  }
}

/// Ties to even; of numbers below 2⁵¹ in size.
///
/// A sum with 1.5 · 2⁵² rounds to a whole number, which is in the low bits.
@inline(__always)
private func nearestInteger(_ value: Double) -> Int64 {
  let shift = 0x1.8p52
  return Int64(bitPattern: (value + shift).bitPattern &- shift.bitPattern)
}
