import Testing

extension Programs {
  @Suite struct RanksAsProcesses {
    @Test(
      arguments: [
        "laws", "laws-small-pieces", "laws-one-request", "laws-counting", "laws-of-groups", "hosts",
        "halo", "paths", "components", "search", "clustering", "adopted", "all-ranks",
      ], 1...4)
    func pass(check: String, ranks: Int) async throws {
      let outcome = try await run("MPIChecks", [check], ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.outputLines == ["ok \(check) on \(ranks) ranks"], "\(outcome)")
    }

    @Test func freeTheirGroups() async throws {
      let outcome = try await run("MPIChecks", ["many-groups"], ranks: 2)
      #expect(outcome.exitCode == 0, "\(outcome)")
    }

    @Test func freeTheirDuplicates() async throws {
      let outcome = try await run("MPIChecks", ["many-duplicates"], ranks: 2)
      #expect(outcome.exitCode == 0, "\(outcome)")
    }

    /// The library does not exit, and MPI is finalised: else `mpirun` complains.
    @Test(arguments: [1, 3])
    func goOnAfterTheLibrary(ranks: Int) async throws {
      let outcome = try await run("MPIChecks", ["--library", "paths", "halo"], ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output.contains("ok paths on \(ranks) ranks\nok halo on"), "\(outcome)")
      #expect(outcome.output.split(separator: "goes on").count == ranks + 1, "\(outcome)")
    }

    @Test func needNoMPIRunForOne() async throws {
      let outcome = try await run("MPIChecks", ["laws"])
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output == "ok laws on 1 ranks\n", "\(outcome)")
    }
  }

  /// The others wait in a barrier when one fails; the job ends nevertheless, and says why.
  @Suite struct FailingRanks {
    @Test(arguments: [2, 4])
    func endTheJobByThrowing(ranks: Int) async throws {
      let outcome = try await run("MPIChecks", ["throw-on-last"], ranks: ranks)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines == ["error: rank \(ranks - 1) of \(ranks): thrown on one rank"],
        "\(outcome)")
    }

    @Test(arguments: [1, 2, 4])
    func leaveTogetherWhenTheyAgree(ranks: Int) async throws {
      let outcome = try await run("MPIChecks", ["agree-on-last"], ranks: ranks)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.errorLines == ["error: agreed on by all"], "\(outcome)")
    }

    @Test(arguments: [1, 2, 4, 5])
    func leaveTogetherWhenAGroupAgrees(ranks: Int) async throws {
      let outcome = try await run("MPIChecks", ["group-agrees"], ranks: ranks)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.errorLines == ["error: agreed on by a group"], "\(outcome)")
    }

    @Test(arguments: [2, 4])
    func endTheJobByThrowingInAGroup(ranks: Int) async throws {
      let outcome = try await run("MPIChecks", ["throw-in-group"], ranks: ranks)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines == ["error: rank \(ranks - 1) of \(ranks): thrown in a group"],
        "\(outcome)")
    }

    @Test func tellWhichCallOfMPIFailed() async throws {
      let outcome = try await run("MPIChecks", ["mpi-error"], ranks: 3)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines.contains {
          $0.hasPrefix("error: rank 2 of 3: MPI_Wait: MPI_ERR_TRUNCATE")
        }, "\(outcome)")
    }

    @Test func endTheJobByATrap() async throws {
      let outcome = try await run("MPIChecks", ["trap-on-last"], ranks: 2)
      #expect(outcome.exitCode != 0, "\(outcome)")
      #expect(outcome.errors.contains("trapped on one rank"), "\(outcome)")
    }

    @Test(arguments: [1, 3])
    func exitAsTheProgramSays(ranks: Int) async throws {
      let outcome = try await run("MPIChecks", ["no-such-check"], ranks: ranks)
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errorLines.count == 1, "\(outcome)")
    }

    @Test func printTheReasonAlone() async throws {
      let outcome = try await run("MPIChecks", ["throw-on-last"])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.errors == "error: thrown on one rank\n", "\(outcome)")
    }
  }
}
