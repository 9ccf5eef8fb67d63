import Datasets
import Foundation
import LinearAlgebra
import RandomInputs
import Subprocess
import Testing

extension Programs {
  /// Models of structure: trained, from the box, and misused.
  @Suite struct Structure {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func train(_ output: String, epochs: Int = 2, _ more: [String] = []) -> [String] {
      [
        "train", Fixture.features, Fixture.truth, "--output", scratch(output), "--graphs", "2",
        "--epochs", "\(epochs)", "--progress", "none", "--threads", "1",
      ] + (more.contains("-k") || more.contains("--from") ? [] : ["-k", "10"]) + more
    }

    private func cluster(_ output: String, _ more: [String] = []) -> [String] {
      ["cluster", Fixture.features, "--output", scratch(output), "--progress", "none"] + more
    }

    /// Noise has neighbourhoods like no data that the built-in model learned from.
    @Test func saysWhenItHasSeenNothingAlike() async throws {
      try scratch.write(randomMatrix(1500, 64, seed: 12), as: "noise.npy")
      for (features, isStrange) in [("noise.npy", true), (Fixture.features, false)] {
        let outcome = try await run(
          "highland",
          [
            "cluster", isStrange ? scratch(features) : features, "--method", "network", "--report",
            scratch("report.json"), "--overwrite",
          ])
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.contains("look like nothing") == isStrange, "\(outcome)")
        let report = try String(decoding: bytes(of: scratch("report.json")), as: UTF8.self)
        #expect(report.contains("\"strangeness\""))
      }
    }

    @Test func isWhatTrainMakesWithoutOptions() async throws {
      let trained = try await run("highland", train("model.safetensors"))
      #expect(trained.exitCode == 0, "\(trained)")
      #expect(trained.output.contains(" at level 0 and τ = "))
      let file = try TensorFile(path: scratch("model.safetensors"))
      #expect(file.metadata["input"] == "structure" && file.metadata["k"] == "10")
      for ranks in [1, 3] {
        let clustered = try await run(
          "highland", cluster("\(ranks).npy", ["--model", scratch("model.safetensors")]),
          ranks: ranks)
        #expect(clustered.exitCode == 0, "\(clustered)")
      }
      #expect(try bytes(of: scratch("1.npy")) == bytes(of: scratch("3.npy")))
    }

    @Test func doesWithoutWhatIsNamedAndSaysSo() async throws {
      let trained = try await run(
        "highland", train("model.safetensors", ["--without", "sizes", "balance"]))
      #expect(trained.exitCode == 0, "\(trained)")
      let file = try TensorFile(path: scratch("model.safetensors"))
      #expect(file.metadata["without"] == "balance sizes")
      let refused = try await run(
        "highland", train("other.safetensors", ["--without", "size"]))
      #expect(refused.exitCode == 64, "\(refused)")
      #expect(refused.errors.contains("'size'") && refused.errors.contains("point-edges"))
    }

    /// With checkpoints after every step.
    private func stoppable(
      _ output: String, epochs: Int = 2, _ more: [String] = []
    ) -> [String] {
      train(
        output, epochs: epochs,
        ["--checkpoint", scratch("state"), "--checkpoint-interval", "0"] + more
      )
      .filter { $0 != "none" && $0 != "--progress" }
    }

    /// The events of a log, in order.
    private func events(of log: String) throws -> [String] {
      String(decoding: try bytes(of: scratch(log)), as: UTF8.self).split(separator: "\n").map {
        String($0.split(separator: "\"event\":\"")[1].prefix { $0 != "\"" })
      }
    }

    @Test func goesOnAfterSIGKILLWithTheSameBits() async throws {
      let whole = try await run("highland", train("whole.safetensors"))
      #expect(whole.exitCode == 0, "\(whole)")
      let stopped = stoppable("stopped.safetensors", ["--log", scratch("log.jsonl")])
      let killed = try await interrupt(stopped, "KILL", in: scratch)
      #expect(killed.exitCode == 137, "\(killed)")
      #expect(!FileManager.default.fileExists(atPath: scratch("stopped.safetensors")))
      let resumed = try await run("highland", stopped)
      #expect(resumed.exitCode == 0 && resumed.errors.contains("going on after step"), "\(resumed)")
      #expect(
        try bytes(of: scratch("stopped.safetensors")) == bytes(of: scratch("whole.safetensors")))
      // The log tells every epoch once.
      let events = try events(of: "log.jsonl")
      #expect(events.first == "start" && events.last == "end", "\(events)")
      #expect(events.count { $0 == "epoch" } == 2 && events.count { $0 == "trial" } >= 12)
    }

    @Test func endsAfterSIGTERMWithACheckpoint() async throws {
      let long = stoppable("model.safetensors", epochs: 3000)
      let stopped = try await interrupt(long, "TERM", in: scratch)
      #expect(stopped.exitCode == 75, "\(stopped)")
      #expect(stopped.errors.contains("the same command goes on from it"))
      #expect(!FileManager.default.fileExists(atPath: scratch("model.safetensors")))
      let other = try await run("highland", stoppable("model.safetensors", ["--width", "32"]))
      #expect(other.exitCode == 1)
      #expect(
        other.errorLines.contains {
          $0.contains("other settings: --epochs was 3000, is 2; --width")
        },
        "\(other)")
      let coordinates = try await run(
        "highland",
        [
          "train", "coordinates", Fixture.features, Fixture.truth, "--output",
          scratch("model.safetensors"), "--checkpoint", scratch("state"), "--progress", "none",
        ])
      #expect(coordinates.exitCode == 1)
      #expect(
        coordinates.errors.contains("kind was structure, is coordinates"), "\(coordinates)")
    }

    @Test func goesOnWithAnotherNumberOfRanksAfterDamage() async throws {
      let killed = try await interrupt(stoppable("model.safetensors"), "KILL", in: scratch)
      #expect(killed.exitCode == 137, "\(killed)")
      // Beside it may lie what was being written when the run was killed.
      let newest = try #require(
        try scratch.names.filter {
          $0.hasPrefix("state/checkpoint-") && $0.hasSuffix(".safetensors")
        }.max())
      try scratch.write(bytes(of: scratch(newest)).dropLast(100), as: newest)
      let resumed = try await run("highland", stoppable("model.safetensors"), ranks: 2)
      #expect(
        resumed.exitCode == 0 && resumed.errors.contains("\(newest): ")
          && resumed.errors.contains("; not used")
          && resumed.errors.contains("going on after step"), "\(resumed)")
    }

    @Test func choosesThresholdsOnOtherIdentitiesAndDrawsThem() async throws {
      let rows = try Fixture.rows(0..<150)
      let features = try scratch.write(rows, as: "other.npy")
      let labels = try scratch.write(
        Array(labels(of: Fixture.truth)[..<150]), shape: [150], as: "other-labels.npy")
      let trained = try await run(
        "highland",
        train(
          "model.safetensors",
          [
            "--validation", features, labels, "--log", scratch("log.jsonl"), "--report",
            scratch("report.html"),
          ]), ranks: 2)
      #expect(trained.exitCode == 0, "\(trained)")
      #expect(trained.output.contains(" at level 0 and τ = "))
      let events = try events(of: "log.jsonl")
      #expect(
        events.prefix(4) == ["start", "length", "epoch", "epoch"] && events.last == "end",
        "\(events)")
      let page = String(decoding: try bytes(of: scratch("report.html")), as: UTF8.self)
      #expect(page.contains("<svg") && page.contains("Thresholds") && page.contains("identity F"))
      #expect(page.contains("other-labels.npy") && page.contains("chosen"))
      #expect(page.contains("<h2>Calibration</h2>") && page.contains("that were not learned from"))
      #expect(trained.errors.isEmpty)
      let log = String(decoding: try bytes(of: scratch("log.jsonl")), as: UTF8.self)
      #expect(log.split(separator: "\n").last?.contains("\"isOfHeldOut\":true") == true)
    }

    @Test func goesOnFromTheModelInTheBox() async throws {
      let trained = try await run(
        "highland", train("model.safetensors", ["--from", "default"]), ranks: 2)
      #expect(trained.exitCode == 0, "\(trained)")
      #expect(
        try TensorFile(path: scratch("model.safetensors")).metadata["from"] == "default")
    }

    @Test(arguments: [["--from", "default"], ["--validation-fraction", "0.4"], []])
    func learnsFromMixturesAlone(more: [String]) async throws {
      let trained = try await run(
        "highland",
        train(
          "model.safetensors",
          [
            "--graphs", "0", "--mixtures", "3", "--graph-points", "300",
          ] + more))
      #expect(trained.exitCode == 0, "\(trained)")
      #expect(trained.output.contains(" at level 0 and τ = "), "\(trained)")
    }

    @Test func ofOneIdentityIsRefused() async throws {
      let labels = try scratch.write(
        [Int64](repeating: 3, count: 300), shape: [300], as: "one.npy")
      let trained = try await run(
        "highland",
        [
          "train", Fixture.features, labels, "--output", scratch("model.safetensors"),
          "--graphs", "0", "--mixtures", "3", "--progress", "none",
        ])
      #expect(trained.exitCode == 1)
      #expect(
        trained.errorLines == [
          "error: \(labels): all points have the same label: there is nothing to tell apart"
        ], "\(trained)")
    }

    @Test func ofPointsThatAreAllAloneIsRefused() async throws {
      let labels = try scratch.write((0..<300).map { Int64($0) }, shape: [300], as: "alone.npy")
      let trained = try await run(
        "highland",
        [
          "train", Fixture.features, labels, "--output", scratch("model.safetensors"),
          "--progress", "none",
        ])
      #expect(trained.exitCode == 1 && trained.errors.contains("no linkage to learn"), "\(trained)")
    }

    @Test func comesInTheBox() async throws {
      for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
        let outcome = try await run(
          "highland", cluster("\(ranks)-\(threads).npy", ["--threads", "\(threads)"]),
          ranks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(
          try bytes(of: scratch("\(ranks)-\(threads).npy")) == bytes(of: scratch("1-1.npy")))
      }
      let info = try await run("highland", ["info", "default"])
      #expect(info.output.contains("model of structure"), "\(info)")
    }

    @Test func makesMoreClustersWhereFinerOnesAreWanted() async throws {
      var counts: [Int] = []
      for granularity in ["coarser", "as-trained", "finer"] {
        let outcome = try await run(
          "highland",
          cluster("\(granularity).npy", ["--granularity", granularity]))
        #expect(outcome.exitCode == 0, "\(outcome)")
        let labels = try LabelFile(path: scratch("\(granularity).npy")).labels(0..<300)
        counts.append(Set(labels).count)
      }
      #expect(
        counts[0] <= counts[1] && counts[1] <= counts[2] && counts[0] < counts[2], "\(counts)")
    }

    @Test func wantsListsThatAreLongEnough() async throws {
      let neighbors = try scratch.write(
        (0..<300).flatMap { i in (1...9).map { Int64((i + $0) % 300) } }, shape: [300, 9],
        as: "neighbors.npy")
      let similarities = try scratch.write(
        [Float](repeating: 0.5, count: 2700), shape: [300, 9], as: "similarities.npy")
      let outcome = try await run(
        "highland",
        cluster("out.npy", ["--neighbors", neighbors, "--similarities", similarities]))
      #expect(outcome.exitCode == 1)
      #expect(
        outcome.errorLines == [
          "error: \(neighbors): 9 neighbours of each point; expected 20 or more, as 'default' "
            + "looks at that many: highland knn -k 21"
        ], "\(outcome)")
    }

    @Test func takesAUsersListsThatAre() async throws {
      let searched = try await run(
        "highland",
        [
          "knn", Fixture.features, "-k", "21", "--neighbors", scratch("n.npy"), "--similarities",
          scratch("s.npy"), "--progress", "none",
        ])
      #expect(searched.exitCode == 0, "\(searched)")
      let given = try await run(
        "highland",
        cluster(
          "given.npy",
          [
            "--neighbors", scratch("n.npy"), "--similarities", scratch("s.npy"), "--tau", "0.5",
          ]))
      let own = try await run("highland", cluster("own.npy", ["--tau", "0.5"]))
      #expect(given.exitCode == 0 && own.exitCode == 0, "\(given)")
      #expect(try bytes(of: scratch("given.npy")) == bytes(of: scratch("own.npy")))
    }

    @Test func isForNoOtherK() async throws {
      let outcome = try await run(
        "highland", cluster("out.npy", ["-k", "5", "--method", "network"]))
      #expect(outcome.exitCode == 1)
      #expect(
        outcome.errorLines == [
          "error: the default model: trained with k = 10, and works only with that k; leave -k 5 out"
        ], "\(outcome)")
    }

    @Test(arguments: [
      (["--granularity", "finer", "--tau", "0.5"], "--granularity moves the model's τ"),
      (["--tau-later", "2"], "--tau-later 2.0: expected 0 ... 1"),
    ])
    func wrongOptions(options: [String], message: String) async throws {
      let outcome = try await run("highland", cluster("out.npy", options))
      #expect(outcome.exitCode == 64 && outcome.errors.contains(message), "\(outcome)")
    }

    @Test(arguments: [
      (["--graphs", "0"], "--graphs 0 --mixtures 0: expected something to learn from"),
      (["--also", "a.npy"], "--also: 1 names: expected two for every set"),
    ])
    func wrongOptionsOfTraining(options: [String], message: String) async throws {
      let outcome = try await run("highland", train("model.safetensors", options))
      #expect(outcome.exitCode != 0 && outcome.errors.contains(message), "\(outcome)")
    }
  }
}
