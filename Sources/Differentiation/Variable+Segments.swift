internal import LinearAlgebra

/// What becomes of several rows that are merged into one.
public enum Aggregation: String, CaseIterable, Codable, Sendable {
  case sum, mean, max
}

extension Variable {
  /// The rows of an adjacency, each made of the rows that it names: C · x for a membership matrix C.
  ///
  ///     sum: Σ xⱼ;  mean: Σ xⱼ / |row|;  max: the largest, in every column
  ///     ∂x of max: ∂y goes to the row that was the largest, the first of several
  ///
  /// A row without entries is 0.
  ///
  /// - Complexity: O(entries · columns).
  public func aggregated(_ aggregation: Aggregation, over adjacency: Adjacency) -> Variable {
    switch aggregation {
    case .sum: return sums(over: adjacency)
    case .mean:
      let pattern = adjacency.pattern
      let weights = (0..<pattern.rowCount).flatMap { row in
        let count = pattern.entries(ofRow: row).count
        return repeatElement(1 / Scalar(Swift.max(count, 1)), count: count)
      }
      return weightedSums(weights, over: adjacency)
    case .max: return maxima(over: adjacency)
    }
  }

  @specialized(where Scalar == Float)
  private func maxima(over adjacency: Adjacency) -> Variable {
    let (x, pattern) = (value, adjacency.pattern)
    precondition(x.rowCount == pattern.columnCount, "\(x.rowCount) of \(pattern.columnCount) rows")
    var y = DenseMatrix<Scalar>(rows: pattern.rowCount, columns: x.columnCount)
    /// The row of x that each element came from; −1 for none.
    var sources = Array(repeating: Int32(-1), count: y.count)
    for row in 0..<pattern.rowCount {
      for entry in pattern.entries(ofRow: row) {
        let source = pattern.columns[entry]
        for column in 0..<x.columnCount {
          let place = row * x.columnCount + column
          let candidate = x[Int(source), column]
          if sources[place] < 0 || candidate > y[row, column] {
            y[row, column] = candidate
            sources[place] = source
          }
        }
      }
    }
    let (origins, rowCount) = (sources, x.rowCount)
    return tape.record(y, from: [self]) { gradient, _ in
      var x = DenseMatrix<Scalar>(rows: rowCount, columns: gradient.columnCount)
      for row in 0..<gradient.rowCount {
        for column in 0..<gradient.columnCount {
          let source = origins[row * gradient.columnCount + column]
          if source >= 0 { x[Int(source), column] += gradient[row, column] }
        }
      }
      return [x]
    }
  }
}
