import LinearAlgebra
import Testing

extension Inputs {
  /// Every option of `train` acts or is refused, also one whose value is what it would be without it.
  @Suite struct OptionsOfTraining {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func refuses(
      _ kind: String, _ options: [String], _ message: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let outcome = try await run(
        "highland",
        ["train", kind, Fixture.features, Fixture.truth, "--output", scratch("m.safetensors")]
          + options)
      #expect(
        outcome.exitCode == 64 && outcome.errors.contains("Error: \(message)"), "\(outcome)",
        sourceLocation: sourceLocation)
      #expect(try scratch.names == [], sourceLocation: sourceLocation)
    }

    @Test(arguments: [
      ("structure", ["--dropout", "0"]), ("structure", ["--patience", "0"]),
      ("coordinates", ["--graphs", "28"]), ("coordinates", ["--from", "default"]),
    ])
    func ofTheOtherKindAreRefused(kind: String, option: [String]) async throws {
      try await refuses(kind, option, "Unknown option '\(option[0])'")
    }

    /// Without the name of a kind it is structure.
    @Test func ofCoordinatesAreUnknownToPlainTraining() async throws {
      let outcome = try await run(
        "highland",
        ["train", Fixture.features, Fixture.truth, "--output", scratch("m"), "--dropout", "0"])
      #expect(outcome.exitCode == 64 && outcome.errors.contains("Unknown option '--dropout'"))
    }

    @Test(arguments: [
      (
        "structure", ["--checkpoint-interval", "60"], "--checkpoint-interval goes with --checkpoint"
      ),
      (
        "structure", ["--from", "default", "--width", "48"],
        "--width and --from: expected one of them"
      ),
      (
        "coordinates", ["--validation-fraction", "0", "--patience", "3"],
        "--patience and --validation-fraction 0: expected one of them"
      ),
      (
        "coordinates", ["--validation-fraction", "0", "--validate-every", "5"],
        "--validate-every and --validation-fraction 0: expected one of them"
      ),
      (
        "coordinates", ["--heads", "1"], "--heads 1 goes with --network attention"
      ),
    ])
    func thatNeedOthersAreRefusedWithoutThem(
      kind: String, options: [String], message: String
    ) async throws {
      try await refuses(kind, options, message)
    }

    @Test(arguments: [
      (["--epochs", "1000000000000"], "--epochs 1000000000000: expected 0 ... 1000000"),
      (["--batch-size", "9223372036854775807"], "--batch-size 9223372036854775807: expected 0"),
      (["--learning-rate", "nan"], "--learning-rate nan: expected above 0"),
      (["--learning-rate", "1e300"], "--learning-rate 1e+300: expected above 0"),
      (["--learning-rate", "1e-300"], "--learning-rate 1e-300: expected above 0"),
      (["--density-weight", "1e39"], "--density-weight 1e+39: expected 0"),
      (["--density-weight", "nan"], "--density-weight nan: expected 0"),
      (["--weight-decay", "nan"], "--weight-decay nan: expected 0"),
      (["--clip", "inf"], "--clip inf: expected 0"),
      (["--clip", "nan"], "--clip nan: expected 0"),
      (["--clip", "1e-300"], "--clip 1e-300: expected 0"),
      (["--dropout", "nan"], "--dropout nan: expected 0"),
      (["--validation-fraction", "nan"], "--validation-fraction nan: expected 0"),
      (
        ["--checkpoint", "state", "--checkpoint-interval", "1e300"],
        "--checkpoint-interval 1e+300: expected 0"
      ),
    ])
    func beyondTheirRangeAreRefused(options: [String], message: String) async throws {
      try await refuses("coordinates", options, message)
    }
  }

  @Suite struct RowsOfTraining {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// Three rows without a direction, in each file that training reads; nothing is left.
    @Test(arguments: ["structure", "coordinates"], ["", "--validation", "--also"])
    func withoutDirectionAreRefused(input: String, option: String) async throws {
      if input == "coordinates", option == "--also" { return }
      var rows = try Fixture.rows(0..<300)
      for column in 0..<rows.columnCount { rows[3, column] = 0 }
      rows[60, 2] = .nan
      rows[299, 0] = -.infinity
      let bad = try scratch.write(rows, as: "bad.npy")
      let before = try scratch.names
      let first = option.isEmpty ? bad : Fixture.features
      let more = option.isEmpty ? [] : [option, bad, Fixture.truth]
      for ranks in [1, 3] {
        let outcome = try await run(
          "highland",
          [
            "train", input, first, Fixture.truth, "--output",
            scratch("model.safetensors"), "--checkpoint", scratch("state"), "--log",
            scratch("log.jsonl"), "--progress", "none",
          ] + more, ranks: ranks)
        #expect(outcome.exitCode == 1)
        #expect(
          outcome.errorLines == [
            "error: \(bad): 3 of 300 rows have no direction (all zeros, or NaN or infinite values): "
              + "row 3, 60, 299"
          ])
        #expect(try scratch.names == before)
      }
    }

    /// Columns of a raw file are what --dimensions says, also of the one to choose by.
    @Test func ofARawFileToChooseByHaveTheGivenColumns() async throws {
      let rows = try Fixture.rows(0..<300)
      let raw = try scratch.write(
        rows.elements.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> ($0 * 8) & 255) }
        },
        as: "raw.bin")
      let outcome = try await run(
        "highland",
        [
          "train", raw, Fixture.truth, "--dimensions", "16", "--validation", raw, Fixture.truth,
          "--graphs", "1", "--epochs", "1", "--output", scratch("model.safetensors"),
          "--progress", "none",
        ])
      #expect(outcome.exitCode == 0, "\(outcome)")
    }
  }
}
