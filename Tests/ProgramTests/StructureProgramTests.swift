import Datasets
import Foundation
import Subprocess
import Testing

extension Programs {
  /// Models of structure: trained, from the box, and misused.
  @Suite struct Structure {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func train(_ output: String, _ more: [String] = []) -> [String] {
      [
        "train", Fixture.features, Fixture.truth, "--output", scratch(output), "--graphs", "2",
        "--epochs", "2", "--progress", "none", "--threads", "1",
      ] + more
    }

    private func cluster(_ output: String, _ more: [String] = []) -> [String] {
      ["cluster", Fixture.features, "--output", scratch(output), "--progress", "none"] + more
    }

    @Test func isWhatTrainMakesWithoutOptions() async throws {
      let trained = try await run("highland", train("model.safetensors"))
      #expect(trained.exitCode == 0, "\(trained)")
      #expect(trained.output.contains("By held-out identities τ = "))
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

    @Test func goesOnFromTheModelInTheBox() async throws {
      let trained = try await run(
        "highland", train("model.safetensors", ["--from", "default"]), ranks: 2)
      #expect(trained.exitCode == 0, "\(trained)")
      #expect(
        try TensorFile(path: scratch("model.safetensors")).metadata["from"] == "default")
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
            + "looks at that many"
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
        cluster("given.npy", ["--neighbors", scratch("n.npy"), "--similarities", scratch("s.npy")]))
      let own = try await run("highland", cluster("own.npy"))
      #expect(given.exitCode == 0 && own.exitCode == 0, "\(given)")
      #expect(try bytes(of: scratch("given.npy")) == bytes(of: scratch("own.npy")))
    }

    @Test func isForNoOtherK() async throws {
      let outcome = try await run("highland", cluster("out.npy", ["-k", "5"]))
      #expect(outcome.exitCode == 1)
      #expect(
        outcome.errorLines == [
          "error: the default model: trained with k = 10, and of use for no other; leave -k 5 out"
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
      (
        ["--checkpoint", "state"],
        "--checkpoint, --log and --validation go with --input coordinates"
      ),
    ])
    func wrongOptionsOfTraining(options: [String], message: String) async throws {
      let outcome = try await run("highland", train("model.safetensors", options))
      #expect(outcome.exitCode != 0 && outcome.errors.contains(message), "\(outcome)")
    }
  }
}
