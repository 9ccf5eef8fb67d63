import Communication
import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  @Suite struct LimitsOfMemory {
    private func object(of path: String) throws -> [String: Any] {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// What a run of the arguments is predicted to take, in bytes.
    private func planned(_ path: String) throws -> Int {
      let memory = try #require(try object(of: path)["memory"] as? [String: Any])
      let planned = try #require(memory["plannedBytesOfLargestRank"] as? Int)
      #expect(try #require(memory["peakBytesOfLargestRank"] as? Int) <= planned)
      return planned
    }

    /// The least limit is between what is refused and what is planned without a limit.
    @Test(arguments: ["exact", "approximate"])
    func doNotChangeTheAnswer(search: String) async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(3000, 64, seed: 93), as: "x.npy")
      let outputs = ["n.npy", "s.npy", "r.json"].map { scratch($0) }
      func knn(_ limit: [String]) async throws -> Outcome {
        try await run(
          "highland",
          [
            "knn", path, "-k", "40", "--search", search, "--neighbors", outputs[0],
            "--similarities", outputs[1], "--report", outputs[2], "--overwrite", "--progress",
            "none", "--threads", "1",
          ] + limit, ranks: 3)
      }
      let refused = try await knn(["--memory", "1M"])
      #expect(refused.exitCode == 1, "\(refused)")
      let line = try #require(refused.errorLines.first)
      let least = try #require(
        try #/--memory 1M: neighbours of \[3000 × 64\] points need (\d+)M on each of 3 ranks/#
          .firstMatch(in: line)?.1)
      var answers: [[[UInt8]]] = []
      for limit in [[], ["--memory", "64G"], ["--memory", "\(least)M"]] {
        let found = try await knn(limit)
        #expect(found.exitCode == 0, "\(found)")
        let plan = try planned(outputs[2])
        if limit.last == "\(least)M" { #expect(plan <= Int(least)! << 20) }
        answers.append(try outputs[..<2].map { try bytes(of: $0) })
      }
      #expect(answers[1] == answers[0] && answers[2] == answers[0])
    }

    @Test func areSaidForClusteringAndKept() async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(900, 16, seed: 94), as: "x.npy")
      func cluster(_ limit: [String]) async throws -> Outcome {
        try await run(
          "highland",
          [
            "cluster", path, "--search", "approximate", "--output", scratch("l.npy"), "--report",
            scratch("r.json"), "--overwrite", "--progress", "none",
          ] + limit)
      }
      let refused = try await cluster(["--memory", "2m"])
      #expect(refused.exitCode == 1)
      let line = try #require(refused.errorLines.first)
      let least = try #require(
        try #/--memory 2m: clusters of \[900 × 16\] points need (\d+)M on each of 1 rank/#
          .firstMatch(in: line)?.1)
      var answers: [[Int64]] = []
      for limit in [[], ["--memory", "8G"], ["--memory", "\(least)M"]] {
        let found = try await cluster(limit)
        #expect(found.exitCode == 0, "\(found)")
        _ = try planned(scratch("r.json"))
        answers.append(try labels(of: scratch("l.npy")))
      }
      #expect(answers[1] == answers[0] && answers[2] == answers[0])
    }

    @Test(arguments: ["0", "G", "-3G", "8X", "1.5.2G", ".5G", "+4G", "99999999999T", "8GB"])
    func ofNoSizeAreRefused(limit: String) async throws {
      for command in [
        ["cluster", "x.npy"], ["knn", "x.npy", "--neighbors", "n.npy", "--similarities", "s.npy"],
      ] {
        let found = try await run("highland", command + ["--memory=\(limit)"])
        #expect(found.exitCode == 64, "\(found)")
        #expect(
          found.errors.contains(
            "--memory \(limit): expected bytes, or K, M, G or T of 1024, 1024² … bytes, such as 8G or 1.5G"
          ),
          "\(found)"
        )
      }
    }
  }
}
