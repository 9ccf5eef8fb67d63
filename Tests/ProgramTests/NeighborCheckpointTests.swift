import Foundation
import Subprocess
import Testing

extension Programs {
  /// `--checkpoint` of `highland cluster` and `highland knn`.
  @Suite struct NeighborCheckpoints {
    let scratch = try! Scratch()

    private func generate() async throws -> String {
      let made = try await run(
        "highland", ["generate", "--points", "3000", "--dimensions", "16", "-o", scratch("set")])
      try #require(made.exitCode == 0, "\(made)")
      return scratch("set/features_test.npy")
    }

    private func cluster(
      _ features: String, _ arguments: [String] = [], ranks: Int?
    ) async throws -> (labels: [UInt8], errors: String) {
      let outcome = try await run(
        "highland",
        ["cluster", features, "--method", "network", "-o", scratch("labels.npy"), "--overwrite"]
          + arguments,
        onRanks: ranks)
      try #require(outcome.exitCode == 0, "\(outcome)")
      return (try bytes(of: scratch("labels.npy")), outcome.errors)
    }

    /// Leaves only the neighbours.
    private func removeLevels() throws {
      let state = URL(filePath: scratch("state"))
      for name in try FileManager.default.contentsOfDirectory(atPath: state.path)
      where name.hasPrefix("run-") {
        try FileManager.default.removeItem(at: state.appending(path: name))
      }
    }

    private func files(_ ending: String) throws -> [String] {
      try scratch.names.filter { $0.hasPrefix("state/neighbors-") && $0.hasSuffix(ending) }
    }

    @Test func goesOnWithAnotherNumberOfRanks() async throws {
      let features = try await generate()
      let plain = try await cluster(features, ranks: nil)
      let state = ["--checkpoint", scratch("state")]
      let first = try await cluster(features, state, ranks: 3)
      #expect(!first.errors.contains("the neighbours are those of"))
      let all = try await cluster(features, state, ranks: 2)
      #expect(all.errors.contains("goes on after level") && all.labels == plain.labels)
      for ranks in [nil, 2, 3] {
        try removeLevels()
        let again = try await cluster(features, state, ranks: ranks)
        #expect(again.errors.contains("the neighbours are those of"), "\(again.errors)")
        #expect(again.labels == plain.labels)
      }
      #expect(first.labels == plain.labels)
      // Other thresholds need the same lists, lists of another length do not replace them.
      let coarser = try await cluster(features, state + ["--tau", "0.3"], ranks: nil)
      #expect(coarser.errors.contains("the neighbours are those of"))
      #expect(try files(".json").count == 1)
      let exact = ["--neighbors", scratch("n.npy"), "--similarities", scratch("s.npy")]
      let knn = try await run(
        "highland", ["knn", features, "-k", "5", "--checkpoint", scratch("state")] + exact)
      #expect(knn.exitCode == 0, "\(knn)")
      #expect(try files(".json").count == 2)
    }

    /// Whatever is done to a file: it is named, and the answer is the same.
    @Test(arguments: [nil, 2]) func namesWhatIsDamaged(ranks: Int?) async throws {
      let features = try await generate()
      let state = ["--checkpoint", scratch("state"), "--tau", "0.5", "--max-levels", "1"]
      let whole = try await cluster(features, state, ranks: ranks)
      for ending in [".json", ".neighbors.npy", ".similarities.npy"] {
        let name = try #require(try files(ending).first)
        let intact = try bytes(of: scratch(name))
        var flipped = intact
        flipped[intact.count - intact.count / 3] ^= 4
        for damaged in [flipped, Array(intact.prefix(intact.count / 2)), [], intact + intact] {
          try scratch.write(damaged, as: name)
          try removeLevels()
          let again = try await cluster(features, state, ranks: ranks)
          #expect(again.labels == whole.labels)
          #expect(
            again.errors.contains("the neighbours are searched again")
              && again.errors.contains(name), "\(again.errors)")
        }
        try FileManager.default.removeItem(atPath: scratch(name))
        try removeLevels()
        #expect(try await cluster(features, state, ranks: ranks).labels == whole.labels)
      }
    }

    @Test func otherRowsHaveOtherNeighbors() async throws {
      let features = try await generate()
      _ = try await cluster(features, ["--checkpoint", scratch("state")], ranks: nil)
      let other = scratch("set/features_train.npy")
      let plain = try await cluster(other, ranks: nil)
      let kept = try await cluster(other, ["--checkpoint", scratch("state")], ranks: nil)
      #expect(kept.labels == plain.labels && !kept.errors.contains("the neighbours are those of"))
    }

    @Test(arguments: [nil, 2]) func onlyTheNewestIsUsedIfAsked(ranks: Int?) async throws {
      let features = try await generate()
      let state = ["--checkpoint", scratch("state"), "--tau", "0.5", "--max-levels", "1"]
      _ = try await cluster(features, state + ["--resume", "newest"], ranks: ranks)
      try removeLevels()
      let name = try #require(try files(".similarities.npy").first)
      try scratch.write(Array(bytes(of: scratch(name)).dropLast(9)), as: name)
      let refused = try await run(
        "highland", ["cluster", features, "--method", "network", "--resume", "newest"] + state,
        onRanks: ranks)
      #expect(refused.exitCode == 1, "\(refused)")
      #expect(
        refused.errors.contains(name)
          && refused.errors.contains("; --resume whole passes over it"), "\(refused)")
    }

    /// Killed as it searches, it goes on from what it has kept by then.
    @Test func aSearchThatIsKilledGoesOn() async throws {
      let made = try await run(
        "highland", ["generate", "--points", "30000", "--dimensions", "32", "-o", scratch("set")])
      try #require(made.exitCode == 0, "\(made)")
      func search(_ name: String, _ more: [String] = []) -> [String] {
        [
          "knn", scratch("set/features_test.npy"), "--search", "approximate", "--recall", "0.999",
          "--neighbors", scratch("\(name).npy"), "--similarities", scratch("\(name)-s.npy"),
        ] + more
      }
      let kept = ["--checkpoint", scratch("state")]
      let whole = try await run("highland", search("whole"))
      try #require(whole.exitCode == 0, "\(whole)")
      let killed = try await interrupt(
        search("again", kept + ["--threads", "1"]), "KILL", in: scratch,
        onceThereIs: "search-*-3", environment: ["HIGHLAND_SEARCH_INTERVAL": "0"])
      #expect(killed.exitCode == 128 + 9, "\(killed)")
      let again = try await run("highland", search("again", kept), onRanks: 2)
      #expect(again.exitCode == 0 && again.errors.contains("goes on in partition"), "\(again)")
      for ending in [".npy", "-s.npy"] {
        #expect(try bytes(of: scratch("again\(ending)")) == bytes(of: scratch("whole\(ending)")))
      }
      #expect(try scratch.names.allSatisfy { !$0.hasPrefix("state/search-") })
    }

    @Test func anIntervalThatIsNoNumberIsRefused() async throws {
      let features = try await generate()
      let outcome = try await run(
        .name("highland"),
        [
          "knn", features, "--neighbors", scratch("n.npy"), "--similarities", scratch("s.npy"),
          "--checkpoint", scratch("state"),
        ], environment: ["HIGHLAND_SEARCH_INTERVAL": "soon"])
      #expect(
        outcome.exitCode == 1
          && outcome.errors.contains("HIGHLAND_SEARCH_INTERVAL=soon: expected seconds"),
        "\(outcome)")
    }
  }
}
