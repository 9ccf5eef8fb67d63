import Foundation
import Subprocess
import Testing

extension Programs {
  /// Where MPI comes from, and what happens where there is none.
  @Suite struct MPILibraries {
    let scratch = try! Scratch()

    /// A name of no library, as on a machine without MPI.
    let none = ["HIGHLAND_MPI_LIBRARY": "/nonexistent/libmpi.so"]

    @Test func isNotLinked() async throws {
      let outcome = try await run(.name("bash"), ["-c", "readelf -d \"$(command -v highland)\""])
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output.contains("[libc.so."), "\(outcome)")
      #expect(!outcome.output.contains("libmpi"), "\(outcome)")
    }

    @Test func isNotLoadedByAProcessAlone() async throws {
      let outcome = try await run(
        .name("bash"),
        [
          "-c",
          "LD_DEBUG=files LD_DEBUG_OUTPUT='\(scratch("loaded"))' highland generate --points 1000 "
            + "--dimensions 8 -o '\(scratch("set"))' && cat '\(scratch.path)'/loaded.*",
        ])
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      let loaded = outcome.outputLines.filter { $0.contains("calling init: ") }
      #expect(loaded.contains { $0.contains("libc.so.") })
      #expect(!loaded.contains { $0.contains("libmpi") })
    }

    /// Alone, or as the only rank of a job, without a library; on two ranks with one.
    @Test func isNotNeededByOneRank() async throws {
      let made = try await run(
        .name("highland"),
        ["generate", "--points", "600", "--dimensions", "16", "-o", scratch("set")],
        environment: none)
      #expect(made.exitCode == 0, "\(made)")
      func labels(_ name: String, _ run: ([String]) async throws -> Outcome) async throws -> Data {
        let outcome = try await run(
          [
            "cluster", scratch("set/features_test.npy"), "--output", scratch(name), "--progress",
            "none",
          ])
        #expect(outcome.exitCode == 0, "\(outcome)")
        return try Data(contentsOf: URL(fileURLWithPath: scratch(name)))
      }
      let two = try await labels("two.npy") { try await run("highland", $0, ranks: 2) }
      let alone = try await labels("alone.npy") {
        try await run(.name("highland"), $0, environment: none)
      }
      let only = try await labels("only.npy") {
        try await run("highland", $0, ranks: 1, environment: none)
      }
      #expect(alone == two)
      #expect(only == two)
    }

    @Test(arguments: [
      ("/nonexistent/libmpi.so", "/nonexistent/libmpi.so: cannot open shared object file: "),
      ("libm.so.6", "undefined symbol: MPI_Init_thread"),
    ])
    func isMissedBySeveralRanks(library: String, reason: String) async throws {
      let outcome = try await run(
        "highland", ["info"], ranks: 2, environment: ["HIGHLAND_MPI_LIBRARY": library])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.output == "", "\(outcome)")
      #expect(!outcome.errorLines.isEmpty, "\(outcome)")
      for line in outcome.errorLines {
        #expect(
          line.hasPrefix(
            "error: started as one of 2 processes (OMPI_COMM_WORLD_SIZE), but no MPI was found on "
          ), "\(outcome)")
        #expect(line.contains(reason), "\(outcome)")
        #expect(line.hasSuffix("; HIGHLAND_MPI_LIBRARY names another library"), "\(outcome)")
      }
    }

    @Test func isNamedByInfoAlone() async throws {
      let found = try await run("highland", ["info"])
      func hasLibrary(_ outcome: Outcome, _ name: String) -> Bool {
        outcome.outputLines.contains { $0.hasPrefix("mpi ") && $0.contains(" \(name)") }
      }
      #expect(hasLibrary(found, "Open MPI v"), "\(found)")
      let missed = try await run(.name("highland"), ["info"], environment: none)
      #expect(missed.exitCode == 0, "\(missed)")
      #expect(hasLibrary(missed, "none"), "\(missed)")
    }

    /// Rules of a communicator on one rank without a library.
    @Test(
      arguments: ["laws", "laws-small-pieces", "laws-of-groups", "adopted", "many-duplicates"])
    func isStoodInForByOneRank(check: String) async throws {
      let outcome = try await run(.name("MPIChecks"), [check], environment: none)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output == "ok \(check) on 1 ranks\n", "\(outcome)")
    }

    /// Skipped where Open MPI's header is not installed, which no build needs.
    @Test func isDeclaredAsInItsHeader() async throws {
      let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../MPIHeader/OpenMPI.c").path
      let script = """
        options=$(pkg-config --cflags ompi-c) || exit 77
        cc -fsyntax-only -Wall -Werror $options '\(source)'
        """
      let outcome = try await run(.name("bash"), ["-c", script])
      if outcome.exitCode == 77 {
        print("skipped: no header of Open MPI")
        return
      }
      #expect(outcome.exitCode == 0, "\(outcome)")
    }
  }
}
