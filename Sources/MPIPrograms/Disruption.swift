internal import Communication
@unsafe @preconcurrency internal import Glibc
internal import Synchronization

/// For tests: a rank that sends a signal to itself some time after it has begun a phase.
///
/// `HIGHLAND_DISRUPTION=RANK:SIGNAL:MILLISECONDS:PHASE`, for example `1:KILL:0:level 0, network`. Signals are KILL,
/// TERM and STOP; phases are those of progress.
struct Disruption: Equatable, Sendable {
  static let variable = "HIGHLAND_DISRUPTION"

  let rank: Int
  let signal: Int32
  let milliseconds: UInt32
  let phase: String

  /// - Returns: Nil for a text that says none.
  init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 3).map(String.init)
    let signals = ["KILL": SIGKILL, "TERM": SIGTERM, "STOP": SIGSTOP]
    guard parts.count == 4, let rank = Int(parts[0]), let signal = signals[parts[1]],
      let milliseconds = UInt32(parts[2])
    else { return nil }
    self.rank = rank
    self.signal = signal
    self.milliseconds = milliseconds
    phase = parts[3]
  }

  /// What the environment says; nil if nothing.
  private static let ofEnvironment: Disruption? = unsafe getenv(variable).flatMap {
    unsafe Disruption(String(cString: $0))
  }

  /// The rank of this process, once it is known, while nothing has been sent.
  private static let waitingRank = Mutex<Int?>(nil)

  /// To be said once, when the rank is known.
  static func watch(rank: Int) {
    guard ofEnvironment?.rank == rank else { return }
    waitingRank.withLock { $0 = rank }
    begins(Watchdog.phase)
  }

  /// To be said when this process begins a phase. Sends the signal the first time.
  static func begins(_ phase: String) {
    guard let disruption = ofEnvironment, disruption.phase == phase,
      waitingRank.withLock({ $0.take() }) != nil
    else { return }
    guard disruption.milliseconds > 0 else {
      kill(getpid(), disruption.signal)
      // As a phase does that takes long; who was stopped goes on when told.
      while disruption.signal != SIGSTOP { pause() }
      return
    }
    startThread {
      usleep(1000 * disruption.milliseconds)
      kill(getpid(), disruption.signal)
    }
  }
}
