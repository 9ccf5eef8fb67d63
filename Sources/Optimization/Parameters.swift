public import Communication
public import Differentiation
public import LinearAlgebra

/// A matrix that is learned, under the name and shape that files give it.
public struct Parameter<Scalar: DifferentiableScalar>: Equatable, Sendable {
  public let name: String
  /// As in files: of any number of dimensions, with as many elements as ``value``.
  public let shape: [Int]
  public var value: DenseMatrix<Scalar>

  /// - Precondition: The shape has as many elements as the value.
  public init(name: String, shape: [Int], value: DenseMatrix<Scalar>) {
    precondition(
      shape.reduce(1, *) == value.count, "\(name) of shape \(shape) with \(value.count) elements")
    self.name = name
    self.shape = shape
    self.value = value
  }

  /// A matrix `[rows × columns]`.
  public init(_ name: String, _ value: DenseMatrix<Scalar>) {
    self.init(name: name, shape: [value.rowCount, value.columnCount], value: value)
  }

  /// A vector `[count]`, as a matrix of one row.
  public init(_ name: String, vector: [Scalar]) {
    self.init(
      name: name, shape: [vector.count],
      value: DenseMatrix(rows: 1, columns: vector.count, elements: vector))
  }
}

/// All that a network learns, in a fixed order. Replicated: every rank holds the same.
public struct Parameters<Scalar: DifferentiableScalar>: Equatable, Sendable {
  public var all: [Parameter<Scalar>]

  /// - Precondition: The names differ.
  public init(_ all: [Parameter<Scalar>]) {
    precondition(Set(all.map(\.name)).count == all.count, "a name twice: \(all.map(\.name))")
    self.all = all
  }

  /// How many numbers are learned.
  public var elementCount: Int { all.reduce(0) { $0 + $1.value.count } }

  /// - Precondition: There is such a parameter.
  public subscript(name: String) -> DenseMatrix<Scalar> {
    guard let parameter = all.first(where: { $0.name == name }) else {
      preconditionFailure("no parameter '\(name)'")
    }
    return parameter.value
  }

  /// The same numbers as another scalar, rounded.
  public func converted<Other>(to type: Other.Type) -> Parameters<Other> {
    Parameters<Other>(
      all.map { parameter in
        Parameter<Other>(
          name: parameter.name, shape: parameter.shape,
          value: DenseMatrix(
            rows: parameter.value.rowCount, columns: parameter.value.columnCount,
            elements: parameter.value.elements.map { Other($0) }))
      })
  }

  /// The parameters as variables of a tape.
  public func recorded(on tape: Tape<Scalar>) -> RecordedParameters<Scalar> {
    RecordedParameters(
      names: all.map(\.name), variables: all.map { tape.parameter($0.value) })
  }
}

/// Parameters on a tape, by name.
public struct RecordedParameters<Scalar: DifferentiableScalar> {
  private let variables: [Variable<Scalar>]
  private let places: [String: Int]

  fileprivate init(names: [String], variables: [Variable<Scalar>]) {
    self.variables = variables
    places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  }

  /// - Precondition: There is such a parameter.
  public subscript(name: String) -> Variable<Scalar> {
    guard let place = places[name] else { preconditionFailure("no parameter '\(name)'") }
    return variables[place]
  }

  /// The gradients of all ranks' loss, in the order of the parameters. Replicated.
  ///
  /// > Collective: over `communicator`. What the tape's rules send; then three rounds, about twice
  /// > the size of the gradients to and from every rank.
  public func gradients(
    of loss: Variable<Scalar>, on tape: Tape<Scalar>, on communicator: some Communicator
  ) throws -> [DenseMatrix<Scalar>] {
    let own = try tape.gradients(of: loss, on: communicator)
    return try sum(variables.map { own[$0] }, on: communicator)
  }
}

/// The sums of every rank's matrices, element by element.
///
/// Elements are added in rank order, in double precision. The bits are the same on every rank, and in
/// every run on the same number of ranks.
///
/// > Collective: over `communicator`. Three rounds: every rank adds up a share of the elements, then all
/// > get all shares; about twice the size of the matrices to and from every rank. None on one rank.
///
/// - Parameter matrices: Of the same shapes on every rank.
public func sum<Scalar: DifferentiableScalar>(
  _ matrices: [DenseMatrix<Scalar>], on communicator: some Communicator
) throws -> [DenseMatrix<Scalar>] {
  try communicator.assertReplicated(
    matrices.map { [$0.rowCount, $0.columnCount] }, from: .all)
  guard communicator.size > 1 else { return matrices }
  let sums = try Scalar.sums(matrices.flatMap(\.elements), on: communicator)
  var first = 0
  return matrices.map { matrix in
    defer { first += matrix.count }
    return DenseMatrix(
      rows: matrix.rowCount, columns: matrix.columnCount,
      elements: Array(sums[first..<first + matrix.count]))
  }
}
