import Datasets
import Foundation
import Testing

extension Programs {
  /// `highland graphs`: a task generated, a network trained, its predictions.
  @Suite struct GraphsProgramTests {
    private func generated(_ scratch: Scratch, graphs: Int = 40) async throws -> String {
      let directory = scratch("motifs")
      let outcome = try await run(
        "highland",
        [
          "graphs", "generate", "--graphs", "\(graphs)", "--smallest-motif", "4",
          "--largest-motif", "6", "--fewest-motifs", "2", "--most-motifs", "3", "--output",
          directory,
        ])
      try #require(outcome.exitCode == 0, "\(outcome)")
      return directory
    }

    @Test func aBenchmarkGivesTheSameAccuraciesOnAnyNumberOfRanks() async throws {
      let scratch = try Scratch()
      let directory = try await generated(scratch)
      var outputs: [[Substring]] = []
      for ranks in [1, 3] {
        let outcome = try await run(
          "highland",
          [
            "graphs", "benchmark", directory, "--networks", "baseline,gin,diffpool-2", "--quick",
            "--folds", "2", "--repeats", "2", "--epochs", "2", "--progress", "none", "--threads",
            "1",
            "--json",
          ], ranks: ranks)
        try #require(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
        #expect(outcome.output.contains("\"network\" : \"diffpool-2\""), "\(outcome)")
        outputs.append(
          outcome.output.split(separator: "\n").filter {
            !$0.contains("Seconds") && !$0.contains("rankCount")
          })
      }
      #expect(outputs[0] == outputs[1])
      let refused = try await run(
        "highland", ["graphs", "benchmark", directory, "--folds", "21", "--progress", "none"],
        ranks: 3)
      #expect(refused.exitCode == 1, "\(refused)")
      #expect(
        refused.errors.contains("class 0 has 20 graphs, which is fewer than 21 folds"), "\(refused)"
      )
    }

    private let quick = ["--epochs", "2", "--hidden", "8", "--progress", "none", "--threads", "1"]

    @Test func aModelIsTrainedAndItsPredictionsAreTheSameOnAnyNumberOfRanks() async throws {
      let scratch = try Scratch()
      let directory = try await generated(scratch)
      let model = scratch("model.safetensors")
      let trained = try await run(
        "highland",
        [
          "graphs", "train", directory, "--network", "diffpool", "--clusters", "6,3", "--output",
          model,
        ]
          + quick, ranks: 2)
      try #require(trained.exitCode == 0, "\(trained)")
      var predictions: [[UInt8]] = []
      for ranks in [1, 3] {
        let output = scratch("predictions-\(ranks).csv")
        let clusters = scratch("clusters-\(ranks).npy")
        let outcome = try await run(
          "highland",
          [
            "graphs", "predict", directory, "--model", model, "--output", output,
            "--assignments", clusters,
          ], ranks: ranks)
        try #require(outcome.exitCode == 0, "\(outcome)")
        predictions.append(try bytes(of: output) + bytes(of: clusters))
        let lines = String(decoding: try bytes(of: output), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 41)
        #expect(lines[0] == "graph,class,p(0),p(1)")
        #expect(lines[1].hasPrefix("1,"))
        let array = try ArrayFile(path: clusters)
        #expect(array.columnCount == 2)
        let values = try array.integers(rows: 0..<array.rowCount)
        #expect(values.indices.allSatisfy { values[$0] >= 0 && values[$0] < ($0 % 2 == 0 ? 6 : 3) })
      }
      #expect(predictions[0] == predictions[1])
      let judged = try await run(
        "highland", ["graphs", "evaluate", directory, "--model", model, "--json"])
      #expect(judged.exitCode == 0 && judged.output.contains("\"graphCount\" : 40"))
    }

    @Test func aCrossValidationReportsEveryFoldAndTheirMean() async throws {
      let scratch = try Scratch()
      let directory = try await generated(scratch)
      let report = scratch("report.json")
      let outcome = try await run(
        "highland",
        ["graphs", "train", directory, "--folds", "4", "--report", report, "--diagnostics"] + quick,
        ranks: 2)
      try #require(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output.contains("deviation"))
      #expect(outcome.output.contains("mean cosine distance"))
      let object =
        try JSONSerialization.jsonObject(with: Data(bytes(of: report))) as! [String: Any]
      let folds = object["folds"] as! [[String: Any]]
      #expect(folds.count == 4)
      let tested = folds.flatMap { ($0["split"] as! [String: [Int]])["test"]! }
      #expect(tested.sorted() == Array(0..<40))
      let accuracies = folds.map { ($0["test"] as! [String: Any])["accuracy"] as! Double }
      let mean = (object["testAccuracy"] as! [String: Any])["mean"] as! Double
      #expect(abs(accuracies.reduce(0, +) / 4 - mean) < 1e-12)
    }

    @Test func foldsRunOnGroupsOfRanksWithTheSameResults() async throws {
      let scratch = try Scratch()
      let directory = try await generated(scratch)
      func train(ranks: Int, _ groups: String) async throws -> (String, NSDictionary) {
        let report = scratch("report-\(ranks)-\(groups).json")
        let outcome = try await run(
          "highland",
          [
            "graphs", "train", directory, "--folds", "3", "--seeds", "2", "--network", "diffpool",
            "--clusters", "6", "--groups", groups, "--report", report,
          ] + quick, ranks: ranks)
        try #require(outcome.exitCode == 0, "\(outcome)")
        let object =
          try JSONSerialization.jsonObject(with: Data(bytes(of: report))) as! NSDictionary
        return (outcome.outputLines.dropLast().joined(separator: "\n"), object)
      }
      /// What does not depend on the clock and on who computed it.
      func results(_ report: NSDictionary) -> [NSDictionary] {
        (report["folds"] as! [[String: Any]]).map { fold in
          var fold = fold
          fold["epochs"] = (fold["epochs"] as! [[String: Any]]).map { epoch in
            epoch.filter { $0.key != "elapsedSeconds" }
          }
          return fold as NSDictionary
        }
      }
      // Two ranks per group, then one: the same bits as of one group of as many ranks.
      for (ranks, groups, alone) in [(4, "2", 2), (2, "2", 1), (3, "automatic", 1)] {
        let (table, report) = try await train(ranks: ranks, groups)
        let (aloneTable, aloneReport) = try await train(ranks: alone, "1")
        #expect(table == aloneTable)
        #expect(results(report) == results(aloneReport))
        #expect(
          report["testAccuracy"] as? NSDictionary == aloneReport["testAccuracy"] as? NSDictionary)
        #expect(report["groupCount"] as? Int == (groups == "2" ? 2 : 3))
        try FileManager.default.removeItem(atPath: scratch("report-\(alone)-1.json"))
      }
      let many = try await run(
        "highland", ["graphs", "train", directory, "--folds", "4", "--groups", "3"] + quick,
        ranks: 2)
      #expect(many.exitCode == 1)
      #expect(many.errorLines == ["error: --groups 3: expected at most 2, the number of ranks"])
      let unused = try await run(
        "highland", ["graphs", "train", directory, "--groups", "2"] + quick)
      #expect(unused.exitCode == 64)
    }

    @Test func informationIsPrintedAsJSON() async throws {
      let scratch = try Scratch()
      let directory = try await generated(scratch)
      let outcome = try await run("highland", ["graphs", "info", directory, "--json"])
      #expect(outcome.exitCode == 0)
      #expect(outcome.output.contains("\"graphs\" : 40"))
    }

    @Test func whatCannotWorkIsSaidInOneLineAndNothingIsWritten() async throws {
      let scratch = try Scratch()
      let directory = try await generated(scratch)
      let before = try scratch.names
      let model = scratch("model.safetensors")
      func fails(_ arguments: [String], ranks: Int = 1, _ message: String) async throws {
        let outcome = try await run("highland", ["graphs"] + arguments, ranks: ranks)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(outcome.errorLines == ["error: \(message)"], "\(outcome)")
        #expect(try scratch.names == before)
      }
      let train = ["train", directory, "--output", model] + quick
      try await fails(
        ["train", directory, "--folds", "21"] + quick, ranks: 2,
        "class 0 has 20 graphs, which is fewer than 21 folds; expected one for each fold at least")
      try await fails(
        ["info", scratch("none")], "\(scratch("none")): there is no such directory")
      try await fails(
        ["predict", directory, "--model", model, "--output", scratch("p.csv")],
        "\(model): cannot open: No such file or directory")
      let adjacency = "\(directory)/MOTIFS_A.txt"
      let edges = try bytes(of: adjacency)
      try Data(edges + Array("1, 100000\n".utf8)).write(to: URL(fileURLWithPath: adjacency))
      let line = edges.count { $0 == UInt8(ascii: "\n") } + 1
      let outcome = try await run("highland", ["graphs"] + train, ranks: 2)
      #expect(outcome.exitCode == 1)
      #expect(
        outcome.errorLines.first?.hasPrefix(
          "error: \(adjacency): line \(line): edge 1, 100000; nodes are 1 ...") == true,
        "\(outcome)")
      #expect(try scratch.names == before)
    }

    @Test func aModelForOtherAttributesIsRefused() async throws {
      let scratch = try Scratch()
      let directory = try await generated(scratch)
      let model = scratch("model.safetensors")
      let nodes = try bytes(of: "\(directory)/MOTIFS_graph_indicator.txt").count {
        $0 == UInt8(ascii: "\n")
      }
      try scratch.write(
        String(repeating: "1, 2.5\n", count: nodes), as: "motifs/MOTIFS_node_attributes.txt")
      let trained = try await run(
        "highland", ["graphs", "train", directory, "--output", model] + quick)
      try #require(trained.exitCode == 0, "\(trained)")
      try scratch.write(
        String(repeating: "1, 2.5, 3\n", count: nodes), as: "motifs/MOTIFS_node_attributes.txt")
      let outcome = try await run(
        "highland",
        ["graphs", "predict", directory, "--model", model, "--output", scratch("p.csv")], ranks: 2)
      #expect(
        outcome.errorLines == ["error: MOTIFS: nodes have 3 attributes; the model expects 2"],
        "\(outcome)")
      let flat = try await run(
        "highland",
        [
          "graphs", "predict", directory, "--model", model, "--output", scratch("p.csv"),
          "--assignments", scratch("a.npy"),
        ])
      #expect(flat.exitCode == 1)
      #expect(!(try scratch.names.contains("p.csv")))
    }
  }
}
