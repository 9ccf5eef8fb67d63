import Communication
import Differentiation
import LinearAlgebra
import RandomInputs

/// Elements in −1 ..< 1.
func randomDoubles(_ rows: Int, _ columns: Int, seed: Int) -> DenseMatrix<Double> {
  var generator = SeededGenerator(seed: seed)
  return DenseMatrix(
    rows: rows, columns: columns,
    elements: (0..<rows * columns).map { _ in Double.random(in: -1..<1, using: &generator) })
}

extension DenseMatrix where Scalar == Double {
  var rounded: Matrix {
    Matrix(rows: rowCount, columns: columnCount, elements: elements.map { Float($0) })
  }
}

/// The largest relative difference between the tape's gradients of a function and its central
/// differences, over all elements of all arguments.
///
/// The function's result is multiplied by fixed random numbers and added up, so that every element of
/// the result counts differently.
func gradientError(
  of arguments: [DenseMatrix<Double>],
  _ function: ([Variable<Double>]) throws -> Variable<Double>
) throws -> Double {
  func loss(_ arguments: [DenseMatrix<Double>]) throws -> (
    Tape<Double>, [Variable<Double>], Variable<Double>
  ) {
    let tape = Tape<Double>()
    let variables = arguments.map { tape.parameter($0) }
    let result = try function(variables)
    let weights = tape.constant(randomDoubles(result.rowCount, result.columnCount, seed: 4711))
    return (tape, variables, (result * weights).sum())
  }
  let (tape, variables, value) = try loss(arguments)
  let gradients = try tape.gradients(of: value, on: SingleRank())
  var worst = 0.0
  for index in arguments.indices {
    let gradient = gradients[variables[index]]
    let scale = max(1e-3, gradient.elements.reduce(0) { max($0, abs($1)) })
    for row in 0..<arguments[index].rowCount {
      for column in 0..<arguments[index].columnCount {
        let step = 1e-5
        func moved(by distance: Double) throws -> Double {
          var moved = arguments
          moved[index][row, column] += distance
          return try loss(moved).2.scalar
        }
        // Two widths, so that the error is of fourth order.
        let narrow = (try moved(by: step) - moved(by: -step)) / (2 * step)
        let wide = (try moved(by: 2 * step) - moved(by: -2 * step)) / (4 * step)
        let difference = (4 * narrow - wide) / 3
        worst = max(worst, abs(difference - gradient[row, column]) / scale)
      }
    }
  }
  return worst
}
