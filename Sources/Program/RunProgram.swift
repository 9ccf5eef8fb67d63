import ArgumentParser
import Communication
import Datasets
import Evaluation
import Glibc
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
import MPIPrograms
import Synchronization

/// The command `highland`, alone or as one of the ranks of a job; ends the process.
///
/// > Collective: the beginning and the end of the job.
///
/// - Parameter arguments: Without the program's name. Replicated.
public func runProgram(_ arguments: [String]) -> Never {
  // A reader of the output who has gone, or a limit of file sizes, makes writing fail; neither ends the process.
  for number in [SIGPIPE, SIGXFSZ] { _ = signal(number, SIG_IGN) }

  // Every rank parses the same arguments and comes to the same command, or to the same complaint. Neither help
  // nor complaints need MPI; the first rank prints them for all.
  var command: any ParsableCommand
  do {
    command = try Highland.parseAsRoot(joiningNegativeNumbers(arguments))
    if !(command is any RankedCommand) { try command.run() }
  } catch {
    endWithoutRanks(after: error, arguments: arguments)
  }
  guard let command = command as? any RankedCommand else { exit(0) }

  MPICommunicator.run(ending: ending) { communicator in
    _ = Machine.startMemoryBytes
    let ranks = (own: communicator.rank.index, count: communicator.size)
    let host = MPICommunicator.hostName
    sayWhereOnAbort(rank: ranks.own, of: ranks.count, on: host)
    MemoryShortage.handle { endAfter(shortageOf: $0, rank: ranks.own, of: ranks.count, on: host) }
    // The launcher continues a rank that was stopped before it ends it, and others come out of their rounds with it.
    Watchdog.onEnding { TemporaryFiles.removeAll(thenEnding: $0) }
    TemporaryFiles.removeOnSignals {
      endAfter(signal: $0, rank: ranks.own, of: ranks.count, on: host)
    }
    try communicator.agree { try KernelLevel.check() }
    try command.run(on: communicator)
  }
}

/// A command that runs on all ranks.
protocol RankedCommand: ParsableCommand {
  /// > Collective: over `communicator`.
  func run(on communicator: MPICommunicator) throws
}

private func ending(after error: any Error) -> MPICommunicator.Ending {
  hasFailed.store(true, ordering: .releasing)
  TemporaryFiles.removeAll()
  return switch error {
  case let failure as AgreedFailure where failure.code == AgreedFailure.invalidRows:
    .together(
      "error: \(failure.reason); --invalid-rows singleton keeps each as a cluster of its own",
      exitCode: 1)
  // Thrown on every rank, as the next.
  case let interruption as Interruption:
    .together("\(interruption)", exitCode: Interruption.exitCode)
  case let error as LabelComparisonError: .together("error: \(error)", exitCode: 1)
  default: MPICommunicator.Ending(after: error)
  }
}
