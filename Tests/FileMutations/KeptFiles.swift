internal import Communication
internal import DistributedGraphs
internal import Foundation
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Optimization
internal import Training

// What runs keep for others.

extension FuzzedReader {
  /// What a search keeps: its lists, and their description.
  static func keptLists() throws -> FuzzedReader {
    @Sendable func checkpoint(_ directory: String) throws -> NeighborCheckpoint {
      try NeighborCheckpoint(
        directory, of: "rows", SearchOptions(.exact), listLength: 2, invalid: .error,
        mergingCopies: false, version: "1", note: { _ in }, on: SingleRank())
    }
    let nodes = NodePartition(sharing: 3, among: 1)
    let found = try nearestNeighbors(
      of: Matrix(rows: 3, columns: 2, elements: [1, 0, 1, 1, 1, 2]), listLength: 2,
      by: SearchOptions(.exact), in: nodes, on: SingleRank())
    let lists = found.lists
    let files = try filesWritten { directory in
      try checkpoint(directory).keep(lists, found.summary, in: nodes, on: SingleRank())
    }
    return FuzzedReader("neighbours that were kept", files: files) {
      let found = try checkpoint($0).lists(length: 2, in: nodes, on: SingleRank())
      // What was changed is noticed: it is not used, or it is what was kept.
      if let found, found.lists != lists {
        throw DamageTaken("other lists than were kept")
      }
    }
  }

  /// What a search keeps that is not finished.
  static func keptSearch() throws -> FuzzedReader {
    let rows = Matrix(
      rows: 300, columns: 2,
      elements: (0..<300).flatMap { [cos(Float($0)), sin(Float($0))] })
    let nodes = NodePartition(sharing: rows.rowCount, among: 1)
    @Sendable func store(_ directory: String) throws -> any SearchStore {
      try NeighborCheckpoint(
        directory, of: "rows", SearchOptions(.approximate), listLength: 2, invalid: .error,
        mergingCopies: false, version: "1", every: .zero, note: { _ in }, on: SingleRank()
      ).unfinished!
    }
    @Sendable func newest(_ directory: String) throws -> SearchState? {
      try store(directory).newest(length: 2, in: nodes, on: SingleRank())
    }
    var whole: SearchState?
    let files = try filesWritten { directory in
      _ = try approximateNeighbors(
        of: StoredRows(rows), listLength: 2, in: nodes, keptIn: store(directory),
        on: SingleRank())
      whole = try newest(directory)
    }
    /// The number of the state that a file is of, with which the name of its directory ends.
    func state(of name: String) -> Int? {
      name.prefix { $0 != "/" }.split(separator: "-").last.flatMap { Int($0) }
    }
    let last = files.compactMap { state(of: $0.name) }.max()!
    let kept = whole!
    return FuzzedReader(
      "search that was kept", files: files.filter { state(of: $0.name) == last }
    ) {
      // What was changed is noticed: it is not used, or it is what was kept.
      if let found = try newest($0),
        found.place != kept.place || found.names != kept.names
          || found.similarities != kept.similarities
      {
        throw DamageTaken("another state than was kept")
      }
    }
  }

  /// What a clustering keeps after its first level.
  static func keptLevels() throws -> FuzzedReader {
    let source = EmbeddingsInMemory(fewRows)
    let plan = try ClusteringPlan(
      ClusteringOptions(threshold: 0.5),
      with: TrainedModel(path: nil, dimensions: fewRows.columnCount))
    @Sendable func run(_ directory: String, endingBefore end: Int?) throws -> [Int64] {
      let runs = try RunStore(
        directory, plan: plan, input: ["rows": "few"], version: "1", note: { _ in },
        on: SingleRank())
      return try cluster(
        source, by: plan, observer: Keeper(store: nil, runs: runs, end: end), on: SingleRank()
      ).labels
    }
    let files = try filesWritten { directory in
      do { _ = try run(directory, endingBefore: 1) } catch is Ended {}
    }
    let labels = try cluster(source, by: plan, on: SingleRank()).labels
    return FuzzedReader("levels that were kept", files: files) { directory in
      // It keeps more, which the next one shall not find.
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let found = try run(directory, endingBefore: nil)
      guard found == labels else { throw DamageTaken("other labels") }
    }
  }

  /// What highland cluster --save writes.
  static func savedRun() throws -> FuzzedReader {
    let source = EmbeddingsInMemory(fewRows)
    let plan = MethodPlan.flow(FlowPlan(neighborCount: 4))
    let lists = RememberedLists(length: nil, passingOnTo: nil)
    let found = try cluster(
      source, by: plan, observer: Keeper(store: lists, runs: nil, end: nil), on: SingleRank())
    let fit = try FittedClustering(
      of: source, labels: found.labels,
      FittedClustering.Settings(
        ClusteringAccount(of: found, by: plan, with: nil), dimensions: fewRows.columnCount,
        clusterCount: found.clusterCount)!,
      model: nil, along: lists.lists, on: SingleRank())
    let files = try filesWritten { directory in
      try fit.write(to: "\(directory)/run", overwrite: false, on: SingleRank())
    }
    return FuzzedReader("saved run", files: files) {
      _ = try FittedClustering(reading: "\($0)/run", on: SingleRank())
    }
  }

  /// A checkpoint of training.
  static func trainingState() throws -> FuzzedReader {
    let options = TrainingOptions(
      shape: LanderShape(dimensions: 3, hidden: 2),
      chains: [TrainingChain(neighborCount: 3, levelCount: 1)], loss: LinkageLoss(),
      optimizer: .adam(), learningRate: 0.01, epochCount: 1, dropout: 0, rotates: false, seed: 1)
    @Sendable func checkpoints(_ directory: String) -> CheckpointDirectory {
      CheckpointDirectory(directory, settings: ["--seed": "1"])
    }
    let files = try filesWritten { directory in
      try checkpoints(directory).save(TrainingState(options), on: SingleRank())
    }
    return FuzzedReader("checkpoint of training", files: files) {
      let template = options.shape.initialParameters(seed: 0)
      let _: TrainingState? = try checkpoints($0).load(
        options.optimizer, like: template, note: { _ in }, on: SingleRank())
    }
  }
}

/// Ends a clustering before a level.
private struct Keeper: ClusteringObserver {
  let store: (any ListStore)?
  let runs: RunStore?
  let end: Int?

  func begins(level: Int) throws {
    if level == end { throw Ended() }
  }

  func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
}

private struct Ended: Error {}

/// Two clusters of some directions each.
private let fewRows = Matrix(
  rows: 12, columns: 3,
  elements: (0..<12).flatMap { (row: Int) -> [Float] in
    let (near, far): (Float, Float) = row < 6 ? (1, 0.1) : (0.1, 1)
    return [near, far, 0.02 * Float(row % 6)]
  })

/// The files that `write` makes in an empty directory, by name.
private func filesWritten(
  _ write: (_ directory: String) throws -> Void
) throws -> [(name: String, bytes: [UInt8])] {
  let directory =
    NSTemporaryDirectory() + "highland-kept-\(ProcessInfo.processInfo.globallyUniqueString)"
  try FileManager.default.createDirectory(
    atPath: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: directory) }
  try write(directory)
  return try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
    .compactMap { name in
      guard !name.hasPrefix("lock-") else { return nil }
      // Nothing for a directory.
      return FileManager.default.contents(atPath: "\(directory)/\(name)")
        .map { (name, Array($0)) }
    }
}
