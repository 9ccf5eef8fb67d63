public import Communication
public import Differentiation
internal import FoundationEssentials
public import GraphCollections
internal import LinearAlgebra
public import Parallelism
internal import RandomNumbers

/// A network trained on one split with one seed, and how it does on graphs that it has not seen.
public struct GraphTrial: Sendable {
  public var task: GraphTrialTask
  public var result: GraphTrialResult
  public var model: GraphModel
}

/// What to train on, and the seed of it.
public struct GraphTrialTask: Equatable, Codable, Sendable {
  /// From 0; the order of graphs and the first parameters depend on it.
  public var fold: Int
  /// In place of the training options' one.
  public var seed: UInt64
  public var split: GraphSplit

  public init(fold: Int, seed: UInt64, split: GraphSplit) {
    self.fold = fold
    self.seed = seed
    self.split = split
  }
}

/// How a trial went.
public struct GraphTrialResult: Equatable, Codable, Sendable {
  public var epochs: [EpochRecord]
  /// The epoch whose network it is, from 1.
  public var selectedEpoch: Int
  /// Nil without validation graphs.
  public var validation: GraphMetrics?
  /// Nil without test graphs.
  public var test: GraphMetrics?
  /// Over all graphs, if asked for.
  public var smoothing: SmoothingProfile?
}

/// What is tried: a network, the columns of its input, how it is trained.
public struct GraphTrialPlan: Sendable {
  public var kind: GraphArchitecture.Kind
  public var hidden: Int
  public var layerCount: Int?
  public var clusterCounts: [Int]
  public var dropout: Double
  /// Nil: what the network was published with.
  public var readout: Aggregation?
  public var columns: NodeEncoder.Columns
  public var training: GraphTrainingOptions
  public var looksAtSmoothing: Bool

  public init(
    kind: GraphArchitecture.Kind, hidden: Int = 64, layerCount: Int? = nil,
    clusterCounts: [Int] = [], dropout: Double = 0, readout: Aggregation? = nil,
    columns: NodeEncoder.Columns = [.labels],
    training: GraphTrainingOptions = .init(), looksAtSmoothing: Bool = false
  ) {
    self.kind = kind
    self.hidden = hidden
    self.layerCount = layerCount
    self.clusterCounts = clusterCounts
    self.dropout = dropout
    self.readout = readout
    self.columns = columns
    self.training = training
    self.looksAtSmoothing = looksAtSmoothing
  }

  /// The network for the columns of an encoder.
  public func architecture(
    _ encoder: NodeEncoder, of collection: GraphCollection
  ) -> GraphArchitecture {
    GraphArchitecture(
      kind: kind, inputWidth: encoder.width, hidden: hidden, layerCount: layerCount,
      clusterCounts: clusterCounts, classCount: collection.classCount, dropout: dropout,
      readout: readout)
  }

  /// Trains on one split.
  ///
  /// > Collective: over `communicator`. As
  /// > ``train(_:on:rows:split:options:fold:workers:on:observer:)``, and evaluations.
  public func run(
    _ task: GraphTrialTask, on collection: GraphCollection, workers: Workers = Workers(),
    on communicator: some Communicator, observer: (EpochRecord) -> Void = { _ in }
  ) throws -> GraphTrial {
    let (fold, seed, split) = (task.fold, task.seed, task.split)
    var options = training
    options.seed = seed
    let encoder = NodeEncoder(columns, of: collection, fittedTo: split.train)
    let rows = try encoder.rows(of: collection)
    let architecture = architecture(encoder, of: collection)
    var start = RandomStream(seed: seed, for: Draws.parameters, fold)
    let trained = try train(
      GraphNetwork(architecture, seed: start.bits()), on: collection, rows: rows, split: split,
      options: options, fold: fold, workers: workers, on: communicator, observer: observer)
    func judged(_ graphs: [Int]) throws -> GraphMetrics? {
      guard !graphs.isEmpty else { return nil }
      return try evaluate(
        trained.network, on: graphs, of: collection, rows: rows, workers: workers,
        on: communicator)
    }
    return GraphTrial(
      task: task,
      result: GraphTrialResult(
        epochs: trained.epochs, selectedEpoch: trained.selectedEpoch,
        validation: try judged(split.validation), test: try judged(split.test),
        smoothing: looksAtSmoothing
          ? try smoothing(
            of: trained.network, on: Array(0..<collection.graphCount), of: collection, rows: rows,
            workers: workers, on: communicator) : nil),
      model: GraphModel(
        network: trained.network, encoder: encoder, classLabels: collection.classLabels))
  }

  /// Trains on several splits, side by side on groups of ranks.
  ///
  /// As training does not depend on the number of ranks, the results do not depend on that of groups.
  ///
  /// > Collective: over `communicator`, as ``Communicator/perform(_:inGroups:_:)``; each trial over
  /// > its group.
  ///
  /// - Parameters:
  ///   - tasks: Replicated.
  ///   - groupCount: Replicated. From 1 to the number of ranks.
  ///   - observer: Called after every epoch, with the trial's place among the tasks, on every rank that takes
  ///     part in it.
  /// - Returns: Replicated: how each trial went. On rank 0, and all of its group: the model of the first.
  public func run<C: Communicator>(
    _ tasks: [GraphTrialTask], inGroups groupCount: Int, on collection: GraphCollection,
    workers: Workers = Workers(), on communicator: C,
    observer: (_ task: Int, EpochRecord) -> Void = { _, _ in }
  ) throws -> (results: [GraphTrialResult], firstModel: GraphModel?) {
    try runTrials(
      tasks.map { (self, $0) }, inGroups: groupCount, on: collection, workers: workers,
      on: communicator, observer: observer)
  }
}

/// Trains as several plans say, on a split each, side by side on groups of ranks.
///
/// > Collective: over `communicator`, as ``GraphTrialPlan/run(_:inGroups:on:workers:on:observer:)``.
///
/// - Parameter trials: Replicated.
/// - Returns: As ``GraphTrialPlan/run(_:inGroups:on:workers:on:observer:)``.
func runTrials<C: Communicator>(
  _ trials: [(plan: GraphTrialPlan, task: GraphTrialTask)], inGroups groupCount: Int,
  on collection: GraphCollection, workers: Workers, on communicator: C,
  observer: (_ trial: Int, EpochRecord) -> Void
) throws -> (results: [GraphTrialResult], firstModel: GraphModel?) {
  try communicator.assertReplicated(trials.map(\.task), from: .all)
  var firstModel: GraphModel?
  let messages = try communicator.perform(trials.count, inGroups: groupCount) { place, group in
    let (plan, task) = trials[place]
    let trial = try plan.run(task, on: collection, workers: workers, on: group) {
      observer(place, $0)
    }
    if place == 0 { firstModel = trial.model }
    return Array(try GraphTrialResult.encoder.encode(trial.result))
  }
  return (
    try messages.map {
      try GraphTrialResult.decoder.decode(GraphTrialResult.self, from: Data($0))
    }, firstModel
  )
}

extension GraphTrialResult {
  private static let notFinite = (infinity: "inf", negative: "-inf", nan: "nan")

  /// JSON, whose numbers come back as they were; what has diverged too.
  fileprivate static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: notFinite.infinity, negativeInfinity: notFinite.negative,
      nan: notFinite.nan)
    return encoder
  }

  fileprivate static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: notFinite.infinity, negativeInfinity: notFinite.negative,
      nan: notFinite.nan)
    return decoder
  }
}

/// Mean and deviation of some numbers.
public struct Spread: Equatable, Codable, Sendable {
  public var mean: Double
  /// The root of the mean squared distance from the mean, as tables of k-fold results have it.
  public var deviation: Double

  public init(_ values: [Double]) {
    let mean = values.reduce(0, +) / Double(max(values.count, 1))
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = (squares / Double(max(values.count, 1))).squareRoot()
  }
}
