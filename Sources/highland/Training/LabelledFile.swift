import Communication
import Datasets
import HierarchicalClustering
import Training

/// Features in one file or several, and the identities of their rows, from another.
struct LabelledFile {
  let features: FeatureFiles
  let labelPath: String
  /// Replicated. Which identities are held out depends on all of them.
  let labels: [Int64]
  /// Replicated. The group of each row, if rows are clustered within groups, and its file.
  private(set) var groups: (rows: [Int64], path: String)?

  /// - Throws: ``DataError``: files that do not fit each other, or rows that are all of one identity.
  init(_ features: FeatureFiles, labels path: String) throws {
    self.features = features
    labelPath = path
    let file = try LabelFile(path: path)
    guard file.count == features.rowCount else {
      throw file.miscount(expected: features.rowCount, "one per row of \(features.path)")
    }
    labels = try file.labels(0..<file.count)
    if let first = labels.first, labels.allSatisfy({ $0 == first }) {
      throw DataError(
        path: path, problem: "\(TrainingDataError.fewIdentities(count: 1, needed: 2))")
    }
    if labels.count > 1, Set(labels).count == labels.count {
      throw DataError(
        path: path,
        problem: "no two of the \(labels.count) labels are equal; expected points that belong together")
    }
  }

  /// The two paths of an option.
  ///
  /// > Collective: over `communicator`. As opening the features, and a round of a byte.
  ///
  /// - Parameter dimensions: Columns of a raw file, which does not say them.
  init(
    _ paths: ArraySlice<String>, dimensions: Int?, on communicator: some Communicator
  ) throws {
    let features = try FeatureFiles(
      path: paths.first!, dimensions: dimensions, isForOthers: true, on: communicator)
    self = try communicator.agree { try LabelledFile(features, labels: paths.last!) }
  }

  /// - Throws: ``DataError`` for a file without a group for every row.
  mutating func readGroups(_ path: String) throws {
    groups = (try groupFile(path, count: labels.count).firstRows(0..<labels.count), path)
  }

  var embeddings: LabelledEmbeddings {
    LabelledEmbeddings(features, labels: labels, groups: groups?.rows)
  }
}

/// What a run must have in common with its checkpoints.
struct RunIdentity {
  /// By the names of options, and fingerprints of data by what they are for.
  private(set) var settings: [String: String]
  /// By the names of settings.
  private(set) var files: [String: String] = [:]

  init(_ settings: [String: String]) { self.settings = settings }

  /// > Collective: over `communicator`. Rounds of a few bytes.
  ///
  /// - Parameter use: What the file is for, as messages call it.
  mutating func add(
    _ file: LabelledFile, as use: String, on communicator: some Communicator
  ) throws {
    let prefix = use.isEmpty ? "" : "\(use) "
    settings["\(prefix)features"] =
      try Fingerprint(of: file.features, on: communicator).description
    files["\(prefix)features"] = file.features.path
    settings["\(prefix)labels"] = Fingerprint(of: file.labels).description
    files["\(prefix)labels"] = file.labelPath
    guard let groups = file.groups else { return }
    settings["\(prefix)groups"] = Fingerprint(of: groups.rows).description
    files["\(prefix)groups"] = groups.path
  }

  mutating func add(_ model: [Tensor], from path: String, as use: String) {
    settings[use] = Fingerprint(of: model).description
    files[use] = path
  }
}
