import Datasets
import Glibc
import Synchronization

/// Whether this process was asked to end, by SIGTERM, SIGUSR1 or SIGINT.
enum TerminationRequest {
  private static let wasMade = Atomic(false)

  /// From now on such a signal only sets a flag; one that is ignored stays so. A second SIGINT ends the process; SIGTERM may well
  /// come twice, from the batch system and from mpirun.
  static func listen() {
    _ = wasMade.load(ordering: .relaxed)  // made before a signal needs it
    for number in [SIGTERM, SIGUSR1, SIGINT] where !TemporaryFiles.isIgnored(number) {
      _ = signal(number) { number in
        TerminationRequest.wasMade.store(true, ordering: .relaxed)
        if number == SIGINT { TemporaryFiles.removeOnSignal(number) }
      }
    }
  }

  static var isMade: Bool { wasMade.load(ordering: .relaxed) }
}
