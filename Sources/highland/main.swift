import ArgumentParser
import Communication
import Datasets
import Evaluation
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
import MPIPrograms

// Every rank parses the same arguments and comes to the same command, or to the same complaint,
// which rank 0 prints for all.
MPICommunicator.run(ending: ending) { communicator in
  _ = Machine.startMemoryBytes
  TemporaryFiles.removeOnSignals()
  try communicator.agree { try KernelLevel.check() }
  let command: any ParsableCommand
  do {
    command = try Highland.parseAsRoot(joiningNegativeNumbers(CommandLine.arguments.dropFirst()))
    if !(command is any RankedCommand) {
      var command = command
      try command.run()
    }
  } catch {
    throw CommandLineExit(reason: error)
  }
  try (command as? any RankedCommand)?.run(on: communicator)
}

/// A command that runs on all ranks.
protocol RankedCommand: ParsableCommand {
  /// > Collective: over `communicator`.
  func run(on communicator: MPICommunicator) throws
}

/// What argument parsing ended with: help, version, or a complaint.
private struct CommandLineExit: Error {
  let reason: any Error
}

private func ending(after error: any Error) -> MPICommunicator.Ending {
  switch error {
  case let exit as CommandLineExit:
    .together(
      Highland.fullMessage(for: exit.reason),
      exitCode: Highland.exitCode(for: exit.reason).rawValue)
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
