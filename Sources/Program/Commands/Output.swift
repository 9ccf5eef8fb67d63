import Communication
import Datasets
import DistributedGraphs

/// A file that a command writes: its path, and what is written there.
struct Output {
  let path: String
  private let content: Content

  private enum Content {
    case labels, names, features, array, model, json, page, table, tree, log

    /// What the extension may be; empty for any that is of no other content.
    var extensions: [String] {
      switch self {
      case .labels: ["npy", "txt"]
      case .names: ["names"]
      case .features: FeatureFormat.written.map(\.rawValue)
      case .array: ["npy"]
      case .model: ["safetensors"]
      case .json, .page, .table, .tree, .log: []
      }
    }

    var name: String {
      switch self {
      case .labels: "labels"
      case .names: "names"
      case .features: "features"
      case .array: "an array"
      case .model: "a model"
      case .json: "JSON"
      case .page: "an HTML page"
      case .table: "a table as text"
      case .tree: "a tree as text"
      case .log: "lines of JSON"
      }
    }

    /// Extensions of files that are something else.
    var others: [String] {
      let binary = FeatureFormat.allCases.map(\.rawValue) + ["safetensors"]
      return switch self {
      case .page: binary + ["json", "jsonl", "csv"]
      case .json: binary + ["html", "htm", "csv"]
      case .table, .tree, .log: binary + ["html", "htm"]
      default: []
      }
    }
  }

  private init?(_ path: String?, _ content: Content) {
    guard let path else { return nil }
    self.path = path
    self.content = content
  }

  static func labels(_ path: String?) -> Output? { Output(path, .labels) }
  static func names(_ path: String?) -> Output? { Output(path, .names) }
  static func features(_ path: String?) -> Output? { Output(path, .features) }
  static func array(_ path: String?) -> Output? { Output(path, .array) }
  static func model(_ path: String?) -> Output? { Output(path, .model) }
  static func json(_ path: String?) -> Output? { Output(path, .json) }
  static func page(_ path: String?) -> Output? { Output(path, .page) }
  static func table(_ path: String?) -> Output? { Output(path, .table) }
  static func tree(_ path: String?) -> Output? { Output(path, .tree) }
  static func log(_ path: String?) -> Output? { Output(path, .log) }

  /// - Throws: ``DataError`` for an extension that says the file is something else.
  func checkExtension() throws {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let found = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
    let expected = content.extensions
    if expected.isEmpty ? !content.others.contains(found) : expected.contains(found) { return }
    // What is no name for a file has an error of its own.
    if name.allSatisfy({ $0 == "." }) { return }
    let what =
      found.isEmpty
      ? "no extension"
      : expected.isEmpty ? "the extension '.\(found)'" : "unknown extension '.\(found)'"
    let remedy = expected.isEmpty ? "" : "; expected \(expected.map { ".\($0)" }.formatted)"
    throw DataError(path: path, problem: "\(what); it is to hold \(content.name)\(remedy)")
  }
}

extension [String] {
  /// As a sentence has them: `a, b or c`.
  fileprivate var formatted: String {
    count < 2 ? joined() : dropLast().joined(separator: ", ") + " or " + self[count - 1]
  }
}

extension OutputOptions {
  /// Reserves the space of labels that will be written, so that a full disk is noticed before the work.
  ///
  /// > Collective: over `communicator`. A round of one byte per rank; none without a path.
  func reserveSpace(forLabels count: Int, at path: String?, on communicator: some Communicator)
    throws
  {
    guard let path else { return }
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try LabelFile.reserveSpace(count: count, to: path)
    }
  }

  /// Writes the labels of points; if that fails, they are kept under another name.
  ///
  /// > Collective: over `communicator`. Two rounds of some bytes per rank.
  ///
  /// - Parameter labels: Owned points.
  func write(
    _ labels: [Int64], of points: NodePartition, to path: String,
    on communicator: some Communicator
  ) throws {
    let first = points.owned(by: communicator.rank).lowerBound
    try keepingOnFailure(
      labels, shape: [points.nodeCount], firstRow: first, of: path, on: communicator
    ) {
      try LabelFile.write(
        labels, count: points.nodeCount, firstRow: first, to: path, overwrite: overwrite,
        on: communicator)
    }
  }
}
