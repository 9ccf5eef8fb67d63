public import LinearAlgebra
public import Parallelism

extension Matrix {
  /// Divides every row by its Euclidean norm; a row of zeros does not change.
  ///
  /// The squares are summed in double precision in column order. Norm and quotient are rounded to
  /// single precision, as in the reference. But if the norm is beyond single precision, or so small
  /// that it has fewer digits there, the quotient is computed from doubles.
  ///
  /// - Returns: The norms. Shape `[rowCount]`.
  @discardableResult
  public mutating func normalizeRows(using workers: Workers = Workers()) -> [Float] {
    let width = columnCount
    let elements = unsafe sharedRows()
    let norms = [Float](count: rowCount, tilesOf: 256, using: workers, filledWith: 0) {
      rows, norms in
      for row in rows {
        norms[row - rows.lowerBound] = Float(unsafe norm(elements[row], width))
      }
    }
    forEachTile(ofRows: 256, using: workers) { rows, elements in
      for row in rows where norms[row] > 0 {
        let places = (row - rows.lowerBound) * width..<(row - rows.lowerBound + 1) * width
        let single = norms[row]
        if single.isNormal {
          for place in places { elements[place] /= single }
        } else {
          let double = unsafe elements.withUnsafeBufferPointer {
            unsafe norm($0.baseAddress! + places.lowerBound, width)
          }
          for place in places { elements[place] = Float(Double(elements[place]) / double) }
        }
      }
    }
    return norms
  }
}

/// In double precision, of squares that are added in order.
private func norm(_ row: UnsafePointer<Float>, _ width: Int) -> Double {
  var squares = 0.0
  for column in 0..<width {
    let value = unsafe Double(row[column])
    squares += value * value
  }
  return squares.squareRoot()
}
