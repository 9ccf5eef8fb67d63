import Foundation
import Subprocess
import Testing

/// Where the program writes: never over its inputs, under names that say what they hold, and without a
/// trace if it is ended.
extension Programs {
  @Suite struct OutputFiles {
    private let scratch: Scratch
    private let features: String
    private let truth: String

    init() throws {
      scratch = try Scratch()
      features = try scratch.write(Fixture.rows(0..<60), as: "features.npy")
      truth = try scratch.write((0..<60).map { Int64($0 % 5) }, shape: [60], as: "truth.npy")
    }

    private func expectError(
      _ arguments: [String], _ message: String, onRanks ranks: Int? = nil
    ) async throws {
      let before = try Data(contentsOf: URL(filePath: features))
      try await ProgramTests.expectError(arguments, message, onRanks: ranks)
      #expect(try Data(contentsOf: URL(filePath: features)) == before)
    }

    @Test(arguments: [nil, 3])
    func anInputIsNoOutputWhateverItIsCalled(ranks: Int?) async throws {
      let dotted = "\(scratch.path)/./features.npy"
      let link = scratch("link.npy")
      let second = scratch("second.npy")
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: features)
      try FileManager.default.linkItem(atPath: features, toPath: second)
      let own = "an output needs a name of its own"
      try await expectError(
        ["cluster", features, "-o", features, "--overwrite"], "\(features): is an input; \(own)",
        onRanks: ranks)
      for path in [dotted, link, second] {
        try await expectError(
          ["cluster", features, "-o", path, "--overwrite"],
          "\(path): is the same file as the input \(features); \(own)", onRanks: ranks)
      }
    }

    @Test(arguments: [nil, 3])
    func twoOutputsAreNotOneFileByALink(ranks: Int?) async throws {
      try FileManager.default.createSymbolicLink(
        atPath: scratch("link.json"), withDestinationPath: "labels.npy")
      try await expectError(
        [
          "cluster", features, "-o", scratch("labels.npy"), "--report", scratch("link.json"),
          "--overwrite",
        ],
        "\(scratch("link.json")): is the same file as the output \(scratch("labels.npy"))",
        onRanks: ranks)
    }

    @Test func noCommandWritesOverAnInput() async throws {
      let own = "is an input; an output needs a name of its own"
      let edges = try scratch.write([Int64(0), 1], shape: [1, 2], as: "edges.npy")
      let model = scratch("model.safetensors")
      try FileManager.default.copyItem(atPath: Fixture.model, toPath: model)
      for (arguments, path) in [
        (["cluster", features, "--truth", truth, "-o", truth], truth),
        (["cluster", features, "--model", model, "--report", model], model),
        (["convert", features, features], features),
        (["knn", features, "--neighbors", features, "--similarities", scratch("s.npy")], features),
        (["knn", features, "--neighbors", scratch("n.npy"), "--similarities", features], features),
        (["components", edges, "-o", edges], edges),
        (["components", edges, "--truth", truth, "-o", truth], truth),
        (["train", features, truth, "-o", truth], truth),
        (["train", features, truth, "--from", model, "-o", model], model),
        (["train", features, truth, "-o", scratch("m.safetensors"), "--log", truth], truth),
        (
          [
            "train", features, truth, "-o", scratch("m.safetensors"), "--log", truth,
            "--checkpoint",
            scratch("state"),
          ], truth
        ),
      ] {
        let replaced = arguments.contains("--checkpoint") ? [] : ["--overwrite"]
        try await expectError(arguments + replaced, "\(path): \(own)")
      }
    }

    @Test func collectionsAndHierarchiesAreNoOutputs() async throws {
      let own = "is an input; an output needs a name of its own"
      let graphs = scratch("graphs")
      var outcome = try await run(
        "highland", ["graphs", "generate", "--graphs", "8", "-o", graphs])
      #expect(outcome.exitCode == 0, "\(outcome)")
      try await expectError(
        ["graphs", "train", graphs, "--report", "\(graphs)/MOTIFS_A.txt", "--overwrite"],
        "\(graphs)/MOTIFS_A.txt: \(own)")
      let levels = scratch("levels")
      outcome = try await run(
        "highland", ["cluster", features, "--hierarchy", levels, "--progress", "none"])
      #expect(outcome.exitCode == 0, "\(outcome)")
      try await expectError(
        ["report", levels, "-o", "\(levels)/hierarchy.json", "--overwrite"],
        "\(levels)/hierarchy.json: \(own)")
      try await expectError(
        [
          "cluster", features, "--truth", "\(levels)/labels.npy", "--hierarchy", levels,
          "--overwrite",
        ],
        "\(levels): holds the input \(levels)/labels.npy, and would be replaced; an output needs a "
          + "name of its own")
    }

    @Test(arguments: [nil, 3])
    func anExtensionThatSaysSomethingElseIsRefused(ranks: Int?) async throws {
      let neighbors = ["--neighbors", scratch("n.npy"), "--similarities", scratch("s.txt")]
      for (arguments, path, problem) in [
        (
          ["cluster", features, "-o", scratch("labels.foo")], scratch("labels.foo"),
          "unknown extension '.foo'; it is to hold labels; expected .npy or .txt"
        ),
        (
          ["cluster", features, "-o", scratch("labels")], scratch("labels"),
          "no extension; it is to hold labels; expected .npy or .txt"
        ),
        (
          ["knn", features] + neighbors, scratch("s.txt"),
          "unknown extension '.txt'; it is to hold an array; expected .npy"
        ),
        (
          ["train", features, truth, "-o", scratch("model.npy")], scratch("model.npy"),
          "unknown extension '.npy'; it is to hold a model; expected .safetensors"
        ),
        (
          ["cluster", features, "--report", scratch("report.html")], scratch("report.html"),
          "the extension '.html'; it is to hold JSON"
        ),
      ] {
        try await expectError(arguments, "\(path): \(problem)", onRanks: ranks)
      }
    }

    /// Ends the program when it has begun to write, and returns what is left.
    private func interrupted(
      _ arguments: [String], by signal: String, ranks: Int?
    ) async throws -> (outcome: Outcome, names: [String]) {
      let before = try scratch.names
      let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
      // Ranks that share a busy machine get more than mpirun's second to end.
      let start =
        ranks.map {
          "mpirun -n \($0) --oversubscribe --bind-to none --allow-run-as-root "
            + "--mca odls_base_sigkill_timeout 5 "
        } ?? ""
      // With job control, as otherwise SIGINT is ignored.
      let script = """
        set -m
        \(start)highland \(quoted) & pid=$!
        until ls -d '\(scratch.path)'/*.tmp-* >/dev/null 2>&1; do
          if ! kill -0 $pid 2>/dev/null || [ $SECONDS -ge 40 ]; then
            echo "nothing to interrupt" >&2
            kill -KILL $pid
            exit 99
          fi
        done
        kill -\(signal) $pid
        wait $pid
        """
      let outcome = try await run(.name("bash"), ["-c", script])
      return (outcome, try scratch.names.filter { !before.contains($0) })
    }

    @Test(arguments: ["INT", "TERM", "HUP", "USR1"])
    func nothingIsLeftAfterASignal(signal: String) async throws {
      let edges = try scratch.write([Int64(0), 1], shape: [1, 2], as: "edges.npy")
      for arguments in [
        ["components", edges, "--points", "60000000", "-o", scratch("labels.npy")],
        ["generate", "--points", "400000", "--dimensions", "64", "-o", scratch("set")],
      ] {
        let (outcome, names) = try await interrupted(arguments, by: signal, ranks: nil)
        #expect(outcome.exitCode == 75, "\(outcome)")
        let line = outcome.errorLines.first ?? ""
        #expect(
          line.hasPrefix("interrupted by SIG\(signal) in ")
            && line.hasSuffix("nothing unfinished is left"),
          "\(outcome)")
        #expect(names == [], "\(arguments)")
      }
    }

    /// Whether the ranks get the signal before they have finished or not.
    @Test func nothingTemporaryIsLeftAfterASignalToRanks() async throws {
      let (outcome, names) = try await interrupted(
        ["generate", "--points", "400000", "--dimensions", "64", "-o", scratch("set")], by: "TERM",
        ranks: 3)
      #expect(outcome.exitCode != 99, "\(outcome)")
      #expect(names.filter { $0.contains(".tmp-") } == [])
    }
  }
}
