internal import Communication
internal import Differentiation
public import GraphNetworks
internal import LinearAlgebra
public import Optimization
internal import RandomNumbers

/// What a run that trains a network of structure has done so far, apart from the parameters. Replicated.
public struct StructureProgress: Codable, Equatable, Sendable {
  /// Finished epochs.
  public var epochs: [StructureEpoch] = []
  /// The levels that the current epoch has taken, and the sum of their losses.
  public var turn = 0
  public var lossSum = 0.0
  /// The length of lists, once it is chosen.
  public var lengths: LengthChoice?

  public init() {}
}

/// An epoch: a step for every level of every graph.
public struct StructureEpoch: Codable, Equatable, Sendable {
  /// From 1.
  public var epoch: Int
  /// Weighted mean cross entropy, its mean over the steps.
  public var loss: Double
  /// Of the epoch's last step.
  public var learningRate: Double
}

/// The state of training a network of structure.
public typealias StructureTrainingState = RunState<StructureProgress>

extension StructureTrainingState {
  /// The start of a run.
  ///
  /// - Parameter start: The network to start from; nil for random parameters.
  public init(_ options: StructureTrainingOptions, from start: StructureNetwork? = nil) {
    let parameters =
      start.map { Parameters($0) } ?? options.shape.initialParameters(seed: options.seed)
    self.init(
      parameters: parameters, optimizer: Optimizer(options.optimizer, for: parameters),
      progress: StructureProgress())
  }
}

extension StructureTrainingOptions {
  public var optimizer: OptimizerRule { .adam(weightDecay: weightDecay) }
}

/// A level of a graph, and the total weight of each part's edges on all ranks. Local, except for the
/// weights.
struct TrainingLevel {
  let graph: StructureGraph<Float>
  let weights: [Double]

  init(_ graph: StructureGraph<Float>, on communicator: some Communicator) throws {
    self.graph = graph
    weights = try graph.parts.map { part in
      try communicator.sums([part.weights.reduce(0.0) { $0 + Double($1) }])[0]
    }
  }
}

/// Takes the steps of training. A step follows from the seed and from the state before it.
struct StructureTrainer {
  private let levels: [TrainingLevel]
  private let options: StructureTrainingOptions
  private let schedule: CosineSchedule
  /// Lets steps reuse the memory of their large matrices.
  private let recycling = MemoryRecycling()

  init(_ levels: [TrainingLevel], _ options: StructureTrainingOptions) {
    self.levels = levels.filter { $0.weights.contains { $0 > 0 } }
    self.options = options
    schedule = CosineSchedule(
      from: options.learningRate, to: 0, over: options.epochCount * self.levels.count,
      warmUp: options.warmUpSteps)
  }

  var levelCount: Int { levels.count }

  /// Trains to the last epoch.
  ///
  /// > Collective: over `communicator`. Per step what its loss and gradients send, and a byte per rank
  /// > for the observer.
  ///
  /// - Throws: ``TrainingInterrupted`` on every rank if the observer requests a stop.
  func train(
    _ state: inout StructureTrainingState, observer: some StructureTrainingObserver,
    on communicator: some Communicator
  ) throws {
    while state.progress.epochs.count < options.epochCount {
      let epoch = state.progress.epochs.count
      let order = order(ofEpoch: epoch)
      for turn in state.progress.turn..<order.count {
        let level = levels[order[turn]]
        let loss = try takeStep(
          level, part: epoch % level.graph.parts.count, &state, on: communicator)
        state.progress.lossSum += loss
        state.progress.turn += 1
        observer.finishedStep(
          epoch * order.count + turn + 1, of: options.epochCount * order.count, loss: loss)
        guard state.progress.turn < order.count else { break }
        try handle(observer, state, on: communicator)
      }
      let record = StructureEpoch(
        epoch: epoch + 1, loss: state.progress.lossSum / Double(max(order.count, 1)),
        learningRate: schedule.rate(ofStep: max(state.optimizer.stepCount - 1, 0)))
      state.progress.epochs.append(record)
      (state.progress.turn, state.progress.lossSum) = (0, 0)
      try observer.finished(
        record, steps: order.count, after: state.optimizer.stepCount, on: communicator)
      try handle(observer, state, on: communicator)
    }
  }

  /// Does what the observer requests after a step.
  private func handle(
    _ observer: some RunObserver, _ state: StructureTrainingState,
    on communicator: some Communicator
  ) throws {
    let step = state.optimizer.stepCount
    let request = try observer.request(after: step, on: communicator)
    if request != .proceed { try observer.save(state, on: communicator) }
    if request == .saveAndStop { throw TrainingInterrupted(step: step) }
  }

  /// All levels, in another random order in each epoch.
  private func order(ofEpoch epoch: Int) -> [Int] {
    var stream = RandomStream(
      seed: options.seed, purpose: RandomPurpose.graphOrder.rawValue, index: epoch)
    return stream.shuffled(levels.indices)
  }

  /// - Returns: The loss; 0 of a part without edges, which is no step.
  private func takeStep(
    _ level: TrainingLevel, part: Int, _ state: inout StructureTrainingState,
    on communicator: some Communicator
  ) throws -> Double {
    guard level.weights[part] > 0 else { return 0 }
    let step = state.optimizer.stepCount
    let tape = Tape<Float>(workers: options.workers)
    let recorded = state.parameters.recorded(on: tape)
    let loss = try options.shape.logits(
      of: level.graph.parts[part], in: level.graph, by: recorded, on: tape,
      communicator: communicator
    ).binaryCrossEntropy(
      of: level.graph.parts[part].isSame, weights: level.graph.parts[part].weights,
      scale: Float(1 / level.weights[part]))
    let value = try communicator.sums([Double(loss.scalar)])[0]
    let gradients = try recorded.gradients(of: loss, on: tape, on: communicator)
    try state.optimizer.step(
      &state.parameters, by: gradients, clippedTo: options.gradientLimit,
      learningRate: schedule.rate(ofStep: step), losses: [value],
      at: StepPlace(step: step + 1, epoch: state.progress.epochs.count + 1),
      advice:
        "Another --seed or a smaller --width may help; or a row of the features is far from all "
        + "others.", on: communicator)
    return value
  }
}
