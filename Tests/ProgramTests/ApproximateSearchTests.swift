import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  @Suite struct ApproximateSearchWithTheProgram {
    /// Alone (0) or on so many ranks.
    private func highland(_ arguments: [String], ranks: Int) async throws -> Outcome {
      ranks == 0
        ? try await run("highland", arguments) : try await run("highland", arguments, ranks: ranks)
    }

    private func object(of path: String) throws -> [String: Any] {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func findsTheSameBytesAloneAndOnThreeRanks() async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(1500, 6, seed: 91), as: "x.npy")
      for ranks in [0, 3] {
        let found = try await highland(
          [
            "knn", path, "-k", "6", "--search", "approximate", "--recall", "0.9", "--neighbors",
            scratch("n\(ranks).npy"), "--similarities", scratch("s\(ranks).npy"), "--report",
            scratch("r\(ranks).json"), "--progress", "none",
          ], ranks: ranks)
        #expect(found.exitCode == 0, "\(found)")
        #expect(found.output.contains("approximate neighbours: "), "\(found)")
        let method = try #require(
          try object(of: scratch("r\(ranks).json"))["method"] as? [String: Any])
        #expect(method["method"] as? String == "approximate")
        let account = try #require(method["approximate"] as? [String: Any])
        let recall = try #require(account["recall"] as? [String: Any])
        #expect(try #require(recall["lower"] as? Double) >= 0.9)
      }
      #expect(try integers(of: scratch("n0.npy")) == integers(of: scratch("n3.npy")))
      #expect(try floats(of: scratch("s0.npy")) == floats(of: scratch("s3.npy")))
    }

    @Test func isSaidOfEveryLevelOfAClustering() async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(400, 8, seed: 92), as: "x.npy")
      for (search, method) in [("auto", "exact"), ("approximate", "approximate")] {
        let report = scratch("\(search).json")
        let found = try await highland(
          [
            "cluster", path, "--search", search, "--report", report, "--progress", "none",
            "--output", scratch("\(search).npy"),
          ], ranks: 0)
        #expect(found.exitCode == 0, "\(found)")
        let levels = try #require(try object(of: report)["levels"] as? [[String: Any]])
        for level in levels {
          let search = try #require(level["search"] as? [String: Any])
          #expect(search["method"] as? String == method)
          #expect(search["reason"] is String)
        }
        #expect(found.output.contains("approximate neighbours") == (method == "approximate"))
      }
    }

    @Test(arguments: [
      (["--search", "exact", "--recall", "0.9"], "--recall is of approximate searches"),
      (["--recall", "1.5"], "--recall 1.5: expected more than 0, 1 at most"),
      (["--search", "fast"], "--search"),
    ])
    func refusesWhatWouldDoNothing(options: [String], message: String) async throws {
      let found = try await highland(
        ["knn", "x.npy", "--neighbors", "n.npy", "--similarities", "s.npy"] + options, ranks: 0)
      #expect(found.exitCode == 64 && found.errors.contains(message), "\(found)")
    }
  }
}
