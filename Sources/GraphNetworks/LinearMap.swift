public import LinearAlgebra

/// x ↦ W x + b, with W in the layout of files and in that of the kernels.
public struct LinearMap: Sendable {
  /// Shape `[outputs × inputs]`.
  public let weight: Matrix
  /// Shape `[outputs]`.
  public let bias: [Float]
  let packed: PackedMatrix

  public init(weight: Matrix, bias: [Float]) {
    precondition(bias.count == weight.rowCount, "\(bias.count) biases, \(weight.rowCount) outputs")
    self.weight = weight
    self.bias = bias
    packed = PackedMatrix(columns: weight)
  }

  public var inputWidth: Int { weight.columnCount }
  public var outputWidth: Int { weight.rowCount }
}

extension Matrix {
  /// A copy of some columns, each times `factor`.
  func slice(columns: Range<Int>, times factor: Float = 1) -> Matrix {
    var slice = Matrix(rows: rowCount, columns: columns.count)
    for row in 0..<rowCount {
      for (place, column) in columns.enumerated() {
        slice[row, place] = self[row, column] * factor
      }
    }
    return slice
  }

  /// A copy of some rows.
  func slice(rows: Range<Int>) -> Matrix {
    Matrix(rows: rows.count, columns: columnCount, elements: elements(inRows: rows))
  }
}
