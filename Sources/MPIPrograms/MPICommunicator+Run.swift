internal import Communication
@unsafe @preconcurrency internal import Glibc
public import MPICommunication

extension MPICommunicator {
  /// How a program ends after an error.
  public enum Ending: Equatable, Sendable {
    /// All ranks have the same error, and leave with this exit code after rank 0 printed the text:
    /// on stderr, or on stdout if the code is 0.
    case together(_ text: String, exitCode: Int32)
    /// This rank has an error and others may wait for it: it prints `error: rank r of n: ` and the
    /// reason, and ends the job. The only rank of a job prints `error: ` and the reason.
    case alone(_ reason: String, exitCode: Int32)

    /// Together after an ``AgreedFailure``, which is thrown on every rank; alone after any other.
    public init(after error: any Error) {
      if let failure = error as? AgreedFailure {
        self = .together("error: \(failure.reason)", exitCode: 1)
      } else {
        self = .alone("\(error)", exitCode: 1)
      }
    }
  }

  /// Runs a program on all ranks, and ends the process: with exit code 0, or after an error as
  /// `ending` says.
  ///
  /// Works under `mpirun`, and without it on one rank; not as one of several processes of which MPI does not
  /// know. A ``Watchdog`` ends the job if one of its ranks stops. After an error on one rank only, MPI is not
  /// finalised but aborted: the other ranks would wait for ever for one that is in `MPI_Finalize`.
  ///
  /// > Collective: the beginning and the end of the job.
  ///
  /// - Parameters:
  ///   - transport: Replicated.
  ///   - ending: What an error of the program means. An error may only end the ranks together if
  ///     it is thrown on all of them.
  public static func run(
    transport: Transport = Transport(),
    ending: (any Error) -> Ending = Ending.init(after:),
    _ program: (MPICommunicator) throws -> Void
  ) -> Never {
    // Line by line, so that the output of several ranks mixes only between lines.
    unsafe setvbuf(stdout, nil, _IOLBF, 0)
    var exitCode: Int32 = 0
    do {
      try withAllRanksUnchecked(transport: transport) { communicator in
        do {
          try AssertionLevel.check(on: communicator)
          try Launcher.check(size: communicator.size)
          try Watchdog.whileWatching(on: communicator, hosts: communicator.hostNames) {
            try program(communicator)
          }
        } catch {
          exitCode = communicator.tell(ending(error))
        }
        fflush(nil)
        if exitCode == 0, unsafe ferror(stdout) != 0 {
          unsafe fputs(outputNotWritten, stderr)
          exitCode = 1
        }
      }
    } catch {
      unsafe fputs("error: \(error)\n", stderr)
      exit(exitCode == 0 ? 1 : exitCode)
    }
    exit(exitCode)
  }

  /// Prints how the program ends, and aborts the job if this rank ends alone. Returns the exit code of all
  /// ranks.
  private func tell(_ ending: Ending) -> Int32 {
    switch ending {
    case .together(let text, let exitCode):
      if rank == Rank(0), !text.isEmpty {
        unsafe fputs(text + "\n", exitCode == 0 ? stdout : stderr)
      }
      return exitCode
    case .alone(let reason, let exitCode) where size == 1:
      return tell(.together("error: \(reason)", exitCode: exitCode))
    case .alone(let reason, let exitCode):
      unsafe fputs("error: rank \(rank.index) of \(size): \(reason)\n", stderr)
      fflush(nil)
      Self.abortJob(exitCode: exitCode)
      exit(exitCode)
    }
  }
}

/// What a program says that could not print its answer.
public let outputNotWritten =
  "error: standard output: what was to be printed could not be written\n"
