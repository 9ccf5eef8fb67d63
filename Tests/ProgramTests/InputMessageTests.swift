import Foundation
import Glibc
import LinearAlgebra
import RandomInputs
import Testing

/// Inputs of a newcomer's own making: read as they are meant, or refused with a line that names the file,
/// the place in it and what to do.
extension Inputs {
  @Suite struct InputMessages {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func expectUsage(_ arguments: [String], _ message: String) async throws {
      let outcome = try await run("highland", arguments)
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errors.contains("Error: \(message)"), "\(outcome)")
    }

    // MARK: - Conversions

    @Test(arguments: [nil, 3])
    func valuesThatFloat16CannotHoldAreRefused(ranks: Int?) async throws {
      var rows = randomMatrix(9, 4, seed: 1)
      rows[7, 2] = -70000
      let path = try scratch.write(rows, as: "large.npy")
      try await expectError(
        ["convert", path, scratch("half.npy"), "--element-type", "float16"],
        "\(path): row 7, column 2: -70000.0 is too large for float16, which holds up to 65504",
        onRanks: ranks)
      for column in 0..<4 { rows[7, column] = 1e-9 }
      try scratch.write(rows, as: "large.npy")
      try await expectError(
        ["convert", path, scratch("half.npy"), "--element-type", "float16"],
        "\(path): row 7: values up to 1e-09 are too small for float16", onRanks: ranks)
      #expect(try scratch.names == ["large.npy"])
      // What is infinite or zero stays so, and numbers near the greatest are rounded.
      try scratch.write([.infinity, .nan, 0, 65519] as [Float], shape: [1, 4], as: "large.npy")
      let outcome = try await run(
        "highland", ["convert", path, scratch("half.npy"), "--element-type", "float16"],
        onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      let half = try floats(of: scratch("half.npy"))
      #expect(half[0] == .infinity && half[1].isNaN && half[2] == 0 && half[3] == 65504)
    }

    @Test func noRowsDoNotBecomeRecords() async throws {
      let path = try scratch.write([Float](), shape: [0, 4], as: "none.npy")
      try await expectError(
        ["convert", path, scratch("none.fvecs")],
        "\(scratch("none.fvecs")): 0 rows of 4 columns; .fvecs has no place for columns without rows"
      )
      let outcome = try await run("highland", ["convert", path, scratch("none.fbin")])
      #expect(outcome.exitCode == 0, "\(outcome)")
    }

    // MARK: - Files that are something else

    @Test func whatIsNotThereHasNoExtensionToBlame() async throws {
      for name in ["nothing", "nothing.foo", "nothing.npy", "nothing.txt"] {
        try await expectError(
          ["info", scratch(name)], "\(scratch(name)): cannot open: No such file or directory")
      }
      try FileManager.default.createDirectory(
        atPath: scratch("folder.d"), withIntermediateDirectories: false)
      for command in [["info"], ["cluster"]] {
        try await expectError(
          command + [scratch("folder.d")],
          "\(scratch("folder.d")): is a directory; expected a file, or files of features in it")
      }
    }

    @Test func shapesAreNamedBesideTheExpectedOne() async throws {
      let cube = try scratch.write(
        [Float](repeating: 1, count: 24), shape: [2, 3, 4], as: "cube.npy")
      let line = try scratch.write([Float](repeating: 1, count: 24), shape: [24], as: "line.npy")
      let expected = "expected numbers of two dimensions"
      try await expectError(
        ["cluster", cube], "\(cube): float32 of shape (2, 3, 4); \(expected)")
      try await expectError(["cluster", line], "\(line): float32 of shape (24,); \(expected)")
      try await expectError(
        ["evaluate", "--truth", cube, "--predicted", cube],
        "\(cube): float32 of shape (2, 3, 4); expected integers of shape (n,) or (n, 1)")
      try await expectError(
        ["info", cube], "\(cube): float32 of shape (2, 3, 4); expected one or two dimensions")
    }

    @Test func infoReadsAllLabels() async throws {
      for (text, line, found) in [
        ("1\n\n2\n", 2, ""), ("1\r2\r3\r", 1, "1\\r2\\r3\\r"),
      ] {
        let path = try scratch.write(text, as: "labels.txt")
        try await expectError(
          ["info", path],
          "\(path): line \(line): expected a label, an integer or a name, found '\(found)'")
      }
      let path = try scratch.write("1\r\n-2\r\n\r\n", as: "labels.txt")
      let outcome = try await run("highland", ["info", path])
      #expect(outcome.outputLines == ["kind    labels", "labels  2"], "\(outcome)")
      let names = try scratch.write("label\n1\n2\n1\n", as: "names.txt")
      let other = try await run("highland", ["info", names])
      #expect(other.outputLines == ["kind    labels", "labels  4", "names   3"], "\(other)")
      #expect(
        other.errorLines == [
          "note: \(names): line 1 is 'label', no integer, so all lines are taken for names"
        ], "\(other)")
    }

    @Test func labelsBelowZeroAreNoted() async throws {
      let truth = try scratch.write("0\n0\n-1\n-1\n", as: "truth.txt")
      let labels = try scratch.write("0\n0\n1\n2\n", as: "labels.txt")
      let outcome = try await run(
        "highland", ["evaluate", "--truth", truth, "--predicted", labels], ranks: 3)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(
        outcome.errorLines == [
          "note: \(truth): 2 labels are below 0; points with the same one count as one cluster, not as "
            + "noise"
        ], "\(outcome)")
    }

    // MARK: - Neighbour lists

    /// Lists of the nearest in a ring of 40, changed at one place of one row.
    private func lists(
      _ change: (inout [Int64], inout [Float]) -> Void
    ) throws -> [String] {
      var neighbors = (0..<40).flatMap { i in (1...4).map { Int64((i + $0) % 40) } }
      var similarities = (0..<40).flatMap { _ in [0.9, 0.8, 0.7, 0.6] as [Float] }
      change(&neighbors, &similarities)
      return [
        "cluster", try scratch.write(Fixture.rows(0..<40), as: "rows.npy"), "--model",
        Fixture.model,
        "--neighbors", try scratch.write(neighbors, shape: [40, 4], as: "n.npy"), "--similarities",
        try scratch.write(similarities, shape: [40, 4], as: "s.npy"), "--progress", "none",
      ]
    }

    @Test(arguments: [nil, 3])
    func listsThatAreNoneOfNeighborsAreRefused(ranks: Int?) async throws {
      try await expectError(
        lists { neighbors, _ in neighbors[4 * 31 + 3] = neighbors[4 * 31 + 1] },
        "\(scratch("n.npy")): row 31, place 3: index 33, as in place 1; expected every neighbour once",
        onRanks: ranks)
      try await expectError(
        lists { neighbors, _ in neighbors[4 * 31 + 1] = -1 },
        "\(scratch("n.npy")): row 31, place 2: index 34 behind -1; expected -1 for none only at the end of "
          + "a row", onRanks: ranks)
      try await expectError(
        lists { neighbors, similarities in
          (neighbors[4 * 31], similarities[4 * 31]) = (31, 0)
        },
        "\(scratch("s.npy")): row 31, place 0: 0.0 of the point and itself, as of distances; expected a "
          + "cosine similarity, 1", onRanks: ranks)
      let rising = try lists { _, similarities in
        similarities = (0..<40).flatMap { _ in [0.1, 0.2, 0.3, 0.4] as [Float] }
      }
      try await expectError(
        rising,
        "\(scratch("s.npy")): row 0 ascends, from 0.1 to 0.4, as distances do; expected cosine similarities, "
          + "the greatest first", onRanks: ranks)
    }

    @Test func aPointInItsListAndEmptyPlacesAtItsEndAreTaken() async throws {
      for change in [
        { neighbors, _ in neighbors[4 * 31 + 3] = -1 },
        { neighbors, similarities in (neighbors[4 * 31], similarities[4 * 31]) = (31, 1) },
      ] as [(inout [Int64], inout [Float]) -> Void] {
        let outcome = try await run("highland", lists(change))
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
    }

    @Test func listsThatAreTooShortSayHowToMakeThem() async throws {
      var arguments = try lists { _, _ in }
      arguments.removeSubrange(2..<4)  // the default model
      try await expectError(
        arguments,
        "\(scratch("n.npy")): 4 neighbours of each point; expected 20 or more, as 'default' looks at that "
          + "many: highland knn -k 21")
      let help = try await run("highland", ["knn", "--help"])
      #expect(help.output.contains("-k 21"), "\(help)")
    }

    // MARK: - Fewer columns

    @Test(arguments: [nil, 3])
    func aWideFileIsReducedByItsRows(ranks: Int?) async throws {
      let path = try scratch.write(randomMatrix(30, 3000, seed: 8), as: "wide.npy")
      let outcome = try await run(
        "highland", ["convert", path, scratch("few.npy"), "--reduce", "5", "--progress", "none"],
        onRanks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output.hasPrefix("3000 columns to 5, which keep"), "\(outcome)")
    }

    @Test func memoryForVeryManyColumnsIsCheckedFirst() async throws {
      let columns = 400_000_000
      let path = scratch("wide.fbin")
      let counts = [UInt32(1000), UInt32(columns)].flatMap { count in
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * UInt32($0))) }
      }
      try scratch.write(counts, as: "wide.fbin")
      // Without anything in it: no space on the disk.
      try #require(unsafe truncate(path, 8 + 4 * 1000 * columns) == 0)
      let outcome = try await run(
        "highland", ["convert", path, scratch("few.npy"), "--reduce", "50", "--progress", "none"])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines.first?.hasPrefix(
          "error: --reduce 50: products of 1000 rows of \(path) of ")
          == true, "\(outcome)")
    }

    @Test(arguments: [nil, 3])
    func rowsThatDoNotFitIntoMemoryAreRefused(ranks: Int?) async throws {
      let (path, columns) = (scratch("wide.fbin"), 400_000_000)
      let counts = [UInt32(1000), UInt32(columns)].flatMap { count in
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * UInt32($0))) }
      }
      try scratch.write(counts, as: "wide.fbin")
      try #require(unsafe truncate(path, 8 + 4 * 1000 * columns) == 0)
      let lists = ["--neighbors", scratch("n.npy"), "--similarities", scratch("s.npy")]
      for command in [["cluster", path], ["knn", path] + lists] {
        let outcome = try await run("highland", command + ["--progress", "none"], onRanks: ranks)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(
          outcome.errorLines.count == 1
            && outcome.errorLines[0].hasPrefix("error: \(path): [1000 × \(columns)] features of "),
          "\(outcome)")
      }
    }

    // MARK: - Generated sets and collections of graphs

    @Test(arguments: [
      (["--points", "-5"], "--points -5: expected a number from 0 to 2⁴⁰"),
      (["--points", "5", "--dimensions", "0"], "--dimensions 0: expected a number from 1 to 2²⁰"),
      (
        ["--points", "5", "--mean-cluster-size", "nan"],
        "--mean-cluster-size nan: expected a number from 3 to 10⁹"
      ),
      (
        ["--points", "5", "--test-share", "1.5"], "--test-share 1.5: expected a number from 0 to 1"
      ),
      (
        ["--points", "5", "--singleton-share", "1"],
        "--singleton-share 1.0: expected a number from 0 to below 1"
      ),
    ])
    func optionsOfGeneratedSetsAreNamed(options: [String], message: String) async throws {
      try await expectUsage(["generate", "-o", scratch("set")] + options, message)
    }

    @Test func optionsOfGeneratedGraphsAreNamed() async throws {
      try await expectUsage(
        [
          "graphs", "generate", "-o", scratch("set"), "--smallest-motif", "9", "--largest-motif",
          "5",
        ],
        "--smallest-motif 9 and --largest-motif 5: expected 4 ... 10000, ascending")
      try await expectUsage(
        ["graphs", "train", "x", "--network", "diffpool", "--clusters", "2,9"],
        "--clusters 2,9: 9 after 2; expected numbers that do not grow, as a level pools the clusters of the "
          + "one before")
    }

    @Test func collectionsSayWhatIsTooLargeAndWhatIsEmpty() async throws {
      let graphs = scratch("graphs")
      let made = try await run("highland", ["graphs", "generate", "--graphs", "4", "-o", graphs])
      #expect(made.exitCode == 0, "\(made)")
      let train = ["graphs", "train", graphs, "--epochs", "1", "--hidden", "4"]
      let outcome = try await run("highland", train + ["--test-share", "0"])
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.outputLines.contains("no graphs to test on"), "\(outcome)")
      let count = try bytes(of: "\(graphs)/MOTIFS_graph_indicator.txt").count { $0 == 10 }
      try scratch.write(
        String(repeating: "1\n", count: count - 1) + "1e300\n",
        as: "graphs/MOTIFS_node_attributes.txt")
      try await expectError(
        ["graphs", "info", graphs],
        "\(graphs)/MOTIFS_node_attributes.txt: line \(count): '1e300' is too large for float32, which holds "
          + "up to 3.4e38")
    }

    // MARK: - Components

    @Test(arguments: [nil, 3])
    func farIdsAreNotWrittenWithoutConsent(ranks: Int?) async throws {
      let path = try scratch.write(
        [0, 1, 3, 4, 100_000_000_000, 9] as [Int64], shape: [3, 2], as: "far.npy")
      for name in ["labels.npy", "labels.txt"] {
        try await expectError(
          ["components", path, "-o", scratch(name)],
          "\(path): edge 2: index 100000000000: \(scratch(name)) would get 100000000001 labels, one for "
            + "every index up to it, for 3 edges; renumber the points, or give --points 100000000001 to "
            + "have them all", onRanks: ranks)
        let huge = try await run(
          "highland",
          ["components", path, "--points", "1000000000000000000", "-o", scratch(name)],
          onRanks: ranks)
        #expect(huge.exitCode == 1, "\(huge)")
        #expect(
          huge.errorLines.count == 1 && huge.errorLines[0].contains(scratch(name))
            && huge.errorLines[0].contains("bytes are to be written")
            || huge.errorLines[0].contains("labels are too many"), "\(huge)")
      }
      #expect(try scratch.names == ["far.npy"])
    }

    // MARK: - Training

    @Test(arguments: [nil, 3])
    func tooFewPointsForStructureAreCounted(ranks: Int?) async throws {
      let few = try scratch.write(Fixture.rows(0..<9), as: "few.npy")
      let labels = try scratch.write((0..<9).map { Int64($0 / 3) }, shape: [9], as: "labels.npy")
      try await expectError(
        ["train", few, labels, "-o", scratch("m.safetensors"), "--progress", "none"],
        "\(few): 9 points of training identities; expected more than k = 10", onRanks: ranks)
      try await expectError(
        [
          "train", Fixture.features, Fixture.truth, "--also", few, labels, "-o",
          scratch("m.safetensors"), "--progress", "none",
        ], "\(few): 9 points of training identities; expected more than k = 10", onRanks: ranks)
    }

    @Test func copiesAreNoPointsToLearnFrom() async throws {
      let one = try Fixture.rows(0..<2)
      let copies = Matrix(
        rows: 40, columns: one.columnCount, elements: (0..<40).flatMap { one.row($0 % 2) })
      let few = try scratch.write(copies, as: "copies.npy")
      let labels = try scratch.write((0..<40).map { Int64($0 % 2) }, shape: [40], as: "labels.npy")
      try await expectError(
        [
          "train", few, labels, "--graphs", "1", "-o", scratch("m.safetensors"), "--progress",
          "none",
        ],
        "\(few): no graph has more than k = 10 nodes to learn from; points that are copies of each other, or "
          + "differ only in length, are one node")
    }

    @Test func theOptionThatIsGivenIsBlamed() async throws {
      let files = [Fixture.features, Fixture.truth, "-o", scratch("m.safetensors")]
      for (options, message) in [
        (
          ["-k", "5"],
          "-k 5: expected as many numbers as --levels has, 3 by default (2,3,4); or give both"
        ),
        (
          ["--levels", "5"],
          "--levels 5: expected as many numbers as -k has, 3 by default (10,5,3); or give both"
        ),
      ] {
        try await expectUsage(["train", "coordinates"] + files + options, message)
      }
    }
  }
}
