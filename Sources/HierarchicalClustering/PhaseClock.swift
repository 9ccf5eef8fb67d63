internal import Communication
internal import Parallelism

/// Measures the phases of a run on this rank.
final class PhaseClock<Base: Communicator, Observer: ClusteringObserver> {
  let observer: Observer
  private let communicator: CountingCommunicator<Base>
  private var account = RankAccount()
  /// What was left out of the phase that is being measured.
  private var others = PhaseAccount()
  /// The level that phases belong to.
  var level = 0

  init(_ communicator: CountingCommunicator<Base>, _ observer: Observer) {
    self.communicator = communicator
    self.observer = observer
  }

  /// Runs `body` and charges its cost to a phase. `body` receives a function to report its progress.
  ///
  /// - Parameter isWaiting: Whether this rank only waits for others, whose seconds count.
  func measure<R>(
    _ phase: Phase, isWaiting: Bool = false, _ body: ((Double) throws -> Void) throws -> R
  ) throws -> R {
    let (level, observer) = (level, observer)
    try observer.phase(phase, level: level, isDone: 0)
    others = PhaseAccount()
    let (result, cost) = try measured(on: communicator) {
      try body { try observer.phase(phase, level: level, isDone: $0) }
    }
    account.phases[Phase.allCases.firstIndex(of: phase)!].add(
      seconds: isWaiting ? 0 : cost.seconds - others.seconds,
      cpuSeconds: cost.cpuSeconds - others.cpuSeconds, cost.traffic - others.traffic)
    try observer.phase(phase, level: level, isDone: 1)
    return result
  }

  /// Runs `body` on a group of the ranks, whose phases it measures by a clock of their own; they are no part of the
  /// phase that is being measured.
  func leavingOut<R>(
    _ group: CountingCommunicator<Base>,
    _ body: (PhaseClock) throws -> R
  ) throws -> R {
    let (result, cost) = try measured(on: group) { try body(PhaseClock(group, observer)) }
    others = cost
    return result
  }

  private func measured<R>(
    on communicator: CountingCommunicator<Base>, of body: () throws -> R
  ) rethrows -> (result: R, cost: PhaseAccount) {
    let before = communicator.traffic
    let start = ContinuousClock.now
    let startCPU = processorSeconds()
    let result = try body()
    var cost = PhaseAccount()
    cost.add(
      seconds: start.duration(to: .now) / .seconds(1),
      cpuSeconds: processorSeconds() - startCPU, communicator.traffic - before)
    return (result, cost)
  }

  /// The ranks' counts of a level, and the costs of the phases since the last level: the maximum of
  /// elapsed seconds over ranks, and sums of the rest.
  ///
  /// > Collective: one round, about 780 bytes per rank to every rank.
  ///
  /// - Parameter counts: Owned.
  func finishLevel(_ counts: LevelCounts) throws -> (
    counts: [LevelCounts], costs: [Phase: PhaseCost]
  ) {
    account.counts = counts
    // Not counted by this clock: the message is about the report, not about the work.
    let ranks = try communicator.base.gatherOne(account)
    account = RankAccount()
    var costs: [Phase: PhaseCost] = [:]
    for (place, phase) in Phase.allCases.enumerated() {
      let cost = PhaseCost(ranks.map { $0.phases[place] })
      if cost.elapsedSeconds > 0 { costs[phase] = cost }
    }
    return (ranks.map(\.counts), costs)
  }

  /// What a phase of no level has cost so far; the others stay in the account of the level.
  ///
  /// > Collective: one round, 56 bytes per rank to every rank.
  func take(_ phase: Phase) throws -> PhaseCost {
    let place = Phase.allCases.firstIndex(of: phase)!
    let ranks = try communicator.base.gatherOne(account.phases[place])
    account.phases[place] = PhaseAccount()
    return PhaseCost(ranks)
  }
}

/// What a rank counts of a level.
struct LevelCounts: Message {
  var nodes = 0
  var edges = 0
  var cutEdges = 0
  var keptEdges = 0
  var ghosts = 0
  var peakMemoryBytes = 0
}

/// What a rank counts, as it is gathered.
private struct RankAccount: Message {
  var counts = LevelCounts()
  /// In the order of `Phase.allCases`.
  var phases = InlineArray<13, PhaseAccount>(repeating: PhaseAccount())
}

private struct PhaseAccount: Message {
  var seconds = 0.0
  var cpuSeconds = 0.0
  var traffic = Traffic()

  mutating func add(seconds: Double, cpuSeconds: Double, _ traffic: Traffic) {
    self.seconds += seconds
    self.cpuSeconds += cpuSeconds
    self.traffic = self.traffic + traffic
  }
}

extension PhaseCost {
  /// - Parameter accounts: Of all ranks.
  fileprivate init(_ accounts: [PhaseAccount]) {
    self.init(
      elapsedSeconds: accounts.map(\.seconds).max() ?? 0,
      cpuSeconds: accounts.reduce(0) { $0 + $1.cpuSeconds },
      accounts.reduce(Traffic()) { $0 + $1.traffic }, rounds: accounts[0].traffic.rounds)
  }
}
