import LinearAlgebra
import RandomInputs
import Subprocess
import Testing

extension Programs {
  @Suite struct KernelsOfTheProgram {
    private let variable = "HIGHLAND_KERNEL"

    /// Lists of both searches and labels.
    @Test(
      .enabled(
        if: KernelLevel.ofProcessor == .avx512,
        "the processor has no AVX-512: there is nothing to compare AVX2 with"))
    func ofTwoInstructionSetsGiveTheSameBytes() async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(1100, 20, seed: 95), as: "x.npy")
      for kernel in ["avx2", "avx512"] {
        for search in ["exact", "approximate"] {
          let name = "\(kernel)-\(search)"
          let found = try await run(
            .name("highland"),
            [
              "knn", path, "-k", "8", "--search", search, "--neighbors", scratch("n-\(name).npy"),
              "--similarities", scratch("s-\(name).npy"), "--progress", "none",
            ], environment: [variable: kernel])
          #expect(found.exitCode == 0, "\(found)")
          let clustered = try await run(
            .name("highland"),
            ["cluster", path, "--search", search, "--output", scratch("l-\(name).npy")],
            environment: [variable: kernel])
          #expect(clustered.exitCode == 0, "\(clustered)")
        }
      }
      for search in ["exact", "approximate"] {
        for kind in ["n", "s", "l"] {
          #expect(
            try bytes(of: scratch("\(kind)-avx2-\(search).npy"))
              == bytes(of: scratch("\(kind)-avx512-\(search).npy")), "\(kind) \(search)")
        }
      }
    }

    @Test func areOfASetThatThereIs() async throws {
      let outcome = try await run(
        .name("highland"), ["info"], environment: [variable: "avx1024"])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines == [
          "error: HIGHLAND_KERNEL is not portable, avx2 or avx512: avx1024"
        ], "\(outcome)")
    }
  }
}
