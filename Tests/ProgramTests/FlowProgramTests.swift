import Foundation
import Testing

extension Programs {
  /// Clustering by flow, alone and beside the network in the box.
  @Suite struct Flow {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func cluster(_ name: String, _ more: [String]) -> [String] {
      [
        "cluster", Fixture.features, "--output", scratch("\(name).npy"), "--report",
        scratch("\(name).json"), "--truth", Fixture.truth, "--progress", "none",
      ] + more
    }

    private func report(_ name: String) throws -> [String: Any] {
      try #require(
        JSONSerialization.jsonObject(with: Data(bytes(of: scratch("\(name).json"))))
          as? [String: Any])
    }

    private func parameters(_ name: String) throws -> [String: Any] {
      try #require(report(name)["parameters"] as? [String: Any])
    }

    @Test func choosesKAndSaysHowOnAnyNumberOfRanks() async throws {
      for ranks in [nil, 3] {
        let name = "\(ranks ?? 1)"
        let outcome = try await run(
          "highland", cluster(name, ["--method", "flow"]), onRanks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let found = try parameters(name)
        let k = try #require(found["k"] as? Int)
        let trials = try #require(found["kTrials"] as? [[String: Any]])
        #expect(
          trials.map { $0["neighborCount"] as? Int } == [6, 8, 10, 15, 20, 30, 40, 60, 80, 120])
        #expect(
          trials.allSatisfy { trial in
            ["clusterCount", "silhouette", "agreement", "score"].allSatisfy { trial[$0] != nil }
          })
        #expect(
          found["method"] as? String == "flow" && found["kRule"] as? String == "withoutLabels")
        #expect(found["model"] == nil && found["tau"] == nil && found["comparison"] == nil)
        let line = outcome.outputLines.first { $0.hasPrefix("By flow") }
        #expect(
          line?.hasPrefix("By flow, k = \(k), of 10 tried the one whose clusters lie apart")
            == true)
        #expect(outcome.output.contains("stopped because no move made the code shorter"))
        #expect(try report(name)["stopReason"] as? String == "shortestCode")
      }
      #expect(try bytes(of: scratch("1.npy")) == bytes(of: scratch("3.npy")))
    }

    @Test func takesAKThatIsGiven() async throws {
      let outcome = try await run("highland", cluster("given", ["-k", "7"]))
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output.contains("By flow, k = 7 as given."))
      let found = try parameters("given")
      #expect(found["kRule"] as? String == "given" && found["kTrials"] == nil)
    }

    @Test func withoutOptionsTheBetterSeparatedClustersAreTaken() async throws {
      for (name, ranks, more) in [("default", nil, []), ("auto", 2, ["--method", "auto"])] {
        let outcome = try await run("highland", cluster(name, more), onRanks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let found = try parameters(name)
        let scores = try #require(found["comparison"] as? [String: Double])
        let isNetwork = scores["network"]! > scores["flow"]! + 0.05
        #expect(found["method"] as? String == (isNetwork ? "network" : "flow"))
        #expect(outcome.output.contains(isNetwork ? "By the network 'default', whose" : "By flow"))
        #expect((found["tau"] == nil) == !isNetwork)
      }
      #expect(try bytes(of: scratch("default.npy")) == bytes(of: scratch("auto.npy")))
    }

    @Test(arguments: [
      (["--method", "flow", "--tau", "0.5"], "--tau is of networks; not with --method flow"),
      (
        ["--method", "auto", "--model", "default"],
        "--model is of networks; not with --method auto"
      ),
      (
        ["--method", "auto", "-k", "10"],
        "-k is of one method; with --method auto each has its own: expected --method flow or network"
      ),
      (["-k", "1"], "-k 1: expected 2 or more, as flow goes to other points"),
    ])
    func optionsOfTheOtherMethodAreRefused(options: [String], message: String) async throws {
      let outcome = try await run("highland", ["cluster", Fixture.features] + options)
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errors.contains("Error: \(message)"), "\(outcome)")
    }
  }
}
