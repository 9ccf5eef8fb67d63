import Datasets
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  /// `highland transform fit`, and `--transform` of commands on points.
  @Suite struct TransformTests {
    private func fit(_ scratch: Scratch, _ more: [String] = [], ranks: Int? = nil) async throws
      -> Outcome
    {
      try await run(
        "highland",
        ["transform", "fit", Fixture.features, Fixture.truth, "--progress", "none"] + more,
        onRanks: ranks)
    }

    @Test func filesAreTheSameBytesOnAnyNumberOfRanksAndThreads() async throws {
      let scratch = try Scratch()
      let weights = try scratch.write(
        (0..<300).map { Float($0 % 5) / 4 }, shape: [300], as: "weights.npy")
      for options in [[], ["--columns", "5"], ["--weights", weights]] {
        let one = try await fit(
          scratch,
          options + ["--output", scratch("1.safetensors"), "--threads", "1", "--overwrite"])
        #expect(one.exitCode == 0 && one.errors.isEmpty, "\(one)")
        #expect(one.output.contains("equal error rate on held-out classes"), "\(one)")
        let three = try await fit(
          scratch,
          options + ["--output", scratch("3.safetensors"), "--threads", "2", "--overwrite"],
          ranks: 3)
        #expect(three.exitCode == 0 && three.output == one.output, "\(three)")
        #expect(try bytes(of: scratch("1.safetensors")) == bytes(of: scratch("3.safetensors")))
      }
    }

    /// Whichever command transforms rows, it does what it would do to transformed rows.
    @Test func commandsTransformRowsFirst() async throws {
      let scratch = try Scratch()
      let transform = scratch("t.safetensors")
      #expect(try await fit(scratch, ["--columns", "6", "--output", transform]).exitCode == 0)
      let windows = try scratch.write(
        (0..<300).map { "r\($0 / 100)\t\($0 % 100)\t\($0 % 100 + 1)\n" }.joined(), as: "windows.tsv"
      )
      let description = try await run("highland", ["info", transform])
      #expect(description.output.contains("transform of rows"), "\(description)")
      func go(_ arguments: [String]) async throws {
        let outcome = try await run("highland", arguments, ranks: 3)
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
      try await go(["convert", Fixture.features, scratch("x.npy"), "--transform", transform])
      #expect(try FeatureFile(path: scratch("x.npy")).columnCount == 6)
      for (name, input) in [
        ("before", [scratch("x.npy")]), ("within", [Fixture.features, "--transform", transform]),
      ] {
        try await go(
          ["cluster"] + input
            + ["--method", "network", "--output", scratch("labels-\(name).npy")])
        try await go(
          ["knn"] + input
            + ["--neighbors", scratch("n-\(name).npy"), "--similarities", scratch("s-\(name).npy")])
        try await go(
          ["diarize", windows, "--features"] + input + ["--output", scratch("turns-\(name)")])
      }
      for name in ["labels-%.npy", "n-%.npy", "s-%.npy", "turns-%/r1.rttm"] {
        func file(_ word: String) throws -> [UInt8] {
          try bytes(of: scratch(name.replacing("%", with: word)))
        }
        #expect(try file("before") == file("within"), "\(name)")
      }
    }

    @Test func whatDoesNotFitIsRefusedAndLeavesNoFile() async throws {
      let scratch = try Scratch()
      let short = try scratch.write((0..<299).map { Int64($0 / 9) }, shape: [299], as: "short.npy")
      let one = try scratch.write((0..<300).map { _ in Int64(4) }, shape: [300], as: "one.npy")
      let weights = try scratch.write(
        (0..<300).map { $0 == 7 ? Float(1.5) : 1 }, shape: [300], as: "weights.npy")
      let fewer = try scratch.write([Float(1)], shape: [1], as: "fewer.npy")
      let narrow = try scratch.write(randomMatrix(20, 5, seed: 1), as: "narrow.npy")
      let transform = scratch("t.safetensors")
      #expect(try await fit(scratch, ["--output", transform]).exitCode == 0)
      let kept = try scratch.names
      let out = ["--output", scratch("out.safetensors")]
      for (arguments, message) in [
        (
          ["transform", "fit", Fixture.features, short] + out,
          "\(short): 299 labels; expected 300, one per row of \(Fixture.features)"
        ),
        (
          ["transform", "fit", Fixture.features, one] + out,
          "\(one): one class has two rows or more with a direction; expected at least two such classes"
        ),
        (
          ["transform", "fit", Fixture.features, Fixture.truth, "--columns", "17"] + out,
          "\(Fixture.features): 17 columns cannot be made of 16 (--columns 17)"
        ),
        (
          ["transform", "fit", Fixture.features, Fixture.truth, "--weights", weights] + out,
          "\(weights): row 7: 1.5; expected 0 … 1"
        ),
        (
          ["transform", "fit", Fixture.features, Fixture.truth, "--weights", fewer] + out,
          "\(fewer): [1 × 1] numbers; expected one for each of 300 rows of \(Fixture.features)"
        ),
        (
          ["cluster", narrow, "--transform", transform],
          "\(narrow): rows of 5 columns; expected 16, which \(transform) was learned on (--transform)"
        ),
        (
          ["convert", Fixture.features, scratch("x.npy"), "--transform", Fixture.model],
          "\(Fixture.model): no tensors 'center' and 'axes'; expected a transform, of highland transform fit"
        ),
        (
          ["convert", Fixture.truth, scratch("x.npy"), "--transform", transform],
          "integers of one column are labels; --transform is for features"
        ),
      ] {
        let outcome = try await run("highland", arguments, ranks: 3)
        #expect(outcome.exitCode == 1 && outcome.errors.contains(message), "\(outcome)")
      }
      #expect(try scratch.names == kept)
    }
  }
}
