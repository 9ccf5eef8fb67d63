public import Communication
internal import Differentiation
public import LinearAlgebra

/// The place of a training step, for error messages.
public struct StepPlace: Equatable, Sendable, CustomStringConvertible {
  /// From 1.
  public var step: Int
  /// From 1.
  public var epoch: Int
  /// The name in messages of the material that the step learns from; may be empty.
  public var material: String

  public init(step: Int, epoch: Int, material: String = "") {
    self.step = step
    self.epoch = epoch
    self.material = material
  }

  public var description: String {
    "step \(step), in epoch \(epoch)" + (material.isEmpty ? "" : " (\(material))")
  }
}

extension Optimizer {
  /// One step of training, if all its numbers are finite: the gradients are scaled down to a norm, and the
  /// parameters follow them.
  ///
  /// Every trainer takes its steps here. A loss, gradient, parameter or moment that is not finite would
  /// spread to all parameters in the next step and stay there. So the first one ends training, and
  /// everything stays as it was before the step.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  ///
  /// - Parameters:
  ///   - gradients: Replicated. In the order of the parameters.
  ///   - norm: The largest that √(Σ g²) over all gradients may be.
  ///   - losses: The losses of this rank or of all ranks.
  ///   - statistics: Other numbers that must be finite.
  ///   - advice: What the user could try, for the error.
  /// - Throws: ``AgreedFailure`` on every rank if a number is not finite on some rank.
  public mutating func step(
    _ parameters: inout Parameters<Scalar>, by gradients: [DenseMatrix<Scalar>],
    clippedTo norm: Double = .infinity, learningRate: Double, losses: [Double],
    statistics: [DenseMatrix<Scalar>] = [], at place: StepPlace, advice: String,
    on communicator: some Communicator
  ) throws {
    var gradients = gradients
    let length = clip(&gradients, toNorm: norm)
    var (next, moved) = (self, parameters)
    next.update(&moved, by: gradients, learningRate: learningRate)
    let fault: Fault? =
      if !losses.allSatisfy(\.isFinite) {
        .loss
      } else if !length.isFinite {
        .gradients
      } else if !moved.isFinite || !next.isFinite || !statistics.allSatisfy(\.isFinite) {
        .parameters
      } else {
        nil
      }
    // The first in the order of the work: ranks whose own loss is finite see what follows from it.
    let first = try communicator.minimum(fault?.rawValue ?? Int.max)
    if let fault = Fault(rawValue: first) {
      throw AgreedFailure(
        reason: "training stopped at \(place): \(fault.description). Nothing of this step is kept. "
          + advice)
    }
    (self, parameters) = (next, moved)
  }

  /// Whether no moment is infinite or not a number.
  public var isFinite: Bool { moments.allSatisfy { $0.allSatisfy(\.isFinite) } }
}

/// What went wrong in a step, in the order of its work.
private enum Fault: Int, CustomStringConvertible {
  case loss, gradients, parameters

  var description: String {
    switch self {
    case .loss: "the loss is not a finite number"
    case .gradients: "gradients are not finite numbers, under a finite loss"
    case .parameters: "parameters would not be finite numbers, after finite gradients"
    }
  }
}

extension Parameters {
  /// The first parameter with an element that is infinite or not a number; nil if there is none.
  public var firstThatIsNotFinite: String? { all.first { !$0.value.isFinite }?.name }

  public var isFinite: Bool { firstThatIsNotFinite == nil }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// Whether no element is infinite or not a number.
  fileprivate var isFinite: Bool { areFinite(self) }
}

@specialized(where Scalar == Float)
private func areFinite<Scalar: DifferentiableScalar>(_ matrix: DenseMatrix<Scalar>) -> Bool {
  unsafe matrix.withUnsafeBufferPointer { elements in
    // x − x is 0 of a finite x, and not a number of others: no branch per element.
    var sum: Scalar = 0
    for place in elements.indices { unsafe sum += elements[place] - elements[place] }
    return sum == 0
  }
}
