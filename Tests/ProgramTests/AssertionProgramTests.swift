import Subprocess
import Testing

extension Programs {
  @Suite struct AssertionsOfPrograms {
    private let names = "HIGHLAND_ASSERTIONS"

    @Test(arguments: ["light", "all"])
    func endTheJobOnAllRanks(level: String) async throws {
      let outcome = try await run(
        "MPIChecks", ["not-replicated"], ranks: 3, environment: [names: level])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.errorLines.count == 1, "\(outcome)")
      #expect(
        outcome.errors.contains(#"(count: 5, of: "all") on rank 0"#)
          && outcome.errors.contains(#"(count: 4, of: "all") on rank 2"#), "\(outcome)")
    }

    @Test func areOffIfThatIsSaid() async throws {
      let outcome = try await run(
        "MPIChecks", ["not-replicated"], ranks: 3, environment: [names: "none"])
      #expect(outcome.exitCode == 0, "\(outcome)")
    }

    @Test(arguments: [1, 2])
    func areOfALevelThatThereIs(ranks: Int) async throws {
      let outcome = try await run(
        "highland", ["info"], ranks: ranks, environment: [names: "heavy"])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines == ["error: HIGHLAND_ASSERTIONS is not none, light or all"],
        "\(outcome)")
    }

    @Test func areOfTheSameLevelOnAllRanks() async throws {
      let script = "HIGHLAND_ASSERTIONS=$([ $OMPI_COMM_WORLD_RANK = 1 ] && echo all || echo none) "
      let outcome = try await run(
        .name("mpirun"),
        ["-n", "2", "--oversubscribe", "--allow-run-as-root", "--timeout", "50", "bash", "-c"]
          + [script + "exec MPIChecks laws"])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines.first?.hasPrefix(
          "error: HIGHLAND_ASSERTIONS is not the same on all ranks: none, all; ") == true,
        "\(outcome)")
    }

    @Test func changeNoLabels() async throws {
      let scratch = try Scratch()
      for level in ["none", "all"] {
        let outcome = try await run(
          "highland",
          [
            "cluster", Fixture.features, "--model", Fixture.model, "--output",
            scratch("\(level).npy"),
          ]
            + Fixture.options, ranks: 3, environment: [names: level])
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
      #expect(try bytes(of: scratch("none.npy")) == bytes(of: scratch("all.npy")))
    }
  }
}
