import Communication
import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Synchronization
import Testing

/// The states that a search keeps, put together, in memory.
private final class MemoryStore: SearchStore, Sendable {
  struct Kept: Sendable {
    let place: SearchPlace
    let names: [GlobalNode]
    let similarities: [Float]
  }

  private let start: Kept?
  private let kept = Mutex<[Kept]>([])

  /// - Parameter start: From where the search goes on.
  init(from start: Kept? = nil) { self.start = start }

  var states: [Kept] { kept.withLock { $0 } }

  func newest(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> SearchState? {
    let owned = nodes.owned(by: communicator.rank)
    return start.map {
      let places = owned.lowerBound * length..<owned.upperBound * length
      return SearchState(
        place: $0.place, names: Array($0.names[places]),
        similarities: Array($0.similarities[places]))
    }
  }

  func isDue(on communicator: some Communicator) -> Bool { true }

  func keep(
    _ state: SearchState, in nodes: NodePartition, on communicator: some Communicator
  ) throws {
    let names = try communicator.allGather(state.names.map(\.index)).values
    let similarities = try communicator.allGather(state.similarities).values
    guard communicator.rank == Rank(0) else { return }
    kept.withLock {
      $0.append(
        Kept(
          place: state.place, names: names.map { GlobalNode($0) }, similarities: similarities))
    }
  }
}

@Suite struct ASearchThatGoesOn {
  enum Data: CaseIterable {
    case clustered, diffuse
    /// Lists that are heaps while they are collected.
    case longLists
  }

  private func rows(_ data: Data) -> Matrix {
    guard data != .diffuse else { return unitRows(1500, 24, seed: 81) }
    let centers = unitRows(40, 20, seed: 60)
    var rows = randomMatrix(1600, 20, seed: 61)
    for row in 0..<1600 {
      for column in 0..<20 {
        rows[row, column] = 0.4 * rows[row, column] + centers[row * 7 % 40, column]
      }
    }
    rows.normalizeRows()
    return rows
  }

  private func search(
    _ data: Data, ranks: Int, threads: Int = 1, keptIn store: MemoryStore?
  ) throws -> (lists: NeighborLists, summary: ApproximateSummary) {
    let rows = rows(data)
    let listLength = data == .longLists ? 140 : 9
    let nodes = NodePartition(sharing: rows.rowCount, among: ranks)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try approximateNeighbors(
        of: StoredRows(rows.slice(nodes.owned(by: communicator.rank))), listLength: listLength,
        recall: 0.99, dividedBy: SearchDivision(slabCount: 4), in: nodes, keptIn: store,
        using: Workers(threads), on: communicator)
    }
    var summary = shares[0].summary
    summary.imbalance = 1
    return (
      NeighborLists(
        listLength: listLength, neighbors: shares.flatMap(\.lists.neighbors),
        similarities: shares.flatMap(\.lists.similarities)), summary
    )
  }

  @Test(arguments: Data.allCases, [(1, 3), (3, 1), (2, 2)])
  func endsWithTheSameBitsOnAnyNumberOfRanks(data: Data, ranks: (first: Int, then: Int)) throws {
    let whole = try search(data, ranks: 1, keptIn: nil)
    let store = MemoryStore()
    let watched = try search(data, ranks: ranks.first, keptIn: store)
    #expect(watched.lists == whole.lists && watched.summary == whole.summary)
    let states = store.states
    // After a partition, and amid one.
    #expect(states.count > whole.summary.recallByPartition.count)
    if data != .longLists {
      #expect(states.contains { !$0.place.summary.recallByPartition.isEmpty })
    }
    for state in stride(from: 0, to: states.count, by: max(1, states.count / 5)).map({ states[$0] })
    {
      let later = MemoryStore(from: state)
      let found = try search(data, ranks: ranks.then, threads: 2, keptIn: later)
      #expect(found.lists == whole.lists && found.summary == whole.summary)
      // Nothing is done again but what was begun.
      let finished = state.place.summary.recallByPartition
      #expect(
        later.states.allSatisfy {
          $0.place != state.place && $0.place.summary.recallByPartition.starts(with: finished)
        })
    }
  }
}
