public import Communication
internal import Datasets
internal import NeighborSearch
internal import Parallelism

/// A directory that keeps what a run with a network has finished: the thresholds that were chosen, then every
/// level. The same run goes on from there, on any number of ranks, hosts and threads, to the same labels.
///
/// The states are those of a ``StateDirectory``.
public struct RunStore {
  private let states: StateDirectory
  /// Of rank 0.
  private let lock: DirectoryLock?

  /// A run that another job is working on is refused: both would write, and remove, the same states.
  ///
  /// > Collective: over `communicator`. A round of a byte per rank.
  ///
  /// - Parameters:
  ///   - directory: It is there.
  ///   - plan: Replicated.
  ///   - input: Replicated. What else the labels depend on, by name: the rows, and the network.
  ///   - version: Of the program. Another one's labels may differ.
  ///   - rule: Replicated.
  ///   - note: Tells of what was found, and of what could not be written.
  /// - Throws: ``AgreedFailure`` on every rank if another job holds the lock, or none can be made.
  public init(
    _ directory: String, plan: ClusteringPlan<some LinkageJudge>, input: [String: String],
    version: String, resuming rule: ResumeRule = .whole, note: @escaping (String) -> Void,
    on communicator: some Communicator
  ) throws {
    precondition(!plan.keepsLayers, "labels of every level are not kept")
    let settings = plan.settings.merging(input) { $1 }
    lock = try communicator.agree {
      guard communicator.rank == Rank(0) else { return nil }
      let path = "\(directory)/lock-run-\(digest(of: settings))"
      guard let lock = try DirectoryLock.take(path) else {
        throw DataError(
          path: directory,
          problem: "another job keeps its states of the same run there; wait for it to end")
      }
      return lock
    }
    states = StateDirectory(
      directory, kind: "run", settings: settings, format: "run 1 of highland \(version)",
      resuming: rule, note: note)
  }

  /// The newest state that is as it was written; nil if there is none. Others are named.
  ///
  /// > Collective: over `communicator`. A few rounds for each state that is looked at; rows go from the files to
  /// > each rank.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if the newest is not as it was written, and none before it may be used.
  func newest(using workers: Workers, on communicator: some Communicator) throws -> (
    choice: ThresholdChoice, run: ClusteringRun?
  )? {
    try states.newest(on: communicator) { (kept: KeptRun, arrays) in
      let run = try kept.state.map {
        try ClusteringRun($0, kept.choice, arrays, using: workers, on: communicator)
      }
      return (
        (kept.choice, run),
        account: "after \(run.map { "level \($0.level.number - 1)" } ?? "the choice of τ")"
      )
    }
  }

  /// Keeps a state: a run between two levels, or only the thresholds. If it cannot be written, as the disk is full,
  /// the run goes on without.
  ///
  /// > Collective: over `communicator`. Some 80 rounds of a few bytes per rank; rows go from each rank to the files.
  func keep(
    _ choice: ThresholdChoice, _ run: ClusteringRun?, on communicator: some Communicator
  ) throws {
    try states.keep(on: communicator) { arrays in
      let state = try run?.write(to: &arrays, on: communicator)
      return KeptRun(
        settings: states.settings, choice: choice, state: state, checksums: arrays.checksums)
    }
  }
}

extension ClusteringPlan {
  /// All that labels depend on beside the rows and the judge, by name.
  fileprivate var settings: [String: String] {
    var settings = [
      "k": "\(neighborCount)", "places": "\(listLength)", "granularity": granularity.rawValue,
      "levels": "\(maximumLevels)", "stops early": "\(stopsEarly)",
      "invalid rows": invalidRows.rawValue, "copies": mergesCopies ? "merged" : "kept",
    ]
    switch thresholds {
    case .given(let given):
      settings["tau"] = "\(given.first), then \(given.later)"
      if let resolution = given.resolution { settings["resolution"] = "\(resolution)" }
    case .ofEachRun: settings["tau"] = "of each run"
    case .withoutLabels(let later):
      settings["tau"] = "chosen" + (later.map { ", then \($0)" } ?? "")
    }
    switch search {
    case .given: settings["search"] = "given"
    case .within: settings["search"] = "within groups"
    case .search(let options):
      settings["search"] = options.method.rawValue
      if options.method != .exact { settings["recall"] = "\(options.recall)" }
    }
    return settings
  }
}
