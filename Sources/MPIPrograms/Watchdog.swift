public import Communication
@unsafe @preconcurrency internal import Glibc
internal import MPICommunication
internal import Synchronization

/// Notices a rank that has stopped, and ends the job: nobody else would, as all ranks wait for it.
///
/// Ranks sit in a ring. A thread of each sends a datagram to the rank after it, once a second, and listens to
/// the rank before it. If that one was heard and then says nothing for some time, its host hangs, or its
/// process was stopped. Where no datagrams come through nobody is ever heard, and nothing happens. What a rank
/// does in MPI, or on the processor, does not matter to its thread; neither do hosts that were suspended
/// together.
///
/// A rank that is killed, or whose program fails, is noticed by the launcher.
public final class Watchdog: Sendable {
  /// The seconds after which a rank counts as stopped, unless the environment says another number, or 0 for
  /// never.
  public static let variable = "HIGHLAND_WATCHDOG"
  public static let defaultSeconds = 20
  /// The exit code of a job that a watchdog has ended.
  public static let exitCode: Int32 = 69

  /// What this process does, for others to know. Any thread may say it.
  public static var phase: String {
    get { phaseName.withLock { $0 } }
    set {
      phaseName.withLock { $0 = newValue }
      Disruption.begins(newValue)
    }
  }

  private static let phaseName = Mutex("start")

  /// How this process ends the job, on the watchdog's thread: `ending` may do something first, such as removing what is
  /// unfinished, and then calls what it is given. Nobody else does so: MPI may end this process before the launcher's
  /// signal comes.
  public static func onEnding(_ ending: @escaping @Sendable (_ abort: () -> Never) -> Never) {
    givenEnding.withLock { $0 = ending }
  }

  fileprivate static let givenEnding = Mutex<(@Sendable (() -> Never) -> Never)?>(nil)

  private let hasEnded = Atomic(false)

  private init() {}

  /// Runs `body` while ranks listen to each other.
  ///
  /// > Collective: over `communicator`: two gatherings of some bytes per rank, and, after `body` on
  /// > all ranks, or the same error on all, a round of a byte per rank.
  public static func whileWatching<R>(
    on communicator: some Communicator, hosts: [String], _ body: () throws -> R
  ) throws -> R {
    guard communicator.size > 1, let seconds = try silenceLimit(on: communicator) else {
      Disruption.watch(rank: communicator.rank.index)
      return try body()
    }
    let watchdog = Watchdog()
    try watchdog.start(seconds, hosts: hosts, on: communicator)
    Disruption.watch(rank: communicator.rank.index)
    func end() throws {
      // Ranks that are done are not silent before all are.
      try communicator.agree {}
      watchdog.hasEnded.store(true, ordering: .relaxed)
    }
    do {
      let result = try body()
      try end()
      return result
    } catch let failure as AgreedFailure {
      try end()
      throw failure
    }
  }

  /// - Returns: Nil if nobody is to watch.
  /// - Throws: The same on every rank, if what the environment says is no number of seconds.
  private static func silenceLimit(on communicator: some Communicator) throws -> Int? {
    let seconds = try communicator.agree { () -> Int in
      guard let text = unsafe getenv(variable) else { return defaultSeconds }
      guard let seconds = unsafe Int(String(cString: text)), seconds >= 0 else {
        throw AgreedFailure(
          reason: "\(variable)=\(unsafe String(cString: text)): expected seconds, or 0 for none")
      }
      return seconds
    }
    // Launchers may hand variables to the first rank's host only.
    let limit = try communicator.broadcast([seconds])[0]
    return limit == 0 ? nil : max(limit, 2)
  }

  private func start(_ seconds: Int, hosts: [String], on communicator: some Communicator) throws {
    let rank = communicator.rank.index
    let socket = DatagramSocket(waiting: 1)
    // The port, or 0 for none, and the addresses.
    let places = try communicator.allGather([UInt32(socket?.port ?? 0)] + addressesOfThisHost())
    let token = try communicator.broadcast([UInt64.random(in: 1 ... .max)])[0]
    guard let socket else { return }
    let after = (rank + 1) % communicator.size
    let next = Array(places[Rank(after)])
    let addresses = hosts[after] == hosts[rank] ? [DatagramAddress.thisHost] : next.dropFirst()
    let station = Station(
      socket: socket, token: token, rank: rank,
      rankBefore: (rank + communicator.size - 1) % communicator.size, hosts: hosts,
      silenceLimit: .seconds(seconds),
      listeners: next[0] == 0
        ? [] : addresses.map { DatagramAddress(host: $0, port: UInt16(next[0])) })
    // So that a rank which stops from now on has been heard.
    station.speak()
    startThread { station.watch(until: { self.hasEnded.load(ordering: .relaxed) }) }
  }
}

/// What a rank's thread needs to know.
private struct Station: Sendable {
  let socket: DatagramSocket
  /// Of this job: others may send to a port that was ours.
  let token: UInt64
  let rank: Int
  let rankBefore: Int
  /// The name of every rank's host.
  let hosts: [String]
  let silenceLimit: Duration
  /// Where the rank after this one may be reached.
  let listeners: [DatagramAddress]

  /// A longer pause between two turns of the loop means that this process was stopped itself.
  private static let pause = Duration.seconds(5)

  func watch(until hasEnded: () -> Bool) {
    let clock = SuspendingClock()
    var turn = clock.now
    var sent: SuspendingClock.Instant?
    /// When the rank before was heard last, and what it did then; nil before it was heard.
    var heard: (at: SuspendingClock.Instant, phase: String)?
    while !hasEnded() {
      if sent.map({ $0.duration(to: clock.now) >= .seconds(1) }) ?? true {
        sent = clock.now
        speak()
      }
      if let bytes = socket.receive(Word.byteLimit), let word = Word(bytes),
        word.token == token, word.rank == rankBefore
      {
        heard = (clock.now, word.phase)
      }
      let now = clock.now
      if turn.duration(to: now) > Self.pause { heard?.at = now }
      turn = now
      if let heard, heard.at.duration(to: now) > silenceLimit, !hasEnded() {
        end(since: heard.at.duration(to: now), in: heard.phase)
      }
    }
  }

  /// Says to the next rank what this one does.
  func speak() {
    let word = Word(token: token, rank: rank, phase: Watchdog.phase)
    for listener in listeners { socket.send(word.bytes, to: listener) }
  }

  private func end(since silence: Duration, in phase: String) -> Never {
    unsafe fputs(
      "error: rank \(rankBefore) of \(hosts.count) on \(hosts[rankBefore]) has stopped: nothing was heard of it "
        + "for \(silence.components.seconds) s, its last phase was \(phase); rank \(rank) on "
        + "\(hosts[rank]), in \(Watchdog.phase), ends the job (\(Watchdog.variable)=0 never does)\n",
      stderr)
    // From a thread that is not MPI's: should it not return, or fail, the launcher sees this process end.
    startThread {
      sleep(5)
      _exit(Watchdog.exitCode)
    }
    func abort() -> Never {
      MPICommunicator.abortJob(exitCode: Watchdog.exitCode)
      _exit(Watchdog.exitCode)
    }
    Watchdog.givenEnding.withLock { $0 }?(abort)
    abort()
  }
}

/// What one rank says to the next: token and rank, then the phase.
private struct Word {
  var token: UInt64
  var rank: Int
  var phase: String

  static let byteLimit = 256
  private static let headerByteCount = 16

  init(token: UInt64, rank: Int, phase: String) {
    self.token = token
    self.rank = rank
    self.phase = phase
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.headerByteCount else { return nil }
    func number(_ range: Range<Int>) -> UInt64 {
      bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    token = number(0..<8)
    rank = Int(truncatingIfNeeded: number(8..<16))
    phase = String(decoding: bytes[Self.headerByteCount...], as: UTF8.self)
  }

  var bytes: [UInt8] {
    func bytes(of number: UInt64) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }
    let text = phase.utf8.prefix(Self.byteLimit - Self.headerByteCount)
    return bytes(of: token) + bytes(of: UInt64(rank)) + text
  }
}
