internal import Communication
internal import Differentiation
internal import DistributedGraphs
internal import GraphNetworks
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Optimization
internal import RandomNumbers
internal import SimilarityStructure

/// Trains a network of structure for lists of a given length, to the last epoch.
///
/// > Collective: over `communicator`. Per graph and level what clustering sends; per step two halo exchanges of
/// > hidden rows, forth and back, and the gradients, about twice the parameters.
///
/// - Parameters:
///   - sets: Replicated. What to learn from, the training identities of each.
///   - state: Replicated. Where training begins or resumes, and then where it ended.
///   - start: The network whose scales of features are kept; nil to measure them.
/// - Returns: The network, without thresholds of its own, and how many levels of how many graphs it was trained on.
/// - Throws: ``TrainingDataError`` on every rank if there is nothing to learn; ``AgreedFailure`` on every rank if a
///   set cannot be read; ``TrainingInterrupted`` on every rank if the observer requests a stop.
func learnStructure(
  on sets: [(LabelledEmbeddings, IdentitySplit)], _ state: inout StructureTrainingState,
  _ options: StructureTrainingOptions, from start: StructureNetwork? = nil,
  observer: some StructureTrainingObserver, over communicator: some Communicator
) throws -> (network: StructureNetwork, levelCount: Int) {
  let deal = EdgeDeal(
    edgesOfPart: options.stepEdgeCount, mostParts: max(options.epochCount, 1), seed: options.seed)
  var raw: [RawStructureGraph] = []
  var (nodeSums, edgeSums) = (
    ColumnSums(columns: StructureFeatures.nodeWidth),
    ColumnSums(columns: StructureFeatures.edgeWidth)
  )
  func add(_ graphs: [RawStructureGraph]) throws {
    for var graph in graphs {
      nodeSums.add(graph.nodeFeatures.copy(ofRows: 0..<graph.graph.ownedCount))
      edgeSums.add(graph.edgeFeatures)
      try graph.keepEdges(of: deal, on: communicator)
      raw.append(graph)
    }
  }
  for (set, split) in sets {
    for index in 0..<options.graphCount {
      try add(selectionGraphs(index, of: set, split, options, on: communicator))
    }
  }
  for index in 0..<options.mixtureCount {
    let mixture = syntheticMixture(index, limit: options.pointLimit, seed: options.seed)
    try add(structureGraphs(of: mixture, options, on: communicator))
  }
  if raw.isEmpty {  // on every rank
    throw TrainingDataError.fewDirections(neighborCount: options.settings.neighborCount)
  }
  let edgeCounts = try communicator.sums([
    raw.reduce(0.0) { $0 + Double($1.graph.edgeCount) },
    raw.reduce(0.0) { sum, graph in sum + Double(graph.isSame.count { $0 }) },
  ])
  if edgeCounts[0] == 0 { throw TrainingDataError.noEdges }
  if edgeCounts[1] == 0 { throw TrainingDataError.noPositiveEdges }
  observer.madeGraphs(raw.count)

  let measuredNodeScale = try start?.nodeScale ?? nodeSums.scale(on: communicator)
  let measuredEdgeScale = try start?.edgeScale ?? edgeSums.scale(on: communicator)
  let hidden = options.omissions.features
  let nodeScale = measuredNodeScale.hiding(hidden.nodes.map(\.rawValue))
  let edgeScale = measuredEdgeScale.hiding(hidden.edges.map(\.rawValue))
  let trainer = StructureTrainer(
    try raw.map {
      try TrainingLevel(
        $0.scaled(nodeScale, edgeScale, by: deal, on: communicator), on: communicator)
    },
    options)
  raw = []
  try trainer.train(&state, observer: observer, on: communicator)
  let network = options.shape.network(
    state.parameters, nodeScale: nodeScale, edgeScale: edgeScale, settings: options.settings)
  try observer.save(state, on: communicator)
  return (network, trainer.levelCount)
}

/// The graphs of one selection of a set.
private func selectionGraphs(
  _ index: Int, of set: LabelledEmbeddings, _ split: IdentitySplit,
  _ options: StructureTrainingOptions, on communicator: some Communicator
) throws -> [RawStructureGraph] {
  let selected = try communicator.agree {
    try augmentedSelection(
      index, of: set.labels, among: split.training, limit: options.pointLimit,
      seed: options.seed, workers: options.workers, without: options.omissions.parts
    ) { indices in
      var rows = try EmbeddingSubset(AnyEmbeddings(set.source), indices)
        .directions(0..<indices.count).matrix
      _ = rows.normalizeRows()
      return rows
    }
  }
  var identities = set.identities
  if index % 2 == 1, !options.omissions.parts.contains(.augmentation) {
    var stream = RandomStream(
      seed: options.seed, purpose: RandomPurpose.grouping.rawValue, index: index)
    identities = identities?.dealtAnew(&stream)
  }
  let linkedPlaces = identities == nil ? Int.max : [Int.max, 1, 2, 4][index / 4 % 4]
  return try structureGraphs(
    of: selected, within: identities, linkedPlaces: linkedPlaces, options, on: communicator)
}

/// The graphs of one selection or mixture.
private func structureGraphs(
  of set: LabelledRows, within identities: GroupedIdentities? = nil, linkedPlaces: Int = .max,
  _ options: StructureTrainingOptions, on communicator: some Communicator
) throws -> [RawStructureGraph] {
  try structureGraphs(
    of: set.rows, labels: set.labels,
    groups: identities.map { ids in set.labels.map { ids.group[$0]! } },
    linkedPlaces: linkedPlaces, levelCount: options.levelCount, settings: options.settings,
    isBalanced: !options.omissions.parts.contains(.balance), search: options.search,
    using: options.workers, on: communicator)
}

/// Sums of the columns of matrices, and of their squares.
private struct ColumnSums {
  private let columns: Int
  /// Then the squares, then the number of rows.
  private var sums: [Double]

  init(columns: Int) {
    self.columns = columns
    sums = Array(repeating: 0, count: 2 * columns + 1)
  }

  mutating func add(_ matrix: Matrix) {
    precondition(matrix.columnCount == columns, "\(matrix.columnCount) columns of \(columns)")
    sums[2 * columns] += Double(matrix.rowCount)
    for (place, value) in matrix.elements.enumerated() {
      sums[place % columns] += Double(value)
      sums[columns + place % columns] += Double(value) * Double(value)
    }
  }

  /// Mean and deviation of the columns of the matrices of all ranks, every row counted once.
  ///
  /// > Collective: over `communicator`. Two rounds, 16 bytes per column and rank.
  func scale(on communicator: some Communicator) throws -> FeatureScale {
    let all = try communicator.sums(sums)
    return FeatureScale(
      count: all[2 * columns], sums: Array(all[..<columns]),
      squares: Array(all[columns..<2 * columns]))
  }
}
