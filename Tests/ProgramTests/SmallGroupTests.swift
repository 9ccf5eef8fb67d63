import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  /// A few points in plain groups, with the model in the box.
  @Suite struct SmallGroups {
    @Test(arguments: [(2, 4), (2, 5), (2, 6), (2, 9), (3, 4), (4, 3)], [nil, 3])
    func areFound(groups: (count: Int, size: Int), ranks: Int?) async throws {
      let scratch = try Scratch()
      let pointCount = groups.count * groups.size
      var rows = randomMatrix(pointCount, 8, seed: 17, scale: 0.01)
      for row in 0..<pointCount { rows[row, row / groups.size] += 1 }
      let features = try scratch.write(rows, as: "groups.npy")
      let outcome = try await run(
        "highland",
        ["cluster", features, "--method", "network", "--output", scratch("labels.npy")],
        onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      let labels = try labels(of: scratch("labels.npy"))
      #expect(labels == (0..<pointCount).map { Int64($0 / groups.size) })
    }
  }
}
