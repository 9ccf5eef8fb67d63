import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  /// `highland update`.
  @Suite struct AddedPoints {
    /// Rows of nine clusters, the last of which is new, as files of old rows and of two lots of new ones; and what was saved of
    /// the old ones.
    private func saved(
      _ options: [String], in scratch: Scratch, ranks: Int? = nil
    ) async throws -> (old: String, new: String, newer: String, all: String) {
      let centers = randomMatrix(9, 16, seed: 81)
      var rows = randomMatrix(180, 16, seed: 82, scale: 0.3)
      for row in 0..<180 {
        for column in 0..<16 { rows[row, column] += centers[row / 20, column] }
      }
      let order =
        (0..<160).filter { $0 % 3 != 0 } + (0..<160).filter { $0 % 3 == 0 }
        + Array(160..<180)
      func write(_ places: some Sequence<Int>, as name: String) throws -> String {
        let places = Array(places)
        return try scratch.write(
          Matrix(rows: places.count, columns: 16, elements: places.flatMap { rows.row($0) }),
          as: name)
      }
      let old = try write(order.prefix(106), as: "old.npy")
      let outcome = try await run(
        "highland",
        ["cluster", old, "--output", scratch("old-labels.npy"), "--save", scratch("saved")]
          + options, onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      return (
        old, try write(order[106..<150], as: "new.npy"),
        try write(order[150...], as: "newer.npy"), try write(order, as: "all.npy")
      )
    }

    private func update(
      _ features: String, to run: String, of old: [String], _ options: [String],
      onRanks ranks: Int? = nil
    ) async throws -> Outcome {
      try await ProgramTests.run(
        "highland",
        ["update", features, "--to", run] + old.flatMap { ["--features", $0] } + options,
        onRanks: ranks)
    }

    @Test(arguments: [["-k", "8"], ["--tau", "0.5"]])
    func getTheLabelsOfOneRunOverAll(options: [String]) async throws {
      let scratch = try Scratch()
      let isFlow = options.contains("-k")
      let files = try await saved(options, in: scratch, ranks: isFlow ? 3 : nil)
      let whole = try await run(
        "highland",
        ["cluster", files.all, "--output", scratch("all-labels.npy"), "--search", "exact"]
          + options)
      #expect(whole.exitCode == 0, "\(whole)")
      for ranks in isFlow ? [nil, 3] : [nil] {
        let first = try await update(
          files.new, to: scratch("saved"), of: [files.old],
          ["--save", scratch("second"), "--overwrite"], onRanks: ranks)
        #expect(first.exitCode == 0, "\(first)")
        #expect(first.output.hasPrefix("44 new points beside 106: "), "\(first)")
        let second = try await update(
          files.newer, to: scratch("second"), of: [files.old, files.new],
          [
            "--renumber", "--output", scratch("labels.npy"), "--save", scratch("third"),
            "--overwrite",
          ], onRanks: ranks)
        #expect(second.exitCode == 0, "\(second)")
        #expect(try bytes(of: scratch("labels.npy")) == bytes(of: scratch("all-labels.npy")))
      }
      // What was saved is a run: its points are assigned to their clusters.
      let again = try await run(
        "highland",
        ["assign", files.all, "--to", scratch("third"), "--output", scratch("again.npy")])
      #expect(again.exitCode == 0, "\(again)")
      #expect(try bytes(of: scratch("again.npy")) == bytes(of: scratch("all-labels.npy")))
    }

    @Test func keepTheNumbersOfTheOld() async throws {
      let scratch = try Scratch()
      let files = try await saved(["-k", "8"], in: scratch)
      let outcome = try await update(
        files.newer, to: scratch("saved"), of: [files.old],
        ["--output", scratch("labels.npy"), "--json", "--report", scratch("report.json")])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let report =
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      #expect(
        try String(decoding: bytes(of: scratch("report.json")), as: UTF8.self) == outcome.output)
      let (old, new) = (
        try labels(of: scratch("old-labels.npy")), try labels(of: scratch("labels.npy"))
      )
      #expect(new.count == 136 && report?["newPointCount"] as? Int == 30)
      let moved = zip(old, new).count { $0 != $1 }
      let changes = report?["changes"] as? [String: Any]
      #expect(changes?["movedPointCount"] as? Int == moved)
      #expect(report?["clusterCount"] as? Int == Set(new).count)
      // The last twenty points are of a cluster, or some, that the old do not have.
      let added = Set(new).subtracting(old)
      #expect(Set(new[116...]) == added && added.min() == old.max()! + 1, "\(new)")
      #expect(report?["newClusterCount"] as? Int == added.count)
    }

    @Test(arguments: [nil, 3])
    func areRefusedWithOtherRowsThanThoseOfTheRun(ranks: Int?) async throws {
      let scratch = try Scratch()
      let files = try await saved(["-k", "8"], in: scratch)
      func refuse(_ new: String, _ old: String, _ message: String) async throws {
        try await expectError(
          [
            "update", new, "--to", scratch("saved"), "--features", old, "--progress", "none",
            "--output", scratch("labels.npy"),
          ], message, onRanks: ranks)
        #expect(!FileManager.default.fileExists(atPath: scratch("labels.npy")))
      }
      try await refuse(
        files.newer, files.new,
        "--features \(files.new): 44 rows; expected 106, the points of \(scratch("saved"))")
      guard ranks == nil else { return }
      let narrow = try scratch.write(randomMatrix(5, 7, seed: 83), as: "narrow.npy")
      try await refuse(
        narrow, files.old, "\(narrow): 7 columns; expected 16, as \(scratch("saved")) has")
      let other = try scratch.write(randomMatrix(106, 16, seed: 84), as: "other.npy")
      try await refuse(
        files.new, other,
        "\(other), \(files.new): row 0 of \(other) is another; expected the 106 rows that were clustered, in their order, "
          + "before new ones")
    }
  }
}
