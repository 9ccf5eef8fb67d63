import Datasets
import FoundationEssentials
import HierarchicalClustering
import LinearAlgebra

/// Where rates are kept, and which ones a plan takes.
enum RatesFile {
  /// `highland/rates.json` in the user's cache directory; nil where there is none.
  static var usualPath: String? {
    let environment = ProcessInfo.processInfo.environment
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
      return "\(cache)/highland/rates.json"
    }
    return environment["HOME"].flatMap { $0.isEmpty ? nil : "\($0)/.cache/highland/rates.json" }
  }

  /// Rates, and where they come from.
  struct Origin {
    let rates: Rates
    /// A sentence for people.
    let account: String
  }

  /// Those of a file, or those that were measured here before, or else those of the program.
  ///
  /// - Throws: ``DataError`` for a file that cannot be read.
  static func rates(_ path: String?) throws -> Origin {
    if let path { return Origin(rates: try read(path), account: "those of \(path)") }
    if let usualPath, FileManager.default.fileExists(atPath: usualPath) {
      return Origin(rates: try read(usualPath), account: "measured by --calibrate, in \(usualPath)")
    }
    return Origin(
      rates: .built,
      account: "those of the program; highland plan --calibrate measures this machine")
  }

  /// Writes rates for later plans.
  ///
  /// - Throws: ``DataError`` if they cannot be written.
  static func write(_ rates: Rates, to path: String?, overwrite: Bool) throws -> String {
    if let path {
      try writeJSON(rates, to: path, overwrite: overwrite)
      return path
    }
    guard let usualPath else {
      throw DataError(
        path: "rates.json", problem: "there is no cache directory; expected --constants FILE")
    }
    let directory = usualPath.split(separator: "/").dropLast().joined(separator: "/")
    try? FileManager.default.createDirectory(
      atPath: "/\(directory)", withIntermediateDirectories: true)
    try writeJSON(rates, to: usualPath, overwrite: true)
    return usualPath
  }

  private static func read(_ path: String) throws -> Rates {
    guard let contents = FileManager.default.contents(atPath: path) else {
      throw DataError(path: path, problem: "cannot be read")
    }
    guard let rates = try? JSONDecoder().decode(Rates.self, from: contents) else {
      throw DataError(path: path, problem: "no rates of highland plan --calibrate")
    }
    if let problem = rates.problem { throw DataError(path: path, problem: problem) }
    return rates
  }
}

extension Rates {
  /// Of the processor and kernels of this machine.
  var areOfThisMachine: Bool {
    processor == Machine.processorName ?? "unknown" && kernels == KernelLevel.current.rawValue
  }
}
