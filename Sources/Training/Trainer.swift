public import Communication
public import Differentiation
internal import DistributedGraphs
internal import LinearAlgebra
public import Optimization
internal import RandomNumbers

/// A network in training: the parameters after some steps, and all that the next step needs.
///
/// An epoch has one turn for every batch of the first graph, or a single turn with whole graphs. A turn has
/// a step on the next batch of every graph. All randomness of a step follows from the seed and the step's
/// number, so parameters, moments and step are the whole state.
/// [hilander, train_subg.py; `Docs/Algorithms/Training.md`]
public struct Trainer: Sendable {
  public let options: TrainingOptions
  /// Local.
  private let graphs: [TrainingGraph]
  /// Local. Whole graphs as steps see them, or the material for batches.
  private let material: [Material]
  private let schedule: CosineSchedule
  /// Replicated.
  public private(set) var parameters: Parameters<Float>
  /// Replicated.
  public private(set) var optimizer: Optimizer<Float>

  private let recycling = MemoryRecycling()

  private enum Material: Sendable {
    case whole(StepInput<Float>)
    case parts(FirstLayer)
  }

  /// > Collective: over `communicator`. Three rounds of 16 bytes per rank; per graph what the constants
  /// > of its first layer send, and a round of 8 bytes.
  ///
  /// - Parameters:
  ///   - graphs: From ``trainingGraphs(of:labels:chains:usesTrueLinks:needsAverages:using:on:)``.
  ///   - parameters: Replicated. Where to start.
  ///   - optimizer: Replicated. The optimizer at the point where an earlier run stopped; nil at the start.
  /// - Throws: ``AgreedFailure`` on every rank with the text of ``TrainingDataError`` if there is nothing
  ///   to learn from.
  public init(
    _ graphs: [TrainingGraph], options: TrainingOptions, parameters: Parameters<Float>,
    optimizer: Optimizer<Float>? = nil, on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated(
      (
        graphs: graphs.count, shape: options.shape, chains: options.chains, loss: options.loss,
        rule: options.optimizer, learningRate: options.learningRate,
        gradientLimit: options.gradientLimit, epochs: options.epochCount,
        batchSize: options.batchSize, dropout: options.dropout, rotates: options.rotates,
        seed: options.seed, step: optimizer?.stepCount
      ))
    try communicator.assertReplicated(parameters.all.map(\.value.elements), from: .all)
    self.options = options
    self.graphs = graphs
    self.parameters = parameters
    self.optimizer = optimizer ?? Optimizer(options.optimizer, for: parameters)
    let edges = try communicator.sums([
      graphs.reduce(0.0) { $0 + Double($1.graph.edgeCount) },
      graphs.reduce(0.0) { sum, graph in sum + Double(graph.truth.isSame.count { $0 }) },
    ])
    if edges[0] == 0 { throw AgreedFailure(reason: "\(TrainingDataError.noEdges)") }
    if edges[1] == 0 { throw AgreedFailure(reason: "\(TrainingDataError.noPositiveEdges)") }
    material = try graphs.map { graph in
      options.batchSize == nil
        ? .whole(
          try StepInput(all: graph, for: options.shape, using: options.workers, on: communicator))
        : .parts(
          try FirstLayer(of: graph, for: options.shape, using: options.workers, on: communicator))
    }
    schedule = CosineSchedule(
      from: options.learningRate, over: options.epochCount * Self.stepsPerEpoch(graphs, options))
  }

  /// Steps so far.
  public var step: Int { optimizer.stepCount }
  public var stepsPerEpoch: Int { Self.stepsPerEpoch(graphs, options) }
  public var stepCount: Int { options.epochCount * stepsPerEpoch }
  /// Epochs whose last step is done.
  public var finishedEpochs: Int { step / max(stepsPerEpoch, 1) }
  public var learningRate: Double { learningRate(ofStep: step) }

  /// - Parameter step: From 0.
  public func learningRate(ofStep step: Int) -> Double { schedule.rate(ofStep: step) }

  private static func stepsPerEpoch(_ graphs: [TrainingGraph], _ options: TrainingOptions) -> Int {
    guard let first = graphs.first else { return 0 }
    return batchCount(of: first, options) * graphs.count
  }

  private static func batchCount(of graph: TrainingGraph, _ options: TrainingOptions) -> Int {
    options.batchSize.map { max(1, (graph.graph.nodes.nodeCount + $0 - 1) / $0) } ?? 1
  }

  /// The name of the next step's graph in messages.
  public var nextGraph: String {
    let graph = graphs[step % graphs.count]
    return "k = \(graph.neighborCount), level \(graph.level)"
  }

  /// One step: loss, gradients, new parameters.
  ///
  /// > Collective: over `communicator`. The halo exchanges of the network, forth and back; the
  /// > gradients, about twice the parameters per rank; some rounds of few bytes.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if the loss, a gradient or a parameter is not a finite
  ///   number; the parameters are then those before the step.
  public mutating func takeStep(on communicator: some Communicator) throws -> StepLoss {
    let input = try self.input(ofStep: step, on: communicator)
    let tape = Tape<Float>(workers: options.workers)
    let recorded = parameters.recorded(on: tape)
    let disturbance = Disturbance(
      seed: options.seed, step: step, dropout: options.dropout, rotates: options.rotates)
    let answer = try options.shape.linkage(
      of: input, by: recorded, disturbed: disturbance, on: tape, communicator: communicator)
    let (loss, value) = try options.loss.loss(
      of: answer, for: input, seed: options.seed, step: step, on: communicator)
    let gradients = try recorded.gradients(of: loss, on: tape, on: communicator)
    let place = StepPlace(step: step + 1, epoch: finishedEpochs + 1, material: nextGraph)
    let rate = learningRate
    try optimizer.step(
      &parameters, by: gradients, clippedTo: options.gradientLimit ?? .infinity,
      learningRate: rate, losses: [value.linkage, value.density], at: place,
      advice: "A smaller --learning-rate may help, or --clip 1.", on: communicator)
    return value
  }

  /// The step's graph, whole, or the next of its batches.
  private func input(ofStep step: Int, on communicator: some Communicator) throws
    -> StepInput<Float>
  {
    let place = step % graphs.count
    switch material[place] {
    case .whole(let input): return input
    case .parts(let firstLayer):
      let graph = graphs[place]
      let turn = step / graphs.count
      let batches = Self.batchCount(of: graph, options)
      return try StepInput(
        batch(turn % batches, ofPass: turn / batches, through: place), of: graph,
        firstLayer: firstLayer, for: options.shape, on: communicator)
    }
  }

  /// Owned nodes of one batch of one pass through a graph in random order, ascending.
  private func batch(_ batch: Int, ofPass pass: Int, through place: Int) -> [Int] {
    let graph = graphs[place]
    let count = graph.graph.nodes.nodeCount
    let size = options.batchSize ?? count
    let order = PseudorandomPermutation(
      count: count,
      RandomStream(
        seed: options.seed, purpose: RandomPurpose.order.rawValue,
        index: pass * graphs.count + place))
    let owned = graph.graph.halo.owned
    return (batch * size..<min((batch + 1) * size, count)).map { order[$0] }
      .filter { owned.contains($0) }.map { $0 - owned.lowerBound }.sorted()
  }
}
