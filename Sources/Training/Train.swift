public import Communication
public import HierarchicalClustering

/// When to validate networks during training, with which τ, and when to stop.
public struct ValidationPlan: Equatable, Sendable {
  /// Epochs between validations.
  public var interval: Int
  /// The number of validations without improvement after which training ends; nil never stops early.
  public var patience: Int?
  /// The τ that every validation tries.
  public var taus: [Double]
  /// The τ to try at the end.
  public var finalTaus: [Double]

  public init(
    interval: Int = 5, patience: Int? = nil,
    taus: [Double] = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95],
    finalTaus: [Double] = (1...19).map { Double($0) * 5 / 100 } + [0.97, 0.98, 0.99]
  ) {
    precondition(interval > 0 && !taus.isEmpty && !finalTaus.isEmpty, "every \(interval) epochs")
    self.interval = interval
    self.patience = patience
    self.taus = taus
    self.finalTaus = finalTaus
  }
}

/// Receives the progress of training. Called on every rank.
public protocol TrainingObserver: RunObserver {
  func finishedStep(_ step: Int, of count: Int, loss: StepLoss)
  /// > Collective: over `communicator`.
  func finished(_ epoch: EpochRecord, steps: Int, on communicator: some Communicator) throws
}

extension TrainingObserver {
  public func finishedStep(_ step: Int, of count: Int, loss: StepLoss) {}
  public func finished(_ epoch: EpochRecord, steps: Int, on communicator: some Communicator) throws
  {}
}

/// An observer that does nothing.
public struct NoTrainingObserver: TrainingObserver {
  public init() {}
}

/// Trains a network, epoch after epoch, and keeps the parameters that do best on held-out identities.
///
/// It takes a step on every graph in turn. Every few epochs it validates: full hierarchical runs, for
/// several τ, on identities that no step has seen. Without a validator the last parameters are kept.
/// [Xing et al. 2021, section 3.3; validation and early stopping are ours]
///
/// > Collective: over `communicator`. What ``Trainer/takeStep(on:)`` and
/// > ``Validator/validate(_:shape:taus:on:betweenLevels:)`` send; a byte per rank for the observer, every
/// > step and every level of a validation.
///
/// - Parameters:
///   - graphs: Local.
///   - state: Replicated. Where to start: a new state, or that of a checkpoint.
/// - Returns: The state at the end. Its ``TrainingProgress/best`` has the finer curve of the final τ. If the
///   observer requested a stop, the state at that point, with ``TrainingStopReason/interrupted``.
/// - Throws: ``AgreedFailure`` on every rank if a number of a step is not finite.
public func train<Source: EmbeddingSource>(
  _ graphs: [TrainingGraph], options: TrainingOptions, from state: TrainingState,
  validator: Validator<Source>?, plan: ValidationPlan = ValidationPlan(),
  observer: some TrainingObserver = NoTrainingObserver(), on communicator: some Communicator
) throws -> TrainingState {
  try communicator.assertReplicated((plan: plan, validates: validator != nil))
  var trainer = try Trainer(
    graphs, options: options, parameters: state.parameters, optimizer: state.optimizer,
    on: communicator)
  var state = state
  if state.progress.stopReason == .interrupted { state.progress.stopReason = nil }
  /// > Collective: over `communicator`, where a validation is due.
  func finishEpoch() throws {
    try state.finishEpoch(trainer, validator: validator, plan: plan, on: communicator) {
      try observer.throwIfInterrupted(after: trainer.step, on: communicator)
    }
    try observer.finished(
      state.progress.history[state.progress.history.count - 1], steps: trainer.stepsPerEpoch,
      on: communicator)
  }
  do {
    // Its validation may be what the run before was stopped in.
    if state.progress.history.count < trainer.finishedEpochs { try finishEpoch() }
    while state.progress.stopReason == nil, trainer.step < trainer.stepCount {
      let loss = try trainer.takeStep(on: communicator)
      state.parameters = trainer.parameters
      state.optimizer = trainer.optimizer
      state.progress.linkageSum += loss.linkage
      state.progress.densitySum += loss.density
      observer.finishedStep(trainer.step, of: trainer.stepCount, loss: loss)
      if state.progress.history.count < trainer.finishedEpochs { try finishEpoch() }
      switch try observer.request(after: trainer.step, on: communicator) {
      case .proceed: break
      case .save: try observer.save(state, on: communicator)
      case .saveAndStop:
        if state.progress.stopReason == nil { state.progress.stopReason = .interrupted }
        try observer.save(state, on: communicator)
      }
    }
    guard state.progress.stopReason != .interrupted else { return state }
    if state.progress.stopReason == nil { state.progress.stopReason = .epochs }
    if let validator {
      try observer.save(state, on: communicator)
      let kept = state.bestParameters ?? state.parameters
      let result = try validator.validate(
        kept, shape: options.shape, taus: plan.finalTaus, on: communicator
      ) { try observer.throwIfInterrupted(after: trainer.step, on: communicator) }
      state.bestParameters = kept
      state.progress.best = .init(
        epoch: state.progress.best?.epoch ?? state.progress.history.count, result: result)
    }
  } catch is TrainingInterrupted {  // on every rank
    try observer.save(state, on: communicator)
    state.progress.stopReason = .interrupted
  }
  return state
}

extension TrainingState {
  /// Validates if that is due, and records the epoch.
  ///
  /// > Collective: over `communicator`, where a validation is due.
  fileprivate mutating func finishEpoch<Source>(
    _ trainer: Trainer, validator: Validator<Source>?, plan: ValidationPlan,
    on communicator: some Communicator, betweenLevels: () throws -> Void
  ) throws {
    let (epoch, steps) = (trainer.finishedEpochs, trainer.stepsPerEpoch)
    var record = EpochRecord(
      epoch: epoch, linkageLoss: progress.linkageSum / Double(steps),
      densityLoss: progress.densitySum / Double(steps),
      learningRate: trainer.learningRate(ofStep: trainer.step - 1))
    if let validator, epoch.isMultiple(of: plan.interval) || epoch == trainer.options.epochCount {
      let result = try validator.validate(
        parameters, shape: trainer.options.shape, taus: plan.taus, on: communicator,
        betweenLevels: betweenLevels)
      record.validation = result
      if progress.best.map({ result.score > $0.result.score }) ?? true {
        progress.best = .init(epoch: epoch, result: result)
        bestParameters = parameters
        progress.validationsSinceBest = 0
      } else {
        progress.validationsSinceBest += 1
        if let patience = plan.patience, progress.validationsSinceBest >= patience {
          progress.stopReason = .earlyStop
        }
      }
    }
    (progress.linkageSum, progress.densitySum) = (0, 0)
    progress.history.append(record)
  }
}
