import Communication
import Datasets
import DistributedGraphs
import Foundation
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Synchronization
import TestTags
import Testing

/// A run that ended early goes on from the directory of its checkpoints.
@Suite struct Resuming {
  private let directory =
    FileManager.default.temporaryDirectory.path
    + "/resuming-\(UUID().uuidString)"

  /// What makes one run, and what a run found.
  private struct Case: Sendable {
    var source: EmbeddingsInMemory
    var options: ClusteringOptions
    var model: TrainedModel
  }

  private struct Answer: Equatable {
    var labels: [Int64]
    /// Nodes, edges, kept edges and merged nodes of every level.
    var counts: [[Int]]
    var stopReason: StopReason
    var choice: Choice
    /// Levels with a calibration.
    var measured: [Int]
  }

  /// Keeps lists and states; ends the run before a level.
  private struct Keeper: ClusteringObserver {
    let store: (any ListStore)?
    let runs: RunStore?
    let end: Int?
    let truth: PointTruth?

    func begins(level: Int) throws {
      if level == end { throw AgreedFailure(reason: "ended") }
    }

    func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
  }

  /// The answer, and what the stores said; nil for a run that was ended.
  private func run(
    _ settings: Case, ranks: Int, endingBefore end: Int? = nil, version: String = "1",
    resuming rule: ResumeRule = .whole, isMeasured: Bool = false
  ) throws -> (answer: Answer?, notes: String) {
    let notes = Mutex("")
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator -> Answer? in
      let plan = try ClusteringPlan(settings.options, with: settings.model)
      let note = { (text: String) in
        if communicator.rank == Rank(0) { notes.withLock { $0 += text + "\n" } }
      }
      let lists = try NeighborCheckpoint(
        directory, of: "rows", SearchOptions(.exact), listLength: plan.listLength, invalid: .error,
        mergingCopies: plan.mergesCopies, version: version, resuming: rule, note: note,
        on: communicator)
      let runs = try RunStore(
        directory, plan: plan, input: ["a": "b"], version: version, resuming: rule, note: note,
        on: communicator)
      do {
        let found = try cluster(
          settings.source, by: plan,
          observer: Keeper(
            store: lists, runs: runs, end: end,
            truth: isMeasured ? truth(of: settings.source, on: communicator) : nil),
          on: communicator)
        return Answer(
          labels: try communicator.allGather(found.labels).values,
          counts: found.levels.map {
            [$0.nodeCount, $0.edgeCount, $0.keptEdgeCount, $0.mergedCount]
          },
          stopReason: found.stopReason, choice: found.choice,
          measured: found.levels.filter { $0.calibration != nil }.map(\.level))
      } catch let failure as AgreedFailure where failure.reason == "ended" { return nil }
    }
    return (shares[0], notes.withLock { $0 })
  }

  /// Points in clusters of clusters, some of them twice.
  private static func points(_ count: Int) -> EmbeddingsInMemory {
    let (near, far) = (randomMatrix(count / 6 + 1, 12, seed: 3), randomMatrix(4, 12, seed: 4))
    var rows = randomMatrix(count, 12, seed: 2)
    for row in 0..<count {
      let centre = row % near.rowCount
      for column in 0..<12 {
        rows[row, column] =
          2 * far[centre % 4, column] + near[centre, column] + 0.4 * rows[row, column]
        if row % 50 == 49 { rows[row, column] = rows[row - 3, column] }
      }
    }
    return EmbeddingsInMemory(rows)
  }

  enum Kind: String, CaseIterable { case chosenThresholds, means, peaks }

  private func settings(_ kind: Kind) throws -> Case {
    switch kind {
    case .chosenThresholds:
      let options = ClusteringOptions(search: SearchOptions(.exact))
      return Case(
        source: Self.points(300), options: options,
        model: try TrainedModel(path: nil, dimensions: 12))
    case .means, .peaks:
      let golden = try GoldenCase.tiny(kind == .means ? "sage_cf_k5_tau05" : "gat2_nocf")
      let features = try golden.features
      var options = golden.options()
      options.stopsEarly = false
      return Case(
        source: EmbeddingsInMemory(try features.rows(0..<features.rowCount)),
        options: options,
        model: TrainedModel(.coordinates(try golden.model(dimensions: features.columnCount))))
    }
  }

  @Test(arguments: Kind.allCases)
  func goesOnAfterEveryLevelOnAnotherNumberOfRanks(kind: Kind) throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let settings = try settings(kind)
    let whole = try #require(try run(settings, ranks: 1).answer)
    #expect(whole.counts.count > 1)
    for end in whole.counts.indices {
      for (first, second) in [(3, 1), (1, 2), (2, 5)] {
        try FileManager.default.removeItem(atPath: directory)
        let ended = try run(settings, ranks: first, endingBefore: end)
        #expect(ended.answer == nil)
        let (answer, notes) = try run(settings, ranks: second)
        #expect(answer == whole, "before level \(end), \(first) ranks, then \(second)")
        let place =
          end > 0 ? "after level \(end - 1)," : kind == .chosenThresholds ? "choice of τ" : ""
        #expect(notes.contains("goes on") == !place.isEmpty, "\(notes)")
        #expect(place.isEmpty || notes.contains(place), "\(notes)")
      }
    }
    // What has ended does nothing again.
    let (again, notes) = try run(settings, ranks: 2)
    #expect(again == whole && notes.contains("after level \(whole.counts.count - 1),"))
    #expect(try states().count == 2)
  }

  private func truth(
    of source: some EmbeddingSource, on communicator: some Communicator
  ) -> PointTruth {
    let points = NodePartition(sharing: source.rowCount, among: communicator.size)
    return PointTruth(points.owned(by: communicator.rank).map { Int64($0 % 7) })
  }

  /// Calibrations are by labels that are no part of what is kept, and may be others.
  @Test func measuresOnlyTheLevelsThatItJudges() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let settings = try settings(.chosenThresholds)
    _ = try run(settings, ranks: 2, endingBefore: 1, isMeasured: true)
    let found = try #require(try run(settings, ranks: 1, isMeasured: true).answer)
    #expect(found.counts.count > 1 && found.measured == Array(1..<found.counts.count))
    #expect(try run(settings, ranks: 3, isMeasured: true).answer?.measured == [])
  }

  @Test func removesWhatAKilledRunHasLeft() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let settings = try settings(.means)
    _ = try run(settings, ranks: 1, endingBefore: 1)
    let state = try #require(try states().first)
    // Beside the first state of a run that begins anew.
    let left = "\(directory)/\(state).tmp-1a2b3c4d"
    try FileManager.default.moveItem(atPath: "\(directory)/\(state)", toPath: left)
    _ = try run(settings, ranks: 1, endingBefore: 1)
    #expect(try states() == [state])
  }

  @Test(arguments: [1, 3]) func usesOnlyTheNewestIfAsked(ranks: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let settings = try settings(.chosenThresholds)
    let whole = try run(settings, ranks: 1).answer
    try FileManager.default.removeItem(atPath: directory)
    // Where nothing is kept, and where all is whole, it is as always.
    _ = try run(settings, ranks: ranks, endingBefore: 1, resuming: .newest)
    let (answer, notes) = try run(settings, ranks: ranks, resuming: .newest)
    #expect(answer == whole && notes.contains("goes on after level 0"))
    let kept = try contents()

    // The newest state, beside another one; then the neighbours, without states.
    for prefix in ["run-", "neighbors-"] {
      let damaged = try #require(kept.keys.filter { $0.hasPrefix(prefix) }.sorted().last)
      try write(kept[damaged]!.prefix(kept[damaged]!.count / 2), damaged)
      let error = #expect(throws: AgreedFailure.self) {
        try run(settings, ranks: ranks, resuming: .newest)
      }
      #expect(
        error?.reason.contains("\(directory)/\(damaged.split(separator: "/")[0])") == true
          && error?.reason.hasSuffix("; --resume whole passes over it") == true, "\(error as Any)")
      for state in try states() {
        try FileManager.default.removeItem(atPath: "\(directory)/\(state)")
      }
    }
    let (again, said) = try run(settings, ranks: ranks)
    #expect(again == whole && said.contains("searched again"))
  }

  @Test func namesWhatIsOfAnotherVersion() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let settings = try settings(.means)
    let whole = try run(settings, ranks: 1).answer
    let (answer, notes) = try run(settings, ranks: 1, version: "2")
    #expect(answer == whole && !notes.contains("goes on"))
    #expect(
      notes.contains("of another version, 'run 1 of highland 1'; expected 'run 1 of highland 2'"))
  }

  private func states() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasPrefix("run-") }.sorted()
  }

  /// Bytes are changed, cut off, added or swapped with those of another file, and whole files or states vanish or
  /// change their names. Either something is said of it, or it does no harm; the answer stays.
  ///
  /// `HIGHLAND_DAMAGES=10000` tries so many.
  @Test func damagesOfStatesAreNamedOrHarmless() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let settings = try settings(.chosenThresholds)
    let whole = try run(settings, ranks: 1).answer
    let newest = try #require(try states().last)
    try damageAll("run-", mostly: newest) { trial in
      let (answer, notes) = try run(settings, ranks: trial % 10 == 9 ? 2 : 1)
      return (answer == whole, notes)
    }
  }

  @Test func damagesOfListsAreNamedOrHarmless() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let settings = try settings(.chosenThresholds)
    let nodes = NodePartition(sharing: 300, among: 1)
    let (lists, summary) = try nearestNeighbors(
      of: settings.source.rows(0..<300), listLength: 7, by: SearchOptions(.exact),
      in: nodes, on: SingleRank())
    var notes = ""
    func checkpoint() throws -> NeighborCheckpoint {
      try NeighborCheckpoint(
        directory, of: "rows", SearchOptions(), listLength: 7, invalid: .error,
        mergingCopies: false, version: "1", note: { notes += $0 }, on: SingleRank())
    }
    try checkpoint().keep(lists, summary, in: nodes, on: SingleRank())
    try damageAll("neighbors-", mostly: "neighbors-") { _ in
      notes = ""
      let found = try checkpoint().lists(length: 7, in: nodes, on: SingleRank())
      // Without a text there are no lists.
      if found == nil, notes.isEmpty { notes = "not there" }
      return (
        found.map {
          $0.lists.neighbors == lists.neighbors
            && $0.lists.similarities == lists.similarities
        } ?? true, notes
      )
    }
  }

  /// - Parameters:
  ///   - prefix, often: How the names begin of files that are damaged, and are mostly.
  ///   - outcome: Whether the answer after a damage is right, and what was said.
  private func damageAll(
    _ prefix: String, mostly often: String,
    _ outcome: (_ trial: Int) throws -> (isRight: Bool, notes: String)
  ) throws {
    let count = ProcessInfo.processInfo.environment["HIGHLAND_DAMAGES"].flatMap(Int.init) ?? 50
    let intact = try contents()
    var random = SeededGenerator(seed: 5)
    var named = 0
    for trial in 0..<count {
      let names = intact.keys.sorted().filter {
        $0.hasPrefix(prefix) && ($0.hasPrefix(often) || Int.random(in: 0..<4, using: &random) == 0)
      }
      let damage = try damage(intact, names, &random)
      let (isRight, notes) = try outcome(trial)
      try #require(isRight, "\(damage): \(notes)")
      named += ["not used", "searched again", "not there"].contains { notes.contains($0) } ? 1 : 0
      try FileManager.default.removeItem(atPath: directory)
      for (name, bytes) in intact { try write(bytes, name) }
    }
    print("\(count) damages, \(named) named, \(count - named) harmless")
    #expect(named * 3 > count)
  }

  /// Of all files in the directory, by their paths in it.
  private func contents() throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
      contents[name] = FileManager.default.contents(atPath: "\(directory)/\(name)")
    }
    return contents
  }

  private func write(_ bytes: Data, _ name: String) throws {
    let url = URL(filePath: "\(directory)/\(name)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try bytes.write(to: url)
  }

  /// Does one damage to some of the files, or to a state; returns what it was.
  private func damage(
    _ intact: [String: Data], _ names: [String], _ random: inout SeededGenerator
  ) throws -> String {
    func any() -> String { names[Int.random(in: 0..<names.count, using: &random)] }
    let name = any()
    var bytes = intact[name]!
    func place() -> Int {
      bytes.startIndex + Int.random(in: 0..<max(bytes.count, 1), using: &random)
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1:
      let at = place()
      guard !bytes.isEmpty else { return "nothing in \(name)" }
      bytes[at] ^= 1 << UInt8(Int.random(in: 0..<8, using: &random))
      try write(bytes, name)
      return "a bit of byte \(at) of \(name)"
    case 2, 3:
      try write(bytes.prefix(Int.random(in: 0..<bytes.count + 1, using: &random)), name)
      return "\(name) is cut off"
    case 4:
      try write(bytes + intact[any()]!, name)
      return "\(name) and another"
    case 5:
      let other = any()
      try write(intact[other]!, name)
      try write(bytes, other)
      return "\(name) and \(other) are swapped"
    case 6:
      try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
      return "\(name) is gone"
    default:
      guard let state = try states().randomElement(using: &random) else { return "nothing" }
      let to = state + (Int.random(in: 0..<2, using: &random) == 0 ? "0" : ".tmp-1")
      try FileManager.default.moveItem(
        atPath: "\(directory)/\(state)", toPath: "\(directory)/\(to)")
      return "\(state) is \(to)"
    }
  }
}
