internal import LinearAlgebra
internal import Parallelism

/// Rows of several classes, of all pairs of which it is asked whether they are of one class.
struct VerificationSample {
  /// Directions. Shape `[n × columns]`.
  let rows: Matrix
  /// The class of each row.
  let classes: [Int]

  /// Similarities are told apart to 2⁻¹⁵.
  private static let binCount = 1 << 16

  /// The equal error rate: where as large a share of the pairs of one class is less similar than a threshold
  /// as of the others is not. Nil if there are no pairs of one of the kinds.
  ///
  /// - Parameter rows: Those of the sample, transformed; of length 1, or of zeros.
  /// - Complexity: n² · columns flops.
  func equalErrorRate(of rows: Matrix, using workers: Workers) -> Double? {
    var counts = (same: [Int](repeating: 0, count: Self.binCount), other: [Int]())
    counts.other = counts.same
    let packed = PackedMatrix(columns: rows)
    for tile in (0..<rows.rowCount).tiles(of: 256) {
      let similarities = product(rows.copy(ofRows: Array(tile)), packed, using: workers)
      unsafe similarities.withUnsafeBufferPointer { similarities in
        for row in tile {
          let line = (row - tile.lowerBound) * rows.rowCount
          for other in row + 1..<rows.rowCount {
            let share = unsafe (Double(similarities[line + other]) + 1) / 2
            let bin = min(max(Int(share * Double(Self.binCount)), 0), Self.binCount - 1)
            if classes[row] == classes[other] {
              counts.same[bin] += 1
            } else {
              counts.other[bin] += 1
            }
          }
        }
      }
    }
    let (sameCount, otherCount) = (counts.same.reduce(0, +), counts.other.reduce(0, +))
    guard sameCount > 0, otherCount > 0 else { return nil }
    var (missed, accepted) = (0, otherCount)
    for bin in 0..<Self.binCount {
      missed += counts.same[bin]
      accepted -= counts.other[bin]
      let (misses, acceptances) = (
        Double(missed) / Double(sameCount), Double(accepted) / Double(otherCount)
      )
      if misses >= acceptances { return (misses + acceptances) / 2 }
    }
    return 1
  }
}

extension LabelledRows {
  /// About 2048 rows of some classes, 16 of a class at most: both spread evenly.
  ///
  /// - Parameter read: Reads consecutive rows.
  func sample(of classes: [Int], _ read: (Range<Int>) throws -> Matrix) throws -> VerificationSample
  {
    let counts = classes.map { min(self.classes[$0].count, 16) }
    let step = max(1, (counts.reduce(0, +) + 2047) / 2048)
    var (places, names): ([Int], [Int]) = ([], [])
    for number in stride(from: 0, to: classes.count, by: step) {
      let (all, count) = (self.classes[classes[number]], counts[number])
      places += (0..<count).map { all.lowerBound + all.count * $0 / count }
      names += Array(repeating: classes[number], count: count)
    }
    return VerificationSample(rows: try directions(places, read), classes: names)
  }
}
