public import Communication
internal import Differentiation
internal import DistributedGraphs
public import GraphNetworks
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Optimization
internal import Parallelism
internal import RandomNumbers
internal import SimilarityStructure

/// Trains a network of structure on labelled sets, and chooses k, its thresholds and a transform of rows on them.
///
/// It sees no coordinates, so it can remember little about an identity: it clusters the training
/// identities hardly better than others. If none are held out, thresholds are chosen on the training
/// identities. k and a transform of rows are always chosen on held-out identities: ``LengthChoice``,
/// ``TransformChoice``.
///
/// Each set gives some graphs (``augmentedSelection``), and each of these some levels made with the
/// truth. A step takes edges of one level, and every epoch takes all levels in another random order. The
/// loss is cross entropy, in which an edge into a node has weight 1/√n if n nodes have the node's label.
/// Everything random follows from the seed.
///
/// > Collective: over `communicator`. What the choices of k and of a transform send; what clustering each set with a truth
/// > sends, for the calibration; per graph and level what clustering sends; per
/// > step two halo exchanges of hidden rows, forth and back, and the gradients, about twice the parameters; a byte per
/// > rank, step and pair of thresholds for the observer.
///
/// - Parameters:
///   - sets: Replicated. Their dimensions may differ.
///   - validation: Replicated. The set to choose thresholds on, instead of identities of `sets`.
///   - start: The network to start from; nil for random parameters.
///   - saved: Replicated. The state of a checkpoint of the same training, to resume from; nil to begin.
/// - Throws: ``AgreedFailure`` on every rank if a set cannot be read or there is nothing to learn;
///   ``TrainingInterrupted`` on every rank if the observer requests a stop.
public func trainStructureNetwork(
  on sets: [LabelledEmbeddings], validatingOn validation: LabelledEmbeddings? = nil,
  options: StructureTrainingOptions, from start: StructureNetwork? = nil,
  goingOnFrom saved: StructureTrainingState? = nil,
  observer: some StructureTrainingObserver = NoStructureObserver(),
  over communicator: some Communicator
) throws -> StructureTraining {
  try communicator.assertReplicated(
    (
      sets: sets.map(\.labels.count), validation: validation?.labels.count,
      options: options.replicated, step: saved?.optimizer.stepCount,
      lengths: saved?.progress.lengths
    ))
  try communicator.assertReplicated(
    (labels: sets.map(\.labels), validation: validation?.labels), from: .all)
  let splits = try communicator.agree {
    for set in sets + [validation].compactMap({ $0 }) where Set(set.labels).count == 1 {
      throw TrainingDataError.fewIdentities(count: 1, needed: 2)
    }
    return try sets.map { set in
      do {
        let split = try IdentitySplit(
          of: set.labels, holdingOut: validation == nil ? options.validationFraction : 0,
          seed: options.seed)
        let k = options.neighborCounts.min() ?? options.settings.neighborCount
        if options.graphCount > 0, split.training.count <= k {
          throw TrainingDataError.fewPoints(
            count: split.training.count, of: "training", neighborCount: k)
        }
        return split
      } catch let error as TrainingDataError {
        throw AgreedFailure(reason: "\(set.source.name): \(error)")
      }
    }
  }
  var state = saved ?? StructureTrainingState(options, from: start)
  let lengths =
    try state.progress.lengths
    ?? LengthChoice(on: sets, options, observer: observer, over: communicator)
  if state.progress.lengths == nil {
    state.progress.lengths = lengths
    if !lengths.trials.isEmpty { try observer.save(state, on: communicator) }
  }
  var options = options
  options.settings.neighborCount = lengths.neighborCount
  options.settings.contextLength = lengths.contextLength
  try observer.chose(lengths, on: communicator)

  let (network, levelCount): (StructureNetwork, Int)
  do {
    (network, levelCount) = try learnStructure(
      on: Array(zip(sets, splits)), &state, options, from: start, observer: observer,
      over: communicator)
  } catch let error as TrainingDataError {  // on every rank
    let names = sets.map(\.source.name).joined(separator: ", ")
    throw AgreedFailure(reason: "\(names): \(error)")
  }
  let judging =
    validation.map { [($0, IdentitySplit(validation: $0.labels.indices))] }
    ?? Array(zip(sets, splits))
  let searches = try judging.map { set, split in
    let judged = split.validation.isEmpty ? split.training : split.validation
    return try ThresholdSearch(
      set, points: context(of: set, split, limit: 50_000),
      judged: Set(judged.map { set.labels[$0] }), network: network,
      by: options, on: communicator)
  }
  // Groups are small, and so may be what is too small for a cluster.
  let trials = try (sets.contains { $0.groups != nil } ? 1...3 : 1...1).flatMap {
    try thresholdTrials(
      searches, fewestPoints: $0, after: state.optimizer.stepCount, observer: observer,
      on: communicator)
  }
  let chosen = trials.chosen!
  try observer.throwIfInterrupted(after: state.optimizer.stepCount, on: communicator)
  let calibration = LevelCalibration(
    isOfHeldOut: judging.allSatisfy { !$1.validation.isEmpty },
    ofSets: try searches.map { try $0.calibration(above: chosen, on: communicator) })
  var settings = options.settings
  settings.threshold = chosen.threshold
  settings.laterThreshold = chosen.laterThreshold
  settings.resolution = chosen.resolution
  settings.fewestPoints = chosen.fewestPoints ?? 1
  let ready = network.with(settings)
  let transform = try transformChoice(
    for: sets, splits[0], network: ready, options, after: state.optimizer.stepCount,
    observer: observer, over: communicator)
  if let again = transform.thresholds {
    settings.threshold = again.threshold
    settings.laterThreshold = again.laterThreshold
    settings.resolution = again.resolution
  }
  return StructureTraining(
    network: ready.with(settings), lengths: lengths, transformChoice: transform,
    epochs: state.progress.epochs,
    stepCount: state.optimizer.stepCount, graphCount: levelCount, trials: trials,
    calibration: calibration)
}

/// Whether rows are transformed, where there is a choice.
private func transformChoice(
  for sets: [LabelledEmbeddings], _ split: IdentitySplit, network: StructureNetwork,
  _ options: StructureTrainingOptions, after step: Int, observer: some StructureTrainingObserver,
  over communicator: some Communicator
) throws -> TransformChoice {
  guard options.triesTransforms else { return TransformChoice() }
  guard sets.count == 1 else { return TransformChoice(without: "several sets") }
  guard sets[0].groups == nil else { return TransformChoice(without: "groups") }
  do {
    return try TransformChoice(
      for: sets[0], points: split.training, network: network, options, after: step,
      observer: observer, over: communicator)
  } catch let error as TrainingDataError {  // on every rank
    throw AgreedFailure(reason: "\(sets[0].source.name): \(error)")
  }
}

/// The points to choose thresholds on: all or, in a large set, whole identities up to a limit, the
/// held-out ones first.
func context(of set: LabelledEmbeddings, _ split: IdentitySplit, limit: Int) -> [Int] {
  guard set.labels.count > limit else { return Array(set.labels.indices) }
  var chosen: [Int] = []
  for part in [split.validation, split.training] {
    for (_, members) in Dictionary(grouping: part, by: { set.labels[$0] }).sorted(by: {
      $0.key < $1.key
    }) where chosen.count + members.count <= limit {
      chosen += members
    }
  }
  return chosen.sorted()
}

/// Tries thresholds: first one for all levels, then each of the two separately around the best; then, with the best,
/// modules at level 0.
func thresholdTrials(
  _ searches: [ThresholdSearch], fewestPoints: Int, after step: Int,
  observer: some StructureTrainingObserver, on communicator: some Communicator
) throws -> [ThresholdTrial] {
  let grid = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]
  var trials: [ThresholdTrial] = []
  func attempt(_ first: Int, _ later: Int, resolution: Double? = nil) throws {
    guard grid.indices.contains(first), grid.indices.contains(later),
      !trials.contains(where: {
        $0.threshold == grid[first] && $0.laterThreshold == grid[later]
          && $0.resolution == resolution
      })
    else { return }
    try observer.throwIfInterrupted(after: step, on: communicator)
    let ofSets = try searches.map {
      try $0.trial(
        grid[first], grid[later], resolution: resolution, fewestPoints: fewestPoints,
        on: communicator)
    }
    let n = Double(max(ofSets.count, 1))
    let trial = ThresholdTrial(
      threshold: grid[first], laterThreshold: grid[later], resolution: resolution,
      pairwiseF: ofSets.reduce(0) { $0 + $1.pairwiseF } / n,
      bcubedF: ofSets.reduce(0) { $0 + $1.bcubedF } / n,
      identityF: ofSets.reduce(0) { $0 + $1.identityF } / n,
      rightCounts: ofSets.first?.rightCounts, fewestPoints: ofSets.first?.fewestPoints)
    trials.append(trial)
    try observer.tried(trial, after: step, on: communicator)
  }
  func best() -> (first: Int, later: Int) {
    let best = trials.best!
    return (grid.firstIndex(of: best.threshold)!, grid.firstIndex(of: best.laterThreshold)!)
  }
  for place in grid.indices { try attempt(place, place) }
  var start = best()
  for step in -3...3 { try attempt(start.first + step, start.later) }
  start = best()
  for step in -3...3 { try attempt(start.first, start.later + step) }
  guard searches.allSatisfy(\.allowsModules), let chosen = trials.chosen else { return trials }
  let (first, later) = (
    grid.firstIndex(of: chosen.threshold)!, grid.firstIndex(of: chosen.laterThreshold)!
  )
  // Modules leave less to later levels, or what an edge alone would have joined.
  for later in Set([later, grid.count - 1]).sorted() {
    for resolution in [0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3] {
      try attempt(first, later, resolution: resolution)
    }
  }
  return trials
}
