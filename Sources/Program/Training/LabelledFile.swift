import Communication
import Datasets
import HierarchicalClustering
import Training

/// Features in one file or several, and the identities of their rows, from another.
struct LabelledFile {
  let features: FeatureFiles
  /// Replicated. Of the rows that are kept. Which identities are held out depends on all of them.
  let labels: [Int64]
  /// Replicated. The group of each row that is kept, if rows are clustered within groups, and its file.
  private(set) var groups: (rows: [Int64], path: String)?
  /// Replicated. The rows that are of an identity, ascending; nil if all are.
  private let kept: [Int]?
  private let labelFile: LabelFile
  private let noise: String?

  /// - Parameter noise: The label of rows that are left out.
  /// - Throws: ``DataError``: files that do not fit each other, or rows that are all of one identity.
  init(_ features: FeatureFiles, labels path: String, noise: String? = nil) throws {
    self.features = features
    self.noise = noise
    let file = try LabelFile(path: path)
    labelFile = file
    guard file.count == features.rowCount else {
      throw file.miscount(expected: features.rowCount, "one per row of \(features.path)")
    }
    let all = try file.labels(0..<file.count)
    let number = try noise.flatMap { try file.number(of: $0) }
    kept = number.map { number in all.indices.filter { all[$0] != number } }
    labels = kept.map { $0.map { all[$0] } } ?? all
    if let first = labels.first, labels.allSatisfy({ $0 == first }) {
      throw DataError(
        path: path, problem: "\(TrainingDataError.fewIdentities(count: 1, needed: 2))")
    }
    if labels.count > 1, Set(labels).count == labels.count {
      throw DataError(
        path: path,
        problem: "no two of the \(labels.count) labels are equal: there is no linkage to learn")
    }
  }

  /// The two paths of an option.
  ///
  /// > Collective: over `communicator`. As opening the features, and a round of a byte.
  ///
  /// - Parameters:
  ///   - dimensions: Columns of a raw file, which does not say them.
  ///   - noise: The label of rows that are left out.
  init(
    _ paths: ArraySlice<String>, dimensions: Int?, noise: String?,
    on communicator: some Communicator
  ) throws {
    let features = try FeatureFiles(
      path: paths.first!, dimensions: dimensions, isForOthers: true, on: communicator)
    self = try communicator.agree {
      try LabelledFile(features, labels: paths.last!, noise: noise)
    }
  }

  var labelPath: String { labelFile.path }

  /// Says on stderr what is odd about the labels, and how many rows are left out.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  func note(on communicator: some Communicator) throws {
    try noteLabels(labels, of: labelFile, on: communicator)
    guard let noise else { return }
    noteNoise(
      labelFile.count - labels.count, of: labelFile.count, label: noise, labelPath,
      on: communicator)
  }

  /// - Throws: ``DataError`` for a file without a group for every row.
  mutating func readGroups(_ path: String) throws {
    let count = features.rowCount
    let all = try groupFile(path, count: count).firstRows(0..<count)
    groups = (kept.map { $0.map { all[$0] } } ?? all, path)
  }

  /// Some of the rows that are kept.
  ///
  /// - Parameter points: Their places among these, ascending.
  func subset(_ points: [Int]) -> EmbeddingSubset<FeatureFiles> {
    EmbeddingSubset(features, kept.map { kept in points.map { kept[$0] } } ?? points)
  }

  var embeddings: LabelledEmbeddings {
    guard let kept else {
      return LabelledEmbeddings(features, labels: labels, groups: groups?.rows)
    }
    return LabelledEmbeddings(
      EmbeddingSubset(features, kept), labels: labels, groups: groups?.rows)
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
