import Testing

extension Programs {
  @Suite struct Interrupting {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func aProgramThatEndsAtOnceIsNotWaitedFor() async throws {
      let outcome = try await interrupt(["train", "nowhere.npy"], "KILL", in: scratch)
      #expect(outcome.exitCode == 64)
      #expect(outcome.errorLines.last == "ended before its second checkpoint")
    }

    @Test func aProgramWithoutCheckpointsIsNotWaitedForForEver() async throws {
      let outcome = try await interrupt(
        [
          "train", Fixture.features, Fixture.truth, "--epochs", "1000000", "-o",
          scratch("model.safetensors"),
        ], "TERM", in: scratch, timeoutSeconds: 1)
      #expect(outcome.exitCode == 128 + 9)
      #expect(outcome.errorLines.contains("no second checkpoint after 1 s"))
      #expect(try scratch.names == [])
    }
  }
}
