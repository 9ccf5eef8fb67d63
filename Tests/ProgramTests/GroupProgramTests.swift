import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  /// `--groups`: every group of points by itself.
  @Suite struct GroupsOfPoints {
    /// Three groups of two clusters each, the same in all groups.
    private func write(to scratch: Scratch) throws -> (features: String, groups: String) {
      var rows = randomMatrix(36, 8, seed: 23, scale: 0.02)
      for row in 0..<36 { rows[row, row / 6 % 2] += 1 }
      let names = (0..<36).map { "talk \($0 / 12)\n" }
      return (
        try scratch.write(rows, as: "x.npy"), try scratch.write(names.joined(), as: "groups.txt")
      )
    }

    @Test(arguments: [nil, 3])
    func haveClustersOfTheirOwn(ranks: Int?) async throws {
      let scratch = try Scratch()
      let (features, groups) = try write(to: scratch)
      // The same two identities in every group.
      let truth = try scratch.write(
        (0..<36).map { Int64($0 / 6 % 2) }, shape: [36], as: "truth.npy")
      let outcome = try await run(
        "highland",
        [
          "cluster", features, "--groups", groups, "--output", scratch("labels.npy"), "--truth",
          truth, "--report", scratch("report.json"),
        ], onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(try labels(of: scratch("labels.npy")) == (0..<36).map { Int64($0 / 6) })
      #expect(
        outcome.output.contains(
          "3 groups of up to 12 points, with 2.00 clusters on average, 2 ... 2."), "\(outcome)")
      // Pairs of two groups do not count.
      #expect(outcome.output.contains("pairwise        1.0000     1.0000     1.0000"), "\(outcome)")
      let report = try String(decoding: bytes(of: scratch("report.json")), as: UTF8.self)
      #expect(report.contains("\"groupCount\" : 3"), "\(report)")
    }

    /// New points of the first two groups join clusters there, and a third group is new.
    @Test(arguments: [nil, 3])
    func takeNewPoints(ranks: Int?) async throws {
      let scratch = try Scratch()
      var rows = randomMatrix(36, 8, seed: 23, scale: 0.02)
      for row in 0..<36 { rows[row, row / 6 % 2] += 1 }
      func write(_ places: [Int], _ name: String) throws -> (features: String, groups: String) {
        (
          try scratch.write(rows.copy(ofRows: places), as: "\(name).npy"),
          try scratch.write(
            "recording,start,end\n" + places.map { "talk \($0 / 12),\($0),\($0 + 1)\n" }.joined(),
            as: "\(name).csv")
        )
      }
      let old = try write((0..<24).filter { $0 % 6 != 2 }, "old")
      let new = try write((0..<36).filter { $0 % 6 == 2 || $0 >= 24 }, "new")
      let saved = try await run(
        "highland",
        [
          "cluster", old.features, "--groups", old.groups, "--save", scratch("run"), "--output",
          scratch("old-labels.npy"),
        ], onRanks: ranks)
      #expect(saved.exitCode == 0, "\(saved)")
      for (part, output) in [(old, "again.npy"), (new, "labels.npy")] {
        let outcome = try await run(
          "highland",
          [
            "assign", part.features, "--to", scratch("run"), "--groups", part.groups, "--output",
            scratch(output),
          ], onRanks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
      #expect(try bytes(of: scratch("again.npy")) == bytes(of: scratch("old-labels.npy")))
      let found = try labels(of: scratch("labels.npy"))
      #expect(found[..<4] == [0, 1, 2, 3] && found[4..<10].allSatisfy { $0 == 4 }, "\(found)")
      #expect(found[10...].allSatisfy { $0 > 3 }, "\(found)")
      for (arguments, message) in [
        (["assign", new.features, "--to", scratch("run")], "expected --groups, the group of each"),
        (
          ["update", new.features, "--to", scratch("run"), "--features", old.features],
          "cannot be updated"
        ),
        (["tree", scratch("run"), "--json"], "do not merge across groups"),
        (
          ["cut", scratch("run"), "--clusters", "2", "--output", scratch("cut.npy")], "do not merge"
        ),
      ] {
        let outcome = try await run("highland", arguments, onRanks: ranks)
        #expect(
          outcome.exitCode == 1 && outcome.errors.contains("\(scratch("run")): a run of --groups")
            && outcome.errors.contains(message), "\(outcome)")
      }
    }

    @Test(arguments: ["3", "3..5", "1..1"])
    func haveAsManyClustersAsAskedFor(clusters: String) async throws {
      let scratch = try Scratch()
      let (features, groups) = try write(to: scratch)
      var answers: [[Int64]] = []
      for ranks in [nil, 3] {
        let outcome = try await run(
          "highland",
          [
            "cluster", features, "--groups", groups, "--clusters", clusters, "--output",
            scratch("labels.npy"), "--overwrite",
          ], onRanks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        answers.append(try labels(of: scratch("labels.npy")))
      }
      let bounds = clusters.split(separator: ".").map { Int($0)! }
      for group in 0..<3 {
        let count = Set(answers[0][12 * group..<12 * (group + 1)]).count
        #expect(count >= bounds[0] && count <= bounds.last!, "\(count) clusters")
      }
      #expect(answers[0] == answers[1])
    }

    @Test(arguments: ["0", "5..3", "3..", "x", "-1..2"])
    func haveNoImpossibleNumberOfClusters(clusters: String) async throws {
      let scratch = try Scratch()
      let (features, groups) = try write(to: scratch)
      let outcome = try await run(
        "highland", ["cluster", features, "--groups", groups, "--clusters=\(clusters)"])
      #expect(outcome.exitCode != 0 && outcome.errors.contains("clusters"), "\(outcome)")
    }

    /// What a model learns within groups is the same on any number of ranks, but for rounding.
    @Test func areLearnedFrom() async throws {
      let scratch = try Scratch()
      let (features, groups) = try write(to: scratch)
      let truth = try scratch.write(
        (0..<36).map { Int64($0 / 6 % 2) }, shape: [36], as: "truth.npy")
      var models: [[Float]] = []
      for ranks in [nil, 2] {
        let outcome = try await run(
          "highland",
          [
            "train", features, truth, "--groups", groups, "--output",
            scratch("m.safetensors"), "--overwrite", "--graphs", "1", "--epochs", "1", "-k", "4",
          ], onRanks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        // Behind the header, which tells how long it took.
        let file = try bytes(of: scratch("m.safetensors"))
        let header = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let numbers = Array(file.dropFirst(8 + header))
        models.append(
          stride(from: 0, to: numbers.count, by: 4).map { first in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(numbers[first + $1]) << (8 * $1) })
          })
      }
      #expect(models[0].count == models[1].count && models[0].count > 1000)
      #expect(zip(models[0], models[1]).allSatisfy { abs($0 - $1) < 1e-5 })
      let outcome = try await run(
        "highland",
        [
          "cluster", features, "--groups", groups, "--model", scratch("m.safetensors"),
          "--truth", truth,
        ])
      #expect(outcome.exitCode == 0 && outcome.output.contains("3 groups"), "\(outcome)")
    }

    @Test(arguments: [nil, 3])
    func haveNeighborsOfTheirOwn(ranks: Int?) async throws {
      let scratch = try Scratch()
      let (features, groups) = try write(to: scratch)
      let outcome = try await run(
        "highland",
        [
          "knn", features, "-k", "14", "--groups", groups, "--neighbors", scratch("n.npy"),
          "--similarities", scratch("s.npy"),
        ], onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      let neighbors = try integers(of: scratch("n.npy"))
      for point in 0..<36 {
        let list = neighbors[13 * point..<13 * (point + 1)]
        let others = Set((point / 12 * 12..<point / 12 * 12 + 12).map(Int64.init))
          .subtracting([Int64(point)])
        #expect(Set(list.prefix(11)) == others && list.suffix(2) == [-1, -1])
      }
    }

    @Test(arguments: [
      (35, "groups.txt: no group for row 35; expected 36 rows, one per point"),
      (37, "groups.txt: 37 rows; expected 36, one per point: row 36 is of no point"),
    ])
    func areOnePerPoint(count: Int, message: String) async throws {
      let scratch = try Scratch()
      let (features, groups) = try write(to: scratch)
      try scratch.write(String(repeating: "a\n", count: count), as: "groups.txt")
      for arguments in [
        ["cluster", features],
        ["knn", features, "--neighbors", "n.npy", "--similarities", "s.npy"],
      ] {
        let outcome = try await run("highland", arguments + ["--groups", groups])
        #expect(outcome.exitCode != 0 && outcome.errors.contains(message), "\(outcome)")
      }
    }
  }
}
