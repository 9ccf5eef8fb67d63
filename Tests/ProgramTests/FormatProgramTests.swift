import Datasets
import Foundation
import LinearAlgebra
import Testing

/// Formats in which people hold embeddings, labels and graphs, through the program on one rank and on three.
extension Inputs {
  @Suite struct Formats {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Fixtures/formats").path

    private func succeed(_ arguments: [String], _ ranks: Int?) async throws -> Outcome {
      let outcome = try await run("highland", arguments, onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      return outcome
    }

    private func text(_ name: String) throws -> String {
      String(decoding: try bytes(of: scratch(name)), as: UTF8.self)
    }

    // MARK: - Features

    @Test(arguments: [nil, 3])
    func oneOfSeveralArraysIsRead(ranks: Int?) async throws {
      let expected = (0..<21).map { (Float($0) - 4) / 8 }
      for name in ["several.npz:x", "one.npz", "several.safetensors:x", "several.safetensors:half"]
      {
        _ = try await succeed(
          ["convert", "\(Self.folder)/\(name)", scratch("x.npy"), "--overwrite"], ranks)
        #expect(try floats(of: scratch("x.npy")) == expected, "\(name)")
      }
      for name in ["x.bvecs", "x.ivecs"] {
        let source = try FeatureFile(path: "\(Self.folder)/\(name)")
        _ = try await succeed(
          ["convert", source.path, scratch("x.npy"), "--overwrite"], ranks)
        #expect(try floats(of: scratch("x.npy")) == source.rows(0..<7).elements)
      }
      try await expectError(
        ["cluster", "\(Self.folder)/compressed.npz"],
        "\(Self.folder)/compressed.npz: 'x.npy' is compressed; expected numbers as they are: write them by "
          + "numpy.savez, not by savez_compressed", onRanks: ranks)
    }

    @Test(arguments: [nil, 3])
    func arraysInSeveralFilesAreOneMatrix(ranks: Int?) async throws {
      for part in [1, 2, 10] {
        try FileManager.default.copyItem(
          atPath: "\(Self.folder)/several.npz", toPath: scratch("part-\(part).npz"))
      }
      let outcome = try await succeed(["info", scratch("part-*.npz:small")], ranks)
      #expect(
        outcome.outputLines.contains("rows        21")
          && outcome.outputLines.contains("elements    uint8"), "\(outcome)")
      let output = scratch("part-10.npz")
      try await expectError(
        ["cluster", scratch("part-*.npz:x"), "--report", output, "--overwrite"],
        "\(output): is an input; an output needs a name of its own", onRanks: ranks)
    }

    // MARK: - Labels

    private let kinds = ["cat", "dog", "Mus musculus", "noise"]

    @Test(arguments: [nil, 3])
    func labelsMayBeNames(ranks: Int?) async throws {
      let numbers = (0..<60).map { Int64($0 * 7 % 4) }
      let truth = try scratch.write(
        numbers.map { "\(kinds[Int($0)])\n" }.joined(), as: "truth.txt")
      let numbered = try scratch.write(numbers, shape: [60], as: "truth.npy")
      let found = try scratch.write(
        (0..<60).map { "\($0 % 5).0\n" }.joined(), as: "found.txt")
      let evaluate = { ["evaluate", "--truth", $0, "--predicted", found] }
      let outcome = try await succeed(evaluate(truth), ranks)
      #expect(outcome.output == (try await succeed(evaluate(numbered), nil)).output)
      #expect(outcome.errorLines == [], "\(outcome)")
      let whole = try scratch.write(numbers.map { Float($0) }, shape: [60], as: "whole.npy")
      #expect(try await succeed(evaluate(whole), ranks).output == outcome.output)
      let broken = try scratch.write(
        numbers.map { Float($0) / 2 }, shape: [60], as: "broken.npy")
      let row = numbers.firstIndex { $0 % 2 == 1 }!
      try await expectError(
        evaluate(broken),
        "\(broken): row \(row): \(Float(numbers[row]) / 2); expected a whole number, as labels are",
        onRanks: ranks)
    }

    @Test(arguments: [nil, 3])
    func namesAreWrittenBesideLabels(ranks: Int?) async throws {
      let input = try scratch.write("b\na\n\u{fc}\nb\n4\n", as: "input.txt")
      let outcome = try await succeed(["convert", input, scratch("labels.npy")], ranks)
      #expect(
        outcome.errorLines == [
          "note: \(input): line 1 is 'b', no integer, so all lines are taken for names"
        ])
      #expect(try integers(of: scratch("labels.npy")) == [0, 1, 2, 0, 3])
      #expect(try text("labels.names") == "b\na\n\u{fc}\n4\n")
      try FileManager.default.removeItem(atPath: scratch("labels.npy"))
      let refused = try await run("highland", ["convert", input, scratch("labels.npy")])
      #expect(refused.exitCode == 1 && refused.errors.contains("labels.names"), "\(refused)")
      #expect(!FileManager.default.fileExists(atPath: scratch("labels.npy")))
      let plain = try scratch.write("4\n-1\n", as: "plain.txt")
      _ = try await succeed(["convert", plain, scratch("plain.npy")], ranks)
      #expect(try integers(of: scratch("plain.npy")) == [4, -1])
      #expect(!FileManager.default.fileExists(atPath: scratch("plain.names")))
    }

    @Test(arguments: [nil, 3])
    func changesAreToldByNames(ranks: Int?) async throws {
      let before = try scratch.write("cat\ncat\ndog\ndog\n", as: "before.txt")
      let after = try scratch.write("7\n7\n7\n7\n", as: "after.txt")
      let outcome = try await succeed(["compare", before, after], ranks)
      #expect(
        outcome.output.contains("2 of 4 points moved: cat (2), dog (2) became 7 (4)"), "\(outcome)")
    }

    @Test(arguments: [nil, 3])
    func pointsInNoClusterAreLeftOut(ranks: Int?) async throws {
      let numbers = (0..<60).map { Int64($0 * 7 % 4) - 1 }
      let found = (0..<60).map { Int64($0 % 5) }
      let kept = numbers.indices.filter { numbers[$0] != -1 }
      let expected = try await succeed(
        [
          "evaluate", "--truth",
          scratch.write(kept.map { numbers[$0] }, shape: [kept.count], as: "t.npy"), "--predicted",
          scratch.write(kept.map { found[$0] }, shape: [kept.count], as: "p.npy"),
        ], nil)
      let predicted = try scratch.write(found, shape: [60], as: "found.npy")
      let words = numbers.map { $0 == -1 ? "noise" : "kind \($0)" }
      for (truth, label) in [
        (try scratch.write(numbers, shape: [60], as: "truth.npy"), "-1"),
        (try scratch.write(words.joined(separator: "\n"), as: "truth.txt"), "noise"),
      ] {
        let outcome = try await succeed(
          ["evaluate", "--truth", truth, "--predicted", predicted, "--noise-label", label], ranks)
        #expect(outcome.output == expected.output)
        #expect(
          outcome.errorLines == [
            "note: \(truth): \(60 - kept.count) of 60 points have the label '\(label)' and are left out"
          ], "\(outcome)")
      }
      try await expectError(
        [
          "evaluate", "--truth", scratch("truth.npy"), "--predicted", predicted, "--noise-label",
          "noise",
        ],
        "\(scratch("truth.npy")): holds integers; the label 'noise' is none", onRanks: ranks)
      let none = try await succeed(
        [
          "evaluate", "--truth", scratch("truth.txt"), "--predicted", predicted, "--noise-label",
          "dust",
        ], ranks)
      #expect(
        none.errorLines == ["note: \(scratch("truth.txt")): no point has the label 'dust'"])
    }

    /// What remains is learned as if the others had never been there.
    @Test(arguments: [
      ["structure", "--graphs", "1", "-k", "5"],
      ["coordinates", "-k", "4", "--levels", "2", "--hidden", "8"],
    ])
    func trainingLeavesThemOut(kind: [String]) async throws {
      let truth = try labels(of: Fixture.truth)
      let kept = (0..<300).filter { $0 % 3 != 1 }
      let all = try Fixture.rows(0..<300)
      let few = try scratch.write(
        kept.flatMap { all.row($0) }, shape: [kept.count, 16], as: "few.npy")
      let fewTruth = try scratch.write(
        kept.map { truth[$0] }, shape: [kept.count], as: "few-truth.npy")
      let allTruth = try scratch.write(
        (0..<300).map { $0 % 3 == 1 ? -1 : truth[$0] }, shape: [300], as: "truth.npy")
      func model(_ name: String, _ data: [String], _ ranks: Int?) async throws -> [Tensor] {
        let output = scratch(name)
        _ = try await succeed(
          ["train", kind[0]] + data + kind.dropFirst() + [
            "--epochs", "2", "--progress", "none", "--threads", "1", "--output", output,
          ], ranks)
        let file = try TensorFile(path: output)
        return try file.names.sorted().map { try file.tensor($0) }
      }
      let expected = try await model("few.safetensors", [few, fewTruth], nil)
      let found = try await model(
        "all.safetensors", [Fixture.features, allTruth, "--noise-label", "-1"], nil)
      #expect(found == expected)
      let others = try await model("others.safetensors", [Fixture.features, allTruth], nil)
      #expect(others != expected)
      let parallel = try await model(
        "parallel.safetensors", [Fixture.features, allTruth, "--noise-label", "-1"], 3)
      #expect(parallel.map(\.shape) == expected.map(\.shape))
    }

    @Test(arguments: [nil, 3])
    func clusteringIsMeasuredWithoutThem(ranks: Int?) async throws {
      let truth = try labels(of: Fixture.truth)
      let words = try scratch.write(
        truth.map { $0 == truth[0] ? "none\n" : "c\($0)\n" }.joined(), as: "truth.txt")
      let output = scratch("labels.npy")
      let outcome = try await succeed(
        [
          "cluster", Fixture.features, "--model", Fixture.model, "--truth", words, "--noise-label",
          "none", "--output", output,
        ] + Fixture.options, ranks)
      let evaluated = try await succeed(
        ["evaluate", "--truth", words, "--noise-label", "none", "--predicted", output], ranks)
      #expect(evaluated.outputLines.allSatisfy(outcome.outputLines.contains), "\(outcome)")
      try await expectError(
        ["cluster", Fixture.features, "--model", Fixture.model, "--partition", words]
          + Fixture.options,
        "\(words): line 1: expected an integer, found 'none'", onRanks: ranks)
    }

    // MARK: - Edges

    @Test(arguments: [nil, 3])
    func edgesMayBeText(ranks: Int?) async throws {
      let edges = try scratch.write(
        "# pairs\nurn:1\tb c\t0.9\nd\turn:1\t.5\ne\tf\t0.95\ng\tg\t1\n", as: "pairs.tsv")
      let outcome = try await succeed(
        ["components", edges, "--above", "0.8", "-o", scratch("c.tsv")], ranks)
      #expect(outcome.outputLines == ["6 points in 4 components"], "\(outcome)")
      #expect(try text("c.tsv") == "urn:1\t0\nb c\t0\nd\t1\ne\t2\nf\t2\ng\t3\n")
      let all = try await succeed(["components", edges], ranks)
      #expect(all.outputLines == ["6 points in 3 components"], "\(all)")

      let numbers = try scratch.write("4,0\n2,3\n4 , 1\n", as: "numbers.csv")
      _ = try await succeed(
        ["components", numbers, "--points", "6", "-o", scratch("c.npy")], ranks)
      #expect(try integers(of: scratch("c.npy")) == [0, 0, 1, 1, 0, 2])
      for (arguments, problem) in [
        (
          ["components", numbers, "--points", "4"],
          "\(numbers): line 1: id '4'; expected 0 ..< 4, as --points says"
        ),
        (
          ["components", numbers, "--above", "0"],
          "\(numbers): edges of two ids; expected a weight behind them"
        ),
        (
          ["components", try scratch.write("a b\nc\n", as: "bad.txt")],
          "\(scratch("bad.txt")): line 2: expected two ids separated by blanks, found 'c'"
        ),
        (
          ["components", Fixture.model],
          "\(Fixture.model): a .safetensors file; expected a text"
        ),
        (
          ["components", numbers, "-o", scratch("words.npy")],
          "\(scratch("words.npy")): the extension '.npy'; it is to hold a table as text"
        ),
      ] {
        try await expectError(arguments, problem, onRanks: ranks)
      }
    }
  }
}
