public import Optimization
public import Parallelism

/// How to train: the parameters of the method.
public struct TrainingOptions: Equatable, Sendable {
  public var shape: LanderShape
  public var chains: [TrainingChain]
  /// Whether to make coarser levels along true links, not by similarity alone.
  public var usesTrueLinks: Bool
  public var loss: LinkageLoss
  public var optimizer: OptimizerRule
  /// η of the first step.
  public var learningRate: Double
  /// The maximum norm of all gradients together; nil for no limit.
  public var gradientLimit: Double?
  public var epochCount: Int
  /// Nodes per step, over all ranks; nil for whole graphs.
  public var batchSize: Int?
  public var dropout: Double
  /// Whether to rotate the embeddings at random in every step.
  public var rotates: Bool
  /// Whether the network starts as one that knows distances, if its shape allows that.
  public var startsFromDistance: Bool
  public var seed: UInt64
  public var workers: Workers

  public init(
    shape: LanderShape, chains: [TrainingChain] = TrainingChain.authors,
    usesTrueLinks: Bool = false, loss: LinkageLoss = LinkageLoss(),
    optimizer: OptimizerRule = .sgd(), learningRate: Double = 0.01,
    gradientLimit: Double? = nil, epochCount: Int, batchSize: Int? = nil, dropout: Double = 0,
    rotates: Bool = false, startsFromDistance: Bool = false, seed: UInt64 = 0,
    workers: Workers = Workers()
  ) {
    precondition(epochCount >= 0, "\(epochCount) epochs")
    precondition(batchSize ?? 1 > 0, "batches of \(batchSize ?? 0)")
    precondition((0..<1).contains(dropout), "a dropout of \(dropout)")
    self.shape = shape
    self.chains = chains
    self.usesTrueLinks = usesTrueLinks
    self.loss = loss
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.gradientLimit = gradientLimit
    self.epochCount = epochCount
    self.batchSize = batchSize
    self.dropout = dropout
    self.rotates = rotates
    self.startsFromDistance = startsFromDistance
    self.seed = seed
    self.workers = workers
  }
}
