// How this process ends without an answer.

import ArgumentParser
@unsafe @preconcurrency import Glibc
import HierarchicalClustering
import MPICommunication
import MPIPrograms
import Synchronization

/// Prints help, the version or a complaint, and ends this process.
func endWithoutRanks(after error: any Error, arguments: [String]) -> Never {
  let code = Highland.exitCode(for: error).rawValue
  guard Launcher.rank ?? 0 == 0 else {
    // Once a rank has failed, the launcher ends the others: the one that prints gets the time.
    if code != 0 { sleep(1) }
    exit(code)
  }
  let stream = unsafe code == 0 ? stdout : stderr
  let isPrinted =
    unsafe fputs(messageWithAdvice(for: error, arguments: arguments) + "\n", stream) >= 0
    && fflush(stream) == 0
  if !isPrinted, code == 0 {
    unsafe fputs(outputNotWritten, stderr)
    exit(1)
  }
  exit(code)
}

/// What the parser says; and where a shell has made many files of a pattern, what to do instead.
private func messageWithAdvice(for error: any Error, arguments: [String]) -> String {
  let message = Highland.fullMessage(for: error)
  let files = arguments.dropFirst().filter { unsafe access($0, F_OK) == 0 }
  guard message.contains("unexpected argument"), files.count > 1 else { return message }
  return message
    + "\nSeveral files are one argument: quote the pattern ('part-*.npy'), or name their directory, or a text of "
    + "their paths (.files)."
}

/// Whether all ranks have come to an error: the launcher then may end some of them by a signal, which is no
/// interruption.
let hasFailed = Atomic(false)

/// Says what a signal interrupted, and ends this process.
func endAfter(signal number: Int32, rank: Int, of rankCount: Int, on host: String) -> Never {
  if hasFailed.load(ordering: .acquiring) { _exit(1) }
  // Signals mostly go to all ranks, and the first speaks for them.
  if rank > 0 { sleep(1) }
  // The launcher ends all ranks by SIGTERM once one has failed, too.
  let cause =
    rankCount > 1 && number == SIGTERM
    ? " (its own, or the launcher's after another rank failed)" : ""
  let names = [SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGUSR1: "SIGUSR1"]
  let place = rankCount > 1 ? "rank \(rank) of \(rankCount) on \(host): " : ""
  unsafe fputs(
    "\(place)interrupted by \(names[number] ?? "signal \(number)")\(cause) in \(Watchdog.phase); "
      + "nothing unfinished is left\n", stderr)
  _exit(Interruption.exitCode)
}

/// Says what there was no memory for, and ends the job.
func endAfter(shortageOf byteCount: Int, rank: Int, of rankCount: Int, on host: String) -> Never {
  let available = AvailableMemory.bytes().map { ", \($0) bytes are free there" } ?? ""
  unsafe fputs(
    "error: rank \(rank) of \(rankCount) on \(host): out of memory in \(Watchdog.phase): "
      + "\(byteCount) bytes asked for\(available)\n", stderr)
  if rankCount > 1 { MPICommunicator.abortJob(exitCode: outOfMemoryExitCode) }
  _exit(outOfMemoryExitCode)
}

/// EX_OSERR: the system lacks something.
let outOfMemoryExitCode: Int32 = 71

/// As a shell says it of SIGABRT.
private let abortExitCode: Int32 = 134

/// The address of what the handler of SIGABRT prints, made before it is needed.
private let textOfAbort = Atomic(0)

/// From now on an abort, as of the Swift runtime where there is no memory for an array, ends the process with one
/// more line, which says where, in place of a page of addresses.
func sayWhereOnAbort(rank: Int, of rankCount: Int, on host: String) {
  let text =
    "error: rank \(rank) of \(rankCount) on \(host): aborted, for what the line before says\n"
  textOfAbort.store(unsafe Int(bitPattern: strdup(text)), ordering: .releasing)
  _ = signal(SIGABRT) { _ in
    if let text = unsafe UnsafePointer<CChar>(
      bitPattern: textOfAbort.load(ordering: .acquiring))
    {
      _ = unsafe write(STDERR_FILENO, text, strlen(text))
    }
    _exit(abortExitCode)
  }
}
