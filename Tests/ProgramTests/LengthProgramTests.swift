import Datasets
import Foundation
import Testing

extension Programs {
  /// The length of lists that a model of structure is trained for.
  @Suite struct Lengths {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func train(_ output: String, _ more: [String]) -> [String] {
      [
        "train", Fixture.features, Fixture.truth, "--output", scratch(output), "--graphs", "1",
        "--epochs", "1", "--progress", "none", "--threads", "1",
      ] + more
    }

    @Test func isChosenAndStoredAndTold() async throws {
      let (log, page) = (scratch("log.jsonl"), scratch("page.html"))
      let trained = try await run(
        "highland", train("1.safetensors", ["--log", log, "--report", page]))
      #expect(trained.exitCode == 0, "\(trained)")
      let line = try #require(trained.outputLines.first { $0.hasPrefix("k = ") })
      #expect(line.contains("held-out identities: ") && line.contains(" at 10, "), "\(line)")
      let file = try TensorFile(path: scratch("1.safetensors"))
      #expect(file.metadata["k"].map { line.hasPrefix("k = \($0) ") } == true)
      #expect(file.metadata["k_trials"]?.hasPrefix("10: ") == true)
      let events = String(decoding: try bytes(of: log), as: UTF8.self)
      #expect(events.contains("\"event\":\"length\"") && events.contains("\"halfCount\":"))
      #expect(
        String(decoding: try bytes(of: page), as: UTF8.self).contains("Length of lists"))
      // By three ranks as by one.
      let others = try await run("highland", train("3.safetensors", []), ranks: 3)
      #expect(others.outputLines.contains(line), "\(others)")
    }

    @Test func isTheOneThatIsGiven() async throws {
      let trained = try await run("highland", train("m.safetensors", ["-k", "15"]))
      #expect(trained.exitCode == 0 && !trained.output.contains("k = "), "\(trained)")
      let metadata = try TensorFile(path: scratch("m.safetensors")).metadata
      #expect(metadata["k"] == "15" && metadata["context"] == "30")
      let clustered = try await run(
        "highland",
        [
          "cluster", Fixture.features, "--model", scratch("m.safetensors"), "--report",
          scratch("report.json"), "--progress", "none",
        ])
      #expect(clustered.exitCode == 0, "\(clustered)")
      let refused = try await run(
        "highland", ["cluster", Fixture.features, "--model", scratch("m.safetensors"), "-k", "10"])
      #expect(refused.errors.contains("works only with that k"), "\(refused)")
    }

    @Test(arguments: [
      (["-k", "1"], "-k 1: expected 2 ... 1000"),
      (["-k", "10", "--from", "default"], "-k and --from: expected one of them"),
      (["-k", "100", "--graph-points", "100"], "fewer places than points"),
    ])
    func isRefusedWhereItCannotAct(more: [String], problem: String) async throws {
      let refused = try await run("highland", train("m.safetensors", more))
      #expect(refused.exitCode == 64 && refused.errors.contains(problem), "\(refused)")
    }
  }
}
