public import Communication
public import Differentiation
public import GraphCollections
public import LinearAlgebra
internal import Optimization
public import Parallelism
internal import RandomNumbers

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
/// **The loss curve and the network are the same bits on any number of ranks and threads.** Sums over the rows of
/// a batch are made part by part, and the parts added in the order of their numbers (``PartSums``).
///
/// > Collective: over `communicator`. Per batch: the sums of the gradients of each part, and the rounds of
/// > ``GraphNetwork/trainingOutput(of:_:on:dropoutMask:looksInside:on:)``; per epoch four rounds of at most two
/// > numbers per graph.
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
    var random = RandomStream(seed: options.seed, for: Draws.order, fold, epoch)
    let order = random.shuffledFromTheEnd(graphs)
    let rate = learningRate(epoch)
    let batches = order.indices.tiles(of: options.batchSize).map { Array(order[$0]) }
    var losses = StepLosses()
    for (index, batch) in batches.enumerated() {
      losses += try runStep(
        batch, epoch: epoch, index: index, rate: rate, on: communicator)
    }
    // The clock is the slowest rank's.
    let elapsed = start.duration(to: .now) / .seconds(1)
    let seconds = try communicator.maximum(elapsed)
    // A part is on one rank, the others have 0 for it; so its loss comes as it is, and the order of the parts
    // is that of one rank.
    let ofParts = try communicator.sums(losses.classes + losses.entropies)
    let count = Double(max(batches.count, 1))
    let classLoss = ofParts[..<losses.classes.count].reduce(0, +) / count
    let entropyLoss = ofParts[losses.classes.count...].reduce(0, +) / count
    let linkLoss = losses.link / count
    let hasPooling = network.architecture.kind == .diffpool
    return EpochRecord(
      epoch: epoch, learningRate: rate,
      loss: classLoss + options.linkWeight * linkLoss + options.entropyWeight * entropyLoss,
      classLoss: classLoss, linkLoss: hasPooling ? linkLoss : nil,
      entropyLoss: hasPooling ? entropyLoss : nil, elapsedSeconds: seconds)
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

  /// One batch, and its losses.
  private mutating func runStep(
    _ batch: [Int], epoch: Int, index: Int, rate: Double, on communicator: some Communicator
  ) throws -> StepLosses {
    let parts = deal(costs: batch.map(collection.cost(of:)), among: batchPartCount)
    let partCosts = parts.map { $0.reduce(0) { $0 + collection.cost(of: batch[$1]) } }
    let hands = deal(costs: partCosts, among: communicator.size)
    let hand = hands[communicator.rank.index]
    let own = hand.flatMap { parts[$0].map { batch[$0] } }
    let input = GraphInput<Float>(
      GraphBatch(own, of: collection, rows: rows),
      totals: BatchTotals(batch, of: collection),
      parts: RowParts(
        RowBlocks(
          offsets: hand.reduce(into: [0]) { $0.append($0[$0.count - 1] + parts[$1].count) }),
        hands: hands))
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
    let losses = [classLoss, output.linkLoss, output.entropyLoss].map { Double($0?.scalar ?? 0) }
    try optimizer.step(
      &network.parameters, by: network.parameters.all.map { gradients[recorded[$0.name]] },
      learningRate: rate, losses: losses,
      statistics: output.statistics.values.flatMap { [$0.mean, $0.variance] },
      at: StepPlace(step: optimizer.stepCount + 1, epoch: epoch),
      advice:
        "A smaller --learning-rate may help; or features of some nodes are far from all others.",
      on: communicator)
    network.follow(output.statistics)
    return StepLosses(input, output, hand: hand, batchSize: batch.count)
  }

  /// 0 or 1 / (1 − p), drawn for each graph by itself: the same on whichever rank it is.
  private func dropoutMask(_ graphs: [Int], epoch: Int) -> Matrix? {
    let share = network.architecture.dropout
    guard share > 0 else { return nil }
    let kept = Float(1 / (1 - share))
    let elements = graphs.flatMap { graph in
      var random = RandomStream(seed: options.seed, for: Draws.dropout, fold, epoch, graph)
      return (0..<network.dropoutWidth).map { _ in random.uniformBelowOne() < share ? 0 : kept }
    }
    return Matrix(rows: graphs.count, columns: network.dropoutWidth, elements: elements)
  }
}

/// The losses of some batches, of each part by itself, so that they can be added in the same order on any
/// number of ranks.
private struct StepLosses {
  /// The class loss of each part of each batch; 0 of other ranks' parts.
  var classes: [Double] = []
  /// The entropy loss, likewise.
  var entropies: [Double] = []
  /// The link loss. Replicated.
  var link = 0.0

  init() {}

  /// - Parameters:
  ///   - hand: The numbers of this rank's parts.
  ///   - batchSize: Of all ranks' graphs. No more parts than these hold a graph, the first of them.
  init(_ input: GraphInput<Float>, _ output: GraphOutput<Float>, hand: [Int], batchSize: Int) {
    classes = Array(repeating: 0, count: min(batchSize, batchPartCount))
    entropies = classes
    let logarithms = output.logProbabilities.value
    for (place, part) in hand.enumerated() where part < classes.count {
      for graph in input.parts.blocks[place] {
        classes[part] -= Double(logarithms[graph, Int(input.classes[graph])]) / Double(batchSize)
      }
      if !output.entropyLossOfParts.isEmpty { entropies[part] = output.entropyLossOfParts[place] }
    }
    link = output.linkLossOfAll
  }

  static func += (losses: inout StepLosses, batch: StepLosses) {
    losses.classes += batch.classes
    losses.entropies += batch.entropies
    losses.link += batch.link
  }
}
