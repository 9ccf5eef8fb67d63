import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  @Suite struct OwnersOfPoints {
    /// Points round centres, one after the other, so that consecutive ones are far from each other.
    private func points() -> Matrix {
      var rows = randomMatrix(900, 12, seed: 51, scale: 0.4)
      let centres = randomMatrix(45, 12, seed: 52)
      for row in 0..<900 {
        for column in 0..<12 { rows[row, column] += centres[row % 45, column] }
      }
      return rows
    }

    private func levels(of path: String) throws -> [[String: Any]] {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let report = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      return try #require(report["levels"] as? [[String: Any]])
    }

    @Test func changeNoByteOfLabelsAndLevels() async throws {
      let scratch = try Scratch()
      let features = try scratch.write(points(), as: "x.npy")
      let ranks = try scratch.write(
        (0..<900).map { Int64($0 * 31 % 7 % 3) }, shape: [900], as: "ranks.npy")
      var expected: [String: [UInt8]] = [:]
      var ghosts: [String: Int] = [:]
      for (name, partition) in [
        ("alone", "locality"), ("locality", "locality"), ("input", "input"), ("file", ranks),
      ] {
        let outcome = try await run(
          "highland",
          [
            "cluster", features, "--partition", partition, "--output", scratch("\(name).npy"),
            "--hierarchy", scratch(name), "--report", scratch("\(name).json"), "--progress",
            "none",
          ], onRanks: name == "alone" ? nil : 3)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.contains("are between ranks") == (name != "alone"), "\(outcome)")
        var found = ["labels": try bytes(of: scratch("\(name).npy"))]
        for file in try scratch.names where file.hasPrefix("\(name)/") {
          guard !file.hasSuffix("level-0"), file.contains(".") else { continue }
          found[String(file.dropFirst(name.count))] = try bytes(of: scratch(file))
        }
        if name == "alone" { expected = found }
        #expect(found.count > 8 && found.keys == expected.keys)
        for (file, content) in found { #expect(content == expected[file], "\(name): \(file)") }
        let first = try levels(of: scratch("\(name).json"))[0]
        ghosts[name] = first["ghostCount"] as? Int
        #expect((first["cutEdgeCount"] as? Int ?? 0 > 0) == (name != "alone"))
        #expect(first["nodeImbalance"] as? Double ?? 0 >= 1)
      }
      #expect(ghosts["locality"]! * 4 < ghosts["input"]!, "\(ghosts)")
    }

    @Test(arguments: [
      ("0\n1\n", "2 labels; expected 5, one per point"),
      ("0\n1\n2\n3\n0\n", "row 3: 3; expected a rank, 0 ... 2"),
      ("0\n1\n2\n-1\n0\n", "row 3: -1; expected a rank, 0 ... 2"),
      ("0\n1\n2\n1.5\n0\n", "line 4"),
    ])
    func refuseFilesThatAreNotOfRanks(text: String, message: String) async throws {
      let scratch = try Scratch()
      let features = try scratch.write(randomMatrix(5, 3, seed: 1), as: "x.npy")
      let path = try scratch.write(text, as: "ranks.txt")
      let outcome = try await run(
        "highland", ["cluster", features, "--partition", path], ranks: 3)
      #expect(outcome.exitCode == 1 && outcome.errors.contains(message), "\(outcome)")
      #expect(outcome.errors.contains("ranks.txt"), "\(outcome)")
    }

    @Test func refuseRanksThatAreNotThere() async throws {
      let scratch = try Scratch()
      let features = try scratch.write(randomMatrix(5, 3, seed: 1), as: "x.npy")
      let path = try scratch.write("0\n0\n1\n0\n0\n", as: "ranks.txt")
      let outcome = try await run("highland", ["cluster", features, "--partition", path])
      #expect(outcome.exitCode == 1 && outcome.errors.contains("row 2: 1; expected a rank, 0"))
      let missing = try await run("highland", ["cluster", features, "--partition", "localty"])
      #expect(
        missing.exitCode == 1
          && missing.errors.contains("expected --partition locality, input or a file"),
        "\(missing)")
      let output = try await run(
        "highland", ["cluster", features, "--partition", path, "--output", path, "--overwrite"])
      #expect(output.exitCode == 1 && output.errors.contains("is an input"), "\(output)")
    }
  }
}
