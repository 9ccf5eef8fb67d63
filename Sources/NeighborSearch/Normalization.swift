public import LinearAlgebra

extension Matrix {
  /// Divides every row by its Euclidean norm; a row of zeros stays.
  ///
  /// The squares are summed in double precision in column order; norm and quotient are rounded to
  /// single precision, as the reference's are; but where the norm is beyond single precision, or so
  /// small that it has fewer digits there, the quotient is of doubles.
  ///
  /// - Returns: The norms. Shape `[rowCount]`.
  public mutating func normalizeRows() -> [Float] {
    let (rows, columns) = (rowCount, columnCount)
    return unsafe withUnsafeMutableBufferPointer { elements in
      (0..<rows).map { row in
        let first = row * columns
        var squares = 0.0
        for place in first..<first + columns {
          let value = unsafe Double(elements[place])
          squares += value * value
        }
        let norm = Float(squares.squareRoot())
        guard norm > 0 else { return 0 }
        if norm.isNormal {
          for place in first..<first + columns { unsafe elements[place] /= norm }
        } else {
          for place in first..<first + columns {
            unsafe elements[place] = Float(Double(elements[place]) / squares.squareRoot())
          }
        }
        return norm
      }
    }
  }
}
