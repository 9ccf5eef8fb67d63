import Subprocess
import Testing

private let commands = [
  "cluster", "assign", "update", "tree", "cut", "diarize", "knn", "components", "evaluate",
  "compare",
  "benchmark", "report", "generate", "convert", "plan", "info", "completion",
]

extension Programs {
  @Suite struct CommandLines {
    @Test(arguments: [""] + commands)
    func helpIsPrintedOnce(command: String) async throws {
      let arguments = [command, "--help"].filter { !$0.isEmpty }
      let alone = try await run("highland", arguments)
      #expect(alone.exitCode == 0, "\(alone)")
      #expect(alone.errors.isEmpty, "\(alone)")
      #expect(alone.outputLines.first?.hasPrefix("OVERVIEW: ") == true, "\(alone)")
      // The first paragraph after what the command is are examples.
      let examples = #/^OVERVIEW: .+(\n.+)*?\n\n  (highland|mpirun|source) /#
      #expect(alone.output.contains(examples), "\(alone)")
      #expect(alone.outputLines.count { $0.hasPrefix("USAGE: highland \(command)") } == 1)
      let many = try await run("highland", arguments, ranks: 2)
      #expect(many.exitCode == 0 && many.errorLines.isEmpty, "\(many)")
      #expect(many.output == alone.output)
    }

    @Test func helpSaysThatKCountsThePointItself() async throws {
      let help = try await run("highland", ["cluster", "--help"]).output
      let words = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(words.contains("the point itself included"))
    }

    @Test func boundRanksDoNotCountTheWholeHost() async throws {
      let outcome = try await run(.name("taskset"), ["-c", "0", "highland", "info"])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let line = outcome.outputLines.first { $0.hasPrefix("processorsOfRank0 ") }
      #expect(line?.split(separator: " ").last == "1", "\(outcome)")
    }

    /// A file of that name that is no library is what the loader finds first.
    @Test func aMachineWithoutOpenBLASIsDescribed() async throws {
      let scratch = try Scratch()
      for name in ["libopenblas.so.0", "libopenblas.so"] { try scratch.write("none", as: name) }
      let outcome = try await run(
        .name("env"), ["LD_LIBRARY_PATH=\(scratch.path)", "highland", "info"])
      #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
      let words = outcome.outputLines.compactMap { line in
        line.hasPrefix("openblas")
          ? line.split(separator: " ").prefix(4).joined(separator: " ") : nil
      }
      #expect(words.count == 1, "\(outcome)")
      #expect(words.first?.hasPrefix("openblas not available: ") == true, "\(outcome)")
    }

    @Test func versionIsPrintedOnce() async throws {
      let outcome = try await run("highland", ["--version"], ranks: 2)
      #expect(outcome.exitCode == 0 && outcome.outputLines == ["0.1.0"], "\(outcome)")
    }

    @Test(arguments: [
      ["cluster"], ["cluster", "a.npy", "--model", "m", "-k", "0"],
      ["cluster", "a.npy", "--model", "m", "--tau", "1.5"],
      ["cluster", "a.npy", "--model", "m", "--tau", "nan"],
      ["cluster", "a.npy", "--model", "m", "--max-levels", "0"],
      ["cluster", "a.npy", "--model", "m", "--threads", "0"],
      ["cluster", "a.npy", "--model", "m", "--neighbors", "n.npy"],
      ["cluster", "a.npy", "--model", "m", "--invalid-rows", "maybe"],
      ["knn", "a.npy", "--neighbors", "n", "--similarities", "s", "-k", "1"],
      ["components"], ["components", "e.npy", "--neighbors", "n", "--similarities", "s"],
      ["components", "--neighbors", "n", "--similarities", "s"],
      ["components", "e.npy", "--points", "-1"],
      [
        "components", "--neighbors", "n", "--similarities", "s", "--above", "0.5", "--points", "9",
      ], ["evaluate"], ["evaluate", "--predicted", "p"],
      ["evaluate", "--rttm", "t", "--predicted", "p", "--collar", "-1"],
      ["diarize", "s", "--features", "x.npy"],
      ["diarize", "s", "--features", "x.npy", "--output", "d", "--gap", "nan"],
      ["diarize", "s", "--features", "x.npy", "--output", "d", "--clusters", "3..2"],
      ["convert", "one.npy"], ["report", "-o", "r.html"], ["report", "levels"],
      ["report", "levels", "-o", "r.html", "--top", "0"],
      ["report", "levels", "-o", "r.html", "--top", "1001"],
      ["generate", "--points", "many", "-o", "d"], ["no-such-command"], ["--no-such-option"],
    ])
    func wrongUsageIsExplained(arguments: [String]) async throws {
      let outcome = try await run("highland", arguments)
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errorLines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome)")
      #expect(outcome.output.isEmpty, "\(outcome)")
    }

    @Test func wrongUsageIsExplainedOnceUnderMPIRun() async throws {
      let outcome = try await run("highland", ["cluster"], ranks: 2)
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errorLines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome)")
    }
  }
}
