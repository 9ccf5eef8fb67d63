internal import Communication
internal import Differentiation
public import GraphNetworks
internal import HierarchicalClustering
internal import Parallelism

/// The length of lists that a network of structure is trained for, and how it was chosen. Replicated.
///
/// Identities of many points want long lists, because the graph of ten neighbours falls into pieces; small ones
/// want short lists, because the far places lead to others. Which is right shows only on identities that were not
/// learned from: on those that were, long lists always look good. So identities are dealt into two halves. For
/// each k a network is trained in short on one half, and all points are clustered above some thresholds; the
/// points of the other half are scored (``scoresAmongAll(truth:predicted:isJudged:)``).
///
/// k is tried in ascending order. One that is not worse than the best by more than ``clearly`` is tried with the halves
/// exchanged as well, and so is the best. Once the longest is worse than another by more than ``tolerance``, no longer one is
/// tried. The smallest k whose mean score is within ``tolerance`` of the highest is taken.
public struct LengthChoice: Codable, Equatable, Sendable {
  /// k and K, as they were given or chosen.
  public var neighborCount: Int
  public var contextLength: Int
  /// Ascending; empty if k was given, or if there is no other that the sets allow.
  public var trials: [LengthTrial] = []

  /// What `highland train` chooses from.
  public static let candidates = [10, 20, 40, 80]

  /// How much lower a score must be to rule a length out after one half.
  static let clearly = 0.02
  /// Scores nearer to each other than this are equal.
  static let tolerance = 0.002

  /// A length that is given.
  public init(_ settings: StructureNetwork.Settings) {
    (neighborCount, contextLength) = (settings.neighborCount, settings.contextLength)
  }

  /// Chooses k on held-out identities, where there is a choice.
  ///
  /// Every trial is of one rank alone, so the choice is the same on any number of ranks. Trials that do not wait
  /// for each other are dealt to the ranks.
  ///
  /// > Collective: over `communicator`. For every k and half of the identities a round of some bytes per rank.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if a set cannot be read; ``TrainingInterrupted`` on every rank if
  ///   the observer requests a stop.
  init(
    on sets: [LabelledEmbeddings], _ options: StructureTrainingOptions,
    observer: some StructureTrainingObserver, over communicator: some Communicator
  ) throws {
    let course = LengthTrials(of: sets, options)
    guard course.neighborCounts.count > 1 else {
      self.init(
        options.neighborCounts.min().map { StructureNetwork.Settings(neighborCount: $0) }
          ?? options.settings)
      return
    }
    var comparison = LengthComparison()
    func run(_ counts: [Int], half: Int) throws -> [LengthTrial] {
      try observer.throwIfInterrupted(after: 0, on: communicator)
      let results = try course.results(of: counts, half: half, on: communicator)
      for trial in results { observer.tried(trial) }
      return results
    }
    var waiting = course.neighborCounts[...]
    var next = waiting.prefix(2)  // Whatever the first does, it must be compared.
    while !next.isEmpty {
      comparison.add(try run(Array(next), half: 0))
      let again = comparison.unconfirmed
      if !again.isEmpty { comparison.confirm(try run(again, half: 1)) }
      waiting = waiting.dropFirst(next.count)
      next = comparison.isDecided ? [] : waiting.prefix(1)
    }
    self.init(StructureNetwork.Settings(neighborCount: comparison.chosen!.neighborCount))
    trials = comparison.means
  }
}

/// What trials of ascending lengths say.
package struct LengthComparison {
  /// The trials of each k, one for each half.
  private var trials: [[LengthTrial]] = []

  package init() {}

  /// Trials of longer lists, on the first half.
  package mutating func add(_ trials: [LengthTrial]) { self.trials += trials.map { [$0] } }

  /// Trials of those that are unconfirmed, on the other half.
  package mutating func confirm(_ trials: [LengthTrial]) {
    for trial in trials {
      let place = self.trials.firstIndex { $0[0].neighborCount == trial.neighborCount }!
      self.trials[place].append(trial)
    }
  }

  /// Ascending.
  package var means: [LengthTrial] { trials.map(\.mean) }

  /// The places of those that the first half does not rule out, and of those that were tried on both.
  private var candidates: [Int] {
    let best = trials.map { $0[0].score }.max() ?? 0
    return trials.indices.filter {
      trials[$0].count > 1 || trials[$0][0].score >= best - LengthChoice.clearly
    }
  }

  /// The k that the other half must be tried with: candidates, if there are several.
  package var unconfirmed: [Int] {
    let candidates = candidates
    guard candidates.count > 1 else { return [] }
    return candidates.map { trials[$0] }.filter { $0.count == 1 }.map { $0[0].neighborCount }
  }

  /// The least score that is as good as the best.
  private var bar: Double {
    (candidates.map { trials[$0].mean.score }.max() ?? 0) - LengthChoice.tolerance
  }

  /// Whether longer lists than those are not worth a trial: the longest is worse than another, or none can be better.
  package var isDecided: Bool {
    guard let longest = trials.last else { return false }
    return candidates.last != trials.indices.last || longest.mean.score < bar
      || chosen!.score >= 1 - LengthChoice.tolerance
  }

  /// Nil without trials.
  package var chosen: LengthTrial? {
    candidates.map { trials[$0].mean }.first { $0.score >= bar }
  }
}

/// A length of lists, and how well a network that was trained in short for it clusters identities that it did not
/// learn from.
public struct LengthTrial: Codable, Equatable, Sendable, HeldOutTrial {
  public var neighborCount: Int
  public var contextLength: Int
  /// Means over the sets, and over the halves of the identities.
  public var pairwiseF: Double
  public var bcubedF: Double
  /// In how many halves of the identities it was scored.
  public var halfCount = 1

  package init(neighborCount: Int, contextLength: Int, pairwiseF: Double, bcubedF: Double) {
    self.neighborCount = neighborCount
    self.contextLength = contextLength
    self.pairwiseF = pairwiseF
    self.bcubedF = bcubedF
  }

  /// The score that decides between lengths.
  public var score: Double { (pairwiseF + bcubedF) / 2 }
}

/// How lengths are tried on some sets. Replicated.
private struct LengthTrials {
  private let sets: [LabelledEmbeddings]
  private let options: StructureTrainingOptions
  /// Ascending.
  let neighborCounts: [Int]

  /// Sets of too few identities to hold half of them out do not take part.
  init(of sets: [LabelledEmbeddings], _ options: StructureTrainingOptions) {
    self.sets = sets.filter { Set($0.labels).count >= 8 }
    var options = options
    options.graphCount = max(2, 6 / max(self.sets.count, 1))
    options.mixtureCount = 0
    options.pointLimit = min(options.pointLimit, 6000)
    options.epochCount = min(options.epochCount, 10)
    self.options = options
    let pointCount = min(
      self.sets.map(\.labels.count).min() ?? 0, 2 * options.pointLimit)
    neighborCounts = Set(options.neighborCounts).sorted().filter {
      4 * StructureNetwork.Settings(neighborCount: $0).contextLength <= pointCount
    }
  }

  /// The result of each length that can be tried.
  ///
  /// > Collective: over `communicator`. Two rounds of some bytes per rank.
  func results(
    of counts: [Int], half: Int, on communicator: some Communicator
  ) throws -> [LengthTrial] {
    try PlacedScores.dealt(counts.count, on: communicator) {
      try result(of: counts[$0], half: half)
    }.map {
      let settings = StructureNetwork.Settings(neighborCount: counts[$0.place])
      return LengthTrial(
        neighborCount: settings.neighborCount, contextLength: settings.contextLength,
        pairwiseF: $0.pairwiseF, bcubedF: $0.bcubedF)
    }
  }

  /// What one rank finds alone: 0 if points that are copies of each other leave too few to train on.
  private func result(of neighborCount: Int, half: Int) throws -> (
    pairwiseF: Double, bcubedF: Double
  ) {
    let rank = SingleRank()
    var options = options
    options.settings = StructureNetwork.Settings(neighborCount: neighborCount)
    let splits = try sets.map {
      let split = try IdentitySplit(of: $0.labels, holdingOut: 0.5, seed: options.seed)
      return half == 0 ? split : split.exchanged
    }
    var state = StructureTrainingState(options)
    let network: StructureNetwork
    do {
      (network, _) = try learnStructure(
        on: Array(zip(sets, splits)), &state, options, observer: NoStructureObserver(), over: rank
      )
    } catch is TrainingDataError {
      return (0, 0)
    }
    let trials = try zip(sets, splits).map { set, split in
      try ThresholdSearch(
        set, points: context(of: set, split, limit: 12_000),
        judged: Set(split.validation.map { set.labels[$0] }), network: network,
        by: options, on: rank
      ).meanOfBest(on: rank)
    }
    let count = Double(trials.count)
    return (
      trials.reduce(0) { $0 + $1.pairwiseF } / count, trials.reduce(0) { $0 + $1.bcubedF } / count
    )
  }
}

extension ThresholdSearch {
  /// The mean F of the two best of some trials; a single one would be luck where few identities are judged.
  ///
  /// τ of level 0 is tried without later levels, as networks for long lists have hardly seen these and must not
  /// merge there; then with them; then modules at level 0 alone.
  ///
  /// > Collective: over `communicator`, as ``trial(_:_:on:)``.
  fileprivate func meanOfBest(on communicator: some Communicator) throws -> (
    pairwiseF: Double, bcubedF: Double
  ) {
    func score(_ trial: ThresholdTrial) -> Double { trial.pairwiseF + trial.bcubedF }
    var trials: [ThresholdTrial] = []
    trials += try [0.1, 0.3, 0.5, 0.7, 0.9].map { try trial($0, nil, on: communicator) }
    let first = trials.max { score($0) < score($1) }!.threshold
    trials += try [0.3, 0.5, 0.7, 0.9].map { try trial(first, $0, on: communicator) }
    if allowsModules {
      trials += try [0.02, 0.05, 0.1, 0.2].map {
        try trial(first, nil, resolution: $0, on: communicator)
      }
    }
    let best = trials.sorted { score($0) > score($1) }.prefix(2)
    return (
      best.reduce(0) { $0 + $1.pairwiseF } / Double(best.count),
      best.reduce(0) { $0 + $1.bcubedF } / Double(best.count)
    )
  }
}
