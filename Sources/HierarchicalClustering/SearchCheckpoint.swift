internal import Communication
internal import Datasets
internal import DistributedGraphs
internal import NeighborSearch

/// The states of an approximate search that is not finished, in the directory of a ``NeighborCheckpoint``.
struct SearchCheckpoint: SearchStore {
  private let states: StateDirectory
  private let interval: Duration
  private let pace = Pace()

  /// When a state was last kept, or the run began, and how long that took.
  private final class Pace {
    var last = ContinuousClock.now
    var cost = Duration.zero
  }

  /// States take no more than this part of the time.
  private static let mostShare = 0.05

  /// - Parameters:
  ///   - directory: It is there.
  ///   - settings: What the lists depend on, by name.
  ///   - version: Of the program. Another one may search otherwise.
  ///   - interval: Between two states, at least; 0 keeps one whenever it can.
  init(
    _ directory: String, settings: [String: String], version: String, every interval: Duration,
    resuming rule: ResumeRule, note: @escaping (String) -> Void
  ) {
    states = StateDirectory(
      directory, kind: "search", settings: settings, format: "search 1 of highland \(version)",
      resuming: rule, note: note)
    self.interval = interval
  }

  /// > Collective: over `communicator`. A few rounds for each state that is looked at.
  func newest(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> SearchState? {
    try states.newest(on: communicator) { (kept: KeptSearch, arrays) in
      let owned = nodes.owned(by: communicator.rank)
      let names = try arrays.read(
        "neighbors", width: length, rows: owned, of: nodes.nodeCount, on: communicator
      ) { (name: Int64) in GlobalNode(name) }
      let similarities: [Float] = try arrays.read(
        "similarities", width: length, rows: owned, of: nodes.nodeCount, on: communicator)
      let number = kept.place.summary.recallByPartition.count + 1
      return (
        SearchState(place: kept.place, names: names, similarities: similarities),
        account: "in partition \(number) of the search"
      )
    }
  }

  /// > Collective: over `communicator`. A round of a byte per rank.
  func isDue(on communicator: some Communicator) throws -> Bool {
    let elapsed = pace.last.duration(to: .now)
    // The clock of one rank tells, as all must do the same.
    return try communicator.any(
      communicator.rank == Rank(0)
        && (interval == .zero || elapsed >= max(interval, pace.cost / Self.mostShare)))
  }

  /// > Collective: over `communicator`. Some 30 rounds of a few bytes per rank; lists go from each rank to the files.
  func keep(
    _ state: SearchState, in nodes: NodePartition, on communicator: some Communicator
  ) throws {
    let start = ContinuousClock.now
    let width = nodes.nodeCount == 0 ? 0 : try communicator.sum(state.names.count) / nodes.nodeCount
    let first = nodes.owned(by: communicator.rank).lowerBound
    try states.keep(on: communicator) { arrays in
      try arrays.write(
        count: state.names.count, as: "neighbors", width: width, firstRow: first,
        of: nodes.nodeCount, on: communicator
      ) { state.names[$0].map(\.index) }
      try arrays.write(
        state.similarities, as: "similarities", width: width, firstRow: first,
        of: nodes.nodeCount, on: communicator)
      return KeptSearch(
        settings: states.settings, place: state.place, checksums: arrays.checksums)
    }
    pace.last = .now
    pace.cost = start.duration(to: pace.last)
  }

  /// Removes all states, once the lists are finished and kept.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  func removeAll(on communicator: some Communicator) throws {
    try states.removeAll(on: communicator)
  }
}

/// What ``SearchCheckpoint`` keeps beside arrays.
private struct KeptSearch: StateDescription {
  var settings: [String: String]
  var place: SearchPlace
  var checksums: [String: String]
}
