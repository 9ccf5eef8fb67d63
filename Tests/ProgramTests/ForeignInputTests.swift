import Datasets
import Foundation
import LinearAlgebra
import RandomInputs
import Testing

/// Inputs as other programs and people write them, through the program: read as they are meant, or
/// refused with a line that names the file at fault.
extension Inputs {
  @Suite struct ForeignInputs {
    private func go(_ arguments: [String], _ ranks: Int?) async throws -> Outcome {
      if let ranks { return try await run("highland", arguments, ranks: ranks) }
      return try await run("highland", arguments)
    }

    private func expectError(_ arguments: [String], _ ranks: Int?, _ message: String) async throws {
      let outcome = try await go(arguments, ranks)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.errorLines == ["error: \(message)"], "\(outcome)")
    }

    private func labels(
      _ features: String, _ more: [String], _ ranks: Int?, _ scratch: Scratch
    ) async throws -> [Int64] {
      let output = scratch("out.npy")
      let outcome = try await go(
        ["cluster", features, "-o", output, "--overwrite", "--progress", "none"] + more, ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      return outcome.exitCode == 0 ? try integers(of: output) : []
    }

    /// An `.npy` file of any type and order.
    private func npy(
      _ descriptor: String, _ shape: [Int], _ data: [UInt8], order: String = "False",
      _ name: String, _ scratch: Scratch
    ) throws -> String {
      let text = Array(
        "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': (\(shape[0]), \(shape[1])), }\n"
          .utf8)
      return try scratch.write(
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0] + text + data, as: name)
    }

    private func bytes<T: BitwiseCopyable>(of values: [T]) -> [UInt8] {
      unsafe values.withUnsafeBytes { unsafe Array($0) }
    }

    /// Groups of 25 rows about random centres.
    private func groups(_ count: Int, columns: Int) -> Matrix {
      let centres = randomMatrix(count, columns, seed: 3)
      var rows = randomMatrix(25 * count, columns, seed: 4, scale: 0.1)
      for row in 0..<25 * count {
        for column in 0..<columns { rows[row, column] += centres[row / 25, column] }
      }
      return rows
    }

    @Test(arguments: [nil, 3])
    func rowsBeyondFloatAreClusteredByTheirDirections(ranks: Int?) async throws {
      let scratch = try Scratch()
      let rows = groups(6, columns: 8)
      let plain = try scratch.write(rows, as: "plain.npy")
      let answer = try await labels(plain, [], nil, scratch)
      #expect(Set(answer).count > 1)
      for factor in [0x1p200, 0x1p-200] {
        let path = try npy(
          "<f8", [150, 8], bytes(of: rows.elements.map { Double($0) * factor }), "far.npy", scratch)
        #expect(try await labels(path, [], ranks, scratch) == answer, "\(factor)")
      }
    }

    /// A model that averages rows as they are stored cannot have them at another length.
    @Test(arguments: [nil, 3])
    func rowsBeyondFloatAreRefusedWhereTheirLengthMatters(ranks: Int?) async throws {
      let scratch = try Scratch()
      let rows = try Fixture.rows(0..<60)
      var values = rows.elements.map { Double($0) }
      for column in 0..<16 { values[45 * 16 + column] = -1e60 }
      let path = try npy("<f8", [60, 16], bytes(of: values), "far.npy", scratch)
      try await expectError(
        BadInput.cluster(scratch, features: path), ranks,
        "\(path): row 45: values up to 1e+60 are too large for float32; divide every row by its "
          + "length, or all by one number")
      try await expectError(
        ["convert", path, scratch("far.fbin")], ranks,
        "\(path): row 45: values up to 1e+60 are too large for float32; divide every row by its "
          + "length, or all by one number")
    }

    @Test(arguments: [nil, 3])
    func integersOtherOrdersAndPlainNamesOfTypesAreFeatures(ranks: Int?) async throws {
      let scratch = try Scratch()
      let rows = groups(4, columns: 6)
      let whole = rows.elements.map { ($0 * 100).rounded() }
      let answer = try await labels(
        scratch.write(whole, shape: [100, 6], as: "plain.npy"), [], nil, scratch)
      let transposed = (0..<6).flatMap { column in (0..<100).map { whole[$0 * 6 + column] } }
      for path in [
        try scratch.write(whole.map { Int64($0) }, shape: [100, 6], as: "int64.npy"),
        try scratch.write(whole.map { Int16($0) }, shape: [100, 6], as: "int16.npy"),
        try npy("float32", [100, 6], bytes(of: whole), "name.npy", scratch),
        try npy(
          ">f4", [100, 6], bytes(of: whole.map(\.bitPattern.bigEndian)), "big.npy", scratch),
        try npy("<f4", [100, 6], bytes(of: transposed), order: "True", "fortran.npy", scratch),
      ] {
        #expect(try await labels(path, [], ranks, scratch) == answer, "\(path)")
      }
      let converted = try await go(
        ["convert", scratch("int64.npy"), scratch("converted.npy")], ranks)
      #expect(converted.exitCode == 0, "\(converted)")
      #expect(try floats(of: scratch("converted.npy")) == whole)
    }

    @Test(arguments: [nil, 3])
    func anArrayUnderAnotherNameIsRefused(ranks: Int?) async throws {
      let scratch = try Scratch()
      let array = try scratch.write(randomMatrix(16, 8, seed: 1), as: "a.npy")
      let path = try scratch.write(ProgramTests.bytes(of: array), as: "a.bin")
      try await expectError(
        ["cluster", path, "--dimensions", "8"], ranks,
        "\(path): is an .npy array; expected features as .bin")
    }

    @Test(arguments: [nil, 3])
    func theFileOfLabelsThatIsAtFaultIsNamed(ranks: Int?) async throws {
      let scratch = try Scratch()
      let values = (0..<60).map { Int64($0 % 7) }
      let truth = try scratch.write(values, shape: [60], as: "truth.npy")
      let lines = values.map { "\($0)\n" }.joined()
      let evaluate = { ["evaluate", "--truth", truth, "--predicted", $0] }
      for (text, problem) in [
        (
          "cluster\n" + lines,
          "61 labels; expected 60, as in \(truth); line 1 is 'cluster', no integer: is it a heading or a "
            + "comment?"
        ),
        (
          lines + "# 60 labels\n",
          "61 labels; expected 60, as in \(truth); line 61 is '# 60 labels', no integer: is it a heading "
            + "or a comment?"
        ),
        (lines.replacing("\n", with: " "), "1 labels; expected 60, as in \(truth)"),
        (String(lines.dropLast(2)), "59 labels; expected 60, as in \(truth)"),
      ] {
        let path = try scratch.write(text, as: "predicted.txt")
        try await expectError(evaluate(path), ranks, "\(path): \(problem)")
      }
      let header = try scratch.write("cluster\n" + lines, as: "header.txt")
      try await expectError(
        [
          "cluster", try scratch.write(randomMatrix(60, 4, seed: 2), as: "x.npy"), "--truth",
          header,
        ],
        ranks,
        "\(header): 61 labels; expected 60, one per point; line 1 is 'cluster', no integer: is it a heading or a "
          + "comment?")
      let marked = try scratch.write([0xef, 0xbb, 0xbf] + Array(lines.utf8), as: "marked.txt")
      let outcome = try await go(evaluate(marked), ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
    }

    /// Lists of all rows, nearest first, and something of each neighbour.
    private func lists(
      _ rows: Matrix, length: Int, _ value: (Float, Float) -> Float
    ) -> (neighbors: [Int64], values: [Float]) {
      var (neighbors, values): ([Int64], [Float]) = ([], [])
      for row in 0..<rows.rowCount {
        func products(_ other: Int) -> (cosine: Float, squared: Float) {
          var (ab, aa, bb): (Float, Float, Float) = (0, 0, 0)
          for column in 0..<rows.columnCount {
            ab += rows[row, column] * rows[other, column]
            aa += rows[row, column] * rows[row, column]
            bb += rows[other, column] * rows[other, column]
          }
          return (ab / (aa * bb).squareRoot(), aa + bb - 2 * ab)
        }
        let others = (0..<rows.rowCount).filter { $0 != row }.map { ($0, products($0)) }
          .sorted { $0.1.cosine > $1.1.cosine }.prefix(length)
        neighbors += others.map { Int64($0.0) }
        values += others.map { value($0.1.cosine, $0.1.squared) }
      }
      return (neighbors, values)
    }

    @Test(arguments: [nil, 3])
    func whatIsNoCosineIsRefused(ranks: Int?) async throws {
      let scratch = try Scratch()
      let rows = groups(4, columns: 6)
      let features = try scratch.write(rows, as: "x.npy")
      func files(_ value: (Float, Float) -> Float) throws -> [String] {
        let (neighbors, values) = lists(rows, length: 40, value)
        try scratch.write(neighbors, shape: [100, 40], as: "n.npy")
        try scratch.write(values, shape: [100, 40], as: "s.npy")
        return ["--neighbors", scratch("n.npy"), "--similarities", scratch("s.npy")]
      }
      _ = try await labels(features, files { cosine, _ in cosine }, ranks, scratch)
      // By rounding.
      _ = try await labels(features, files { cosine, _ in cosine * 1.002 }, ranks, scratch)

      let large = try await go(["cluster", features] + files { 100 * $0 - $1 }, ranks)
      #expect(
        large.errorLines.count == 1
          && large.errorLines[0].hasPrefix("error: \(scratch("s.npy")): row 0, place 0: ")
          && large.errorLines[0].hasSuffix("; expected a cosine similarity, -1 ... 1"), "\(large)")
      // Distances below 1.
      for command in [["cluster", features], ["components", "--above", "0.5"]] {
        let distances: [(Float, Float) -> Float] = [
          { (1 - $0) / 2 + 0 * $1 }, { 0 * $0 + $1 / 1000 },
        ]
        for distance in distances {
          let outcome = try await go(command + files(distance), ranks)
          #expect(outcome.exitCode == 1, "\(outcome)")
          #expect(
            outcome.errorLines.count == 1
              && outcome.errorLines[0].hasPrefix("error: \(scratch("s.npy")): row 0 ascends, from ")
              && outcome.errorLines[0].contains(", as distances do; expected "), "\(outcome)")
        }
      }
      // Components are of any similarities, and lists may be in any order that is none of distances.
      let products = try await go(
        ["components", "--above", "-150.5"] + files { cosine, _ in 300 * cosine }, ranks)
      #expect(products.exitCode == 0, "\(products)")
      var random = SeededGenerator(seed: 5)
      let shuffled = try files { _, _ in Float(random.next() % 1000) / 1000 }
      #expect(try await go(["components", "--above", "0.5"] + shuffled, ranks).exitCode == 0)
      #expect(try await labels(features, shuffled, ranks, scratch).count == 100)
    }

    @Test(arguments: [nil, 3])
    func modelsThatOtherProgramsSavedAreNamedForWhatTheyAre(ranks: Int?) async throws {
      let scratch = try Scratch()
      let features = try scratch.write(randomMatrix(40, 8, seed: 1), as: "x.npy")
      let names = [
        "node.scale.mean", "node.hidden.weight", "edge.first.weight", "edge.output.weight",
      ]
      let entries = names.enumerated().map {
        #""\#($1)":{"dtype":"F32","shape":[1],"data_offsets":[\#(4 * $0),\#(4 * $0 + 4)]}"#
      }
      for (metadata, what) in [
        (#""__metadata__":null,"#, "there are none"), ("", "there are none"),
        (#""__metadata__":{"format":"pt"},"#, "there is no 'input'"),
      ] {
        let header = Array("{\(metadata)\(entries.joined(separator: ","))}".utf8)
        let path = try scratch.write(
          [UInt8(header.count & 255), UInt8(header.count >> 8), 0, 0, 0, 0, 0, 0] + header
            + Array(repeating: 0, count: 16), as: "lost.safetensors")
        try await expectError(
          ["cluster", features, "--model", path], ranks,
          "\(path): a model of structure by its tensors, but it has lost its metadata (\(what)): "
            + "they say what it is, and its k, context, tau and features; keep them when a model is "
            + "saved again")
      }
      let index = try scratch.write(
        #"{"metadata": {"total_size": 9}, "weight_map": {"a": "model-00001-of-00001.safetensors"}}"#,
        as: "model.safetensors.index.json")
      for arguments in [["cluster", features, "--model", index], ["info", index]] {
        try await expectError(
          arguments, ranks,
          "\(index): is the index of a model that is stored in several files, in JSON; expected a "
            + ".safetensors file")
      }
    }

    @Test(arguments: [nil, 3])
    func componentsOfFarIdsCostWhatTheEdgesDo(ranks: Int?) async throws {
      let scratch = try Scratch()
      let far = Int64.max - 1
      let path = try scratch.write(
        [0, 1, 3, far, far, 9] as [Int64], shape: [3, 2], as: "far.npy")
      let outcome = try await go(["components", path], ranks)
      #expect(
        outcome.outputLines == ["\(Int64.max) points in \(Int64.max - 3) components"], "\(outcome)")

      let near = try scratch.write([0, 1, 3, 200_000] as [Int64], shape: [2, 2], as: "near.npy")
      for name in ["out.npy", "out.txt"] {
        let outcome = try await go(["components", near, "-o", scratch(name)], ranks)
        #expect(outcome.outputLines == ["200001 points in 199999 components"], "\(outcome)")
        var expected = [0, 0, 1] + (2..<199_999).map { Int64($0) } + [2]
        expected[0] = 0
        #expect(try ProgramTests.labels(of: scratch(name)) == expected)
      }
      let refused = try await go(
        ["components", path, "--points", "\(Int64.max)", "-o", scratch("huge.npy")], ranks)
      #expect(
        refused.errorLines == [
          "error: \(scratch("huge.npy")): \(Int64.max) labels are too many for a file"
        ], "\(refused)")
    }

    @Test(arguments: [
      (["cluster", "x.npy", "--tau", "-0.1"], "--tau -0.1: expected 0 ... 1"),
      (["cluster", "x.npy", "--tau-later", "-inf"], "--tau-later -inf: expected 0 ... 1"),
      (["cluster", "x.npy", "-k", "-5"], "-k -5: expected 1 or more"),
      (["cluster", "x.npy", "--max-levels", "-1"], "--max-levels -1: expected 1 or more"),
      (["components", "e.npy", "--points", "-3"], "--points -3: expected 0 or more"),
      (
        ["components", "--neighbors", "n", "--similarities", "s", "--above", "nan"],
        "--above nan: expected a finite number"
      ),
      (
        ["components", "--neighbors", "n", "--similarities", "s", "--above", "-inf"],
        "--above -inf: expected a finite number"
      ),
      (
        ["train", "coordinates", "x", "y", "-o", "m", "--clip", "inf"],
        "--clip inf: expected 0, or 1e-30 ... 1e30"
      ),
      (
        ["train", "coordinates", "x", "y", "-o", "m", "--learning-rate", "-1e-3"],
        "--learning-rate -0.001: expected above 0, 1e-30 ... 1e30"
      ),
      (
        ["graphs", "train", "d", "--weight-decay", "inf"],
        "--weight-decay inf: expected 0 ... 1000000"
      ),
      (
        ["graphs", "train", "d", "--link-weight", "nan"],
        "--link-weight nan: expected 0 ... 1000000"
      ),
      (
        ["graphs", "train", "d", "--entropy-weight", "-1"],
        "--entropy-weight -1.0: expected 0 ... 1000000"
      ),
    ])
    func aNumberOutOfRangeIsNamedWithItsOption(arguments: [String], problem: String) async throws {
      let outcome = try await run("highland", arguments)
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errorLines.first == "Error: \(problem)", "\(outcome)")
    }

    /// Whatever options are added: none takes what follows it for another option, and no number that
    /// is none is taken without a word.
    @Test(arguments: [
      ["cluster", "x.npy"], ["knn", "x.npy", "--neighbors", "n", "--similarities", "s"],
      ["components", "e.npy"], ["train structure", "x", "y", "-o", "m"],
      ["train coordinates", "x", "y", "-o", "m"], ["report", "d", "-o", "p"],
      ["generate", "--points", "9", "-o", "d"], ["graphs train", "d"],
    ])
    func noOptionLacksTheNegativeNumberBehindIt(command: [String]) async throws {
      let scratch = try Scratch()
      let words = command[0].split(separator: " ").map(String.init)
      let help = try await run("highland", words + ["--help"]).output
      let options = help.matches(of: /(?m)^ +(?:-[a-z], )?(--?[a-z-]+) <[a-z-]+>/).map {
        String($0.output.1)
      }
      #expect(options.count > 2, "\(help)")
      let operands = command.dropFirst().map { $0.count > 2 ? $0 : scratch($0) }
      for option in options where !operands.contains(option) {
        let outcome = try await run("highland", words + operands + [option, "-7.5"])
        #expect(
          outcome.exitCode != 0 && !outcome.errors.contains("Missing value")
            && !outcome.errors.contains("Unknown option"), "\(option): \(outcome)")
      }
    }
  }
}
