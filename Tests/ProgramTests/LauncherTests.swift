import Foundation
import Subprocess
import Testing

extension Programs {
  /// What the launcher of a job, or its end, may do to it.
  @Suite struct Launchers {
    let scratch = try! Scratch()

    @Test(arguments: ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"])
    func refusesToBeOneOfSeveralThatMPIDoesNotKnow(variable: String) async throws {
      let outcome = try await run(
        .name("env"),
        ["-u", "OMPI_COMM_WORLD_SIZE", "-u", "PMI_SIZE", "\(variable)=4", "highland", "info"])
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errors.hasPrefix(
          "error: started as one of 4 processes (\(variable)), but its MPI, "),
        "\(outcome)")
    }

    /// The first rank prints for all, without MPI.
    @Test(arguments: [["--version"], ["cluster", "--help"], ["cluster", "--no-such-option"]])
    func saysHelpAndComplaintsOnce(arguments: [String]) async throws {
      let alone = try await run("highland", arguments)
      let together = try await run("highland", arguments, ranks: 3)
      #expect(together.exitCode == alone.exitCode, "\(together)")
      #expect(together.output == alone.output, "\(together)")
      #expect(together.errorLines == alone.errorLines, "\(together)")
    }

    @Test func saysInALineThatMemoryIsShort() async throws {
      let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 128), }"
      let header = text + String(repeating: " ", count: 117 - text.count) + "\n"
      let rows = try scratch.write(
        [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8), as: "rows.npy")
      let script = """
        truncate -s 512000128 '\(rows)'
        ulimit -v 700000
        exec highland knn '\(rows)' --threads 1 --progress none --neighbors '\(scratch("n.npy"))' \
          --similarities '\(scratch("s.npy"))'
        """
      let outcome = try await run(.name("bash"), ["-c", script])
      #expect(outcome.exitCode == 71, "\(outcome)")
      #expect(outcome.errorLines.count == 1, "\(outcome)")
      #expect(
        outcome.errorLines.last?.contains(": out of memory in read: 512000000 bytes asked for")
          == true,
        "\(outcome)")
    }

    /// Stops one of three ranks while they search, and looks at the end of the job.
    @Test(arguments: [0, 2]) func endsIfARankHasStopped(stopped: Int) async throws {
      let set = scratch("set")
      let made = try await run(
        "highland", ["generate", "--points", "240000", "--dimensions", "64", "-o", set])
      #expect(made.exitCode == 0, "\(made)")
      let script = """
        cd '\(scratch.path)'
        export HIGHLAND_WATCHDOG=3
        mpirun -n 3 --oversubscribe --bind-to none --allow-run-as-root --timeout 50 bash -c '
          echo $$ > rank-$OMPI_COMM_WORLD_RANK
          exec highland knn set/features_test.npy -k 10 --search exact --progress log \
            --neighbors n.npy --similarities s.npy' 2> >(tee log >&2) & pid=$!
        until grep -q 'read: done' log 2>/dev/null; do sleep 0.1; done
        sleep 1.5
        kill -STOP $(cat rank-\(stopped))
        wait $pid
        """
      let outcome = try await run(.name("bash"), ["-c", script])
      #expect(outcome.exitCode == 69, "\(outcome)")
      #expect(
        outcome.errors.contains("error: rank \(stopped) of 3 on ")
          && outcome.errors.contains(" has stopped: nothing was heard of it for "), "\(outcome)")
      #expect(try scratch.names.filter { $0.hasPrefix("n.npy") || $0.hasPrefix("s.npy") } == [])
    }
  }
}
