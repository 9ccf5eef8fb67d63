import Foundation
import LinearAlgebra
import Testing

/// `highland cluster` by methods of `highland benchmark`.
extension Programs {
  @Suite struct Baselines {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func json(_ path: String) throws -> [String: Any] {
      let data = try Data(contentsOf: URL(filePath: path))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func sorted(_ object: Any?) throws -> String {
      let data = try JSONSerialization.data(
        withJSONObject: #require(object as? [String: Any]), options: .sortedKeys)
      return String(decoding: data, as: UTF8.self)
    }

    private func cluster(_ options: [String], ranks: Int? = nil) async throws -> Outcome {
      try await run(
        "highland",
        [
          "cluster", Fixture.features, "--output", scratch("labels.npy"), "--report",
          scratch("report.json"), "--truth", Fixture.truth, "--overwrite", "--progress", "none",
        ] + options, onRanks: ranks)
    }

    /// With the parameters that the benchmark takes without labels, on any number of ranks.
    @Test(arguments: ["components", "dbscan", "hdbscan", "finch", "average-linkage"])
    func findTheClustersOfTheBenchmark(method: String) async throws {
      let benchmark = try await run(
        "highland",
        [
          "benchmark", Fixture.features, Fixture.truth, "--methods", method, "--json",
          "--progress", "none",
        ])
      let found = try #require(
        try JSONSerialization.jsonObject(with: Data(benchmark.output.utf8)) as? [String: Any])
      let entry = try #require((found["entries"] as? [[String: Any]])?.first)
      #expect(entry["chosenBy"] as? String == "usual")
      var answers: [[UInt8]] = []
      for ranks in [nil, 1, 3] {
        let outcome = try await cluster(["--method", method], ranks: ranks)
        #expect(outcome.exitCode == 0 && outcome.errorLines.isEmpty, "\(outcome)")
        let report = try json(scratch("report.json"))
        #expect(try sorted(report["metrics"]) == sorted(entry["metrics"]))
        let parameters = try #require(report["parameters"] as? [String: Any])
        #expect(try sorted(parameters["setting"]) == sorted(entry["parameters"]))
        #expect(parameters["method"] as? String == method)
        let labels = try labels(of: scratch("labels.npy"))
        let sizes = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(report["clusterCount"] as? Int == sizes.count)
        #expect(report["singletonCount"] as? Int == sizes.values.count { $0 == 1 })
        let (clusters, singles) = (sizes.count, sizes.values.count { $0 == 1 })
        #expect(
          outcome.output.contains(
            "300 points in \(clusters) clusters, \(singles) of one point."), "\(outcome)")
        // By first appearance.
        var next: Int64 = 0
        for label in labels {
          #expect(label <= next)
          next = max(next, label + 1)
        }
        let phases = try #require(report["phases"] as? [String: Any])
        let searched = method == "average-linkage" ? [] : ["neighbors"]
        #expect(phases.keys.sorted() == (["cluster", "label", "read"] + searched).sorted())
        answers.append(try bytes(of: scratch("labels.npy")))
      }
      #expect(answers[1] == answers[0] && answers[2] == answers[0])
    }

    @Test func parametersAct() async throws {
      var answers: [String: [UInt8]] = [:]
      for options in [
        "components", "components --distance 0.05", "components --distance 0.05 -k 2", "dbscan",
        "dbscan --eps 0.05", "dbscan --eps 0.05 --min-points 2",
        "dbscan --eps 0.05 --min-points 2 -k 2", "hdbscan",
        "hdbscan --min-cluster-size 12", "hdbscan --min-samples 1", "finch",
        "finch --finch-partition 1", "average-linkage", "average-linkage --distance 0.1",
      ] {
        let outcome = try await cluster(
          ["--method"] + options.split(separator: " ").map(String.init))
        #expect(outcome.exitCode == 0, "\(outcome)")
        answers[options] = try bytes(of: scratch("labels.npy"))
      }
      for (options, answer) in answers {
        let method = options.split(separator: " ")[0]
        for (others, other) in answers where options < others && others.hasPrefix(method) {
          #expect(answer != other, "\(options), \(others)")
        }
      }
    }

    @Test(arguments: [nil, 3]) func pointsWithoutDirectionAreAlone(ranks: Int?) async throws {
      var rows = try Fixture.rows(0..<60)
      for column in 0..<16 { rows[7, column] = 0 }
      let path = try scratch.write(rows, as: "rows.npy")
      for method in ["components", "dbscan", "hdbscan", "finch", "average-linkage"] {
        let command = [
          "cluster", path, "--method", method, "--output", scratch("labels.npy"), "--overwrite",
        ]
        let refused = try await run("highland", command, onRanks: ranks)
        #expect(refused.exitCode == 1, "\(refused)")
        #expect(refused.errors.contains("1 of 60 rows have no direction"), "\(refused)")
        let outcome = try await run(
          "highland", command + ["--invalid-rows", "singleton"], onRanks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let labels = try labels(of: scratch("labels.npy"))
        #expect(labels.count { $0 == labels[7] } == 1)
      }
    }

    @Test func aPartitionThatIsNotThereIsNamed() async throws {
      try await expectError(
        [
          "cluster", Fixture.features, "--method", "finch", "--finch-partition", "40",
          "--progress", "none",
        ],
        "--finch-partition: \(Fixture.features) has no partition 40; expected a lower one")
    }

    @Test(arguments: [
      ("finch -k 9", "-k is not for --method finch"),
      ("hdbscan -k 9", "-k is not for --method hdbscan"),
      ("average-linkage -k 9", "-k is not for --method average-linkage"),
      ("average-linkage --search exact", "--search is not for --method average-linkage"),
      ("components --tau 0.5", "--tau is not for --method components"),
      ("components --save s", "--save is not for --method components"),
      ("finch --memory 4G", "--memory is not for --method finch"),
      ("hdbscan --checkpoint s", "--checkpoint is not for --method hdbscan"),
      ("hdbscan --groups g.npy", "--groups is not for --method hdbscan"),
      ("components --eps 0.1", "--eps needs --method dbscan"),
      ("flow --distance 0.1", "--distance needs --method components or average-linkage"),
      ("dbscan --finch-partition 1", "--finch-partition needs --method finch"),
      ("dbscan --eps 1", "--eps 1.0: expected 0 or more, below 1"),
      (
        "dbscan -k 4 --min-points 5",
        "--min-points 5: expected 1 ... 4, the places of a list (-k)"
      ),
      ("dbscan -k 1 --min-points 1", "-k 1: expected 2 or more, the point and another"),
      (
        "hdbscan --min-samples 31",
        "--min-samples 31: expected 1 ... 30, the others that hdbscan looks at"
      ),
      ("hdbscan --min-cluster-size 1", "--min-cluster-size 1: expected 2 or more"),
      ("average-linkage --distance 2.5", "--distance 2.5: expected 0 ... 2"),
      ("finch --nodes-per-rank 0", "--nodes-per-rank 0: expected 1 or more"),
      (
        "dbscan --overwrite",
        "--overwrite replaces outputs that exist; expected --output or --report"
      ),
    ])
    func refuseWhatTheyDoNothingWith(options: String, message: String) async throws {
      let outcome = try await run(
        "highland",
        ["cluster", Fixture.features, "--method"] + options.split(separator: " ").map(String.init))
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errors.contains("Error: \(message)"), "\(outcome)")
    }
  }
}
