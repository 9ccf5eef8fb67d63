import Datasets
import Foundation
import LinearAlgebra
import RandomInputs
import Testing

/// Labels renumbered in the order of first appearance: equal partitions become equal arrays.
private func byFirstAppearance(_ labels: [Int64]) -> [Int64] {
  var numbers: [Int64: Int64] = [:]
  return labels.map { label in
    if let number = numbers[label] { return number }
    numbers[label] = Int64(numbers.count)
    return numbers[label]!
  }
}

/// Components of edges among `count` points, one edge after the other, in the order of appearance.
private func components(_ edges: [(Int64, Int64)], count: Int) -> [Int64] {
  var label = (0..<Int64(count)).map { $0 }
  for (a, b) in edges {
    let (from, to) = (label[Int(a)], label[Int(b)])
    for place in label.indices where label[place] == from { label[place] = to }
  }
  return byFirstAppearance(label)
}

/// The edges of a kNN graph above a threshold.
private func edges(_ neighbors: [Int64], _ similarities: [Float], above threshold: Double)
  -> [(Int64, Int64)]
{
  let length = neighbors.count / 300
  return neighbors.indices.filter { neighbors[$0] >= 0 && Double(similarities[$0]) > threshold }
    .map { (Int64($0 / length), neighbors[$0]) }
}

extension Programs {
  @Suite struct ClusteringWithTheProgram {
    private func cluster(_ features: String, _ output: String, _ more: [String] = []) -> [String] {
      ["cluster", features, "--model", Fixture.model, "--output", output] + Fixture.options + more
    }

    /// Labels, every array of the hierarchy and its description, byte for byte.
    @Test func hasTheSameBytesOnAnyRanksAndThreads() async throws {
      let scratch = try Scratch()
      func result(_ name: String, ranks: Int?, threads: Int) async throws -> [String: [UInt8]] {
        let arguments = cluster(
          Fixture.features, scratch("\(name).npy"),
          ["--hierarchy", scratch(name), "--threads", "\(threads)"])
        let outcome =
          if let ranks { try await run("highland", arguments, ranks: ranks) } else {
            try await run("highland", arguments)
          }
        #expect(outcome.exitCode == 0 && outcome.errorLines.isEmpty, "\(outcome)")
        var files = ["labels": try bytes(of: scratch("\(name).npy"))]
        for file in try FileManager.default.subpathsOfDirectory(atPath: scratch(name))
        where file.hasSuffix(".npy") || file == "hierarchy.json" {
          files[file] = try bytes(of: "\(scratch(name))/\(file)")
        }
        return files
      }
      let alone = try await result("alone", ranks: nil, threads: 1)
      #expect(alone.keys.contains("level-3/parent.npy"))
      #expect(alone.keys.contains("hierarchy.json"))
      #expect(
        try labels(of: scratch("alone.npy"))
          == byFirstAppearance(labels(of: Fixture.labels)))
      for (ranks, threads) in [(nil, 2), (1, 1), (2, 2), (3, 1), (4, 2), (5, 1), (8, 1)] {
        let name = "ranks-\(ranks ?? 0)-\(threads)"
        let found = try await result(name, ranks: ranks, threads: threads)
        #expect(found.keys.sorted() == alone.keys.sorted(), "\(name)")
        for (file, bytes) in alone { #expect(found[file] == bytes, "\(file) of \(name)") }
      }
      #expect(try !scratch.names.contains { $0.contains(".tmp") })
    }

    @Test(arguments: [nil, 3])
    func takesTheGraphThatItWouldMake(ranks: Int?) async throws {
      let scratch = try Scratch()
      func go(_ arguments: [String]) async throws {
        let outcome =
          if let ranks { try await run("highland", arguments, ranks: ranks) } else {
            try await run("highland", arguments)
          }
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
      let files = ["--neighbors", scratch("knn.npy"), "--similarities", scratch("sim.npy")]
      try await go(["knn", Fixture.features, "-k", "5", "--progress", "none"] + files)
      try await go(cluster(Fixture.features, scratch("own.npy"), files))
      #expect(
        try labels(of: scratch("own.npy")) == byFirstAppearance(labels(of: Fixture.labels)))

      // The baseline: components of the same graph.
      let neighbors = try integers(of: scratch("knn.npy"))
      let similarities = try floats(of: scratch("sim.npy"))
      for threshold in [0.5, 0.8, 0.95] {
        let output = scratch("components-\(threshold).npy")
        try await go(["components"] + files + ["--above", "\(threshold)", "-o", output])
        let expected = components(
          edges(neighbors, similarities, above: threshold), count: 300)
        #expect(try labels(of: output) == expected, "above \(threshold)")
      }
    }

    @Test func componentsOfAnEdgeListCountIsolatedPoints() async throws {
      let scratch = try Scratch()
      let path = try scratch.write(
        [3, 1, 4, 4, 5, 3, 0, 7] as [Int64], shape: [4, 2], as: "edges.npy")
      let outcome = try await run(
        "highland", ["components", path, "--points", "10", "-o", scratch("out.txt")], ranks: 3)
      #expect(outcome.outputLines == ["10 points in 7 components"], "\(outcome)")
      #expect(try labels(of: scratch("out.txt")) == [0, 1, 2, 1, 3, 1, 4, 0, 5, 6])
    }

    /// No points, one, fewer than ranks, fewer than k, and k of them, none of them alike.
    @Test(arguments: [0, 1, 2, 4, 5], [nil, 3])
    func leavesAFewPointsApart(count: Int, ranks: Int?) async throws {
      let scratch = try Scratch()
      let features = try scratch.write(Fixture.rows(0..<count), as: "few.npy")
      let found = try await labelsOfRun(
        cluster(features, scratch("out.npy"), ["--hierarchy", scratch("levels"), "--tau", "1"]),
        ranks, scratch)
      #expect(found == (0..<Int64(count)).map { $0 })
      #expect(try labels(of: scratch("out.npy")).count == count)
      #expect(try scratch.names.contains("levels/hierarchy.json"))
    }

    @Test(arguments: [nil, 3])
    func takesMoreNeighborsThanPoints(ranks: Int?) async throws {
      let scratch = try Scratch()
      let features = try scratch.write(Fixture.rows(0..<20), as: "few.npy")
      let found = try await labelsOfRun(
        cluster(features, scratch("out.npy"), ["-k", "50", "--tau", "0"]), ranks, scratch)
      // The graph is complete with as many neighbours as there are others.
      let most = try await labelsOfRun(
        cluster(features, scratch("most.npy"), ["-k", "20", "--tau", "0"]), ranks, scratch,
        "most.npy")
      #expect(Set(most).count < 20)
      #expect(found == most)
    }

    @Test(arguments: [nil, 3], [2_000_000_000, Int.max])
    func refusesMoreNeighborsThanMemoryHolds(ranks: Int?, k: Int) async throws {
      let scratch = try Scratch()
      let features = try scratch.write(Fixture.rows(0..<300), as: "points.npy")
      let outcome = try await run(
        "highland", cluster(features, scratch("out.npy"), ["-k", "\(k)"]), onRanks: ranks)
      #expect(outcome.exitCode == 1 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("error: -k \(k): neighbour lists of "), "\(outcome)")
      #expect(try scratch.names == ["points.npy"])
    }

    @Test(arguments: [nil, 3])
    func leavesEqualPointsApart(ranks: Int?) async throws {
      let scratch = try Scratch()
      let row = try Fixture.rows(7..<8).elements
      let features = try scratch.write(
        Matrix(rows: 40, columns: 16, elements: (0..<40).flatMap { _ in row }), as: "same.npy")
      let found = try await labelsOfRun(cluster(features, scratch("out.npy")), ranks, scratch)
      #expect(found == (0..<40).map { $0 })
    }

    /// Two bundles that point away from each other: no edge joins them, whatever τ.
    @Test(arguments: [nil, 3])
    func joinsNothingAcrossNegativeCosines(ranks: Int?) async throws {
      let scratch = try Scratch()
      var rows = randomMatrix(12, 16, seed: 3, scale: 0.1)
      for row in 0..<12 { rows[row, 0] = row < 6 ? 1 : -1 }
      let features = try scratch.write(rows, as: "opposite.npy")
      let found = try await labelsOfRun(
        cluster(features, scratch("out.npy"), ["-k", "11", "--tau", "0"]), ranks, scratch)
      #expect(Set(found[..<6]).isDisjoint(with: found[6...]))
      #expect(Set(found).count < 12)
    }

    @Test(arguments: [nil, 3])
    func keepsRowsWithoutDirectionAsSingletons(ranks: Int?) async throws {
      let scratch = try Scratch()
      var rows = try Fixture.rows(0..<300)
      for column in 0..<16 { rows[0, column] = 0 }
      rows[299, 3] = .nan
      let features = try scratch.write(rows, as: "invalid.npy")
      let found = try await labelsOfRun(
        cluster(features, scratch("out.npy"), ["--invalid-rows", "singleton"]), ranks, scratch)
      #expect(found.count == 300 && Set(found).count < 250)
      for row in [0, 299] { #expect(found.count { $0 == found[row] } == 1) }
    }

    @Test func replacesOutputsIfAsked() async throws {
      let scratch = try Scratch()
      try scratch.write("old", as: "out.npy")
      try scratch.write("old", as: "report.json")
      let arguments = cluster(
        Fixture.features, scratch("out.npy"),
        ["--report", scratch("report.json"), "--hierarchy", scratch("levels"), "--overwrite"])
      for _ in 1...2 {
        let outcome = try await run("highland", arguments, ranks: 2)
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
      #expect(
        try labels(of: scratch("out.npy")) == byFirstAppearance(labels(of: Fixture.labels)))
      #expect(try bytes(of: scratch("report.json")).first == UInt8(ascii: "{"))
      #expect(
        try scratch.names.filter { !$0.contains("/") } == ["levels", "out.npy", "report.json"])
    }

    private func labelsOfRun(
      _ arguments: [String], _ ranks: Int?, _ scratch: Scratch, _ name: String = "out.npy"
    ) async throws -> [Int64] {
      let outcome =
        if let ranks { try await run("highland", arguments, ranks: ranks) } else {
          try await run("highland", arguments)
        }
      #expect(outcome.exitCode == 0 && outcome.errorLines.isEmpty, "\(outcome)")
      return try labels(of: scratch(name))
    }
  }
}
