/// What a training run has done so far, apart from the parameters. Replicated.
public struct TrainingProgress: Codable, Equatable, Sendable {
  /// Sums over the steps of the current epoch.
  public var linkageSum = 0.0
  public var densitySum = 0.0
  /// Finished epochs.
  public var history: [EpochRecord] = []
  /// The epoch whose parameters did best in validation, and its result.
  public var best: Best?
  /// Validations since then.
  public var validationsSinceBest = 0
  /// Why training ended; nil before that.
  public var stopReason: TrainingStopReason?

  public struct Best: Codable, Equatable, Sendable {
    public var epoch: Int
    public var result: ValidationResult
  }

  public init() {}
}

/// One epoch: means over its steps, and the validation after it.
public struct EpochRecord: Codable, Equatable, Sendable {
  /// From 1.
  public var epoch: Int
  public var linkageLoss: Double
  public var densityLoss: Double
  /// Of the epoch's last step.
  public var learningRate: Double
  public var validation: ValidationResult?
}

/// Why training ended.
public enum TrainingStopReason: String, Codable, Sendable {
  /// All epochs are done.
  case epochs
  /// Validation no longer improved.
  case earlyStop
  /// It was interrupted, and can be resumed from a checkpoint.
  case interrupted
}
