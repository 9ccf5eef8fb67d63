internal import Communication
public import DiscriminantTransforms
internal import GraphNetworks
internal import HierarchicalClustering
internal import LinearAlgebra
internal import Parallelism

/// Whether rows are transformed before a network of structure clusters them, and how that was chosen. Replicated.
///
/// The network sees no coordinates, so it does not see that an identity varies more in some directions than in others. A
/// transform that is learned from labels makes these directions count less (``DiscriminantTransform``), and the network clusters
/// what it leaves. On identities that a transform was learned from it always looks good. So they are dealt into two halves:
/// each learns transforms, with some settings, and the other is clustered as it is and after each of them, with the
/// thresholds of the network, and scored. Those that gain half of ``leastGain`` on the first half are tried with the halves
/// exchanged, and must gain as much there, or ``clearGain`` on average. Of these the one with the highest mean score is
/// taken if it is higher than without by ``leastGain``, and then learned from all identities.
///
/// Rows with much noise have low probabilities, and high ones once it is gone. So thresholds are then chosen again on the
/// transformed halves, and taken if they are better by ``leastGainOfThresholds``.
public struct TransformChoice: Sendable {
  /// Nil if rows are clustered as they are.
  public let transform: DiscriminantTransform?
  /// Without a transform; nil if none was tried.
  public let asTheyAre: TransformTrial?
  public let trials: [TransformTrial]
  /// The trial whose settings the transform has.
  public let chosen: TransformTrial?
  /// The best of the trials on as many halves as without a transform; the chosen one, if one was.
  public var best: TransformTrial? {
    chosen ?? trials.filter { $0.halfCount == asTheyAre?.halfCount }.best
  }
  /// Thresholds of transformed rows, if they are better there than those that were chosen on rows as they are.
  public let thresholds: ThresholdTrial?
  /// Why none could be tried, if one was wanted.
  public let obstacle: String?

  private init(
    _ transform: DiscriminantTransform?, by chosen: TransformTrial? = nil,
    above thresholds: ThresholdTrial? = nil, asTheyAre: TransformTrial?, trials: [TransformTrial],
    obstacle: String? = nil
  ) {
    self.transform = transform
    self.chosen = chosen
    self.thresholds = thresholds
    self.asTheyAre = asTheyAre
    self.trials = trials
    self.obstacle = obstacle
  }

  /// Rows stay as they are.
  init(without obstacle: String? = nil) {
    self.init(nil, asTheyAre: nil, trials: [], obstacle: obstacle)
  }

  /// How much higher the score with a transform must be.
  static let leastGain = 0.005
  /// A gain on one half alone that is no luck, on average.
  static let clearGain = 0.02
  /// How much higher it must be with thresholds of transformed rows, which fewer points decide.
  static let leastGainOfThresholds = 0.02
  /// Wider rows are not transformed: axes would take long to find and to apply.
  public static let mostColumns = 1024
  /// Fewer identities decide nothing.
  static let fewestIdentities = 8
  /// Points of each half that are clustered, and that transforms are learned from for a trial, at most.
  static let judgedPointCount = 6000
  static let learnedPointCount = 50_000

  /// What is tried. How much of the mean is taken hardly matters.
  static let settings =
    [0.1, 0.3, 0.6].map {
      TransformSettings(form: .likelihood, centering: 0.5, shrinkage: $0)
    }
    + [0.1, 0.3, 0.9].map {
      TransformSettings(form: .whitening, centering: 0.5, shrinkage: $0)
    }

  /// Why OpenBLAS cannot be used by this rank; empty if it can.
  private static var libraryProblem: [UInt8] {
    do {
      try TransformFamily.requireLibrary()
      return []
    } catch { return Array("\(error)".utf8) }
  }

  /// Chooses on the points of one set, for a network with its thresholds.
  ///
  /// Every trial is of one rank alone, and the transform is learned with the same bits on any number of ranks.
  ///
  /// > Collective: over `communicator`. A round of what OpenBLAS says where it is missing, three of some bytes per rank for
  /// > each half, two for thresholds, and what
  /// > ``DiscriminantTransform/fit(_:to:columnCount:by:using:on:observer:describing:reading:)`` sends.
  ///
  /// - Parameter points: Those that may be learned from.
  /// - Throws: ``AgreedFailure`` on every rank if the set cannot be read; ``TrainingInterrupted`` on every rank if the
  ///   observer requests a stop.
  init(
    for set: LabelledEmbeddings, points: [Int], network: StructureNetwork,
    _ options: StructureTrainingOptions, after step: Int,
    observer: some StructureTrainingObserver, over communicator: some Communicator
  ) throws {
    let columnCount = set.source.dimensions
    guard columnCount <= Self.mostColumns else {
      self.init(without: "rows of more than \(Self.mostColumns) columns")
      return
    }
    guard Set(points.map { set.labels[$0] }).count >= Self.fewestIdentities else {
      self.init(without: "fewer than eight identities")
      return
    }
    let problems = try communicator.allGather(Self.libraryProblem)
    if let rank = communicator.ranks.first(where: { !problems[$0].isEmpty }) {
      self.init(without: String(decoding: problems[rank], as: UTF8.self))
      return
    }
    let course = try TransformTrials(of: set, points: points, network: network, options)
    let candidates = [nil] + Self.settings
    /// The results of each in one or two halves.
    var found: [[TransformTrial]] = candidates.map { _ in [] }
    var open = Array(candidates.indices)
    for half in 0..<2 where open.count > 1 {
      try observer.throwIfInterrupted(after: step, on: communicator)
      let results = try course.results(
        of: open.map { candidates[$0] }, half: half, on: communicator)
      guard let results else {
        self.init(without: "no identity of two rows that differ in a half of them")
        return
      }
      for (place, trial) in zip(open, results) {
        observer.tried(trial)
        found[place].append(trial)
      }
      // What gains a little, and on one half alone, gains by luck.
      open.removeAll { place in
        place > 0 && found[place].last!.score < found[0].last!.score + Self.leastGain / 2
          && (half == 0 || found[place].mean.score < found[0].mean.score + Self.clearGain)
      }
    }
    let asTheyAre = found[0].mean
    let trials = found.dropFirst().map(\.mean)
    guard
      let best = open.filter({ $0 > 0 }).map({ found[$0].mean }).best,
      best.score >= asTheyAre.score + Self.leastGain
    else {
      self.init(nil, asTheyAre: asTheyAre, trials: trials)
      return
    }
    var weights = Array(repeating: Float(0), count: set.labels.count)
    for point in points { weights[point] = 1 }
    let transform = try DiscriminantTransform.fit(
      nil, to: DiscriminantTransforms.LabelledRows(labels: set.labels, weights: weights),
      columnCount: columnCount, by: best.settings!, using: options.workers, on: communicator
    ) { try set.source.directions($0).matrix }.transform
    let thresholds = try course.thresholds(after: best.settings!, on: communicator)
    let isBetter =
      (thresholds.pairwiseF + thresholds.bcubedF) / 2 >= best.score + Self.leastGainOfThresholds
    self.init(
      transform, by: best, above: isBetter ? thresholds : nil, asTheyAre: asTheyAre, trials: trials)
  }
}

/// A way to transform rows, or none, and how well the network then clusters identities that the transform was not learned from.
public struct TransformTrial: Codable, Equatable, Sendable, HeldOutTrial {
  /// Nil for rows as they are.
  public var settings: TransformSettings?
  /// Means over the halves of the identities.
  public var pairwiseF: Double
  public var bcubedF: Double
  /// In how many halves of the identities it was scored.
  public var halfCount = 1

  /// The score that decides.
  public var score: Double { (pairwiseF + bcubedF) / 2 }
}

extension [TransformTrial] {
  /// The trial with the highest score; of equal ones the first.
  fileprivate var best: TransformTrial? { self.max { $0.score < $1.score } }
}

/// How transforms are tried on one set. Replicated.
private struct TransformTrials {
  private let set: LabelledEmbeddings
  private let network: StructureNetwork
  private let options: StructureTrainingOptions
  /// Rows of each half of the identities, ascending.
  private let halves: [[Int]]

  init(
    of set: LabelledEmbeddings, points: [Int], network: StructureNetwork,
    _ options: StructureTrainingOptions
  ) throws {
    self.set = set
    self.network = network
    self.options = options
    let split = try IdentitySplit(
      of: points.map { set.labels[$0] }, holdingOut: 0.5, seed: options.seed)
    halves = [split.training, split.validation].map { half in half.map { points[$0] } }
  }

  /// The result of each transform that one half teaches, on the other half; nil if it teaches none.
  ///
  /// > Collective: over `communicator`. Three rounds of some bytes per rank.
  ///
  /// - Parameter half: Which one is clustered.
  func results(
    of settings: [TransformSettings?], half: Int, on communicator: some Communicator
  ) throws -> [TransformTrial]? {
    let family = try communicator.agree { try self.family(half: 1 - half) }
    guard let family else { return nil }  // on every rank
    return try PlacedScores.dealt(settings.count, on: communicator) { place in
      let trial = try result(of: settings[place].map { try family.transform(by: $0) }, half: half)
      return (trial.pairwiseF, trial.bcubedF)
    }.map {
      TransformTrial(
        settings: settings[$0.place], pairwiseF: $0.pairwiseF, bcubedF: $0.bcubedF)
    }
  }

  /// What one half of the identities teaches; nil if no identity has two rows that differ.
  private func family(half: Int) throws -> TransformFamily? {
    let rows = wholeIdentities(of: halves[half], limit: TransformChoice.learnedPointCount)
    let source = EmbeddingSubset(AnyEmbeddings(set.source), rows)
    do {
      return try TransformFamily(
        of: DiscriminantTransforms.LabelledRows(labels: rows.map { set.labels[$0] }),
        columnCount: source.dimensions, using: options.workers
      ) { try source.directions($0).matrix }
    } catch is DiscriminantTransformError { return nil }
  }

  /// One half of the identities, clustered alone with the network's own thresholds.
  private func result(
    of transform: DiscriminantTransform?, half: Int
  ) throws -> ThresholdTrial {
    let settings = network.settings
    return try search(of: transform, half: half).trial(
      settings.threshold, settings.laterThreshold, resolution: settings.resolution,
      on: SingleRank())
  }

  private func search(of transform: DiscriminantTransform?, half: Int) throws -> ThresholdSearch {
    let rows = wholeIdentities(of: halves[half], limit: TransformChoice.judgedPointCount)
    return try ThresholdSearch(
      LabelledEmbeddings(
        TransformedEmbeddings(AnyEmbeddings(set.source), by: transform), labels: set.labels),
      points: rows, judged: Set(rows.map { set.labels[$0] }), network: network, by: options,
      on: SingleRank())
  }

  /// The thresholds that rank 0 chooses on both halves, each transformed by what the other teaches.
  ///
  /// > Collective: over `communicator`. Two rounds of some bytes.
  func thresholds(
    after settings: TransformSettings, on communicator: some Communicator
  ) throws -> ThresholdTrial {
    let own = try communicator.agree { () throws -> [PlacedThresholds] in
      guard communicator.rank == Rank(0) else { return [] }
      let searches = try halves.indices.map { half in
        try search(of: family(half: 1 - half)!.transform(by: settings), half: half)
      }
      let trials = try thresholdTrials(
        searches, fewestPoints: 1, after: 0, observer: NoStructureObserver(), on: SingleRank())
      return [PlacedThresholds(trials.chosen!)]
    }
    return try communicator.broadcast(own)[0].trial
  }

  /// The rows of as many identities as a limit allows, in the order of their labels; never of none.
  private func wholeIdentities(of rows: [Int], limit: Int) -> [Int] {
    guard rows.count > limit else { return rows }
    var chosen: [Int] = []
    for (_, members) in Dictionary(grouping: rows, by: { set.labels[$0] }).sorted(by: {
      $0.key < $1.key
    }) where chosen.isEmpty || chosen.count + members.count <= limit {
      chosen += members
    }
    return chosen.sorted()
  }
}

/// A trial, to be sent.
private struct PlacedThresholds: Message {
  /// Of level 0, later, γ or 0 for none; then pairwise, BCubed and identity F.
  private let numbers: (Double, Double, Double, Double, Double, Double)

  init(_ trial: ThresholdTrial) {
    numbers = (
      trial.threshold, trial.laterThreshold, trial.resolution ?? 0, trial.pairwiseF, trial.bcubedF,
      trial.identityF
    )
  }

  var trial: ThresholdTrial {
    ThresholdTrial(
      threshold: numbers.0, laterThreshold: numbers.1, resolution: numbers.2 > 0 ? numbers.2 : nil,
      pairwiseF: numbers.3, bcubedF: numbers.4, identityF: numbers.5)
  }
}
