import Datasets
import Foundation
import LinearAlgebra
import Subprocess
import Testing

extension Programs {
  @Suite struct Train {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// A short training on the reference's small case.
    private func arguments(
      _ output: String, epochs: Int = 6, _ more: [String] = []
    ) -> [String] {
      [
        "train", "coordinates", Fixture.features, Fixture.truth, "--output", scratch(output),
        "--hidden", "16", "--epochs", "\(epochs)", "--validation-fraction", "0.3",
        "--validate-every", "3", "--balance", "--dropout", "0.1", "--progress", "none",
        "--threads", "1",
      ] + more
    }

    @Test func theModelClustersWithItsOwnDecisions() async throws {
      let trained = try await run(
        "highland",
        arguments(
          "model.safetensors",
          [
            "--log", scratch("log.jsonl"), "--report", scratch("report.html"), "-k", "6,4",
            "--levels", "2,2",
          ]),
        ranks: 2)
      #expect(trained.exitCode == 0, "\(trained)")
      #expect(trained.output.contains("Chosen by held-out identities"))
      let file = try TensorFile(path: scratch("model.safetensors"))
      #expect(file.metadata["k"] == "6" && file.metadata["input"] == "coordinates")
      let tau = try #require(file.metadata["tau"])
      #expect(file.metadata["validation_bcubed_f"] != nil)

      let clustered = try await run(
        "highland",
        [
          "cluster", Fixture.features, "--model", scratch("model.safetensors"), "--report",
          scratch("report.json"), "--progress", "none",
        ])
      #expect(clustered.exitCode == 0, "\(clustered)")
      struct Report: Decodable {
        struct Parameters: Decodable {
          var k: Int
          var tau: Double
        }
        var parameters: Parameters
      }
      let report = try JSONDecoder().decode(
        Report.self, from: Data(bytes(of: scratch("report.json"))))
      #expect(report.parameters.k == 6 && report.parameters.tau == Double(tau))

      let log = String(decoding: try bytes(of: scratch("log.jsonl")), as: UTF8.self)
      let events = log.split(separator: "\n").map { line in
        line.split(separator: "\"event\":\"")[1].prefix { $0 != "\"" }
      }
      #expect(
        events == [
          "start", "epoch", "epoch", "epoch", "validation", "epoch", "epoch", "epoch",
          "validation", "end",
        ])
      let page = String(decoding: try bytes(of: scratch("report.html")), as: UTF8.self)
      #expect(page.contains("<svg") && page.contains("Held-out identities"))
    }

    @Test("The same model twice, of one rank and of two", arguments: [1, 2])
    func isReproducible(ranks: Int) async throws {
      for name in ["a.safetensors", "b.safetensors"] {
        let outcome = try await run("highland", arguments(name), ranks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
      #expect(try bytes(of: scratch("a.safetensors")) == bytes(of: scratch("b.safetensors")))
    }

    @Test func goesOnAfterSIGKILLWithTheSameBits() async throws {
      let whole = try await run("highland", arguments("whole.safetensors", epochs: 60))
      #expect(whole.exitCode == 0, "\(whole)")
      let stopped = arguments(
        "stopped.safetensors", epochs: 60,
        [
          "--checkpoint", scratch("state"), "--checkpoint-interval", "0", "--log",
          scratch("log.jsonl"),
        ])
      let killed = try await interrupt(stopped, "KILL", in: scratch)
      #expect(killed.exitCode == 137, "\(killed)")
      #expect(!FileManager.default.fileExists(atPath: scratch("stopped.safetensors")))
      let resumed = try await run("highland", stopped.filter { $0 != "none" && $0 != "--progress" })
      #expect(resumed.exitCode == 0 && resumed.errors.contains("going on after step"), "\(resumed)")
      #expect(
        try bytes(of: scratch("stopped.safetensors")) == bytes(of: scratch("whole.safetensors")))
      // The log tells every epoch once.
      let log = String(decoding: try bytes(of: scratch("log.jsonl")), as: UTF8.self)
      #expect(log.split(separator: "\n").count { $0.contains("\"event\":\"epoch\"") } == 60)
    }

    @Test func endsAfterSIGTERMWithACheckpoint() async throws {
      let long = arguments(
        "model.safetensors", epochs: 3000,
        ["--checkpoint", scratch("state"), "--checkpoint-interval", "0"])
      let stopped = try await interrupt(long, "TERM", in: scratch)
      #expect(stopped.exitCode == 75, "\(stopped)")
      #expect(stopped.errors.contains("the same command goes on from it"))
      #expect(!FileManager.default.fileExists(atPath: scratch("model.safetensors")))
      // Other settings do not go on from it.
      let other = try await run(
        "highland",
        arguments(
          "model.safetensors", epochs: 3001,
          ["--checkpoint", scratch("state"), "--checkpoint-interval", "0"]))
      #expect(other.exitCode == 1)
      #expect(other.errorLines.count == 1 && other.errors.contains("--epochs was 3000, is 3001"))
    }

    @Test func refusesFeaturesThatChanged() async throws {
      let features = try scratch.write(Fixture.rows(0..<300), as: "features.npy")
      let command = { (epochs: Int) in
        arguments(
          "model.safetensors", epochs: epochs, ["--checkpoint", scratch("state"), "--overwrite"]
        ).map { $0 == Fixture.features ? features : $0 }
      }
      let first = try await run("highland", command(3))
      #expect(first.exitCode == 0, "\(first)")
      var rows = try Fixture.rows(0..<300)
      rows[299, 0] += 1
      try scratch.write(rows, as: "features.npy")
      let second = try await run("highland", command(3))
      #expect(second.exitCode == 1)
      #expect(
        second.errors.contains("other data: \(features) (features) was 300 × 16, hash "),
        "\(second)")
    }

    @Test func goesOnWithAnotherNumberOfRanks() async throws {
      let options = ["--checkpoint", scratch("state"), "--checkpoint-interval", "0"]
      let killed = try await interrupt(
        arguments("model.safetensors", epochs: 9, options), "KILL", in: scratch)
      #expect(killed.exitCode == 137, "\(killed)")
      let resumed = try await run(
        "highland",
        arguments("model.safetensors", epochs: 9, options).filter {
          $0 != "none" && $0 != "--progress"
        },
        ranks: 2)
      #expect(resumed.exitCode == 0 && resumed.errors.contains("going on after step"), "\(resumed)")
      #expect(FileManager.default.fileExists(atPath: scratch("model.safetensors")))
    }
  }

  @Suite struct TrainBadInput {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// One line on stderr, exit code 1, and nothing left, alone and on three ranks.
    private func refuses(
      _ arguments: [String], _ message: String, exitCode: Int = 1,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let before = try scratch.names
      for ranks in [1, 3] {
        let outcome = try await run(
          "highland",
          ["train", "coordinates"] + arguments + [
            "--output", scratch("model.safetensors"), "--progress", "none",
          ], ranks: ranks)
        #expect(outcome.exitCode == exitCode, "\(outcome)", sourceLocation: sourceLocation)
        #expect(outcome.errorLines == ["error: \(message)"], sourceLocation: sourceLocation)
        #expect(try scratch.names == before, sourceLocation: sourceLocation)
      }
    }

    @Test func labelsOfAnotherLength() async throws {
      let labels = try scratch.write([Int64](0..<299), shape: [299], as: "labels.npy")
      try await refuses(
        [Fixture.features, labels],
        "\(labels): 299 labels; expected 300, one per row of \(Fixture.features)")
    }

    @Test func oneIdentity() async throws {
      let labels = try scratch.write(
        [Int64](repeating: 4, count: 300), shape: [300], as: "labels.npy")
      try await refuses(
        [Fixture.features, labels],
        "\(labels): all points have the same label: there is nothing to tell apart")
    }

    @Test func threeIdentities() async throws {
      let labels = try scratch.write(
        (0..<300).map { Int64($0 % 3) }, shape: [300], as: "labels.npy")
      try await refuses(
        [Fixture.features, labels],
        "\(labels): 3 identities; at least 4 are needed to hold some out for validation "
          + "(--validation-fraction 0 holds out none)")
    }

    @Test func noPositiveEdges() async throws {
      let labels = try scratch.write((0..<300).map { Int64($0) }, shape: [300], as: "labels.npy")
      try await refuses(
        [Fixture.features, labels],
        "\(labels): no two of the 300 labels are equal: there is no linkage to learn")
    }

    @Test func aLossThatIsNotANumber() async throws {
      try await refuses(
        [
          Fixture.features, Fixture.truth, "--hidden", "16", "--epochs", "50",
          "--learning-rate", "1e30", "--validation-fraction", "0",
        ],
        "training stopped at step 2, in epoch 1 (k = 10, level 1): the loss is not a finite number. "
          + "Nothing of this step is kept. A smaller --learning-rate may help, or --clip 1.")
    }

    @Test func aDamagedCheckpoint() async throws {
      let options = [
        Fixture.features, Fixture.truth, "--hidden", "16", "--epochs", "4",
        "--validation-fraction", "0", "--checkpoint", scratch("state"), "--checkpoint-interval",
        "0",
      ]
      let good = try await run(
        "highland",
        ["train", "coordinates"] + options + [
          "--output", scratch("first.safetensors"), "--progress", "none",
        ])
      #expect(good.exitCode == 0, "\(good)")
      let newest = scratch("state/checkpoint-000000036.safetensors")
      try Data(bytes(of: newest).dropLast(40)).write(to: URL(filePath: newest))
      let size = try bytes(of: newest).count
      let refused = try await run(
        "highland",
        ["train", "coordinates"] + options + [
          "--output", scratch("model.safetensors"), "--resume", "newest", "--progress", "none",
        ])
      #expect(
        refused.exitCode == 1 && refused.errorLines.count == 1
          && refused.errors.hasPrefix("error: \(newest): ")
          && refused.errors.contains("; --resume whole passes over it"), "\(refused)")
      let outcome = try await run(
        "highland",
        ["train", "coordinates"] + options + [
          "--output", scratch("model.safetensors"), "--progress", "none",
        ])
      #expect(outcome.exitCode == 0)
      #expect(
        outcome.errorLines.count == 1 && outcome.errors.contains("\(newest): ")
          && outcome.errors.contains("; not used"), "\(outcome)")
      #expect(try bytes(of: newest).count > size)
      #expect(
        try bytes(of: scratch("model.safetensors")) == bytes(of: scratch("first.safetensors")))
    }

    @Test func validationOfOtherColumns() async throws {
      let other = try scratch.write(
        [Float](repeating: 1, count: 20), shape: [5, 4], as: "other.npy")
      let labels = try scratch.write([0, 0, 1, 1, 2] as [Int64], shape: [5], as: "labels.npy")
      try await refuses(
        [Fixture.features, Fixture.truth, "--validation", other, labels],
        "\(other): 4 columns; expected 16, as in \(Fixture.features)")
    }

    @Test func tooFewPoints() async throws {
      let few = try scratch.write(Fixture.rows(0..<16), as: "few.npy")
      let labels = try scratch.write((0..<16).map { Int64($0 / 4) }, shape: [16], as: "labels.npy")
      try await refuses(
        [few, labels],
        "\(few): 8 points of training identities; expected more than k = 10 (-k)")
    }

    @Test func aRowWithoutDirection() async throws {
      var rows = try Fixture.rows(0..<300)
      for column in 0..<rows.columnCount { rows[200, column] = 0 }
      let features = try scratch.write(rows, as: "zero.npy")
      try await refuses(
        [features, Fixture.truth],
        "\(features): 1 of 300 rows have no direction (all zeros, or NaN or infinite values): row 200"
      )
    }

    @Test func aLogThatIsNone() async throws {
      let options = [
        Fixture.features, Fixture.truth, "--hidden", "16", "--epochs", "3",
        "--validation-fraction", "0", "--checkpoint", scratch("state"),
      ]
      let first = try await run(
        "highland",
        ["train", "coordinates"] + options + [
          "--output", scratch("first.safetensors"), "--progress", "none",
        ])
      #expect(first.exitCode == 0, "\(first)")
      let notes = try scratch.write("my notes\nof this\n", as: "notes.txt")
      try await refuses(
        options + ["--log", notes],
        "\(notes): line 1 is not of a log of training; it is left as it is")
      #expect(try bytes(of: notes) == Array("my notes\nof this\n".utf8))
    }

    @Test func aModelThatIsThere() async throws {
      let model = try scratch.write("mine", as: "model.safetensors")
      try await refuses(
        [Fixture.features, Fixture.truth],
        "\(model): exists already, and is not overwritten unless that is asked for (--overwrite)")
      #expect(try bytes(of: model) == Array("mine".utf8))
    }

    @Test(arguments: [
      (["--hidden", "1"], "--hidden 1: expected 2 ... 65536"),
      (["-k", "10,5"], "-k 10,5: expected as many numbers as --levels has, 3 by default (2,3,4)"),
      (["--dropout", "1"], "--dropout 1.0: expected 0 ..< 1"),
      (["--heads", "2"], "--heads 2 goes with --network attention"),
      (["--also", "a", "b"], "Unknown option '--also'"),
      (
        ["--layers", "2", "--initial", "distance"],
        "--initial distance goes with --network mean --layers 1"
      ),
      (["--checkpoint-interval", "inf"], "--checkpoint-interval inf: expected 0 ... 1000000000"),
      (
        ["--validation-fraction", "0.2", "--validation", "a", "b"],
        "--validation-fraction and --validation: expected one of them"
      ),
    ])
    func wrongOptions(options: [String], message: String) async throws {
      let outcome = try await run(
        "highland",
        [
          "train", "coordinates", Fixture.features, Fixture.truth, "--output",
          scratch("m.safetensors"),
        ]
          + options)
      #expect(outcome.exitCode == 64 && outcome.errors.contains("Error: \(message)"), "\(outcome)")
    }
  }
}
