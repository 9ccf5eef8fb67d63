import Foundation
import Testing

extension Programs {
  /// `highland benchmark`: methods side by side.
  @Suite struct Benchmarks {
    /// Every value of the report but what runs took.
    private func content(of output: String) throws -> [String: Any] {
      func kept(_ value: Any) -> Any {
        switch value {
        case let object as [String: Any]:
          object.filter {
            ![
              "cost", "tuning", "readingCost", "searchCost", "peakMemoryBytes", "rankCount",
              "threadCount",
            ]
            .contains($0.key)
          }.mapValues(kept)
        case let list as [Any]: list.map(kept)
        default: value
        }
      }
      let report = try JSONSerialization.jsonObject(with: Data(output.utf8))
      return try #require(kept(report) as? [String: Any])
    }

    private func split(to scratch: Scratch) throws -> [String] {
      let truth = try labels(of: Fixture.truth)
      return try [("known", 0..<160), ("other", 160..<300)].flatMap { name, rows in
        [
          try scratch.write(Fixture.rows(rows), as: "\(name).npy"),
          try scratch.write(
            Array(truth[rows]), shape: [rows.count], as: "\(name)-labels.npy"),
        ]
      }
    }

    @Test func areTheSameOnAnyNumberOfRanks() async throws {
      let scratch = try Scratch()
      let files = try split(to: scratch)
      let arguments = [
        "benchmark", files[2], files[3], "--train", files[0], files[1], "--json", "-k", "12",
        "--methods",
        "components,dbscan,hdbscan,finch,average-linkage,infomap,flow,network,auto",
      ]
      let alone = try await run("highland", arguments)
      #expect(alone.exitCode == 0, "\(alone)")
      let report = try content(of: alone.output)
      let entries = try #require(report["entries"] as? [[String: Any]])
      #expect(
        entries.map { $0["method"] as? String } == [
          "components", "dbscan", "hdbscan", "finch", "average-linkage", "infomap", "flow",
          "network", "auto",
        ])
      for entry in entries.prefix(6) {
        #expect(entry["chosenBy"] as? String == "train")
        #expect((entry["trials"] as? [Any])?.isEmpty == false)
      }
      for ranks in [2, 3] {
        let shared = try await run("highland", arguments, onRanks: ranks)
        #expect(shared.exitCode == 0, "\(shared)")
        #expect(try content(of: shared.output) as NSDictionary == report as NSDictionary)
      }
    }

    /// Another network than the one in the box.
    @Test func trainANetworkOnTheOtherLabels() async throws {
      let scratch = try Scratch()
      let files = try split(to: scratch)
      let outcome = try await run(
        "highland",
        [
          "benchmark", files[2], files[3], "--train", files[0], files[1], "--json", "--methods",
          "network,trained",
        ])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let report = try content(of: outcome.output)
      let entries = try #require(report["entries"] as? [[String: Any]])
      #expect(entries.map { $0["chosenBy"] as? String } == ["itself", "train"])
      let metrics = entries.map { $0["metrics"] as? NSDictionary }
      #expect(metrics[0] != metrics[1])
    }

    @Test func withoutOtherLabelsSayWhatIsAnOracle() async throws {
      let scratch = try Scratch()
      let outcome = try await run(
        "highland",
        [
          "benchmark", Fixture.features, Fixture.truth, "--methods", "components,finch,flow",
          "--report", scratch("page.html"),
        ])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let methods = outcome.outputLines.dropFirst().prefix(5).map {
        $0.split(separator: " ").first.map(String.init)
      }
      #expect(methods == ["components", "components", "finch", "finch", "flow"], "\(outcome)")
      #expect(outcome.outputLines.count { $0.contains("  oracle  ") } == 2, "\(outcome)")
      #expect(outcome.output.contains("a bound, and no result"), "\(outcome)")
      let page = try String(decoding: bytes(of: scratch("page.html")), as: UTF8.self)
      #expect(page.contains("<svg") && page.contains("oracle"))
    }

    @Test(arguments: [
      (["--train", "x.npy"], "--train: 1 names; expected features and labels"),
      (["--methods", "trained"], "--methods trained: expected --train beside it"),
      (["--methods", "finch,finch"], "--methods finch,finch: expected some of components, dbscan"),
      (["-k", "5"], "-k 5: expected 6 ... 1001"),
      (["--methods", "finch", "--model", "default"], "--model is of network and auto"),
    ])
    func refuseWhatTheyCannotDo(options: [String], message: String) async throws {
      let outcome = try await run(
        "highland", ["benchmark", Fixture.features, Fixture.truth] + options)
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errors.contains(message), "\(outcome)")
    }

    @Test func nameTheFileThatDoesNotFit() async throws {
      let scratch = try Scratch()
      let files = try split(to: scratch)
      let outcome = try await run(
        "highland", ["benchmark", Fixture.features, files[1], "--methods", "finch"], onRanks: 2)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.errors.contains("known-labels.npy: 160 labels; expected 300"), "\(outcome)")
    }
  }
}
