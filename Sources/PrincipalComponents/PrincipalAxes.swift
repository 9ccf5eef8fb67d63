public import LinearAlgebra
public import Parallelism

/// The directions in which rows spread most, to describe the rows by fewer columns. Replicated.
///
///     S = Σ u uᵀ,  S v = λ v,  λ₁ ≥ λ₂ ≥ …,  x ↦ (v₁ · x, …, v_D · x)
///
/// over the rows u of length 1. Of all maps to D columns this one keeps most of Σ |u|², and no cosine of two
/// rows is about another origin than before: nothing is centred.
public struct PrincipalAxes: Equatable, Sendable {
  /// The axes, of length 1, the first with the greatest share. Shape `[D × columns]`.
  public let axes: Matrix
  /// Of each axis its share of Σ |u|²: λ / Σ λ. Shape `[D]`.
  public let shares: [Double]
  /// Rows of zeros, or with NaN or infinite values, which do not count.
  public let invalidRowCount: Int

  /// How much of Σ |u|² the axes keep, 0 ... 1.
  public var keptShare: Double { min(shares.reduce(0, +), 1) }

  init(axes: Matrix, shares: [Double], invalidRowCount: Int) {
    precondition(axes.rowCount == shares.count, "\(shares.count) shares of \(axes.rowCount) axes")
    self.axes = axes
    self.shares = shares
    self.invalidRowCount = invalidRowCount
  }

  /// The rows in terms of the axes. A row with NaN or infinite values becomes a row of NaN.
  ///
  /// A row has the same bits whatever the others are.
  ///
  /// - Parameter rows: As they are, of any length. Shape `[n × columns]`.
  /// - Returns: Shape `[n × D]`.
  /// - Complexity: 2 · n · columns · D flops.
  public func reduce(_ rows: Matrix, using workers: Workers = Workers()) -> Matrix {
    var reduced = product(rows, PackedMatrix(columns: axes), using: workers)
    let (width, count) = (rows.columnCount, axes.rowCount)
    unsafe rows.withUnsafeBufferPointer { rows in
      unsafe reduced.withUnsafeMutableBufferPointer { reduced in
        for row in 0..<(width > 0 ? rows.count / width : 0) {
          let isFinite = unsafe rows[row * width..<(row + 1) * width].allSatisfy(\.isFinite)
          if !isFinite {
            for place in row * count..<(row + 1) * count { unsafe reduced[place] = .nan }
          }
        }
      }
    }
    return reduced
  }
}

extension Matrix {
  /// Divides every row by its length; rows without a direction become zeros.
  ///
  /// - Returns: How many these are.
  @discardableResult
  package mutating func makeDirections() -> Int {
    let (rows, columns) = (rowCount, columnCount)
    return unsafe withUnsafeMutableBufferPointer { elements in
      var invalidCount = 0
      for row in 0..<rows {
        let places = row * columns..<(row + 1) * columns
        // Squares of doubles neither overflow nor vanish for any finite `Float`.
        var squares = 0.0
        for place in places {
          let value = unsafe Double(elements[place])
          squares += value * value
        }
        let isValid = squares > 0 && squares.isFinite
        let length = squares.squareRoot()
        for place in places {
          unsafe elements[place] = isValid ? Float(Double(elements[place]) / length) : 0
        }
        if !isValid { invalidCount += 1 }
      }
      return invalidCount
    }
  }

  /// Turns every row so that the first of its elements that are at least half as large as its largest is
  /// positive: a vector and its opposite become the same, also if rounding decides which element is the largest.
  package mutating func fixSigns() {
    let (rows, columns) = (rowCount, columnCount)
    unsafe withUnsafeMutableBufferPointer { elements in
      for row in 0..<rows {
        let places = row * columns..<(row + 1) * columns
        var largest: Float = 0
        for place in places { largest = unsafe max(largest, abs(elements[place])) }
        let deciding = places.first { unsafe abs(elements[$0]) >= largest / 2 }
        if let deciding, unsafe elements[deciding] < 0 {
          for place in places { unsafe elements[place] = -elements[place] }
        }
      }
    }
  }
}
