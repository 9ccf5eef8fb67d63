public import Communication
internal import Datasets
public import DistributedGraphs
internal import FoundationEssentials
public import NeighborSearch

/// A directory that keeps the neighbour lists of runs, so that the same command, on any number of ranks, need not
/// search them again.
///
/// The lists of a run are two arrays, as of `highland knn`, and a text that says which run they are of and what
/// they must add up to. The text is written last. The names follow from the settings of the run, so that
/// different runs may share a directory.
public struct NeighborCheckpoint: ListStore {
  private let directory: String
  /// What lists depend on, by name.
  private let settings: [String: String]
  private let rule: ResumeRule
  private let note: (String) -> Void
  /// Of rank 0; nil there if another job holds it.
  private let lock: DirectoryLock?
  /// Replicated. Nil if another job is at work on the same lists.
  private let search: SearchCheckpoint?

  public var unfinished: (any SearchStore)? { search }

  /// Makes the directory if it is not there, and removes what a run has left that was killed as it wrote, unless another
  /// job is at work on the same lists.
  ///
  /// > Collective: over `communicator`. Two rounds of a byte per rank.
  ///
  /// - Parameters:
  ///   - rows: Replicated. A hash of the rows and their order.
  ///   - mergesCopies: Whether lists are of different directions, not of rows.
  ///   - version: Of the program. Another one may search otherwise.
  ///   - interval: Between two states of an approximate search, at least.
  ///   - rule: Replicated.
  ///   - note: Tells of what was found, and of what could not be written.
  public init(
    _ directory: String, of rows: String, _ options: SearchOptions, listLength: Int,
    invalid policy: InvalidRowPolicy, mergingCopies mergesCopies: Bool,
    version: String, every interval: Duration = Self.usualInterval,
    resuming rule: ResumeRule = .whole,
    note: @escaping (String) -> Void, on communicator: some Communicator
  ) throws {
    var settings = [
      "features": rows, "places": "\(listLength)", "search": options.method.rawValue,
      "invalid rows": policy.rawValue, "copies": mergesCopies ? "merged" : "kept",
    ]
    if options.method != .exact { settings["recall"] = "\(options.recall)" }
    self.directory = directory
    self.settings = settings
    self.rule = rule
    self.note = note
    let prefix = Self.prefix(of: settings)
    lock = try communicator.agree {
      guard communicator.rank == Rank(0) else { return nil }
      do {
        try FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: true)
      } catch { throw DataError(path: directory, problem: "cannot create the directory") }
      let lock = try DirectoryLock.take("\(directory)/lock-\(prefix)")
      if lock != nil { try removeUnfinished(prefix, in: directory) }
      return lock
    }
    search =
      try communicator.any(lock != nil)
      ? SearchCheckpoint(
        directory, settings: settings, version: version, every: interval, resuming: rule, note: note
      ) : nil
  }

  /// The lists of an earlier run; nil where there are none, or none that are whole.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank, and of the text.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if they are not as they were written, and may not be passed over.
  public func lists(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> (lists: NeighborLists, summary: SearchSummary)? {
    // Rank 0 looks, as all ranks must see the same.
    let text = try communicator.agree { () -> [UInt8] in
      guard communicator.rank == Rank(0), try exists(description) else { return [] }
      // A byte before the text tells an empty one from none.
      return [1] + ((try? fileBytes(description)) ?? [])
    }
    let bytes = try communicator.broadcast(text)
    guard !bytes.isEmpty else { return nil }
    do {
      let kept = try communicator.agree { () -> KeptLists in
        let kept: KeptLists = try unsealed(
          Array(bytes.dropFirst()), of: description, format: Self.format)
        guard kept.settings == settings, kept.nodeCount == nodes.nodeCount,
          kept.listLength == length
        else { throw DataError(path: description, problem: "of another run") }
        return kept
      }
      let arrays = CheckedArrays(at: path("."), checksums: kept.checksums)
      let owned = nodes.owned(by: communicator.rank)
      let neighbors = try arrays.read(
        "neighbors", width: length, rows: owned, of: nodes.nodeCount, on: communicator
      ) { (name: Int64) in GlobalNode(name) }
      let similarities: [Float] = try arrays.read(
        "similarities", width: length, rows: owned, of: nodes.nodeCount, on: communicator)
      note("checkpoint: the neighbours are those of \(description)")
      // Of a run that was killed as it removed them.
      try search?.removeAll(on: communicator)
      return (
        NeighborLists(
          listLength: length, neighbors: neighbors, similarities: similarities), kept.summary
      )
    } catch let failure as AgreedFailure {
      guard rule == .whole else {
        throw AgreedFailure(reason: ResumeRule.refusal(of: failure.reason))
      }
      note("checkpoint: \(failure.reason); the neighbours are searched again")
      return nil
    }
  }

  /// If they cannot be written, as the disk is full, the run goes on without.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank; lists go from each rank to the files.
  public func keep(
    _ lists: NeighborLists, _ summary: SearchSummary, in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    var arrays = CheckedArrays(at: path("."))
    func write<Element: CheckedElement>(
      as name: String, _ block: (Range<Int>) -> [Element]
    ) throws {
      try arrays.write(
        count: lists.neighbors.count, as: name, width: lists.listLength,
        firstRow: nodes.owned(by: communicator.rank).lowerBound, of: nodes.nodeCount,
        on: communicator, block)
    }
    do {
      try write(as: "neighbors") { lists.neighbors[$0].map(\.index) }
      try write(as: "similarities") { Array(lists.similarities[$0]) }
      let kept = KeptLists(
        settings: settings, nodeCount: nodes.nodeCount, listLength: lists.listLength,
        checksums: arrays.checksums, summary: summary)
      try communicator.agree {
        guard communicator.rank == Rank(0) else { return }
        try writeText(sealedText(kept, format: Self.format), to: description, overwrite: true)
      }
      try search?.removeAll(on: communicator)
    } catch let failure as AgreedFailure {
      note("checkpoint: \(failure.reason); the neighbours are not kept")
    }
  }

  /// The file that is written last.
  private var description: String { path(".json") }

  private func path(_ ending: String) -> String { "\(directory)/\(prefix)\(ending)" }

  /// How the names of its files begin.
  private var prefix: String { Self.prefix(of: settings) }

  private static func prefix(of settings: [String: String]) -> String {
    "neighbors-\(digest(of: settings))"
  }

  private static let format = "highland neighbours 2"

  /// What is lost at most if a search is ended, beside what is done at once.
  public static let usualInterval = Duration.seconds(300)
}

/// What ``NeighborCheckpoint`` keeps beside arrays.
private struct KeptLists: Codable {
  var settings: [String: String]
  var nodeCount: Int
  var listLength: Int
  /// Of the arrays, by name.
  var checksums: [String: String]
  var summary: SearchSummary
}

/// Removes files and directories that a killed run was about to write.
///
/// - Parameter prefix: How their names begin.
package func removeUnfinished(_ prefix: String, in directory: String) throws {
  for name in try namesInDirectory(directory) ?? []
  where name.hasPrefix(prefix) && name.contains(".tmp-") {
    do { try FileManager.default.removeItem(atPath: "\(directory)/\(name)") } catch {
      throw DataError(
        path: "\(directory)/\(name)", problem: "cannot remove it: an unfinished checkpoint")
    }
  }
}
