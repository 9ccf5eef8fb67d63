import Datasets
import Foundation
import HierarchicalClustering
import Testing

/// What a model file says of itself is checked where the model is read.
extension Programs {
  @Suite struct ModelMetadata {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A model with some other metadata.
    private func model(
      _ original: String, _ changes: [String: String], as name: String = "model.safetensors"
    ) throws -> String {
      let file = try TensorFile(path: original)
      try TensorFile.write(
        file.names.map { try file.tensor($0) },
        metadata: file.metadata.merging(changes) { $1 }, to: scratch(name), overwrite: true)
      return scratch(name)
    }

    @Test(arguments: [nil, 3])
    func modelsOfCoordinatesSayWhatTheyAre(ranks: Int?) async throws {
      for (key, value, expected) in [
        ("k", "1000000000000", "expected 1 ... 1000000"), ("k", "0", "expected 1 ... 1000000"),
        ("tau", "inf", "expected 0 ... 1"), ("tau", "nan", "expected 0 ... 1"),
        ("tau", "-0.5", "expected 0 ... 1"), ("tau_later", "1.5", "expected 0 ... 1"),
        ("heads", "0", "expected 1, as its tensors have that many heads"),
        ("layers", "1000000", "expected 1, as its tensors have that many layers"),
        ("hidden", "-1", "expected 256, as its tensors have that many channels"),
        ("network", "attention", "expected mean, as its tensors have layers of that kind"),
        ("use_cluster_feat", "perhaps", "expected true or false"),
      ] {
        let hidden = try TensorFile(path: Fixture.model).shape(of: "conv.0.gcn_layer.mlp.weight")[0]
        let path = try model(Fixture.model, [key: value])
        try await expectError(
          ["cluster", Fixture.features, "--model", path],
          "\(path): its metadata say '\(value)' of '\(key)'; "
            + expected.replacingOccurrences(of: "256", with: "\(hidden)"), onRanks: ranks)
      }
    }

    @Test func modelsOfStructureSayWhatTheyAre() async throws {
      let original = scratch("original.safetensors")
      let trained = try await run(
        "highland",
        [
          "train", Fixture.features, Fixture.truth, "--graphs", "1", "--epochs", "0", "--width",
          "4",
          "-o", original, "--progress", "none",
        ])
      #expect(trained.exitCode == 0, "\(trained)")
      for (key, value, expected) in [
        ("k", "1000000000000", "2 ... 1000"), ("tau", "nan", "0 ... 1"),
        ("tau_later", "inf", "0 ... 1"), ("context", "100000", "9 ... 1000"),
        ("resolution", "0", "more than 0, up to 1"), ("resolution", "2", "more than 0, up to 1"),
      ] {
        let path = try model(original, [key: value])
        for command in ["cluster", "info"] {
          let arguments = command == "info" ? [path] : [Fixture.features, "--model", path]
          try await expectError(
            [command] + arguments,
            "\(path): its metadata say '\(value)' of '\(key)'; expected \(expected)")
        }
      }
    }

    /// A hierarchy of such a model is read back, and new points are assigned.
    @Test(arguments: [nil, 3])
    func modulesAreMergedWhereTheModelSaysSo(ranks: Int?) async throws {
      let (original, hierarchy, save) = (scratch("original"), scratch("hierarchy"), scratch("fit"))
      try TensorFile.write(
        try TrainedModel.file(nil).names.map { try TrainedModel.file(nil).tensor($0) },
        metadata: TrainedModel.file(nil).metadata.merging(["resolution": "0.1"]) { $1 },
        to: original, overwrite: true)
      for (output, arguments) in [
        (hierarchy, ["--hierarchy", hierarchy]), (save, ["--save", save]),
      ] {
        let outcome = try await run(
          "highland",
          ["cluster", Fixture.features, "--model", original] + arguments, onRanks: ranks)
        #expect(
          outcome.exitCode == 0 && outcome.output.contains("modules at level 0 with γ = 0.1"),
          "\(output): \(outcome)")
      }
      let report = try await run(
        "highland", ["report", hierarchy, "--output", scratch("page.html")])
      #expect(report.exitCode == 0, "\(report)")
      #expect(
        try String(contentsOfFile: scratch("page.html"), encoding: .utf8).contains("γ of level 0"))
      let again = try await run(
        "highland",
        ["assign", Fixture.features, "--to", save, "--output", scratch("again.npy")], onRanks: ranks
      )
      #expect(again.exitCode == 0, "\(again)")
      let labels = try ArrayFile(path: "\(hierarchy)/labels.npy")
      let last = try labels.integers(rows: labels.rowCount - 1..<labels.rowCount)
      let assigned = try ArrayFile(path: scratch("again.npy"))
      #expect(try assigned.integers(rows: 0..<assigned.rowCount) == last)
    }

    @Test func classifiersOfGraphsSayWhatTheyAreAndWhatTakesThem() async throws {
      let (graphs, original) = (scratch("graphs"), scratch("classifier.safetensors"))
      for arguments in [
        ["graphs", "generate", "--graphs", "12", "-o", graphs],
        [
          "graphs", "train", graphs, "--epochs", "1", "--hidden", "4", "-o", original, "--progress",
          "none",
        ],
      ] {
        let outcome = try await run("highland", arguments)
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
      try await expectError(
        ["cluster", Fixture.features, "--model", original],
        "\(original): a classifier of whole graphs, which does not cluster; highland graphs evaluate and "
          + "predict take it as --model")
      let info = try await run("highland", ["info", original])
      #expect(info.exitCode == 0, "\(info)")
      #expect(info.output.contains("classifier of whole graphs"), "\(info)")
      #expect(info.output.contains("highland graphs evaluate and predict"), "\(info)")
      try await expectError(
        ["graphs", "evaluate", graphs, "--model", Fixture.model],
        "\(Fixture.model): is no graph classifier: its metadata has the format ''; expected 'highland "
          + "graph classifier 1'; it is a model for highland cluster")

      let architecture = try #require(TensorFile(path: original).metadata["architecture"])
      for (old, new, problem) in [
        (
          "\"layerCount\":3", "\"layerCount\":1000000",
          "1000000 of 'layerCount' in 'architecture'; expected 1 ... 1000"
        ),
        (
          "\"hidden\":4", "\"hidden\":9000000000000000000",
          "9000000000000000000 of 'hidden' in 'architecture'; expected 1 ... 65536"
        ),
        (
          "\"classCount\":2", "\"classCount\":3",
          "3 of 'classCount' in 'architecture'; expected 2, the number of 'classes'"
        ),
        (
          "\"dropout\":0", "\"dropout\":2",
          "2.0 of 'dropout' in 'architecture'; expected 0 to below 1"
        ),
      ] {
        let changed = architecture.replacingOccurrences(of: old, with: new)
        #expect(changed != architecture, "\(old) in \(architecture)")
        let path = try model(original, ["architecture": changed])
        try await expectError(
          ["graphs", "evaluate", graphs, "--model", path], "\(path): its metadata say \(problem)")
      }
      let path = try model(original, ["classes": "[1,1]"])
      try await expectError(
        ["graphs", "evaluate", graphs, "--model", path],
        "\(path): its metadata say '[1,1]' of 'classes'; expected no repetition")
    }

    @Test func aCheckpointIsNoModel() async throws {
      let outcome = try await run(
        "highland",
        [
          "train", Fixture.features, Fixture.truth, "--graphs", "1", "--epochs", "1", "--width",
          "4",
          "-o", scratch("model.safetensors"), "--checkpoint", scratch("state"), "--progress",
          "none",
        ])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let name = try #require(
        try scratch.names.first { $0.hasSuffix(".safetensors") && $0.hasPrefix("state/") })
      try await expectError(
        ["cluster", Fixture.features, "--model", scratch(name)],
        "\(scratch(name)): a checkpoint, from which the same highland train resumes; the model is what "
          + "it writes as --output")
    }
  }
}
