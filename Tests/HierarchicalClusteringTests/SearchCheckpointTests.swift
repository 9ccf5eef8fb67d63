import Communication
import DistributedGraphs
import Foundation
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Synchronization
import Testing

/// A search that ended early goes on from the directory of its states.
@Suite struct ResumingASearch {
  private let directory =
    FileManager.default.temporaryDirectory.path + "/searching-\(UUID().uuidString)"
  private let source = EmbeddingsInMemory(randomMatrix(2000, 16, seed: 91))
  private let options = SearchOptions(
    .approximate, recall: 0.98, division: SearchDivision(slabCount: 8))

  /// Ends a search once it has kept some states.
  private final class Ending: SearchStore {
    private let store: any SearchStore
    private var left: Int

    init(_ store: any SearchStore, after count: Int) { (self.store, left) = (store, count) }

    func newest(
      length: Int, in nodes: NodePartition, on communicator: some Communicator
    ) throws -> SearchState? { try store.newest(length: length, in: nodes, on: communicator) }

    func isDue(on communicator: some Communicator) throws -> Bool {
      try store.isDue(on: communicator)
    }

    func keep(
      _ state: SearchState, in nodes: NodePartition, on communicator: some Communicator
    ) throws {
      try store.keep(state, in: nodes, on: communicator)
      left -= 1
      if left == 0 { throw AgreedFailure(reason: "ended") }
    }
  }

  /// The lists, nil if the search was ended; and what was said.
  private func search(
    ranks: Int, endingAfter count: Int? = nil, version: String = "1", every seconds: Int = 0,
    resuming rule: ResumeRule = .whole
  ) throws -> (lists: [Int64]?, notes: String) {
    let notes = Mutex("")
    let source = source
    let (options, directory) = (options, directory)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator -> [Int64]? in
      let nodes = NodePartition(sharing: source.rowCount, among: communicator.size)
      let checkpoint = try NeighborCheckpoint(
        directory, of: "rows", options, listLength: 9, invalid: .error, mergingCopies: false,
        version: version, every: .seconds(seconds), resuming: rule,
        note: { text in
          if communicator.rank == Rank(0) { notes.withLock { $0 += text + "\n" } }
        }, on: communicator)
      if let kept = try checkpoint.lists(length: 9, in: nodes, on: communicator) {
        return try communicator.allGather(kept.lists.neighbors.map(\.index)).values
      }
      let found = try #require(checkpoint.unfinished)
      let store: any SearchStore = count.map { Ending(found, after: $0) } ?? found
      do {
        let (lists, summary) = try nearestNeighbors(
          of: source.unitRows(
            nodes.owned(by: communicator.rank), invalid: .error, on: communicator),
          listLength: 9, by: options, in: nodes, keptIn: store, on: communicator)
        try checkpoint.keep(lists, summary, in: nodes, on: communicator)
        return try communicator.allGather(lists.neighbors.map(\.index)).values
      } catch let failure as AgreedFailure where failure.reason == "ended" { return nil }
    }
    return (shares[0], notes.withLock { $0 })
  }

  private func states() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasPrefix("search-") }.sorted()
  }

  private func remove() { try? FileManager.default.removeItem(atPath: directory) }

  @Test(arguments: [(1, 3), (3, 1), (2, 2)], [1, 4])
  func goesOnOnAnotherNumberOfRanks(ranks: (first: Int, then: Int), count: Int) throws {
    defer { remove() }
    let whole = try #require(try search(ranks: 1).lists)
    // What led to lists that are kept is not needed.
    #expect(try states() == [])
    remove()
    #expect(try search(ranks: ranks.first, endingAfter: count).lists == nil)
    #expect(try states().count == min(count, 2))
    let state = try #require(states().first)
    let aside = directory + "-aside"
    try FileManager.default.copyItem(
      atPath: "\(directory)/\(state)", toPath: aside)
    let (lists, notes) = try search(ranks: ranks.then)
    #expect(lists == whole)
    #expect(notes.contains("checkpoint: goes on in partition "), "\(notes)")
    #expect(try states() == [])
    // What a run has left that was killed before it removed it.
    try FileManager.default.moveItem(atPath: aside, toPath: "\(directory)/\(state)")
    #expect(try search(ranks: ranks.then).notes.contains("the neighbours are those of"))
    #expect(try states() == [])
  }

  @Test func waitsBetweenStates() throws {
    defer { remove() }
    #expect(try search(ranks: 2, endingAfter: 1, every: 3600).lists != nil)
  }

  @Test(arguments: [1, 2]) func namesWhatIsDamaged(ranks: Int) throws {
    defer { remove() }
    let whole = try #require(try search(ranks: 1).lists)
    remove()
    for name in ["search.json", "neighbors.npy", "similarities.npy"] {
      _ = try search(ranks: 1, endingAfter: 3)
      let (before, newest) = (try states()[0], try states()[1])
      let file = "\(directory)/\(newest)/\(name)"
      var bytes = try Data(contentsOf: URL(filePath: file))
      bytes[bytes.count * 2 / 3] ^= 4
      try bytes.write(to: URL(filePath: file))
      let error = #expect(throws: AgreedFailure.self) {
        try search(ranks: ranks, resuming: .newest)
      }
      #expect(error?.reason.hasPrefix("\(file): damaged: ") == true, "\(error as Any)")
      let (lists, notes) = try search(ranks: ranks)
      #expect(lists == whole)
      #expect(
        notes.contains("\(file): damaged: ") && notes.contains("from \(directory)/\(before)"),
        "\(notes)")
      remove()
    }
  }

  @Test func startsAnewWithAnotherVersion() throws {
    defer { remove() }
    _ = try search(ranks: 1, endingAfter: 1)
    let (lists, notes) = try search(ranks: 1, version: "2")
    #expect(
      notes.contains(
        "of another version, 'search 1 of highland 1'; expected 'search 1 of highland 2'; not used"),
      "\(notes)")
    #expect(lists != nil && !notes.contains("goes on"))
  }
}
