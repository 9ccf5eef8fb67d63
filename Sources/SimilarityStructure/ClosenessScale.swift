public import Communication
public import LinearAlgebra

/// The unit in which similarities of any embedding are comparable: 0 is the mean over all pairs of
/// different points, 1 is equality.
///
///     z = (a − μ) / (1 − μ)
public struct ClosenessScale: Equatable, Sendable {
  /// μ: the mean cosine similarity of two different nodes of level 0. Below 1.
  public let mean: Float

  /// - Parameter mean: Values that leave no room below 1 are taken as slightly less.
  public init(mean: Float) { self.mean = min(mean, 1 - 1e-4) }

  /// z of a cosine similarity, in −8 … 1 up to rounding.
  public func closeness(_ similarity: Float) -> Float {
    max((similarity - mean) / (1 - mean), -8)
  }

  /// The scale of some unit rows, measured over all pairs at once.
  ///
  ///     μ = (|Σ x|² − n) / (n (n − 1))
  ///
  /// Sums are of integers: the same bits on any number of ranks and in any order of the rows.
  ///
  /// > Collective: over `communicator`. Two rounds, `8 · columns` bytes per rank to every rank.
  ///
  /// - Parameter rows: Owned. Unit rows; rows of zeros are not counted.
  /// - Complexity: O(ownedCount · columns).
  public init(
    measuring rows: Matrix, on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated(rows.columnCount, from: .all)
    let unit = 0x1p32  // 2³⁰ rows of values up to 1 do not overflow
    var sums = Array(repeating: Int64(0), count: rows.columnCount)
    var count = 0
    for index in 0..<rows.rowCount {
      var isZero = true
      for (column, value) in rows.row(index).enumerated() {
        sums[column] &+= Int64((Double(value) * unit).rounded(.toNearestOrEven))
        isZero = isZero && value == 0
      }
      if !isZero { count += 1 }
    }
    let total = try communicator.sum(count)
    let all = try communicator.allGather(sums)
    guard total > 1 else {
      self.init(mean: 0)
      return
    }
    var squares = 0.0
    for column in 0..<rows.columnCount {
      let sum = communicator.ranks.reduce(Int64(0)) { $0 &+ all[$1][all[$1].startIndex + column] }
      squares += (Double(sum) / unit) * (Double(sum) / unit)
    }
    let n = Double(total)
    self.init(mean: Float((squares - n) / (n * (n - 1))))
  }
}
