/// How a graph classifier is trained.
public struct GraphTrainingOptions: Equatable, Codable, Sendable {
  /// How the learning rate goes.
  public enum Schedule: String, CaseIterable, Codable, Sendable {
    case constant
    /// Half a cosine down to a hundredth, over all epochs.
    case cosine
  }

  /// Which epoch's network is kept.
  public enum Selection: String, CaseIterable, Codable, Sendable {
    /// The one of the least loss on the validation graphs, the earliest of several.
    case loss
    /// The one of the highest accuracy there; of several, that of the least loss.
    case accuracy
    /// The last, whatever the validation graphs say.
    case last
  }

  public var epochCount = 100
  public var batchSize = 64
  public var learningRate = 0.005
  /// Adam's decay apart from the gradient.
  public var weightDecay = 0.0
  public var schedule = Schedule.constant
  public var selection = Selection.loss
  /// Epochs without an improvement after which training ends; 0 for never.
  public var patience = 0
  /// What the link and the entropy loss of DiffPool count beside the classes'.
  public var linkWeight = 1.0
  public var entropyWeight = 1.0
  public var seed: UInt64 = 0

  public init() {}
}

/// What happened in an epoch. Replicated.
public struct EpochRecord: Equatable, Codable, Sendable {
  /// From 1.
  public var epoch: Int
  public var learningRate: Double
  /// Means over the epoch's batches, of the network as it was.
  public var loss: Double
  public var classLoss: Double
  public var linkLoss: Double?
  public var entropyLoss: Double?
  /// After the epoch; nil without validation graphs.
  public var validationLoss: Double?
  public var validationAccuracy: Double?
  /// Of the steps alone, without validation; the longest of all ranks.
  public var elapsedSeconds: Double
}
