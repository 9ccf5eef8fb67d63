internal import LinearAlgebra

extension Variable {
  /// exp(x − max) / Σ exp(x − max) over segments of consecutive rows, in every column: attention over
  /// the edges into a node, and the softmax of a row where a segment is its transpose.
  ///
  ///     ∂x = y ∘ (∂y − Σ over the segment of y ∘ ∂y)
  ///
  /// - Parameter offsets: Segment s is the rows `offsets[s] ..< offsets[s + 1]`; all rows are in one.
  @specialized(where Scalar == Float)
  public func softmax(overSegments offsets: [Int]) -> Variable {
    precondition(
      offsets.first == 0 && offsets.last == rowCount, "segments of \(rowCount) rows")
    var y = value
    for segment in zip(offsets, offsets.dropFirst()) where segment.0 < segment.1 {
      for column in 0..<columnCount { y.softmax(segment.0..<segment.1, column..<column + 1) }
    }
    return tape.record(y, from: [self]) { gradient, _ in
      var x = gradient
      for segment in zip(offsets, offsets.dropFirst()) {
        for column in 0..<x.columnCount {
          let rows = segment.0..<segment.1
          let mean = rows.reduce(Scalar(0)) { $0 + y[$1, column] * gradient[$1, column] }
          for row in rows { x[row, column] = y[row, column] * (gradient[row, column] - mean) }
        }
      }
      return [x]
    }
  }

  /// exp(x − max) / Σ exp(x − max) over every row.   ∂x = y ∘ (∂y − Σ of the row of y ∘ ∂y)
  @specialized(where Scalar == Float)
  public func softmaxOfRows() -> Variable {
    var y = value
    for row in 0..<rowCount { y.softmax(row..<row + 1, 0..<columnCount) }
    return tape.record(y, from: [self]) { gradient, _ in
      var x = gradient
      for row in 0..<x.rowCount {
        let mean = (0..<x.columnCount).reduce(Scalar(0)) { $0 + y[row, $1] * gradient[row, $1] }
        for column in 0..<x.columnCount {
          x[row, column] = y[row, column] * (gradient[row, column] - mean)
        }
      }
      return [x]
    }
  }

  /// x − max − ln Σ exp(x − max) over every row.   ∂x = ∂y − exp(y) · Σ of the row of ∂y
  @specialized(where Scalar == Float)
  public func logSoftmaxOfRows() -> Variable {
    var y = value
    for row in 0..<rowCount { y.logSoftmax(row: row) }
    return tape.record(y, from: [self]) { gradient, _ in
      var x = gradient
      for row in 0..<x.rowCount {
        let sum = (0..<x.columnCount).reduce(Scalar(0)) { $0 + gradient[row, $1] }
        for column in 0..<x.columnCount {
          x[row, column] = gradient[row, column] - Scalar.exponential(y[row, column]) * sum
        }
      }
      return [x]
    }
  }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// Over all elements of a block.
  @inline(__always)
  fileprivate mutating func softmax(_ rows: Range<Int>, _ columns: Range<Int>) {
    var largest = -Scalar.infinity
    for row in rows { for column in columns { largest = max(largest, self[row, column]) } }
    var sum: Scalar = 0
    for row in rows {
      for column in columns {
        let power = Scalar.exponential(self[row, column] - largest)
        self[row, column] = power
        sum += power
      }
    }
    for row in rows { for column in columns { self[row, column] /= sum } }
  }

  @inline(__always)
  fileprivate mutating func logSoftmax(row: Int) {
    let largest = (0..<columnCount).reduce(-Scalar.infinity) { max($0, self[row, $1]) }
    let sum = (0..<columnCount).reduce(Scalar(0)) {
      $0 + Scalar.exponential(self[row, $1] - largest)
    }
    let logarithm = largest + Scalar.logarithm(sum)
    for column in 0..<columnCount { self[row, column] -= logarithm }
  }
}
