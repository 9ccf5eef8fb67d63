public import Communication
public import Differentiation
public import LinearAlgebra
public import Optimization

/// What a network makes of a batch.
public struct GraphOutput<Scalar: PoolingScalar> {
  /// ln of the probability of each class. Shape `[graphCount × classCount]`.
  public var logProbabilities: Variable<Scalar>
  /// DiffPool's link and entropy losses, the sums over pooling levels; a rank's parts of them.
  public var linkLoss: Variable<Scalar>?
  public var entropyLoss: Variable<Scalar>?
  /// The link loss of all ranks' graphs. Replicated.
  public var linkLossOfAll = 0.0
  /// The entropy loss of each of the rank's parts.
  public var entropyLossOfParts: [Double] = []
  /// The nodes after each layer: of the flat network, or of DiffPool's first embedding block and then
  /// what each pooling level made of them. Shapes `[nodeCount × width]`.
  public var embeddings: [DenseMatrix<Scalar>] = []
  /// The soft assignments of each pooling level: of nodes, then of the clusters of the level before,
  /// graph by graph.
  public var assignments: [DenseMatrix<Scalar>] = []
  /// Of the pooling levels whose adjacency is used; of all, if the pass looks inside.
  public var pooledAdjacencies: [DenseMatrix<Scalar>] = []
  /// Clusters' rows of each pooling level.
  public var pooledFeatures: [DenseMatrix<Scalar>] = []
  /// Assignment logits of each pooling level.
  public var assignmentLogits: [DenseMatrix<Scalar>] = []
  /// What batch normalisation saw in training.
  public var statistics: [String: BatchStatistics<Scalar>] = [:]
  /// The graphs' rows before the last linear maps.
  public var readout: DenseMatrix<Scalar>
}

/// One run of a network over a batch, on a tape.
///
/// It holds what the layers have in common. Communication is batch normalisation's and the link
/// loss's, in training alone.
struct GraphPass<Scalar: PoolingScalar, Channel: Communicator> {
  let network: GraphNetwork<Scalar>
  let recorded: RecordedParameters<Scalar>
  let tape: Tape<Scalar>
  let input: GraphInput<Scalar>
  /// Whether batch statistics normalise, and losses are made.
  let isTraining: Bool
  /// Whether everything on the way is kept.
  let looksInside: Bool
  let dropoutMask: DenseMatrix<Scalar>?
  /// The nodes' rows on the tape.
  let features: Variable<Scalar>
  let communicator: Channel
  var statistics: [String: BatchStatistics<Scalar>] = [:]

  private func linear(
    _ x: Variable<Scalar>, _ name: String, isRectified: Bool = false, parts: RowParts
  ) -> Variable<Scalar> {
    .affine(
      [(x, recorded["\(name).weight"])], bias: recorded["\(name).bias"],
      isRectified: isRectified, parts: parts)
  }

  mutating func output() throws -> GraphOutput<Scalar> {
    switch network.architecture.kind {
    case .baseline: baseline()
    case .gcn: convolutional()
    case .gin: try isomorphism()
    case .sage: neighborMeans()
    case .diffpool: try pooling()
    }
  }

  private func dropped(_ x: Variable<Scalar>) -> Variable<Scalar> {
    dropoutMask.map { x.masked(by: $0) } ?? x
  }

  /// A row per graph.
  private func readout(_ x: Variable<Scalar>, _ blocks: RowBlocks) -> Variable<Scalar> {
    switch network.architecture.readout {
    case .mean: x.means(of: blocks)
    case let other: x.aggregated(other, over: Adjacency(segments: blocks.offsets))
    }
  }

  // MARK: Networks without pooling

  func baseline() -> GraphOutput<Scalar> {
    var x = features
    var embeddings: [DenseMatrix<Scalar>] = []
    for layer in 1...network.architecture.layerCount {
      x = linear(x, "node\(layer)", isRectified: true, parts: parts(.input))
      if looksInside { embeddings.append(x.value) }
    }
    let readout = readout(x, input.blocks)
    let hidden = linear(readout, "lin1", isRectified: true, parts: input.parts)
    return GraphOutput(
      logProbabilities: linear(dropped(hidden), "lin2", parts: input.parts).logSoftmaxOfRows(),
      embeddings: embeddings, readout: readout.value)
  }

  mutating func isomorphism() throws -> GraphOutput<Scalar> {
    var x = features
    var embeddings: [DenseMatrix<Scalar>] = []
    var readouts = [readout(x, input.blocks)]
    for layer in 1...network.architecture.layerCount {
      let name = "conv\(layer)"
      x = x.neighborSums(nil, over: input.adjacency)
        .adding(x, timesOnePlus: recorded["\(name).eps"], parts: parts(.input))
      for place in 1...2 {
        x = linear(x, "\(name).lin\(place)", parts: parts(.input))
        x = try normalized(x, "\(name).bn\(place)", parts: parts(.input)).rectified()
      }
      if looksInside { embeddings.append(x.value) }
      readouts.append(readout(x, input.blocks))
    }
    let readout = joined(readouts)
    return GraphOutput(
      logProbabilities: linear(dropped(readout), "lin", parts: input.parts).logSoftmaxOfRows(),
      embeddings: embeddings, statistics: statistics, readout: readout.value)
  }

  func neighborMeans() -> GraphOutput<Scalar> {
    let means = input.meanWeights()
    let level = Level.nodes(weights: means.weights, transposed: means.transposed)
    var x = features
    var layers: [Variable<Scalar>] = []
    for layer in 1...network.architecture.layerCount {
      x = sampled(x, "conv\(layer)", at: level)
      layers.append(x)
    }
    let readout = readout(joined(layers), input.blocks)
    let hidden = linear(readout, "lin1", isRectified: true, parts: input.parts)
    return GraphOutput(
      logProbabilities: linear(dropped(hidden), "lin2", parts: input.parts).logSoftmaxOfRows(),
      embeddings: looksInside ? layers.map(\.value) : [], readout: readout.value)
  }

  func convolutional() -> GraphOutput<Scalar> {
    let graph = input.normalizedGraph(parts: parts(.input))
    var x = features
    var embeddings: [DenseMatrix<Scalar>] = []
    for layer in 1...network.architecture.layerCount {
      x = x.convolved(
        over: graph, weight: recorded["conv\(layer).lin.weight"],
        bias: recorded["conv\(layer).bias"], isRectified: true)
      if looksInside { embeddings.append(x.value) }
    }
    let readout = readout(x, input.blocks)
    return GraphOutput(
      logProbabilities: linear(dropped(readout), "lin", parts: input.parts)
        .logSoftmaxOfRows(),
      embeddings: embeddings, readout: readout.value)
  }

  // MARK: DiffPool

  /// A graph at some level: its clusters' rows, and who is joined how strongly.
  private enum Level {
    /// The input: rows of nodes; weights that make the mean of neighbours.
    case nodes(weights: [Scalar], transposed: [Scalar])
    /// The input of a network without pooling.
    static var input: Level { .nodes(weights: [], transposed: []) }
    /// Blocks of `[length × length]`, one below the other.
    case clusters(adjacency: Variable<Scalar>, length: Int)
  }

  /// The input's parts in the rows of a level.
  private func parts(_ level: Level) -> RowParts {
    input.parts.with(
      RowBlocks(
        offsets: input.parts.blocks.offsets.map { graph in
          switch level {
          case .nodes: input.blocks.offsets[graph]
          case .clusters(_, let length): graph * length
          }
        }))
  }

  /// The mean of neighbours' rows; 0 without neighbours, and divided by 1 where weights add up to
  /// less.
  private func neighborMean(_ x: Variable<Scalar>, _ level: Level) -> Variable<Scalar> {
    switch level {
    case .nodes(let weights, let transposed):
      x.neighborSums(weights, transposed: transposed, over: input.adjacency)
    case .clusters(let adjacency, let length):
      adjacency.times(x, blocks: RowBlocks(count: input.graphCount, length: length))
        .divided(bySumsOf: adjacency)
    }
  }

  /// A SAGE layer with ReLU: the mean of neighbours and the node itself, each by weights of its own.
  private func sampled(
    _ x: Variable<Scalar>, _ name: String, at level: Level
  ) -> Variable<Scalar> {
    .affine(
      [
        (neighborMean(x, level), recorded["\(name).lin_rel.weight"]),
        (x, recorded["\(name).lin_root.weight"]),
      ], bias: recorded["\(name).lin_root.bias"], isRectified: true, parts: parts(level))
  }

  /// SAGE layers with ReLU and batch normalisation, side by side; the linear map of assignments.
  private mutating func apply(
    _ block: Block, to x: Variable<Scalar>, at level: Level
  ) throws -> [Variable<Scalar>] {
    var x = x
    var results: [Variable<Scalar>] = []
    for layer in block.layers {
      let rectified = sampled(x, "\(block.name).conv\(layer.name)", at: level)
      x = try normalized(rectified, "\(block.name).bn\(layer.name)", parts: parts(level))
      results.append(x)
    }
    guard block.hasLinear else { return results }
    return [
      linear(joined(results), "\(block.name).lin", isRectified: true, parts: parts(level))
    ]
  }

  private func joined(_ results: [Variable<Scalar>]) -> Variable<Scalar> {
    results.count == 1 ? results[0] : .concatenated(results)
  }

  private mutating func normalized(
    _ x: Variable<Scalar>, _ name: String, parts: RowParts
  ) throws -> Variable<Scalar> {
    let (scale, shift) = (recorded["\(name).weight"], recorded["\(name).bias"])
    guard isTraining else {
      return x.normalized(by: network.running[name]!, scale: scale, shift: shift)
    }
    let (rows, seen) = try x.batchNormalized(
      scale: scale, shift: shift, parts: parts, on: communicator)
    statistics[name] = seen
    return rows
  }

  mutating func pooling() throws -> GraphOutput<Scalar> {
    let architecture = network.architecture
    var output: GraphOutput<Scalar>!
    var embeddings: [DenseMatrix<Scalar>] = []
    var inside = GraphOutput(
      logProbabilities: tape.constant(input.features), readout: input.features)
    var x = features
    let means = input.meanWeights()
    var level = Level.nodes(weights: means.weights, transposed: means.transposed)
    var blocks = input.blocks
    for (depth, (pool, embed)) in architecture.levels.enumerated() {
      let logits = try apply(pool, to: x, at: level)[0]
      let layers = try apply(embed, to: x, at: level)
      let assignment = logits.assignments()
      if isTraining {
        let (link, entropy) = try losses(assignment, at: level)
        inside.linkLoss = inside.linkLoss.map { $0 + link.loss } ?? link.loss
        inside.linkLossOfAll += link.ofAll
        inside.entropyLoss = inside.entropyLoss.map { $0 + entropy.loss } ?? entropy.loss
        inside.entropyLossOfParts =
          inside.entropyLossOfParts.isEmpty
          ? entropy.ofParts : zip(inside.entropyLossOfParts, entropy.ofParts).map(+)
      }
      let z = joined(layers)
      if looksInside, depth == 0 { embeddings += layers.map(\.value) }
      x = assignment.transposedProduct(with: z, blocks: blocks)
      let length = architecture.clusterCounts[depth]
      inside.assignments.append(assignment.value)
      if looksInside {
        inside.assignmentLogits.append(logits.value)
        inside.pooledFeatures.append(x.value)
      }
      // The adjacency of the last level serves only a block behind it.
      let isUsed = depth + 1 < architecture.levels.count || architecture.lastBlock != nil
      if isUsed || looksInside {
        let pooled = pooledAdjacency(assignment, blocks, at: level)
        inside.pooledAdjacencies.append(pooled.value)
        level = .clusters(adjacency: pooled, length: length)
      }
      blocks = RowBlocks(count: input.graphCount, length: length)
    }
    if let last = architecture.lastBlock {
      x = joined(try apply(last, to: x, at: level))
    }
    let readout = readout(x, blocks)
    output = inside
    output.readout = readout.value
    output.embeddings = embeddings
    output.statistics = statistics
    output.logProbabilities =
      linear(
        dropped(linear(readout, "lin1", isRectified: true, parts: input.parts)), "lin2",
        parts: input.parts
      ).logSoftmaxOfRows()
    return output
  }

  /// Sᵀ A S of every graph.
  private func pooledAdjacency(
    _ assignment: Variable<Scalar>, _ blocks: RowBlocks, at level: Level
  ) -> Variable<Scalar> {
    let neighbors =
      switch level {
      case .nodes: assignment.neighborSums(nil, over: input.adjacency)
      case .clusters(let adjacency, _): adjacency.times(assignment, blocks: blocks)
      }
    return assignment.transposedProduct(with: neighbors, blocks: blocks)
  }

  /// DiffPool's two losses of a level, this rank's parts.
  private func losses(
    _ assignment: Variable<Scalar>, at level: Level
  ) throws -> (
    link: (loss: Variable<Scalar>, ofAll: Double),
    entropy: (loss: Variable<Scalar>, ofParts: [Double])
  ) {
    let totals = input.totals
    let parts = parts(level)
    switch level {
    case .nodes:
      return (
        try assignment.linkLoss(
          from: input.adjacency, blocks: input.blocks, parts: parts,
          scale: 1 / Scalar(max(totals.squaredNodeCount, 1)), on: communicator),
        assignment.entropy(scale: 1 / Scalar(max(totals.nodeCount, 1)), parts: parts.blocks)
      )
    case .clusters(let adjacency, let length):
      let clusterCount = max(totals.graphCount * length, 1)
      return (
        try assignment.linkLoss(
          from: adjacency, length: length, parts: parts, scale: 1 / Scalar(clusterCount * length),
          on: communicator),
        assignment.entropy(scale: 1 / Scalar(clusterCount), parts: parts.blocks)
      )
    }
  }
}

extension GraphNetwork {
  /// What the network makes of a rank's graphs while it is trained: normalised by the batch.
  ///
  /// > Collective: over `communicator`. For every normalised layer the rounds of
  /// > ``Differentiation/Variable/batchNormalized(scale:shift:parts:epsilon:on:)``, and for every pooling level
  /// > one of 8 bytes per part; the gradient once more for the layers.
  ///
  /// - Parameters:
  ///   - recorded: The parameters on the tape.
  ///   - features: The nodes' rows as a variable, if their gradient is wanted.
  ///   - dropoutMask: 0 and 1 / (1 − dropout), for the rows before the last linear map.
  ///   - looksInside: Whether to keep what is on the way.
  public func trainingOutput(
    of input: GraphInput<Scalar>, _ recorded: RecordedParameters<Scalar>, on tape: Tape<Scalar>,
    features: Variable<Scalar>? = nil, dropoutMask: DenseMatrix<Scalar>? = nil,
    looksInside: Bool = false, on communicator: some Communicator
  ) throws -> GraphOutput<Scalar> {
    var pass = GraphPass(
      network: self, recorded: recorded, tape: tape, input: input, isTraining: true,
      looksInside: looksInside, dropoutMask: dropoutMask,
      features: features ?? tape.constant(input.features), communicator: communicator)
    return try pass.output()
  }

  /// What the trained network makes of graphs: normalised by the running statistics, every graph for
  /// itself. The same bits for every batch that a graph is in.
  public func output(
    of input: GraphInput<Scalar>, looksInside: Bool = false, tape: Tape<Scalar> = Tape()
  ) -> GraphOutput<Scalar> {
    let constant = Tape<Scalar>(workers: tape.workers)
    var pass = GraphPass(
      network: self, recorded: parameters.recorded(on: constant), tape: constant, input: input,
      isTraining: false, looksInside: looksInside, dropoutMask: nil,
      features: constant.constant(input.features), communicator: SingleRank())
    do {
      return try pass.output()
    } catch {
      // Only communication throws, and there is none.
      preconditionFailure("\(error)")
    }
  }

  /// The rows before the last linear map that dropout acts on.
  public var dropoutWidth: Int { architecture.dropoutWidth }
}
