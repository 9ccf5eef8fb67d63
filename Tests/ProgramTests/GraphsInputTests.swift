import Foundation
import Testing

extension Inputs {
  /// Collections as others write them, counts that make no sense, and the same model on any number of ranks.
  @Suite struct GraphsInputTests {
    private let quick = ["--epochs", "2", "--hidden", "8", "--threads", "1"]

    /// Rings and stars of 4 to 6 nodes; two columns of node labels.
    private func collection(
      _ scratch: Scratch, labels: Bool = true, oneWay: Bool = false
    ) throws -> String {
      let name = "forms"
      let directory = scratch(name)
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
      var (edges, graphs, classes, nodes) = ([String](), [String](), [String](), [String]())
      for graph in 0..<20 {
        let (first, count) = (graphs.count + 1, 4 + graph % 3)
        graphs += Array(repeating: "\(graph + 1)", count: count)
        classes.append("\(graph % 2)")
        nodes += (0..<count).map { "\($0 % 2), \($0 % 3)" }
        for node in 0..<count where graph % 2 == 1 || node > 0 {
          let other = graph % 2 == 1 ? (node + 1) % count : 0
          edges.append("\(first + node), \(first + other)")
          if !oneWay { edges.append("\(first + other), \(first + node)") }
        }
      }
      func write(_ lines: [String], _ kind: String) throws {
        try scratch.write(
          lines.joined(separator: "\n") + "\n", as: "\(name)/\(name)_\(kind).txt")
      }
      try write(edges, "A")
      try write(graphs, "graph_indicator")
      try write(classes, "graph_labels")
      if labels { try write(nodes, "node_labels") }
      return directory
    }

    @Test func severalColumnsOfNodeLabelsAreTrainedOnAndTheModelHasTheSameBytesOnAnyRanks()
      async throws
    {
      let scratch = try Scratch()
      let directory = try collection(scratch)
      let info = try await run("highland", ["graphs", "info", directory])
      #expect(info.output.contains("5 in 2 columns"), "\(info)")
      for network in [["gcn"], ["diffpool", "--clusters", "4,2"]] {
        var models: [[UInt8]] = []
        for ranks in [1, 3] {
          let model = scratch("\(network[0])-\(ranks).safetensors")
          let outcome = try await run(
            "highland",
            ["graphs", "train", directory, "--output", model, "--network"] + network + quick,
            ranks: ranks)
          try #require(outcome.exitCode == 0, "\(outcome)")
          #expect(outcome.output.contains("nodes are seen by labels (5 in 2 columns, one-hot)"))
          models.append(try bytes(of: model))
        }
        #expect(models[0] == models[1], "\(network)")
        let judged = try await run(
          "highland",
          [
            "graphs", "evaluate", directory, "--model", scratch("\(network[0])-3.safetensors"),
          ])
        #expect(judged.exitCode == 0 && judged.output.contains("graphs    20"), "\(judged)")
      }
    }

    @Test func graphsWithoutClassesArePredicted() async throws {
      let scratch = try Scratch()
      let directory = try collection(scratch)
      let model = scratch("model.safetensors")
      let trained = try await run(
        "highland", ["graphs", "train", directory, "--output", model] + quick)
      try #require(trained.exitCode == 0, "\(trained)")
      var found: [[UInt8]] = []
      for (name, ranks) in [("with.csv", nil), ("without.csv", 3)] as [(String, Int?)] {
        let outcome = try await run(
          "highland",
          ["graphs", "predict", directory, "--model", model, "--output", scratch(name)],
          onRanks: ranks)
        try #require(outcome.exitCode == 0, "\(outcome)")
        found.append(try bytes(of: scratch(name)))
        try? FileManager.default.removeItem(atPath: "\(directory)/forms_graph_labels.txt")
      }
      #expect(found[0] == found[1])
      let judged = try await run("highland", ["graphs", "evaluate", directory, "--model", model])
      #expect(judged.exitCode == 1 && judged.errors.contains("graph_labels.txt"), "\(judged)")
    }

    @Test func oneWayEdgesAndTheDegreeAreSaidOnceAndStandInTheReport() async throws {
      let scratch = try Scratch()
      let directory = try collection(scratch, labels: false, oneWay: true)
      let report = scratch("report.json")
      let outcome = try await run(
        "highland",
        ["graphs", "train", directory, "--report", report, "--progress", "log"] + quick,
        ranks: 3)
      try #require(outcome.exitCode == 0, "\(outcome)")
      let edges = outcome.errorLines.filter { $0.contains("89 one-way edges made undirected") }
      #expect(edges.count == 1, "\(outcome)")
      let degree = outcome.errorLines.filter {
        $0.contains("nodes have neither labels nor attributes; they are seen by degree")
      }
      #expect(degree.count == 1, "\(outcome)")
      #expect(outcome.output.contains("nodes are seen by degree"))
      let object =
        try JSONSerialization.jsonObject(with: Data(bytes(of: report))) as! [String: Any]
      #expect(object["features"] as? String == "degree")
      #expect(object["oneWayEdges"] as? Int == 89)
      let info = try await run("highland", ["graphs", "info", directory])
      #expect(info.output.contains("one-way edges, made undirected  89"), "\(info)")
      #expect(info.output.contains("nodes are seen by               degree"), "\(info)")
    }

    @Test(arguments: [
      (
        "--folds 1000000000",
        "DIR: --folds 1000000000: expected 2 ... 20, the number of graphs"
      ),
      ("--folds 21", "DIR: --folds 21: expected 2 ... 20, the number of graphs"),
      (
        "--features attributes",
        "forms: nodes have no attributes for --features attributes; take degree, or constant"
      ),
    ])
    func whatTheCollectionDoesNotHaveIsRefused(options: String, message: String) async throws {
      let scratch = try Scratch()
      let directory = try collection(scratch)
      for ranks in [1, 3] {
        let outcome = try await run(
          "highland",
          ["graphs", "train", directory, "--progress", "none"] + quick
            + options.split(separator: " ").map(String.init), ranks: ranks)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(
          outcome.errorLines == ["error: \(message.replacing("DIR", with: directory))"],
          "\(outcome)")
      }
    }

    @Test func moreParametersThanMemoryAreRefusedBeforeTheyAreAllocated() async throws {
      let scratch = try Scratch()
      let directory = try collection(scratch)
      for options in [
        ["--hidden", "65536", "--layers", "1000"],
        ["--network", "diffpool", "--clusters", "65536,65536,65536", "--layers", "100"],
      ] {
        let outcome = try await run(
          "highland",
          ["graphs", "train", directory, "--progress", "none", "--epochs", "1"] + options)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(
          outcome.errorLines.count == 1 && outcome.errors.contains(" parameters need "),
          "\(outcome)")
      }
    }

    @Test(arguments: [
      "--folds 1", "--folds -5", "--seeds 0", "--seeds 1000000000000",
      "--seed 18446744073709551615 --seeds 2", "--batch 0", "--batch 9223372036854775807",
      "--epochs 0", "--epochs 9223372036854775807", "--hidden 0", "--hidden 1000000",
      "--layers 1000000", "--patience -1", "--patience 9223372036854775807",
      "--groups 1000000000000 --folds 3", "--groups 9223372036854775807",
      "--folds 9223372036854775807 --seeds 3 --groups 0", "--network diffpool --clusters 0",
      "--network diffpool --clusters 1000000000000", "--clusters 3", "--link-weight 2",
      "--entropy-weight 2", "--network diffpool --link-weight nan", "--weight-decay inf",
      "--learning-rate 1e300", "--learning-rate nan", "--folds 3 --test-share 0.2",
      "--validation-share 0 --patience 3", "--validation-share 0 --select accuracy",
      "--select last --patience 3", "--features labels,colour", "--threads 1000000",
    ])
    func countsThatMakeNoSenseAreRefusedAndNoOptionIsIgnored(options: String) async throws {
      let outcome = try await run(
        "highland",
        ["graphs", "train", "none"] + options.split(separator: " ").map(String.init))
      #expect(outcome.exitCode == 64, "\(outcome)")
    }

    @Test(arguments: [
      "--graphs 1000000000000", "--graphs 1000000 --most-motifs 10000",
      "--largest-motif 1000000000000", "--most-motifs 9223372036854775807",
    ])
    func graphsThatNoMemoryHoldsAreNotGenerated(options: String) async throws {
      let outcome = try await run(
        "highland",
        ["graphs", "generate", "--output", "none"] + options.split(separator: " ").map(String.init))
      #expect(outcome.exitCode == 64, "\(outcome)")
    }
  }
}
