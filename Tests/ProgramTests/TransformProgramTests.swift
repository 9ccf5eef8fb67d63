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

    /// Rows of 24 identities that differ more within than between in some columns.
    private func disturbed(_ count: Int, from first: Int = 0) -> Matrix {
      let centers = randomMatrix(24, 16, seed: 51)
      let noise = randomMatrix(400, 16, seed: 52, scale: 0.25)
      var rows = Matrix(rows: count, columns: 16)
      for row in 0..<count {
        for column in 0..<16 {
          rows[row, column] = noise[first + row, column] * (column < 12 ? 1 : 6)
          if column < 6 { rows[row, column] += centers[(first + row) % 24, column] }
        }
      }
      return rows
    }

    /// A model that holds a transform does what the same model without it does to transformed rows, also to new ones.
    @Test func modelsMayHoldOne() async throws {
      let scratch = try Scratch()
      let rows = try scratch.write(disturbed(288), as: "rows.npy")
      let new = try scratch.write(disturbed(48, from: 300), as: "new.npy")
      let truth = try scratch.write((0..<288).map { Int64($0 % 24) }, shape: [288], as: "y.npy")
      let model = scratch("model.safetensors")
      func go(_ arguments: [String], ranks: Int? = nil) async throws -> Outcome {
        let quiet = arguments[0] == "convert" ? [] : ["--progress", "none"]
        let outcome = try await run("highland", arguments + quiet, onRanks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        return outcome
      }
      let trained = try await go([
        "train", rows, truth, "-k", "6", "--graphs", "2", "--epochs", "3", "--width", "8",
        "--output", model, "--report", scratch("train.html"), "--log", scratch("log.jsonl"),
      ])
      #expect(trained.output.contains("\nTransform of "), "\(trained)")
      let wide = try scratch.write(randomMatrix(288, 1100, seed: 5), as: "wide.npy")
      let tooWide = try await go(
        [
          "train", wide, truth, "-k", "6", "--graphs", "1", "--epochs", "1", "--output",
          scratch("wide.safetensors"),
        ], ranks: 2)
      #expect(
        tooWide.output.contains("No transform was tried: rows of more than 1024"), "\(tooWide)")
      let page = try String(decoding: bytes(of: scratch("train.html")), as: UTF8.self)
      #expect(page.contains("Transform of rows"))
      let log = try String(decoding: bytes(of: scratch("log.jsonl")), as: UTF8.self)
      #expect(log.contains("\"event\":\"transform\""))
      let description = try await run("highland", ["info", model])
      #expect(description.output.contains("of 16 columns and the kind it learned from"))

      // Taken apart.
      let file = try TensorFile(path: model)
      func write(_ names: [String], _ metadata: [String: String], to path: String) throws {
        let tensors = try names.map {
          let tensor = try file.tensor($0)
          return Tensor(
            name: $0.replacing("transform.", with: ""), shape: tensor.shape,
            elements: tensor.elements)
        }
        try TensorFile.write(tensors, metadata: metadata, to: scratch(path), overwrite: false)
      }
      let isOfTransform = { (name: String) in name.hasPrefix("transform.") }
      try write(file.names.filter(isOfTransform), [:], to: "t.safetensors")
      try write(
        file.names.filter { !isOfTransform($0) },
        file.metadata.filter { $0.key != "transform" }, to: "plain.safetensors")
      _ = try await go([
        "cluster", rows, "--model", scratch("plain.safetensors"), "--transform",
        scratch("t.safetensors"), "--output", scratch("expected.npy"),
      ])
      _ = try await go(
        [
          "cluster", rows, "--model", model, "--output", scratch("found.npy"), "--save",
          scratch("run"), "--report", scratch("report.json"),
        ], ranks: 3)
      #expect(try bytes(of: scratch("found.npy")) == bytes(of: scratch("expected.npy")))
      let report = try String(decoding: bytes(of: scratch("report.json")), as: UTF8.self)
      #expect(report.contains("\"transform\" : \"\(model)\""))

      // New points are transformed, too.
      _ = try await go(["assign", rows, "--to", scratch("run"), "--output", scratch("again.npy")])
      #expect(try bytes(of: scratch("again.npy")) == bytes(of: scratch("found.npy")))
      _ = try await go(["assign", new, "--to", scratch("run"), "--output", scratch("new-y.npy")])
      let (known, joined) = (
        try labels(of: scratch("found.npy")), try labels(of: scratch("new-y.npy"))
      )
      let share = (0..<48).count { joined[$0] == known[($0 + 12) % 24] }
      #expect(share > 36, "\(share) of 48 points joined their identity")

      // Others may use it, too.
      for (name, file) in [("own", model), ("apart", scratch("t.safetensors"))] {
        _ = try await go(["convert", rows, scratch("\(name).npy"), "--transform", file])
      }
      #expect(try bytes(of: scratch("own.npy")) == bytes(of: scratch("apart.npy")))

      // As the plain model with rows that were transformed before.
      for (name, input) in [("rows", rows), ("new", new)] {
        _ = try await go([
          "convert", input, scratch("\(name)-after.npy"), "--transform", scratch("t.safetensors"),
        ])
      }
      _ = try await go([
        "cluster", scratch("rows-after.npy"), "--model", scratch("plain.safetensors"), "--save",
        scratch("plain"),
      ])
      let windows = try scratch.write(
        (0..<288).map { "r\($0 / 96)\t\($0 % 96)\t\($0 % 96 + 1)\n" }.joined(), as: "windows.tsv")
      for (kind, own, old, added, saved) in [
        ("found", model, rows, new, "run"),
        (
          "expected", scratch("plain.safetensors"), scratch("rows-after.npy"),
          scratch("new-after.npy"), "plain"
        ),
      ] {
        _ = try await go([
          "update", added, "--to", scratch(saved), "--features", old, "--output",
          scratch("update-\(kind).npy"),
        ])
        _ = try await go([
          "diarize", windows, "--features", old, "--model", own, "--output",
          scratch("turns-\(kind)"),
        ])
      }
      for name in ["update-%.npy", "turns-%/r1.rttm"] {
        func file(_ word: String) throws -> [UInt8] {
          try bytes(of: scratch(name.replacing("%", with: word)))
        }
        #expect(try file("expected") == file("found"), "\(name)")
      }

      _ = try await go([
        "knn", rows, "-k", "12", "--neighbors", scratch("n.npy"), "--similarities",
        scratch("s.npy"),
      ])
      let given = try await run(
        "highland",
        [
          "cluster", rows, "--model", model, "--neighbors", scratch("n.npy"), "--similarities",
          scratch("s.npy"), "--output", scratch("none.npy"),
        ])
      #expect(given.exitCode == 1 && given.errors.contains("transforms rows"), "\(given)")
      let twice = try await run(
        "highland",
        [
          "cluster", rows, "--model", model, "--transform", scratch("t.safetensors"), "--output",
          scratch("none.npy"),
        ], ranks: 2)
      #expect(
        twice.exitCode == 1 && twice.errors.contains("has a transform of its own"), "\(twice)")
      let narrow = try scratch.write(randomMatrix(20, 5, seed: 1), as: "narrow.npy")
      let refused = try await run(
        "highland", ["cluster", narrow, "--model", model, "--output", scratch("none.npy")])
      #expect(refused.exitCode == 1 && refused.errors.contains("--no-transform"), "\(refused)")
      _ = try await go([
        "train", rows, truth, "-k", "6", "--graphs", "1", "--epochs", "1", "--no-transform",
        "--output", scratch("any.safetensors"),
      ])
      _ = try await go([
        "cluster", narrow, "--model", scratch("any.safetensors"), "--output", scratch("any.npy"),
      ])
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
