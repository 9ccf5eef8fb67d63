import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  /// `--save`, and `highland assign`.
  @Suite struct NewPoints {
    /// Nine clusters of 20 points, the last of which are new; and what was saved of the others by a method.
    private func saved(
      _ options: [String], in scratch: Scratch, ranks: Int? = nil
    ) async throws -> (old: String, new: String) {
      let centers = randomMatrix(9, 16, seed: 61)
      var rows = randomMatrix(180, 16, seed: 62, scale: 0.1)
      for row in 0..<180 {
        for column in 0..<16 { rows[row, column] += centers[row / 20, column] }
      }
      func write(_ places: [Int], as name: String) throws -> String {
        try scratch.write(
          Matrix(rows: places.count, columns: 16, elements: places.flatMap { rows.row($0) }),
          as: name)
      }
      // Of each of the first eight clusters a quarter is new, and one point is not.
      let old = try write((0..<160).filter { $0 % 4 != 0 }, as: "old.npy")
      let new = try write((0..<180).filter { $0 % 4 == 0 || $0 >= 160 } + [1], as: "new.npy")
      let outcome = try await run(
        "highland",
        ["cluster", old, "--output", scratch("old-labels.npy"), "--save", scratch("saved")]
          + options, onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      return (old, new)
    }

    @Test(arguments: [["--method", "flow"], ["--tau", "0.5"]])
    func getTheLabelsOfTheirClusters(options: [String]) async throws {
      let scratch = try Scratch()
      let isFlow = options.contains("flow")
      let (old, new) = try await saved(options, in: scratch, ranks: isFlow ? 3 : nil)
      let known = try labels(of: scratch("old-labels.npy"))
      for ranks in isFlow ? [nil, 3] : [nil] {
        for (features, output) in [(new, "labels.npy"), (old, "again.npy")] {
          let outcome = try await run(
            "highland",
            [
              "assign", features, "--to", scratch("saved"), "--output", scratch(output),
              "--overwrite",
            ], onRanks: ranks)
          #expect(outcome.exitCode == 0, "\(outcome)")
          guard features == new else { continue }
          #expect(outcome.output.contains("61 points: 1 are copies of the run's, 40 join its "))
        }
        #expect(try bytes(of: scratch("again.npy")) == bytes(of: scratch("old-labels.npy")))
        let found = try labels(of: scratch("labels.npy"))
        // Fifteen points of each of the first eight clusters are old.
        for place in 0..<40 {
          #expect(known[15 * (place / 5)..<15 * (place / 5 + 1)].contains(found[place]))
        }
        #expect(found[40..<60].min()! == known.max()! + 1)
        #expect(found[60] == known[0])
      }
    }

    @Test func areReportedAsJSON() async throws {
      let scratch = try Scratch()
      let (_, new) = try await saved(["--method", "flow"], in: scratch)
      let outcome = try await run(
        "highland",
        [
          "assign", new, "--to", scratch("saved"), "--json", "--report", scratch("report.json"),
        ])
      let report =
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        as? [String: Any]
      #expect(report?["joinedCount"] as? Int == 40 && report?["newClusterCount"] as? Int == 1)
      // 15 points of each of the first eight clusters are old, and one of the new ones is a copy.
      #expect(report?["clusterSizes"] as? [Int] == [21] + Array(repeating: 20, count: 8))
      #expect(
        try String(decoding: bytes(of: scratch("report.json")), as: UTF8.self) == outcome.output)
    }

    @Test(arguments: [nil, 3])
    func haveAsManyColumnsAsTheOld(ranks: Int?) async throws {
      let scratch = try Scratch()
      _ = try await saved(["-k", "8"], in: scratch)
      let other = try scratch.write(randomMatrix(5, 7, seed: 63), as: "other.npy")
      try await expectError(
        ["assign", other, "--to", scratch("saved"), "--progress", "none"],
        "\(other): 7 columns; expected 16, as \(scratch("saved")) has", onRanks: ranks)
    }

    @Test(arguments: [nil, 3])
    func areRefusedByWhatIsNoWholeClustering(ranks: Int?) async throws {
      let scratch = try Scratch()
      let (old, new) = try await saved(["--method", "network"], in: scratch)
      let directory = scratch("saved")
      func refuse(_ message: String, to path: String? = nil) async throws {
        try await expectError(
          ["assign", new, "--to", path ?? directory, "--progress", "none"], message, onRanks: ranks)
      }
      try await refuse("\(scratch("none")): no such directory", to: scratch("none"))
      try await refuse(
        "\(old): holds no clustering.json; expected a directory of highland cluster --save", to: old
      )

      /// Another content of a file, for a time.
      func with(
        _ name: String, _ change: (inout [UInt8]) -> Void, _ body: () async throws -> Void
      ) async throws {
        let original = try bytes(of: "\(directory)/\(name)")
        var changed = original
        change(&changed)
        try scratch.write(changed, as: "saved/\(name)")
        try await body()
        try scratch.write(original, as: "saved/\(name)")
      }
      let damaged = ["labels.npy", "directions.npy", "model.safetensors"]
      for name in ranks == nil ? damaged : ["labels.npy"] {
        try await with(name) {
          $0[$0.count - 2] ^= 1
        } _: {
          try await refuse("\(directory)/\(name): damaged: it does not have its checksum")
        }
      }
      try await with("neighbors.npy") {
        $0.removeLast(8)
      } _: {
        let outcome = try await run(
          "highland", ["assign", new, "--to", directory, "--progress", "none"], onRanks: ranks)
        #expect(outcome.exitCode == 1 && outcome.errors.contains("too short"), "\(outcome)")
      }
      func replacing(_ text: String, by other: String) -> (inout [UInt8]) -> Void {
        { $0 = Array(String(decoding: $0, as: UTF8.self).replacing(text, with: other).utf8) }
      }
      try await with(
        "clustering.json", replacing("highland clustering 1", by: "highland clustering 2")
      ) {
        try await refuse(
          "\(directory)/clustering.json: of another version, 'highland clustering 2'; "
            + "expected 'highland clustering 1'")
      }
      try await with("clustering.json", replacing("\"nodeCount\" : 120", by: "\"nodeCount\" : 121"))
      {
        try await refuse(
          "\(directory)/clustering.json: damaged: it does not have its checksum")
      }
    }

    /// What is kept on the way is not in a directory that is written as a whole in the end.
    @Test(arguments: ["saved", "saved/state"])
    func areNotSavedAroundACheckpoint(checkpoint: String) async throws {
      let scratch = try Scratch()
      let old = try scratch.write(randomMatrix(30, 5, seed: 64), as: "old.npy")
      for option in ["--save", "--hierarchy"] {
        let method = option == "--save" ? "flow" : "network"
        try await expectError(
          [
            "cluster", old, "--method", method, option, scratch("saved"), "--checkpoint",
            scratch(checkpoint),
          ],
          scratch(checkpoint)
            + (checkpoint == "saved"
              ? ": named for two outputs"
              : ": lies in the directory '\(scratch("saved"))', which is another output"))
        #expect(!FileManager.default.fileExists(atPath: scratch("saved")))
      }
    }

    @Test func leaveWhatWasSavedAsItIs() async throws {
      let scratch = try Scratch()
      let (old, new) = try await saved(["-k", "8"], in: scratch)
      let labels = scratch("saved/labels.npy")
      try await expectError(
        ["assign", new, "--to", scratch("saved"), "--output", labels, "--overwrite"],
        "\(labels): is an input; an output needs a name of its own")
      // What was saved is read like any file, and is replaced only if that is asked for.
      let outcome = try await run(
        "highland",
        [
          "assign", scratch("saved/directions.npy"), "--to", scratch("saved"), "--output",
          scratch("labels.npy"),
        ])
      #expect(outcome.exitCode == 0, "\(outcome)")
      try await expectError(
        ["cluster", old, "-k", "8", "--save", scratch("saved")],
        "\(scratch("saved")): is not empty, and is not replaced unless that is asked for (--overwrite)"
      )
      try await expectError(
        ["cluster", old, "-k", "8", "--save", scratch("s"), "--output", scratch("s/labels.npy")],
        "\(scratch("s/labels.npy")): lies in the directory '\(scratch("s"))', which is another output"
      )
    }

    @Test(arguments: [nil, 3])
    func haveATreeThatIsCut(ranks: Int?) async throws {
      let scratch = try Scratch()
      _ = try await saved(["--method", "flow"], in: scratch)
      let cuts = [("--clusters 3", 3), ("--above -1", 1), ("--min-size 2", 8)]
      for (options, clusters) in cuts.prefix(ranks == nil ? 3 : 1) {
        let outcome = try await run(
          "highland",
          ["cut", scratch("saved"), "--output", scratch("cut.npy"), "--overwrite"]
            + options.split(separator: " ").map(String.init), onRanks: ranks)
        #expect(outcome.output == "8 clusters became \(clusters)\n", "\(outcome)")
        let found = try labels(of: scratch("cut.npy"))
        #expect(Set(found).count == clusters && found.count == 120)
      }
      let told = try await run(
        "highland",
        [
          "cut", scratch("saved"), "--clusters", "1", "--output", scratch("one.npy"), "--json",
        ], onRanks: ranks)
      let sizes = try JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [String: Any]
      #expect(sizes?["clusterSizes"] as? [Int] == [120] && sizes?["clusterCount"] as? Int == 1)
      let outcome = try await run(
        "highland",
        [
          "tree", scratch("saved"), "--newick", scratch("tree.nwk"), "--linkage", scratch("z.npy"),
          "--graphml", scratch("tree.graphml"),
        ], onRanks: ranks)
      #expect(outcome.output == "8 clusters, 7 merges\n", "\(outcome)")
      #expect(try floats(of: scratch("z.npy")).count == 28)
      let graph = try String(contentsOf: URL(filePath: scratch("tree.graphml")), encoding: .utf8)
      #expect(graph.split(separator: "<edge ").count == 15)
      try await expectError(
        ["cut", scratch("saved"), "--clusters", "9", "--output", scratch("x.npy")],
        "--clusters 9: \(scratch("saved")) has 8; expected no more", onRanks: ranks)
    }
  }
}
