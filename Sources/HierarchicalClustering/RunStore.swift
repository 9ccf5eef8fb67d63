public import Communication
internal import Datasets
internal import FoundationEssentials
internal import NeighborSearch
internal import Parallelism

/// A directory that keeps what a run with a network has finished: the thresholds that were chosen, then every
/// level. The same run goes on from there, on any number of ranks, hosts and threads, to the same labels.
///
/// Each state is a directory of its own, which appears when it is complete: a generation. The newest two stay. Their
/// names begin with a hash of the run's settings, so that different runs may share the directory.
public struct RunStore {
  private let directory: String
  /// What the labels depend on, by name.
  private let settings: [String: String]
  private let format: String
  private let rule: ResumeRule
  private let note: (String) -> Void
  /// Of rank 0.
  private let lock: DirectoryLock?
  private let unused = UnusedStates()

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
    self.directory = directory
    let settings = plan.settings.merging(input) { $1 }
    self.settings = settings
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
    format = "run 1 of highland \(version)"
    self.rule = rule
    self.note = note
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
    for number in try generations(on: communicator).reversed() {
      do {
        let (kept, arrays) = try description(number, on: communicator)
        let run = try kept.state.map {
          try ClusteringRun($0, kept.choice, arrays, using: workers, on: communicator)
        }
        note(
          "checkpoint: goes on after \(run.map { "level \($0.level.number - 1)" } ?? "the choice of τ"), from "
            + path(number))
        return (kept.choice, run)
      } catch let failure as AgreedFailure {
        guard rule == .whole else {
          throw AgreedFailure(reason: ResumeRule.refusal(of: failure.reason))
        }
        note("checkpoint: \(failure.reason); not used")
        unused.numbers.insert(number)
      }
    }
    return nil
  }

  /// Keeps a state: a run between two levels, or only the thresholds. If it cannot be written, as the disk is full,
  /// the run goes on without.
  ///
  /// > Collective: over `communicator`. Some 80 rounds of a few bytes per rank; rows go from each rank to the files.
  func keep(
    _ choice: ThresholdChoice, _ run: ClusteringRun?, on communicator: some Communicator
  ) throws {
    do {
      let number = (try generations(on: communicator).last ?? 0) + 1
      try writeDirectory(
        to: path(number), marker: Self.description, overwrite: false, on: communicator
      ) { temporary in
        var arrays = CheckedArrays(at: "\(temporary)/")
        let state = try run?.write(to: &arrays, on: communicator)
        try communicator.agree {
          guard communicator.rank == Rank(0) else { return }
          let kept = KeptRun(
            settings: settings, choice: choice, state: state, checksums: arrays.checksums)
          try writeText(
            sealedText(kept, format: format), to: "\(temporary)/\(Self.description)",
            overwrite: false)
        }
      }
      try removeOld(on: communicator)
    } catch let failure as AgreedFailure {
      note("checkpoint: \(failure.reason); this state is not kept")
    }
  }

  /// Removes all but the newest two states, of those that are as they were written, and what a killed run has left
  /// unfinished.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func removeOld(on communicator: some Communicator) throws {
    let all = try generations(on: communicator)
    let stay = all.filter { !unused.numbers.contains($0) }.suffix(2)
    // Until there are two of them, others stay to be looked at.
    let old = stay.count == 2 ? all.filter { !stay.contains($0) } : []
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try removeUnfinished(prefix, in: directory)
      for path in old.map({ path($0) }) {
        do { try FileManager.default.removeItem(atPath: path) } catch {
          throw DataError(path: path, problem: "cannot remove it: an old checkpoint")
        }
      }
    }
  }

  /// The numbers of the states that are there, ascending.
  ///
  /// > Collective: over `communicator`. Rounds of some bytes per rank.
  private func generations(on communicator: some Communicator) throws -> [Int] {
    let numbers = try communicator.agree { () -> [Int] in
      guard communicator.rank == Rank(0) else { return [] }
      return try (namesInDirectory(directory) ?? []).compactMap { name in
        name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil
      }.filter { (1...Self.lastGeneration).contains($0) }
    }
    return try communicator.broadcast(numbers.sorted())
  }

  /// More than any run has levels.
  private static let lastGeneration = 1_000_000_000

  /// What a state says of itself, and its arrays, which are not read yet.
  ///
  /// > Collective: over `communicator`. Two rounds of some bytes per rank, and one of the text.
  private func description(_ number: Int, on communicator: some Communicator) throws -> (
    KeptRun, CheckedArrays
  ) {
    let file = "\(path(number))/\(Self.description)"
    let text = try communicator.agree { () -> [UInt8] in
      guard communicator.rank == Rank(0) else { return [] }
      do { return Array(try Data(contentsOf: URL(filePath: file))) } catch {
        throw DataError(path: file, problem: "damaged: cannot be read")
      }
    }
    let bytes = try communicator.broadcast(text)
    return try communicator.agree {
      let kept: KeptRun = try unsealed(bytes, of: file, format: format)
      guard kept.settings == settings else {
        throw DataError(path: file, problem: "of another run")
      }
      return (kept, CheckedArrays(at: "\(path(number))/", checksums: kept.checksums))
    }
  }

  private var prefix: String { "run-\(digest(of: settings))-" }

  private func path(_ number: Int) -> String { "\(directory)/\(prefix)\(number)" }

  /// The file that is written last.
  private static let description = "run.json"
}

/// The numbers of states that are not as they were written; the same on all ranks.
private final class UnusedStates {
  var numbers: Set<Int> = []
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
    case .given(let given): settings["tau"] = "\(given.first), then \(given.later)"
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
