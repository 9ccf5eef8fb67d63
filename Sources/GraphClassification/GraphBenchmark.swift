public import Communication
public import GraphCollections
internal import LinearAlgebra
public import Parallelism

/// How well a network classifies graphs, by the protocol of Errica et al. (ICLR 2020, arXiv:1912.09893).
///
/// Every fold is the test set once. Of the other graphs a share is held out: the settings that do best on it, of a
/// grid, are taken for the fold. With these the network is trained again several times, each time from other
/// first parameters, with another share held out to say when to stop. The test graphs are looked at by the
/// final networks alone, and their mean accuracy is the fold's.
public struct GraphBenchmark: Sendable {
  /// The grid. Not empty.
  public var settings: [GraphTrialPlan]
  public var foldCount = 10
  /// The folds, if they are not drawn: the graphs by which settings are chosen, and those of each test. As many as
  /// ``foldCount``.
  public var splits: [GraphSplit]?
  /// Of the graphs outside the test fold, in 0 ... 1.
  public var heldOutShare = 0.1
  /// How often the network of the chosen settings is trained.
  public var repeatCount = 3
  public var seed: UInt64 = 0

  public init(settings: [GraphTrialPlan]) { self.settings = settings }

  /// How a fold went.
  public struct Fold: Codable, Equatable, Sendable {
    /// The accuracy of each settings on the graphs that were held out.
    public var validation: [Double]
    /// The place of the chosen settings.
    public var chosen: Int
    /// The accuracy of each final network on the test graphs.
    public var test: [Double]
    /// The epochs whose networks these are, from 1.
    public var epochs: [Int]
  }

  /// How many networks are trained.
  public var trialCount: Int { foldCount * (settings.count + repeatCount) }

  /// Trains all networks, side by side on the ranks.
  ///
  /// The result does not depend on the number of ranks and threads.
  ///
  /// > Collective: over `communicator`. Twice ``Communicator/perform(_:inGroups:_:)``, with a group per rank
  /// > as long as there are enough networks; each is trained over its group.
  ///
  /// - Parameter observer: Called after every epoch, on every rank that takes part in it, with the number of the
  ///   network, 0 ..< ``trialCount``.
  /// - Returns: Replicated.
  /// - Throws: The same ``AgreedFailure`` on every rank for a class with fewer graphs than folds, or if no graph
  ///   can be held out, to choose settings by or to stop by.
  public func run<C: Communicator>(
    on collection: GraphCollection, workers: Workers = Workers(), on communicator: C,
    observer: (_ trial: Int, EpochRecord) -> Void = { _, _ in }
  ) throws -> [Fold] {
    precondition(!settings.isEmpty && repeatCount > 0, "nothing to try")
    precondition(splits.map { $0.count == foldCount } ?? true, "splits of other folds")
    let tests =
      try splits?.map(\.test)
      ?? communicator.agree {
        try stratifiedFolds(
          of: collection.classes, labels: collection.classLabels, count: foldCount, seed: seed)
      }
    /// A split of a fold outside its test set; the same seed gives the same.
    func task(_ fold: Int, seed: UInt64, looksAtTest: Bool) -> GraphTrialTask {
      let test = Set(tests[fold])
      let (validation, train) = stratifiedShare(
        of: (0..<collection.graphCount).filter { !test.contains($0) }, classes: collection.classes,
        share: heldOutShare, seed: seed, fold: fold)
      return GraphTrialTask(
        fold: fold, seed: seed,
        split: GraphSplit(
          train: train, validation: validation, test: looksAtTest ? tests[fold] : []))
    }
    func run(
      _ trials: [(plan: GraphTrialPlan, task: GraphTrialTask)], from first: Int
    ) throws -> [GraphTrialResult] {
      try runTrials(
        trials, inGroups: min(communicator.size, trials.count), on: collection, workers: workers,
        on: communicator, observer: { observer(first + $0, $1) }
      ).results
    }
    let choices = tests.indices.flatMap { fold in
      settings.map { plan in
        var task = task(fold, seed: seed, looksAtTest: false)
        if let given = splits?[fold] {
          task.split = GraphSplit(train: given.train, validation: given.validation, test: [])
        }
        return (plan, task)
      }
    }
    let finalTasks = tests.indices.flatMap { fold in
      (1...UInt64(repeatCount)).map { task(fold, seed: seed &+ $0, looksAtTest: true) }
    }
    // Given splits say by which graphs to choose, and not by which to stop.
    for trial in choices.map({ $0.1 }) + finalTasks where trial.split.validation.isEmpty {
      throw AgreedFailure(
        reason:
          "fold \(trial.fold + 1) of \(foldCount) leaves no graph to hold out; expected two graphs of a "
          + "class outside its test set")
    }
    let judged = try run(choices, from: 0).map { $0.validation! }
    let chosen = tests.indices.map { fold in
      settings.indices.min {
        let (a, b) = (
          judged[fold * settings.count + $0], judged[fold * settings.count + $1]
        )
        return (-a.accuracy, a.loss, $0) < (-b.accuracy, b.loss, $1)
      }!
    }
    let finals = finalTasks.map { (settings[chosen[$0.fold]], $0) }
    let results = try run(finals, from: choices.count)
    return tests.indices.map { fold in
      let own = results[fold * repeatCount..<(fold + 1) * repeatCount]
      return Fold(
        validation: settings.indices.map { judged[fold * settings.count + $0].accuracy },
        chosen: chosen[fold], test: own.map { $0.test!.accuracy }, epochs: own.map(\.selectedEpoch))
    }
  }
}

extension Spread {
  /// Over folds, of the mean of each.
  public init(_ folds: [GraphBenchmark.Fold]) {
    self.init(folds.map { $0.test.reduce(0, +) / Double($0.test.count) })
  }
}
