public import Communication
public import Differentiation
public import GraphCollections
internal import LinearAlgebra
public import Parallelism

/// A network trained on one split with one seed, and how it does on graphs that it has not seen.
public struct GraphTrial: Sendable {
  /// From 0.
  public var fold: Int
  public var seed: UInt64
  public var split: GraphSplit
  public var model: GraphModel
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
  public var readout: Aggregation
  public var columns: NodeEncoder.Columns
  public var training: GraphTrainingOptions
  public var looksAtSmoothing: Bool

  public init(
    kind: GraphArchitecture.Kind, hidden: Int = 64, layerCount: Int? = nil,
    clusterCounts: [Int] = [], dropout: Double = 0, readout: Aggregation = .mean,
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

  /// Trains on one split.
  ///
  /// > Collective: over `communicator`. As
  /// > ``train(_:on:rows:split:options:fold:workers:on:observer:)``, and evaluations.
  ///
  /// - Parameters:
  ///   - fold: Its number, which the order of graphs depends on, and the first parameters.
  ///   - seed: In place of the training options' one.
  public func run(
    on collection: GraphCollection, split: GraphSplit, fold: Int, seed: UInt64,
    workers: Workers = Workers(), on communicator: some Communicator,
    observer: (EpochRecord) -> Void = { _ in }
  ) throws -> GraphTrial {
    var options = training
    options.seed = seed
    let encoder = NodeEncoder(columns, of: collection, fittedTo: split.train)
    let rows = try encoder.rows(of: collection)
    let architecture = GraphArchitecture(
      kind: kind, inputWidth: encoder.width, hidden: hidden, layerCount: layerCount,
      clusterCounts: clusterCounts, classCount: collection.classCount, dropout: dropout,
      readout: readout)
    var start = SeededRandom(seed: seed, Draws.parameters, fold)
    let trained = try train(
      GraphNetwork(architecture, seed: start.next()), on: collection, rows: rows, split: split,
      options: options, fold: fold, workers: workers, on: communicator, observer: observer)
    func judged(_ graphs: [Int]) throws -> GraphMetrics? {
      guard !graphs.isEmpty else { return nil }
      return try evaluate(
        trained.network, on: graphs, of: collection, rows: rows, workers: workers,
        on: communicator)
    }
    return GraphTrial(
      fold: fold, seed: seed, split: split,
      model: GraphModel(
        network: trained.network, encoder: encoder, classLabels: collection.classLabels),
      epochs: trained.epochs, selectedEpoch: trained.selectedEpoch,
      validation: try judged(split.validation), test: try judged(split.test),
      smoothing: looksAtSmoothing
        ? try smoothing(
          of: trained.network, on: Array(0..<collection.graphCount), of: collection, rows: rows,
          workers: workers, on: communicator) : nil)
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
