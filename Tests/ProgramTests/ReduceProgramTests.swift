import Datasets
import LinearAlgebra
import RandomInputs
import Subprocess
import Testing

extension Programs {
  @Suite struct ReduceTests {
    @Test func reducedFilesAreTheSameBytesOnAnyNumberOfRanksAndThreads() async throws {
      let scratch = try Scratch()
      let input = try scratch.write(randomMatrix(2600, 140, seed: 1), as: "wide.npy")
      let arguments = ["convert", input, "--reduce", "9", "--progress", "none"]
      let one = try await run("highland", arguments + [scratch("one.npy"), "--threads", "1"])
      #expect(one.exitCode == 0 && one.errors.isEmpty, "\(one)")
      #expect(one.output.hasPrefix("140 columns to 9, which keep "), "\(one)")
      let three = try await run(
        "highland", arguments + [scratch("three.npy"), "--threads", "2"], ranks: 3)
      #expect(three.exitCode == 0 && three.output == one.output, "\(three)")
      #expect(try bytes(of: scratch("one.npy")) == bytes(of: scratch("three.npy")))
      let reduced = try FeatureFile(path: scratch("one.npy"))
      #expect(reduced.rowCount == 2600 && reduced.columnCount == 9)
    }

    @Test func reducingWritesOtherFormatsAndJSON() async throws {
      let scratch = try Scratch()
      let arguments = ["convert", Fixture.features, "--reduce", "4", "--progress", "none"]
      let plain = try await run("highland", arguments + [scratch("four.npy")])
      let records = try await run("highland", arguments + [scratch("four.fvecs"), "--json"])
      #expect(plain.exitCode == 0 && records.exitCode == 0, "\(plain)\n\(records)")
      for fact in [
        "\"columns\" : 16", "\"reducedColumns\" : 4", "\"rows\" : 300", "\"invalidRows\" : 0",
      ] {
        #expect(records.output.contains(fact), "\(records)")
      }
      let (a, b) = (
        try FeatureFile(path: scratch("four.npy")), try FeatureFile(path: scratch("four.fvecs"))
      )
      #expect(try a.rows(0..<300) == b.rows(0..<300))
    }

    @Test func rowsWithoutADirectionAreCounted() async throws {
      let scratch = try Scratch()
      var rows = randomMatrix(20, 5, seed: 2)
      rows[3, 1] = .nan
      for column in 0..<5 { rows[4, column] = 0 }
      let input = try scratch.write(rows, as: "input.npy")
      let outcome = try await run(
        "highland", ["convert", input, scratch("two.npy"), "--reduce", "2", "--progress", "none"])
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(
        outcome.outputLines.last?.hasPrefix("2 rows of zeros, or with NaN") == true, "\(outcome)")
      let values = try floats(of: scratch("two.npy"))
      #expect(values[6].isNaN && values[7].isNaN && values[8...9].allSatisfy { $0 == 0 })
      #expect(values.filter(\.isNaN).count == 2)
    }

    @Test(arguments: [1, 3])
    func whatCannotBeReducedIsRefusedAndLeavesNoFile(ranks: Int) async throws {
      let scratch = try Scratch()
      let wide = try scratch.write(randomMatrix(3, 8, seed: 3), as: "wide.npy")
      for (input, count, message) in [
        (
          Fixture.features, "17",
          "\(Fixture.features): 17 columns cannot be made of 16 (--reduce 17)"
        ),
        (
          wide, "4",
          "\(wide): 4 columns cannot be made of 3 rows; expected at least as many rows (--reduce 4)"
        ),
        (Fixture.truth, "1", "integers of one column are labels; --reduce is for features"),
      ] {
        let outcome = try await run(
          "highland",
          ["convert", input, scratch("out.npy"), "--reduce", count, "--progress", "none"],
          ranks: ranks)
        #expect(outcome.exitCode == 1 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains(message), "\(outcome)")
      }
      #expect(try scratch.names == ["wide.npy"])
    }

    /// A file of that name that is no library is what the loader finds first.
    @Test func withoutOpenBLASReducingSaysWhereToGetIt() async throws {
      let scratch = try Scratch()
      for name in ["libopenblas.so.0", "libopenblas.so"] { try scratch.write("none", as: name) }
      let outcome = try await run(
        .name("env"),
        [
          "LD_LIBRARY_PATH=\(scratch.path)", "highland", "convert", Fixture.features,
          scratch("out.npy"), "--reduce", "2",
        ])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errors.contains("OpenBLAS cannot be used (on Debian it is in libopenblas0)"),
        "\(outcome)")
    }
  }
}
