public import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import FoundationEssentials
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
public import NeighborSearch
import Parallelism

// Options that several commands share.

struct FeatureOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      """
      Embeddings, one row per point: .npy of numbers, .fvecs, .bvecs, .ivecs, .fbin, .u8bin, .i8bin, .npz or .safetensors, or \
      raw float32 .bin with --dimensions; or several such files.
      """,
      discussion: """
        Several files are one matrix, whose rows follow each other: a pattern in quotes ('part-*.npy') in the order \
        of the numbers in the names, a directory, or a text of paths, one a line, named .files or .list. Of several matrices in \
        .npz (not compressed) or .safetensors one is named: faces.npz:embeddings, 'part-*.npz:embeddings'.
        """))
  var features: String

  @Option(help: "Columns of a raw .bin file; checked for other formats.")
  var dimensions: Int?

  /// > Collective: over `communicator`, as ``openFeatures(_:dimensions:on:)``.
  func open(on communicator: MPICommunicator) throws -> FeatureFiles {
    try openFeatures(features, dimensions: dimensions, on: communicator)
  }
}

/// Opens features, whose rows are all to be in memory, on some rank each.
///
/// > Collective: over `communicator`. A few rounds of some bytes per rank, and the paths from rank 0.
///
/// - Parameter isForOthers: Whether the dimensions are of other features, and count only for a raw file, which does not say
///   them.
func openFeatures(
  _ path: String, dimensions: Int?, isForOthers: Bool = false, on communicator: MPICommunicator
) throws -> FeatureFiles {
  let file = try FeatureFiles(
    path: path, dimensions: dimensions, isForOthers: isForOthers, on: communicator)
  let owned = ownShare(of: file.rowCount, on: communicator)
  try MemoryNeed(
    option: path, purpose: "[\(file.rowCount) × \(file.columnCount)] features",
    bytes: Double(owned.count)
      * Double(StoredRows.byteCount(columns: file.columnCount, of: file.storedElement))
  ).check(on: communicator)
  return file
}

struct OutputOptions: ParsableArguments {
  @Flag(help: "Replace outputs that exist.")
  var overwrite = false

  /// Refuses to replace outputs where nothing is written.
  ///
  /// - Parameter names: The options that write, where none of them need be given.
  func check(_ outputs: [String?], named names: String) throws {
    guard !overwrite || outputs.contains(where: { $0 != nil }) else {
      throw ValidationError("--overwrite replaces outputs that exist; expected \(names)")
    }
  }

  /// Finds out now whether the outputs can be written, before the work: that no two are the same, that
  /// none of them is an input, and that their extensions say what they will hold.
  ///
  /// > Collective: over `communicator`. One round of one byte.
  ///
  /// - Parameters:
  ///   - features: What the command reads as features: one file each, or several.
  ///   - inputs: All other files that the command reads. Those that are not there are not looked at.
  ///   - directories: Outputs that are written as a whole, and may not hold others, nor inputs.
  ///   - kept: A directory to which files are added.
  ///   - appended: An output that may exist already, because it is appended to.
  func check(
    _ outputs: [Output?], readingRows features: [String] = [], reading inputs: [String?] = [],
    outside directories: [String?] = [],
    keepingIn kept: String? = nil, appended: Output? = nil, on communicator: some Communicator
  ) throws {
    let outputs = outputs.compactMap { $0 }
    let all = outputs + (appended.map { [$0] } ?? [])
    let directories = directories.compactMap { $0 }
    let isFirst = communicator.rank == Rank(0)
    try communicator.agree {
      if isFirst {
        if let kept, let holding = features.first(where: { isSamePlace($0, kept) }) {
          throw DataError(
            path: kept,
            problem: "is the input '\(holding)'; checkpoints need a directory of their own")
        }
        let parts = try features.flatMap { try FeaturePaths($0).files }
        try checkInputs(parts + inputs.compactMap { $0 }, all, directories)
      }
      var seen = Set<[Substring]>()
      let paths = all.map(\.path) + [kept].compactMap { $0 }
      for path in directories + paths {
        guard seen.insert(pathComponents(path)).inserted else {
          throw DataError(path: path, problem: "named for two outputs")
        }
        for directory in directories where directory != path {
          guard pathComponents(path).starts(with: pathComponents(directory)) else { continue }
          throw DataError(
            path: path, problem: "lies in the directory '\(directory)', which is another output")
        }
      }
      if isFirst {
        try checkDistinct(paths, directories)
        for output in outputs { try checkWritable(output.path, overwrite: overwrite) }
      }
      for output in all { try output.checkExtension() }
    }
  }

  /// - Throws: ``DataError`` for an output that is another by a link, or lies in the output directory by one.
  private func checkDistinct(_ paths: [String], _ directories: [String]) throws {
    for (place, path) in paths.enumerated() {
      for other in paths[..<place] where isSamePlace(path, other) {
        throw DataError(path: path, problem: "is the same file as the output \(other)")
      }
    }
    for path in paths + directories {
      for directory in directories where directory != path {
        guard isSamePlace(path, directory) || lies(path, in: directory) else { continue }
        throw DataError(
          path: path, problem: "lies in the directory '\(directory)', which is another output")
      }
    }
  }

  /// - Throws: ``DataError`` for an output that would replace an input.
  private func checkInputs(
    _ inputs: [String], _ outputs: [Output], _ directories: [String]
  ) throws {
    for input in inputs {
      for path in outputs.map(\.path) where isSameFile(path, input) {
        throw DataError(
          path: path,
          problem: (path == input ? "is an input" : "is the same file as the input \(input)")
            + "; an output needs a name of its own")
      }
      for directory in directories where lies(input, in: directory) {
        throw DataError(
          path: directory,
          problem: "holds the input \(input), and would be replaced; an output needs a name of its "
            + "own")
      }
    }
  }
}

struct ThreadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Threads of each rank. The result does not depend on it.",
      discussion: "Default: the processors that a rank may use, shared by the ranks of a host."))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...4096).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 ... 4096")
    }
  }

  /// > Collective: over `communicator`, unless a number was given.
  func workers(on communicator: MPICommunicator) throws -> Workers {
    if let threads { return Workers(threads) }
    let ranksHere = try communicator.rankCountOnHost()
    let available = AvailableProcessors.count
    // A rank bound to some processors need not share them.
    let isBound = available < Machine.processorCount
    return Workers(max(1, isBound ? available : available / ranksHere))
  }
}

/// What a command goes on from that keeps what is finished.
struct ResumeOptions: ParsableArguments {
  @Option(
    name: .customLong("resume"),
    help: ArgumentHelp(
      "What of --checkpoint to go on from: whole or newest.",
      discussion: """
        whole: the newest state that is as it was written; one that is damaged or of another version is named and \
        passed over. newest: the newest state, and if it is not as it was written, an error names it. Where there is none, \
        the run starts. Default: whole.
        """))
  var givenRule: ResumeRule?

  var rule: ResumeRule { givenRule ?? .whole }

  /// The variable of the environment with the seconds between two states of a search.
  private static let intervalVariable = "HIGHLAND_SEARCH_INTERVAL"

  /// How much time passes at least between two states of a search.
  ///
  /// > Collective: over `communicator`. A round of a byte per rank.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if what the environment says is no number of seconds.
  func interval(on communicator: some Communicator) throws -> Duration {
    try communicator.agree {
      guard let text = ProcessInfo.processInfo.environment[Self.intervalVariable] else {
        return NeighborCheckpoint.usualInterval
      }
      guard let seconds = Double(text), (0...1e9).contains(seconds) else {
        throw AgreedFailure(
          reason: "\(Self.intervalVariable)=\(text): expected seconds, 0 ... 1000000000")
      }
      return .seconds(seconds)
    }
  }

  /// - Parameter checkpoint: Where states are kept.
  func check(_ checkpoint: String?) throws {
    guard givenRule == nil || checkpoint != nil else {
      throw ValidationError("--resume goes with --checkpoint")
    }
  }
}

extension ResumeRule: ExpressibleByArgument {}

struct NeighborSearchOptions: ParsableArguments {
  @Option(
    name: .customLong("search"),
    help: ArgumentHelp(
      "How neighbours are searched: exact, approximate, or auto.",
      discussion: """
        approximate compares points within cells until --recall of the true neighbours is found; auto \
        does so where it is much faster than comparing all pairs, from about 65,000 points on. Default: auto.
        """))
  var givenSearch: SearchMethod?

  @Option(
    name: .customLong("recall"),
    help: """
      The share of the true neighbours that an approximate search is to find. Default: 0.99.
      """)
  var givenRecall: Double?

  func validate() throws {
    guard let givenRecall else { return }
    guard givenRecall > 0, givenRecall <= 1 else {
      throw ValidationError("--recall \(givenRecall): expected more than 0, 1 at most")
    }
    guard givenSearch != .exact else {
      throw ValidationError("--recall is of approximate searches; not with --search exact")
    }
  }

  var options: SearchOptions {
    SearchOptions(givenSearch ?? .auto, recall: givenRecall ?? SearchOptions.usualRecall)
  }

  /// What was given, for runs that resume with the same settings. Keys are names of options.
  var settings: [String: String] {
    var settings: [String: String] = [:]
    if let givenSearch { settings["--search"] = givenSearch.rawValue }
    if let givenRecall { settings["--recall"] = "\(givenRecall)" }
    return settings
  }
}

extension SearchMethod: ExpressibleByArgument {}

/// The arguments, with a negative number after an option's name turned into that option's value.
///
///     --tau -0.1   becomes   --tau=-0.1
///
/// Then the error is about the number, not about a missing value. No option's name is a number.
func joiningNegativeNumbers(_ arguments: some Sequence<String>) -> [String] {
  var result: [String] = []
  var onlyOperands = false
  for argument in arguments {
    let isOption = result.last.map { $0.hasPrefix("-") && !$0.contains("=") } ?? false
    if !onlyOperands, isOption, !isNegativeNumber(result.last!), isNegativeNumber(argument) {
      result[result.count - 1] += "=\(argument)"
    } else {
      result.append(argument)
    }
    if argument == "--" { onlyOperands = true }
  }
  return result
}

private func isNegativeNumber(_ argument: String) -> Bool {
  argument.hasPrefix("-") && Double(argument) != nil
}

/// The names that lead from the root to a file, without `.` and `..`: the same for `a`, `./a` and
/// `b/../a`. Links are not followed.
private func pathComponents(_ path: String) -> [Substring] {
  let absolute =
    path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
  var components: [Substring] = []
  for name in absolute.split(separator: "/") where name != "." {
    if name == ".." { _ = components.popLast() } else { components.append(name) }
  }
  return components
}

/// The rows, out of `count`, of the rank that has most if all have equal shares.
func equalShare(of count: Int, on communicator: some Communicator) -> Int {
  (count + communicator.size - 1) / communicator.size
}

/// The rows, out of `count`, that this rank is responsible for.
func ownShare(of count: Int, on communicator: some Communicator) -> Range<Int> {
  NodePartition(sharing: count, among: communicator.size).owned(by: communicator.rank)
}
