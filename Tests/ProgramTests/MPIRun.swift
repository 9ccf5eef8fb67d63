import Foundation
import Subprocess
import Testing

/// Suites that start processes: one after the other, as the ranks of one job nearly fill the cores.
///
/// Beside them run those of ``Inputs``, in a row of their own: jobs that are short spend half of their time on starting
/// and ending ranks.
@Suite(.serialized, .timeLimit(.minutes(2))) enum Programs {}

/// Suites that start processes to see which inputs and options the program takes and how it refuses the others.
@Suite(.serialized, .timeLimit(.minutes(2))) enum Inputs {}

/// What a program printed, and how it ended.
struct Outcome: CustomStringConvertible {
  /// Nil after a signal.
  var exitCode: Int?
  var output: String
  var errors: String

  var outputLines: [String] { output.split(separator: "\n").map(String.init) }

  /// The lines on stderr without what `mpirun` adds: notes between dashed lines, and its log.
  var errorLines: [String] {
    var isNote = false
    return errors.split(separator: "\n").map(String.init).filter { line in
      if line.hasPrefix("----------") {
        isNote.toggle()
        return false
      }
      return !isNote && !line.contains("ORTE_ERROR_LOG") && !line.contains("PMIX ERROR")
        && !line.hasSuffix("help / error messages")
    }
  }

  var description: String { "exit code \(exitCode ?? -1)\n\(output)\n\(errors)" }
}

/// Runs a product of this package on ranks of this host.
///
/// Ranks inherit the environment, so that their coverage is counted. All of them cluster, however few points there
/// are, unless the arguments say otherwise.
///
/// - Parameter environment: Variables of all ranks, beside those that are inherited.
func run(
  _ product: String, _ arguments: [String] = [], ranks: Int, timeoutSeconds: Int = 50,
  environment: [String: String] = [:]
) async throws -> Outcome {
  // Unbound: by default all jobs of one rank, or two, share the first cores.
  let options = [
    "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none", "--allow-run-as-root",
    "--timeout", "\(timeoutSeconds)",
  ]
  let path = products.appendingPathComponent(product).path
  let all =
    arguments.first == "cluster" && !arguments.contains("--nodes-per-rank")
    ? ["--nodes-per-rank", "1"] : []
  return try await run(
    .name("mpirun"), options + [path] + arguments + all, environment: environment)
}

/// Runs a product of this package on this number of ranks, or, of nil, without `mpirun`.
func run(_ product: String, _ arguments: [String], onRanks ranks: Int?) async throws -> Outcome {
  if let ranks { return try await run(product, arguments, ranks: ranks) }
  return try await run(product, arguments)
}

/// Runs a product of this package without `mpirun`.
func run(_ product: String, _ arguments: [String] = []) async throws -> Outcome {
  try await run(.name(product), arguments)
}

/// Runs `highland`, which writes checkpoints to `state`, and sends it a signal when the second of them, or one of
/// such a name, is there; returns what its end looked like.
///
/// A program that ends before, or that has written no second checkpoint after these seconds, is not
/// waited for: its own end is returned, or that after a KILL.
func interrupt(
  _ arguments: [String], _ signal: String, in scratch: Scratch,
  onceThereIs name: String = "checkpoint-*[2-9].safetensors", environment: [String: String] = [:],
  timeoutSeconds: Int = 60
) async throws -> Outcome {
  let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
  let script = """
    highland \(quoted) & pid=$!
    until ls '\(scratch("state"))'/\(name) >/dev/null 2>&1; do
      if ! kill -0 $pid 2>/dev/null; then
        echo "ended before its second checkpoint" >&2
        wait $pid
        exit
      fi
      if [ $SECONDS -ge \(timeoutSeconds) ]; then
        echo "no second checkpoint after \(timeoutSeconds) s" >&2
        kill -KILL $pid
        wait $pid
        exit
      fi
      sleep 0.01
    done
    kill -\(signal) $pid
    wait $pid
    """
  return try await run(.name("bash"), ["-c", script], environment: environment)
}

/// Where the programs lie: beside the test bundle, which is the running executable.
private let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()

/// Runs any program; products of this package are found by their names.
func run(
  _ executable: Executable, _ arguments: [String], environment: [String: String] = [:]
) async throws -> Outcome {
  let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
  let result = try await Subprocess.run(
    executable, arguments: Arguments(arguments),
    environment: .inherit.updating(
      Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(rawValue: $0)!, $1) })
        .merging(["PATH": "\(products.path):\(path)"]) { $1 }),
    output: .string(limit: 16 << 20), error: .string(limit: 16 << 20))
  var outcome = Outcome(output: result.standardOutput, errors: result.standardError)
  if case .exited(let code) = result.terminationStatus { outcome.exitCode = Int(code) }
  return outcome
}

/// Expects that the program ends with one line of error, whatever the ranks: nil for none of `mpirun`.
func expectError(
  _ arguments: [String], _ message: String, onRanks ranks: Int? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) async throws {
  let outcome = try await run("highland", arguments, onRanks: ranks)
  #expect(outcome.exitCode == 1, "\(outcome)", sourceLocation: sourceLocation)
  #expect(
    outcome.errorLines == ["error: \(message)"], "\(outcome)", sourceLocation: sourceLocation)
}
