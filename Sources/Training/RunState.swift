public import Differentiation
public import Optimization

/// All that a training run needs to resume, whatever it trains. Replicated.
public struct RunState<Progress: Codable & Equatable & Sendable>: Equatable, Sendable {
  public var parameters: Parameters<Float>
  public var optimizer: Optimizer<Float>
  /// The parameters that did best in validation; nil before the first validation, and if there is none.
  public var bestParameters: Parameters<Float>?
  public var progress: Progress

  public init(
    parameters: Parameters<Float>, optimizer: Optimizer<Float>,
    bestParameters: Parameters<Float>? = nil, progress: Progress
  ) {
    self.parameters = parameters
    self.optimizer = optimizer
    self.bestParameters = bestParameters
    self.progress = progress
  }
}

/// The state of training a network of coordinates.
public typealias TrainingState = RunState<TrainingProgress>

extension TrainingState {
  /// The start of a run: random parameters.
  public init(_ options: TrainingOptions) {
    let parameters = options.shape.initialParameters(
      seed: options.seed, startsFromDistance: options.startsFromDistance)
    self.init(
      parameters: parameters, optimizer: Optimizer(options.optimizer, for: parameters),
      progress: TrainingProgress())
  }
}
