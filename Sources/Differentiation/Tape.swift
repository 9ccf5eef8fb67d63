public import Communication
public import LinearAlgebra
public import Parallelism

/// A record of a computation, from which gradients are read backwards.
///
/// Operations are methods of ``Variable``; each writes its value down, and beside it the rule by which
/// the gradient of its result becomes gradients of its arguments. A tape serves one computation: make
/// one for every step. Reverse mode: [Griewank and Walther 2008, chapter 3].
///
///     let tape = Tape<Float>()
///     let weight = tape.parameter(w)
///     let loss = tape.constant(x).linear(weight).rectified().squaredError(from: y, scale: 1)
///     let gradients = try tape.gradients(of: loss, on: communicator)
///     gradients[weight]
///
/// On many ranks each has a tape of its own, on which the same operations stand in the same order.
/// What crosses ranks is an operation like any other (``Variable/extended(by:on:)``), whose rule
/// communicates; hence the communicator of ``gradients(of:on:)``.
public final class Tape<Scalar: DifferentiableScalar> {
  /// Threads of products, sums and element-wise operations; results do not depend on their number.
  public let workers: Workers
  private var records: [Record] = []

  public init(workers: Workers = Workers()) { self.workers = workers }

  /// The gradients of the arguments, from that of the result; nil where none is wanted.
  ///
  /// `wants` says which arguments depend on a parameter. The gradient of the result is not needed
  /// afterwards: a rule may turn it into that of an argument in place.
  public typealias Rule = (_ gradient: inout DenseMatrix<Scalar>, _ wants: [Bool]) -> [DenseMatrix<
    Scalar
  >?]

  /// A rule that communicates: all ranks call it, with a gradient of zeros where there is none. It may
  /// turn the gradient into an argument's in place, too.
  public typealias CollectiveRule = (
    _ gradient: inout DenseMatrix<Scalar>, _ communicator: any Communicator
  ) throws -> [DenseMatrix<Scalar>?]

  private enum Origin {
    case constant
    case parameter
    case local(Rule, arguments: [Int])
    case collective(CollectiveRule, arguments: [Int])
  }

  private struct Record {
    let shape: (rows: Int, columns: Int)
    let origin: Origin
    /// Replicated. Whether a parameter is among what it was computed from.
    let isDifferentiable: Bool
  }

  /// A value without a gradient.
  public func constant(_ value: DenseMatrix<Scalar>) -> Variable<Scalar> {
    append(value, .constant, isDifferentiable: false)
  }

  /// A value whose gradient is wanted.
  public func parameter(_ value: DenseMatrix<Scalar>) -> Variable<Scalar> {
    append(value, .parameter, isDifferentiable: true)
  }

  /// The result of an operation.
  ///
  /// - Precondition: The arguments are on this tape.
  public func record(
    _ value: DenseMatrix<Scalar>, from arguments: [Variable<Scalar>], rule: @escaping Rule
  ) -> Variable<Scalar> {
    let places = places(of: arguments)
    let isDifferentiable = places.contains { records[$0].isDifferentiable }
    return append(
      value, isDifferentiable ? .local(rule, arguments: places) : .constant,
      isDifferentiable: isDifferentiable)
  }

  /// The result of an operation whose rule communicates.
  public func recordCollective(
    _ value: DenseMatrix<Scalar>, from arguments: [Variable<Scalar>],
    rule: @escaping CollectiveRule
  ) -> Variable<Scalar> {
    let places = places(of: arguments)
    let isDifferentiable = places.contains { records[$0].isDifferentiable }
    return append(
      value, isDifferentiable ? .collective(rule, arguments: places) : .constant,
      isDifferentiable: isDifferentiable)
  }

  /// Whether a value's gradient is wanted by any parameter.
  func isDifferentiable(_ variable: Variable<Scalar>) -> Bool {
    records[variable.place].isDifferentiable
  }

  private func places(of arguments: [Variable<Scalar>]) -> [Int] {
    precondition(arguments.allSatisfy { $0.tape === self }, "a variable of another tape")
    return arguments.map(\.place)
  }

  private func append(
    _ value: DenseMatrix<Scalar>, _ origin: Origin, isDifferentiable: Bool
  ) -> Variable<Scalar> {
    records.append(
      Record(
        shape: (value.rowCount, value.columnCount), origin: origin,
        isDifferentiable: isDifferentiable))
    return Variable(tape: self, place: records.count - 1, value: value)
  }

  /// The gradients of a loss with respect to all parameters, each rank's own part of them.
  ///
  /// The loss of all ranks is the sum of their losses; its gradient with respect to a replicated
  /// parameter is the sum of the ranks' parts, which is the caller's to take
  /// (``Communicator/sums(_:)-([Float])``). Rules run once; the tape is empty afterwards.
  ///
  /// > Collective: over `communicator`, what the rules of operations send that cross ranks; nothing
  /// > if there is none.
  ///
  /// - Parameter loss: Shape `[1 × 1]`.
  public func gradients(
    of loss: Variable<Scalar>, on communicator: some Communicator
  ) throws -> Gradients<Scalar> {
    precondition(loss.tape === self && loss.value.count == 1, "a loss of another tape or shape")
    defer { records = [] }
    var gradients: [DenseMatrix<Scalar>?] = Array(repeating: nil, count: records.count)
    gradients[loss.place] = DenseMatrix(rows: 1, columns: 1, elements: [1])
    for place in records.indices.reversed() {
      let record = records[place]
      let parts: [DenseMatrix<Scalar>?]
      let arguments: [Int]
      switch record.origin {
      case .constant, .parameter: continue
      case .local(let rule, let places):
        guard var gradient = gradients[place].take() else { continue }
        arguments = places
        parts = rule(&gradient, places.map { records[$0].isDifferentiable })
      case .collective(let rule, let places):
        var gradient =
          gradients[place].take()
          ?? DenseMatrix(rows: record.shape.rows, columns: record.shape.columns)
        arguments = places
        parts = try rule(&gradient, communicator)
      }
      // The values that the rule held are not needed any more.
      records[place] = Record(
        shape: record.shape, origin: .constant, isDifferentiable: record.isDifferentiable)
      for (argument, part) in zip(arguments, parts) {
        guard let part, records[argument].isDifferentiable else { continue }
        let shape = records[argument].shape
        precondition(
          part.rowCount == shape.rows && part.columnCount == shape.columns,
          "a gradient [\(part.rowCount) × \(part.columnCount)] of [\(shape.rows) × \(shape.columns)]"
        )
        if gradients[argument] == nil {
          gradients[argument] = part
        } else {
          gradients[argument]!.add(part, using: workers)
        }
      }
    }
    return Gradients(gradients)
  }
}

/// A value on a tape.
public struct Variable<Scalar: DifferentiableScalar> {
  let tape: Tape<Scalar>
  let place: Int
  public let value: DenseMatrix<Scalar>

  public var rowCount: Int { value.rowCount }
  public var columnCount: Int { value.columnCount }
  var workers: Workers { tape.workers }

  /// The one element of a scalar.
  public var scalar: Scalar {
    precondition(value.count == 1, "[\(rowCount) × \(columnCount)] as a scalar")
    return value[0, 0]
  }
}

/// The gradients that a tape was read for.
public struct Gradients<Scalar: DifferentiableScalar> {
  private let gradients: [DenseMatrix<Scalar>?]

  fileprivate init(_ gradients: [DenseMatrix<Scalar>?]) { self.gradients = gradients }

  /// That of a parameter: zeros if the loss does not depend on it.
  public subscript(parameter: Variable<Scalar>) -> DenseMatrix<Scalar> {
    gradients[parameter.place]
      ?? DenseMatrix(rows: parameter.rowCount, columns: parameter.columnCount)
  }
}
