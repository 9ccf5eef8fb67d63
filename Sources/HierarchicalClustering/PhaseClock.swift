internal import Communication
internal import Parallelism

/// Measures the phases of a level on this rank.
final class PhaseClock<Base: Communicator, Observer: ClusteringObserver> {
  private let communicator: CountingCommunicator<Base>
  private let observer: Observer
  private var seconds: [Phase: Double] = [:]
  private var cpuSeconds: [Phase: Double] = [:]
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
    let startCPU = processorSeconds()
    defer {
      let elapsed = start.duration(to: .now)
      seconds[phase, default: 0] += elapsed / .seconds(1)
      cpuSeconds[phase, default: 0] += processorSeconds() - startCPU
      traffic[phase] = (traffic[phase] ?? Traffic()) + (communicator.traffic - before)
      observer.phase(phase, level: level, isDone: 1)
    }
    return try body { observer.phase(phase, level: level, isDone: $0) }
  }

  /// What the phases since the last call cost: maximum of elapsed seconds over ranks, sums of
  /// the rest.
  ///
  /// > Collective: three rounds per phase, of 40 bytes per rank together.
  func costs() throws -> [Phase: PhaseCost] {
    defer {
      seconds = [:]
      cpuSeconds = [:]
      traffic = [:]
    }
    // Not counted: these messages are about the report, not about the work.
    let base = communicator.base
    var costs: [Phase: PhaseCost] = [:]
    for phase in Phase.allCases {
      let own = (seconds: seconds[phase] ?? 0, traffic: traffic[phase] ?? Traffic())
      let longest = try base.maximum(own.seconds)
      let cpu = try base.allReduce(cpuSeconds[phase] ?? 0, +)
      let total = try base.allReduce(own.traffic) { $0 + $1 }
      guard longest > 0 else { continue }
      costs[phase] = PhaseCost(
        elapsedSeconds: longest, cpuSeconds: cpu, bytesSent: total.bytesSent,
        messages: total.messages, rounds: own.traffic.rounds)
    }
    return costs
  }
}
