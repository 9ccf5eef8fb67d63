internal import LinearAlgebra
internal import Parallelism

// Rows of other rows: selections, sums over neighbours, columns side by side.

extension Variable {
  /// The rows that an adjacency with one entry per row names; in general the sums of its rows.
  ///
  ///     yᵢ = Σ over entries e of row i of x at column(e);  ∂x = the same with the transpose
  ///
  /// - Parameter adjacency: Over the rows of this value. Shape `[rows × rowCount]`.
  /// - Complexity: O(entries · columns).
  public func sums(over adjacency: Adjacency) -> Variable {
    guard !adjacency.isIdentity else { return self }
    let workers = workers
    return tape.record(
      Scalar.weightedSums(nil, of: value, over: adjacency.pattern, using: workers), from: [self]
    ) { gradient, _ in
      [Scalar.weightedSums(nil, of: gradient, over: adjacency.transpose, using: workers)]
    }
  }

  /// The weighted sums over neighbours: a sparse matrix times this value.
  ///
  ///     yᵢ = Σ over entries e of row i of wₑ · x at column(e);  ∂x = the transpose times ∂y
  ///
  /// - Parameter weights: Constants, one per entry.
  /// - Complexity: 2 · entries · columns flops.
  public func weightedSums(_ weights: [Scalar], over adjacency: Adjacency) -> Variable {
    let workers = workers
    let y = Scalar.weightedSums(weights, of: value, over: adjacency.pattern, using: workers)
    return tape.record(y, from: [self]) { gradient, _ in
      let weights = adjacency.transposeEntries.map { weights[Int($0)] }
      return [Scalar.weightedSums(weights, of: gradient, over: adjacency.transpose, using: workers)]
    }
  }

  /// The weighted sums over neighbours, with weights that have gradients: attention.
  ///
  ///     ∂wₑ = ∂yᵢ · x at column(e), for every entry e of row i
  ///
  /// - Parameter weights: Shape `[entryCount × 1]`.
  public func weightedSums(_ weights: Variable, over adjacency: Adjacency) -> Variable {
    let (x, w, workers) = (value, weights.value.elements, workers)
    precondition(
      weights.columnCount == 1 && w.count == adjacency.entryCount,
      "weights [\(weights.rowCount) × \(weights.columnCount)] for \(adjacency.entryCount) entries")
    let y = Scalar.weightedSums(w, of: x, over: adjacency.pattern, using: workers)
    return tape.record(y, from: [self, weights]) { gradient, wants in
      let transposed = adjacency.transposeEntries.map { w[Int($0)] }
      return [
        wants[0]
          ? Scalar.weightedSums(
            transposed, of: gradient, over: adjacency.transpose, using: workers) : nil,
        wants[1] ? gradient.dots(with: x, over: adjacency.pattern) : nil,
      ]
    }
  }

  /// Some columns.   ∂x = ∂y in those, 0 in the others
  public func columns(_ range: Range<Int>) -> Variable {
    guard range != 0..<columnCount else { return self }
    let width = columnCount
    return tape.record(value.copy(ofColumns: range), from: [self]) { gradient, _ in
      var whole = DenseMatrix<Scalar>(rows: gradient.rowCount, columns: width)
      whole.replace(columns: range, by: gradient)
      return [whole]
    }
  }

  /// Columns side by side: [x , y , …].   ∂x = the columns of ∂ that are x's
  ///
  /// - Precondition: At least one; all have as many rows.
  public static func concatenated(_ blocks: [Variable]) -> Variable {
    var ranges: [Range<Int>] = []
    for block in blocks {
      let first = ranges.last?.upperBound ?? 0
      ranges.append(first..<first + block.columnCount)
    }
    var joined = DenseMatrix<Scalar>(
      rows: blocks[0].rowCount, columns: ranges[ranges.count - 1].upperBound)
    for (block, range) in zip(blocks, ranges) { joined.replace(columns: range, by: block.value) }
    return blocks[0].tape.record(joined, from: blocks) { gradient, wants in
      zip(ranges, wants).map { $1 ? gradient.copy(ofColumns: $0) : nil }
    }
  }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// gᵢ · x at column(e) of every entry e of row i. Shape `[entryCount × 1]`.
  @specialized(where Scalar == Float)
  func dots(with x: Self, over pattern: SparsePattern) -> Self {
    precondition(rowCount == pattern.rowCount && x.rowCount == pattern.columnCount)
    var dots = Self(rows: pattern.entryCount, columns: 1)
    let width = columnCount
    unsafe withUnsafeBufferPointer { g in
      unsafe x.withUnsafeBufferPointer { x in
        for row in 0..<pattern.rowCount {
          for entry in pattern.entries(ofRow: row) {
            let (to, from) = (row * width, Int(pattern.columns[entry]) * width)
            var sum: Scalar = 0
            for column in 0..<width { unsafe sum += g[to + column] * x[from + column] }
            dots[entry, 0] = sum
          }
        }
      }
    }
    return dots
  }
}
