public import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import FoundationEssentials
import MPICommunication
public import NeighborSearch
import Parallelism

// Options that several commands share.

struct FeatureOptions: ParsableArguments {
  @Argument(
    help: """
      Embeddings, one row per point: .npy of numbers, .fvecs, .fbin, or raw float32 .bin with \
      --dimensions.
      """)
  var features: String

  @Option(help: "Columns of a raw .bin file; checked for other formats.")
  var dimensions: Int?

  func open(on communicator: some Communicator) throws -> FeatureFile {
    try communicator.agree { try FeatureFile(path: features, dimensions: dimensions) }
  }
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

  /// Finds out now whether the outputs can be written, before the work.
  ///
  /// > Collective: over `communicator`. One round of one byte.
  ///
  /// - Parameters:
  ///   - directory: An output that is written as a whole, and may not hold others.
  ///   - appended: An output that may exist already, because it is appended to.
  func check(
    _ paths: [String?], outside directory: String? = nil, appended: String? = nil,
    on communicator: some Communicator
  ) throws {
    try communicator.agree {
      let paths = paths.compactMap { $0 }
      var seen = Set(directory.map { [pathComponents($0)] } ?? [])
      for path in paths + (appended.map { [$0] } ?? []) {
        guard seen.insert(pathComponents(path)).inserted else {
          throw DataError(path: path, problem: "named for two outputs")
        }
        if let directory, pathComponents(path).starts(with: pathComponents(directory)) {
          throw DataError(
            path: path, problem: "lies in the directory '\(directory)', which is another output")
        }
      }
      guard communicator.rank == Rank(0) else { return }
      for path in paths { try checkWritable(path, overwrite: overwrite) }
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
    let available = Machine.availableProcessorCount
    // A rank bound to some processors need not share them.
    let isBound = available < Machine.processorCount
    return Workers(max(1, isBound ? available : available / ranksHere))
  }
}

struct NeighborSearchOptions: ParsableArguments {
  @Option(
    name: .customLong("search"),
    help: ArgumentHelp(
      "How neighbours are searched: exact, approximate, or auto.",
      discussion: """
        approximate compares points within cells until --recall of the true neighbours is found; auto \
        does so where it is much faster than comparing all pairs. Default: auto.
        """))
  var givenSearch: SearchMethod?

  @Option(
    name: .customLong("recall"),
    help: """
      The share of the true neighbours that an approximate search is to find. Default: 0.98.
      """)
  var givenRecall: Double?

  func validate() throws {
    guard let givenRecall else { return }
    guard (0...1).contains(givenRecall) else {
      throw ValidationError("--recall \(givenRecall): expected 0 ... 1")
    }
    guard givenSearch != .exact else {
      throw ValidationError("--recall is of approximate searches; not with --search exact")
    }
  }

  var options: SearchOptions { SearchOptions(givenSearch ?? .auto, recall: givenRecall ?? 0.98) }

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

/// The rows, out of `count`, that this rank is responsible for.
func ownShare(of count: Int, on communicator: some Communicator) -> Range<Int> {
  NodePartition(sharing: count, among: communicator.size).owned(by: communicator.rank)
}
