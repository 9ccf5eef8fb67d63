import Subprocess
import Testing

extension Programs {
  /// What a shell and `man` learn of the program.
  @Suite struct CompletionsAndManual {
    @Test(arguments: ["bash", "zsh", "fish"])
    func aScriptNamesCommandsAndOptions(shell: String) async throws {
      let outcome = try await run("highland", ["completion", shell])
      #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
      for word in ["cluster", "knn", "checkpoint"] { #expect(outcome.output.contains(word)) }
    }

    @Test func bashTakesItsScript() async throws {
      let outcome = try await run(
        .name("bash"), ["-c", "source <(highland completion bash) && complete -p highland"])
      #expect(outcome.exitCode == 0 && outcome.output.contains("highland"), "\(outcome)")
    }

    @Test func anotherShellIsRefused() async throws {
      let outcome = try await run("highland", ["completion", "csh"])
      #expect(outcome.exitCode == 64 && outcome.output.isEmpty, "\(outcome)")
    }
  }
}
