import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  /// Few points on many ranks: some of these wait.
  @Suite struct FewPointsOnManyRanks {
    let scratch = try! Scratch()

    private func points(_ count: Int) throws -> String {
      let centres = randomMatrix(40, 12, seed: 2)
      var rows = randomMatrix(count, 12, seed: 1)
      for row in 0..<count {
        for column in 0..<12 {
          rows[row, column] = centres[row * 7 % 40, column] + 0.5 * rows[row, column]
        }
      }
      return try scratch.write(rows, as: "x.npy")
    }

    private func report(_ name: String) throws -> [String: Any] {
      let data = try Data(contentsOf: URL(filePath: scratch(name)))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test(arguments: ["auto", "network"])
    func changeNoByte(method: String) async throws {
      let features = try points(700)
      let truth = (0..<700).map { "\($0 * 7 % 40)\n" }.joined()
      try scratch.write(truth, as: "truth.txt")
      var expected: [[UInt8]] = []
      var measured: [Data] = []
      for (ranks, nodes, taking) in [
        (nil, "1024", 1), (5, "1024", 1), (5, "400", 2), (5, "200", 5), (5, "1", 5),
      ] as [(Int?, String, Int)] {
        let outcome = try await run(
          "highland",
          [
            "cluster", features, "--method", method, "--nodes-per-rank", nodes, "--output",
            scratch("labels.npy"), "--save", scratch("run"), "--report", scratch("report.json"),
            "--truth", scratch("truth.txt"), "--overwrite", "--progress", "none",
          ], onRanks: ranks)
        try #require(outcome.exitCode == 0, "\(outcome)")
        let found = try [
          bytes(of: scratch("labels.npy")), bytes(of: scratch("run/clustering.json")),
        ]
        if expected.isEmpty { expected = found }
        #expect(found == expected, "\(ranks ?? 1) ranks, \(nodes) nodes each")
        let report = try report("report.json")
        #expect(report["rankCount"] as? Int == taking)
        let levels = try #require(report["levels"] as? [[String: Any]])
        let calibrations = try levels.compactMap { $0["calibration"] }.map {
          try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys)
        }
        if measured.isEmpty { measured = calibrations }
        #expect(calibrations == measured && (method != "network" || measured.count == levels.count))
        #expect(report["waitingRankCount"] as? Int == (ranks ?? 1) - taking)
        #expect(outcome.output.contains("more waited") == (taking < ranks ?? 1), "\(outcome)")
      }
    }

    /// The ranks that wait hear of it, and nobody hangs.
    @Test func failLikeOneRank() async throws {
      var rows = randomMatrix(300, 6, seed: 1)
      for column in 0..<6 { rows[7, column] = 0 }
      let features = try scratch.write(rows, as: "x.npy")
      let arguments = ["cluster", features, "--output", scratch("labels.npy")]
      let alone = try await run("highland", arguments)
      let many = try await run(
        "highland", arguments + ["--nodes-per-rank", "1024", "--progress", "none"], ranks: 4)
      #expect(alone.exitCode == 1 && many.exitCode == 1, "\(many)")
      #expect(
        many.errorLines == alone.errorLines.filter { $0.hasPrefix("error:") }, "\(many)")
      #expect(try !scratch.names.contains("labels.npy"))
    }

    @Test func takePartAsAFileSays() async throws {
      let features = try points(60)
      let ranks = try scratch.write(
        String(repeating: "0\n1\n2\n", count: 20), as: "ranks.txt")
      let refused = try await run(
        "highland", ["cluster", features, "--partition", ranks, "--nodes-per-rank", "9"])
      #expect(refused.exitCode == 64 && refused.errors.contains("all of which take part"))
      let outcome = try await run(
        "highland",
        [
          "cluster", features, "--partition", ranks, "--nodes-per-rank", "1", "--report",
          scratch("report.json"),
        ], ranks: 3)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(try report("report.json")["rankCount"] as? Int == 3)
    }
  }
}
