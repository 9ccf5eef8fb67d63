import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  @Suite struct NeighborsWithTheProgram {
    /// Alone (0) or on this number of ranks.
    private func highland(_ arguments: [String], ranks: Int) async throws -> Outcome {
      ranks == 0
        ? try await run("highland", arguments) : try await run("highland", arguments, ranks: ranks)
    }

    private func knn(
      _ features: String, k: Int, in scratch: Scratch, _ more: [String] = [], ranks: Int
    ) async throws -> Outcome {
      try await highland(
        [
          "knn", features, "-k", "\(k)", "--neighbors", scratch("n.npy"), "--similarities",
          scratch("s.npy"), "--progress", "none", "--overwrite",
        ] + more, ranks: ranks)
    }

    @Test(arguments: [0, 3])
    func findNoneOfRowsWithoutDirection(ranks: Int) async throws {
      let scratch = try Scratch()
      var rows = randomMatrix(12, 8, seed: 61)
      for row in stride(from: 1, to: 12, by: 2) {
        for column in 0..<8 { rows[row, column] = row == 3 && column == 2 ? .nan : 0 }
      }
      let path = try scratch.write(rows, as: "x.npy")
      let found = try await knn(
        path, k: 9, in: scratch, ["--invalid-rows", "singleton"], ranks: ranks)
      #expect(found.exitCode == 0, "\(found)")
      let neighbors = try integers(of: scratch("n.npy"))
      for node in 0..<12 {
        let list = neighbors[node * 8..<(node + 1) * 8]
        #expect(
          Set(list)
            == (node % 2 == 1 ? [-1] : Set([-1, 0, 2, 4, 6, 8, 10]).subtracting([Int64(node)])))
        #expect(Array(list.suffix(3)) == [-1, -1, -1])
      }
    }

    @Test(arguments: [0, 3])
    func callCopiesEqualInManyColumns(ranks: Int) async throws {
      let scratch = try Scratch()
      let rows = randomMatrix(30, 8192, seed: 62)
      let path = try scratch.write(
        Matrix(rows: 60, columns: 8192, elements: rows.elements + rows.elements), as: "x.npy")
      let found = try await knn(path, k: 2, in: scratch, ranks: ranks)
      #expect(found.exitCode == 0, "\(found)")
      #expect(try floats(of: scratch("s.npy")) == Array(repeating: 1, count: 60))
      #expect(
        try integers(of: scratch("n.npy")) == (0..<60).map { Int64(($0 + 30) % 60) })
      let components = try await highland(
        [
          "components", "--neighbors", scratch("n.npy"), "--similarities", scratch("s.npy"),
          "--above", "0.999999", "--output", scratch("c.npy"),
        ], ranks: ranks)
      #expect(components.exitCode == 0, "\(components)")
      #expect(Set(try labels(of: scratch("c.npy"))).count == 30)
    }

    @Test(arguments: [0, 3], [301, 2000])
    func arePaddedWhereThereAreFewerPoints(ranks: Int, k: Int) async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(300, 4, seed: 63), as: "x.npy")
      let found = try await knn(path, k: k, in: scratch, ranks: ranks)
      #expect(found.exitCode == 0, "\(found)")
      let neighbors = try integers(of: scratch("n.npy"))
      for node in 0..<300 {
        let list = neighbors[node * (k - 1)..<(node + 1) * (k - 1)]
        #expect(Set(list.prefix(299)) == Set(0..<300).subtracting([Int64(node)]))
        #expect(list.dropFirst(299).allSatisfy { $0 == -1 })
      }
    }

    @Test(arguments: [0, 3], [2_000_000_000, 100_000_000_000, Int.max])
    func areRefusedWhereMemoryIsTooSmall(ranks: Int, k: Int) async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(300, 4, seed: 64), as: "x.npy")
      let found = try await knn(path, k: k, in: scratch, ranks: ranks)
      #expect(found.exitCode == 1, "\(found)")
      #expect(found.errorLines.count == 1, "\(found)")
      #expect(found.errorLines.first?.contains("error: -k \(k): neighbour lists of ") == true)
      #expect(found.errorLines.first?.contains(" of memory are free") == true)
      #expect(try scratch.names == ["x.npy"])
    }

    @Test(arguments: [0, 3])
    func areRefusedToTooLargeSets(ranks: Int) async throws {
      let scratch = try Scratch()
      let found = try await highland(
        [
          "generate", "--points", "1000000000000", "--dimensions", "1024", "--output",
          scratch("made"),
        ], ranks: ranks)
      #expect(found.exitCode == 1 && found.errorLines.count == 1, "\(found)")
      #expect(
        found.errorLines.first?.contains("--points 1000000000000 --dimensions 1024: labels of ")
          == true)
      #expect(try scratch.names == [])
    }

    @Test(arguments: [["--folds", "1000000000000"], ["--seeds", "9223372036854775807"]])
    func areNoneOfCountlessTrials(option: [String]) async throws {
      let found = try await run("highland", ["graphs", "train", "none"] + option)
      #expect(found.exitCode != 0 && found.exitCode != nil, "\(found)")
      #expect(found.errors.contains("\(option[0]) \(option[1]): expected"))
    }
  }
}
