internal import Communication

/// Measures the phases of a level on this rank.
final class PhaseClock<Base: Communicator, Observer: ClusteringObserver> {
  private let communicator: CountingCommunicator<Base>
  private let observer: Observer
  private var seconds: [Phase: Double] = [:]
  private var traffic: [Phase: Traffic] = [:]
  var level = 0

  init(_ communicator: CountingCommunicator<Base>, _ observer: Observer) {
    self.communicator = communicator
    self.observer = observer
  }

  /// Runs `body` on the account of a phase. It is handed a way to report its progress.
  func measure<R>(_ phase: Phase, _ body: ((Double) -> Void) throws -> R) rethrows -> R {
    let (level, observer) = (level, observer)
    observer.phase(phase, level: level, isDone: 0)
    let before = communicator.traffic
    let start = ContinuousClock.now
    defer {
      let elapsed = start.duration(to: .now)
      seconds[phase, default: 0] += elapsed / .seconds(1)
      traffic[phase] = (traffic[phase] ?? Traffic()) + (communicator.traffic - before)
      observer.phase(phase, level: level, isDone: 1)
    }
    return try body { observer.phase(phase, level: level, isDone: $0) }
  }

  /// What the phases since the last call cost: maximum of seconds and sum of bytes over ranks.
  ///
  /// > Collective: one round of 32 bytes per phase and rank.
  func costs() throws -> [Phase: PhaseCost] {
    defer {
      seconds = [:]
      traffic = [:]
    }
    // Not counted: these messages are about the report, not about the work.
    let base = communicator.base
    var costs: [Phase: PhaseCost] = [:]
    for phase in Phase.allCases {
      let own = (seconds: seconds[phase] ?? 0, traffic: traffic[phase] ?? Traffic())
      let longest = try base.maximum(own.seconds)
      let total = try base.allReduce(own.traffic) { $0 + $1 }
      guard longest > 0 else { continue }
      costs[phase] = PhaseCost(
        elapsedSeconds: longest, bytesSent: total.bytesSent, messages: total.messages,
        rounds: own.traffic.rounds)
    }
    return costs
  }
}
