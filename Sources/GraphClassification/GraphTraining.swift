public import Communication
public import Differentiation
public import GraphCollections
public import LinearAlgebra
internal import Optimization
public import Parallelism

/// A trained network, and how it went.
public struct TrainedGraphNetwork: Sendable {
  public var network: GraphNetwork<Float>
  public var epochs: [EpochRecord]
  /// The epoch whose network it is, from 1.
  public var selectedEpoch: Int
}

/// Into how many parts a batch is dealt: more ranks than these have nothing to do.
///
/// Parts, not ranks, are what sums over rows are rounded by, so that the same training runs on any
/// number of ranks.
let batchPartCount = 16

/// Trains a network on some graphs of a collection.
///
/// In every epoch the graphs are put in a new order and cut into batches; a batch's graphs are dealt by
/// cost into parts, and these to the ranks. Each rank takes its own graphs through the network, and the
/// sum of the ranks' gradients moves every rank's copy of the parameters in the same way (Adam). Means
/// over a batch, in losses and in batch normalisation, are over all ranks' graphs.
///
/// **The loss curve and the network do not depend on the number of ranks.** Sums over the rows of a
/// batch are rounded part by part, and the parts added in double precision; what is left, the order of
/// these few additions, does not reach a `Float` but by a rare accident.
///
/// > Collective: over `communicator`. Per batch: the gradients in `Double`, twice their size per rank,
/// > and the rounds of ``GraphNetwork/trainingOutput(of:_:on:dropoutMask:looksInside:on:)``; per epoch two rounds of a
/// > few numbers.
///
/// - Parameters:
///   - network: Replicated. Where to begin.
///   - rows: Replicated. The features of all nodes of the collection.
///   - split: Replicated. The test graphs are not looked at.
///   - observer: Called after every epoch, on every rank.
public func train(
  _ network: GraphNetwork<Float>, on collection: GraphCollection, rows: Matrix, split: GraphSplit,
  options: GraphTrainingOptions, fold: Int = 0, workers: Workers = Workers(),
  on communicator: some Communicator, observer: (EpochRecord) -> Void = { _ in }
) throws -> TrainedGraphNetwork {
  try communicator.assertReplicated(
    (
      graphs: collection.graphCount, rows: rows.rowCount, columns: rows.columnCount,
      options: options, fold: fold
    ))
  try communicator.assertReplicated(
    (split: split, parameters: network.parameters.all.map(\.value.elements)), from: .all)
  // Every step makes and drops matrices of the same sizes.
  let recycling = MemoryRecycling()
  defer { withExtendedLifetime(recycling) {} }
  var training = GraphTraining(
    network: network, collection: collection, rows: rows, options: options, fold: fold,
    workers: workers)
  var epochs: [EpochRecord] = []
  var best = (network: network, epoch: 0, record: EpochRecord?.none)
  for epoch in 1...max(options.epochCount, 1) {
    var record = try training.runEpoch(epoch, over: split.train, on: communicator)
    if !split.validation.isEmpty {
      let judged = try evaluate(
        training.network, on: split.validation, of: collection, rows: rows, workers: workers,
        on: communicator)
      record.validationLoss = judged.loss
      record.validationAccuracy = judged.accuracy
    }
    epochs.append(record)
    observer(record)
    if best.record.map({ options.selection.prefers(record, to: $0) }) ?? true {
      best = (training.network, epoch, record)
    } else if options.patience > 0, epoch - best.epoch >= options.patience {
      break
    }
  }
  return TrainedGraphNetwork(network: best.network, epochs: epochs, selectedEpoch: best.epoch)
}

extension GraphTrainingOptions.Selection {
  /// Whether a later epoch is to be kept in an earlier one's place.
  func prefers(_ later: EpochRecord, to earlier: EpochRecord) -> Bool {
    guard let loss = later.validationLoss, let former = earlier.validationLoss,
      let accuracy = later.validationAccuracy, let formerAccuracy = earlier.validationAccuracy
    else { return true }
    return switch self {
    case .last: true
    case .loss: loss < former
    case .accuracy: accuracy == formerAccuracy ? loss < former : accuracy > formerAccuracy
    }
  }
}

/// The state of a training run. Replicated, each rank its own copy.
private struct GraphTraining {
  var network: GraphNetwork<Float>
  var optimizer: Optimizer<Float>
  let collection: GraphCollection
  let rows: Matrix
  let options: GraphTrainingOptions
  let fold: Int
  let workers: Workers

  init(
    network: GraphNetwork<Float>, collection: GraphCollection, rows: Matrix,
    options: GraphTrainingOptions, fold: Int, workers: Workers
  ) {
    self.network = network
    self.collection = collection
    self.rows = rows
    self.options = options
    self.fold = fold
    self.workers = workers
    optimizer = Optimizer(.adam(weightDecay: options.weightDecay), for: network.parameters)
  }

  mutating func runEpoch(
    _ epoch: Int, over graphs: [Int], on communicator: some Communicator
  ) throws -> EpochRecord {
    let start = ContinuousClock.now
    var random = SeededRandom(seed: options.seed, Draws.order, fold, epoch)
    let order = random.shuffled(graphs)
    let rate = learningRate(epoch)
    let batches = order.indices.tiles(of: options.batchSize).map { Array(order[$0]) }
    var sums = [0.0, 0.0, 0.0]
    for (index, batch) in batches.enumerated() {
      let losses = try runStep(
        batch, epoch: epoch, index: index, rate: rate, on: communicator)
      for place in sums.indices { sums[place] += losses[place] }
    }
    // Each rank has its parts; the clock is the slowest rank's.
    let elapsed = start.duration(to: .now) / .seconds(1)
    let seconds = try communicator.maximum(elapsed)
    let means = try communicator.sums(sums).map { $0 / Double(max(batches.count, 1)) }
    let hasPooling = network.architecture.kind == .diffpool
    return EpochRecord(
      epoch: epoch, learningRate: rate,
      loss: means[0] + options.linkWeight * means[1] + options.entropyWeight * means[2],
      classLoss: means[0], linkLoss: hasPooling ? means[1] : nil,
      entropyLoss: hasPooling ? means[2] : nil, elapsedSeconds: seconds)
  }

  private func learningRate(_ epoch: Int) -> Double {
    switch options.schedule {
    case .constant: options.learningRate
    case .cosine:
      CosineSchedule(
        from: options.learningRate, to: options.learningRate / 100, over: options.epochCount
      ).rate(ofStep: epoch - 1)
    }
  }

  /// One batch: this rank's parts of the class loss, the link loss and the entropy loss.
  private mutating func runStep(
    _ batch: [Int], epoch: Int, index: Int, rate: Double, on communicator: some Communicator
  ) throws -> [Double] {
    let parts = deal(costs: batch.map(collection.cost(of:)), among: batchPartCount)
    let partCosts = parts.map { $0.reduce(0) { $0 + collection.cost(of: batch[$1]) } }
    let hand = deal(costs: partCosts, among: communicator.size)[communicator.rank.index]
    let own = hand.flatMap { parts[$0].map { batch[$0] } }
    let input = GraphInput<Float>(
      GraphBatch(own, of: collection, rows: rows),
      totals: BatchTotals(batch, of: collection),
      parts: RowBlocks(
        offsets: hand.reduce(into: [0]) { $0.append($0[$0.count - 1] + parts[$1].count) }))
    let tape = Tape<Float>(workers: workers)
    let recorded = network.parameters.recorded(on: tape)
    let output = try network.trainingOutput(
      of: input, recorded, on: tape, dropoutMask: dropoutMask(own, epoch: epoch),
      on: communicator)
    let classLoss = output.logProbabilities.crossEntropy(
      of: input.classes, scale: 1 / Float(batch.count))
    var loss = classLoss
    if let link = output.linkLoss, options.linkWeight != 0 {
      loss = loss + link.scaled(by: Float(options.linkWeight))
    }
    if let entropy = output.entropyLoss, options.entropyWeight != 0 {
      loss = loss + entropy.scaled(by: Float(options.entropyWeight))
    }
    // Layers give the gradients of all ranks' rows.
    let gradients = try tape.gradients(of: loss, on: communicator)
    optimizer.update(
      &network.parameters, by: network.parameters.all.map { gradients[recorded[$0.name]] },
      learningRate: rate)
    network.follow(output.statistics)
    return [classLoss, output.linkLoss, output.entropyLoss].map { Double($0?.scalar ?? 0) }
  }

  /// 0 or 1 / (1 − p), drawn for each graph by itself: the same on whichever rank it is.
  private func dropoutMask(_ graphs: [Int], epoch: Int) -> Matrix? {
    let share = network.architecture.dropout
    guard share > 0 else { return nil }
    let kept = Float(1 / (1 - share))
    let elements = graphs.flatMap { graph in
      var random = SeededRandom(seed: options.seed, Draws.dropout, fold, epoch, graph)
      return (0..<network.dropoutWidth).map { _ in random.uniform() < share ? 0 : kept }
    }
    return Matrix(rows: graphs.count, columns: network.dropoutWidth, elements: elements)
  }
}
