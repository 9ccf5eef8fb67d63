import Datasets
import Foundation
import Testing

/// Several files of features as one matrix, wherever the program takes one.
extension Programs {
  @Suite struct FeatureParts {
    private let scratch: Scratch
    private let whole: String

    /// The whole in `whole.npy`, and once more in `parts`, one of them without rows.
    init() throws {
      scratch = try Scratch()
      whole = try scratch.write(Fixture.rows(0..<300), as: "whole.npy")
      try FileManager.default.createDirectory(
        atPath: scratch("parts"), withIntermediateDirectories: false)
      for (number, rows) in [0..<100, 100..<100, 100..<170, 170..<300].enumerated() {
        try scratch.write(Fixture.rows(rows), as: "parts/part-\(8 + number).npy")
      }
      try scratch.write(
        "parts/part-8.npy\n\nparts/part-9.npy\nparts/part-10.npy\nparts/part-11.npy\n",
        as: "all.files")
    }

    private var names: [String] {
      [scratch("parts/part-*.npy"), scratch("parts"), scratch("all.files")]
    }

    private func succeed(_ arguments: [String], onRanks ranks: Int? = nil) async throws -> Outcome {
      let outcome = try await run("highland", arguments, onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      return outcome
    }

    @Test(arguments: [nil, 1, 3])
    func haveTheLabelsOfTheOneFile(ranks: Int?) async throws {
      func labels(of features: String, _ more: [String]) async throws -> [UInt8] {
        let path = scratch("labels.npy")
        _ = try await succeed(
          ["cluster", features, "--output", path, "--overwrite"] + more
            + ["--progress", "none"], onRanks: ranks)
        return try bytes(of: path)
      }
      for options in [["--model", Fixture.model, "-k", "5"], ["--method", "flow"]] {
        let expected = try await labels(of: whole, options)
        for name in names.prefix(ranks == nil ? 3 : 1) {
          #expect(try await labels(of: name, options) == expected)
        }
      }
    }

    @Test func areTheSameDataForCheckpointsAndSavedRuns() async throws {
      let common = [
        "--method", "flow", "-k", "9", "--checkpoint", scratch("state"), "--overwrite",
        "--progress", "log", "--save",
      ]
      _ = try await succeed(["cluster", whole] + common + [scratch("saved")])
      let again = try await succeed(["cluster", names[0]] + common + [scratch("saved-parts")])
      #expect(again.errors.contains(scratch("state")), "\(again)")
      for name in ["labels.npy", "rows.npy"] where try exists(scratch("saved/\(name)")) {
        #expect(
          try bytes(of: scratch("saved/\(name)")) == bytes(of: scratch("saved-parts/\(name)")))
      }
      var assigned: [[UInt8]] = []
      for name in [whole, names[2]] {
        _ = try await succeed(
          [
            "assign", name, "--to", scratch("saved"), "--output", scratch("new.npy"), "--overwrite",
            "--progress", "none",
          ], onRanks: 2)
        assigned.append(try bytes(of: scratch("new.npy")))
      }
      #expect(assigned[0] == assigned[1])
    }

    @Test func areTakenByEveryCommandThatTakesFeatures() async throws {
      for arguments in [
        ["plan", "FEATURES", "--json"],
        ["benchmark", "FEATURES", Fixture.truth, "--methods", "components", "--progress", "none"],
      ] {
        var answers: [[String]] = []
        for name in [whole, names[0]] {
          let outcome = try await succeed(arguments.map { $0 == "FEATURES" ? name : $0 })
          // Without times and names.
          let kept = outcome.outputLines.filter { line in
            ["\"pointCount\"", "\"dimensions\"", "components "].contains(where: line.contains)
          }
          answers.append(kept.map { String($0.prefix(65)) })
        }
        #expect(answers[0] == answers[1] && !answers[0].isEmpty)
      }
      for name in names {
        _ = try await succeed(["convert", name, scratch("one.npy"), "--overwrite"], onRanks: 2)
        #expect(try bytes(of: scratch("one.npy")) == bytes(of: whole))
      }
      let info = try await succeed(["info", names[0]])
      #expect(
        info.outputLines == [
          "kind        features", "files       4", "first file  \(scratch("parts/part-8.npy"))",
          "last file   \(scratch("parts/part-11.npy"))", "format      npy", "elements    float32",
          "rows        300", "columns     16",
        ], "\(info)")
      _ = try await succeed(
        [
          "transform", "fit", names[1], Fixture.truth, "--output", scratch("t.safetensors"),
          "--progress", "none",
        ])
      _ = try await succeed(
        [
          "knn", names[2], "-k", "4", "--neighbors", scratch("n.npy"), "--similarities",
          scratch("s.npy"), "--transform", scratch("t.safetensors"), "--progress", "none",
        ], onRanks: 3)
      #expect(try integers(of: scratch("n.npy")).count == 900)
    }

    @Test func trainTheSameModel() async throws {
      var models: [[UInt8]] = []
      for name in [whole, names[0]] {
        _ = try await succeed(
          [
            "train", "coordinates", name, Fixture.truth, "--validation", name, Fixture.truth,
            "--output", scratch("model.safetensors"), "--epochs", "1", "--overwrite", "--progress",
            "none",
          ])
        // Without the header, which names the files.
        let model = try bytes(of: scratch("model.safetensors"))
        let length = model[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        models.append(Array(model[(8 + length)...]))
      }
      #expect(models[0] == models[1] && !models[0].isEmpty)
    }

    @Test(arguments: [nil, 3])
    func mustFitEachOther(ranks: Int?) async throws {
      func expectError(_ name: String, _ message: String) async throws {
        try await ProgramTests.expectError(
          ["cluster", name, "--output", scratch("labels.npy")], message, onRanks: ranks)
      }
      let first = scratch("parts/part-8.npy")
      try await expectError(
        scratch("no*.npy"),
        "\(scratch("no*.npy")): no file matches; expected one or more of features")
      let list = try scratch.write("parts/part-8.npy\nparts/part-7.npy\n", as: "some.list")
      try await expectError(
        list, "\(scratch("parts/part-7.npy")): cannot open: No such file or directory")
      let columns = try scratch.write([1, 2] as [Float], shape: [1, 2], as: "parts/part-12.npy")
      try await expectError(
        names[0], "\(columns): rows of 2 columns; expected 16, as in \(first)")
      try scratch.write(
        Array(repeating: Float16(1), count: 32), shape: [2, 16], as: "parts/part-12.npy")
      try await expectError(
        names[1], "\(columns): float16 numbers; expected float32, as in \(first)")
      try scratch.write(
        Array(repeating: Float(1), count: 16) + Array(repeating: 0, count: 16), shape: [2, 16],
        as: "parts/part-12.npy")
      let outcome = try await run("highland", ["cluster", names[0]], onRanks: ranks)
      #expect(
        outcome.errors.contains(
          "\(names[0]): 1 of 302 rows have no direction (all zeros, or NaN or infinite values): row 1 of "
            + columns), "\(outcome)")
    }

    @Test func areNoOutputs() async throws {
      let own = "an output needs a name of its own"
      let part = scratch("parts/part-10.npy")
      for name in names {
        try await expectError(
          ["cluster", name, "--output", part, "--overwrite"], "\(part): is an input; \(own)")
      }
      let list = scratch("all.files")
      try await expectError(
        ["cluster", list, "--report", list, "--overwrite"], "\(list): is an input; \(own)")
      for name in names {
        try await expectError(
          ["cluster", name, "--save", scratch("parts"), "--overwrite"],
          "\(scratch("parts")): holds the input \(scratch("parts/part-8.npy")), and would be replaced; "
            + own)
      }
      #expect(try bytes(of: part) == bytes(of: scratch("parts/part-10.npy")))
    }

    @Test func ofLabelsAreNoMatrix() async throws {
      let path = try scratch.write([Int64(1), 2], shape: [2], as: "l-1.npy")
      try await expectError(
        ["convert", scratch("l-*.npy"), scratch("x.npy")],
        "\(path): integers of one column are labels; several files as one are for features")
    }
  }
}
