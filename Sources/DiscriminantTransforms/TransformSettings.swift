public import Communication

/// How a transform is made of what labelled rows tell.
public struct TransformSettings: Hashable, BitwiseCopyable, Codable, Sendable,
  CustomStringConvertible
{
  /// What becomes of the axes, on which the covariance within classes is 1 and that between them λ.
  public enum Form: String, CaseIterable, BitwiseCopyable, Codable, Sendable {
    /// Each axis times √(λ / (1 + 2 λ)): products are those of the likelihood ratio of one class to two.
    case likelihood
    /// As they are: only the covariance within classes counts.
    case whitening

    func scale(_ ratio: Double) -> Double {
      switch self {
      case .likelihood: (ratio / (1 + 2 * ratio)).squareRoot()
      case .whitening: 1
      }
    }
  }

  public var form: Form
  /// β: how much of the mean is taken from each row, 0 … 1.
  public var centering: Double
  /// α: how much of the covariance within classes is replaced by that of a ball, above 0 and at most 1.
  public var shrinkage: Double

  public init(form: Form, centering: Double, shrinkage: Double) {
    precondition(
      (0...1).contains(centering) && shrinkage > 0 && shrinkage <= 1,
      "β = \(centering), α = \(shrinkage)")
    self.form = form
    self.centering = centering
    self.shrinkage = shrinkage
  }

  public var description: String {
    "\(form.rawValue), centering \(centering), shrinkage \(shrinkage)"
  }

  /// What is tried on held-out classes.
  static let all = Form.allCases.flatMap { form in
    [0.1, 0.3, 0.6, 0.9].flatMap { shrinkage in
      [0, 0.5, 1].map { Self(form: form, centering: $0, shrinkage: shrinkage) }
    }
  }

  /// Where there are too few classes to hold any out.
  static let usual = Self(form: .whitening, centering: 0.5, shrinkage: 0.6)
}

/// How a transform was learned.
public struct TransformAccount: Message {
  public let settings: TransformSettings
  /// Equal error rates over pairs of held-out classes: of rows as they are, and transformed with these settings.
  /// Nil where there were too few classes to hold any out.
  public let heldOut: (asTheyAre: Double, transformed: Double)?
  /// Classes of two rows or more with a direction.
  public let classCount: Int
  /// Their rows.
  public let rowCount: Int
}
