internal import CHighland
internal import Communication
internal import DistributedGraphs
internal import GraphNetworks
internal import HierarchicalClustering
internal import HierarchyReports
internal import Training

/// Thrown when the caller's function asks to stop.
struct Cancelled: Error {}

/// Tells the caller's function how far the work is, and stops the work if the function asks to.
@safe final class Progress: ClusteringObserver, StructureTrainingObserver {
  private let report: highland_progress?
  private let context: UnsafeMutableRawPointer?
  private var phase = "read"
  private var level = 0
  private var fraction = 0.0
  private var lastReport: ContinuousClock.Instant?

  /// Between two reports.
  private static let interval = Duration.milliseconds(80)

  init(_ report: highland_progress?, _ context: UnsafeMutableRawPointer?) {
    unsafe self.report = report
    unsafe self.context = context
  }

  /// Reports, if the last time is long enough ago.
  ///
  /// - Throws: ``Cancelled``.
  func check() throws {
    guard let report = unsafe report else { return }
    let now = ContinuousClock.now
    if let lastReport, lastReport.duration(to: now) < Self.interval { return }
    lastReport = now
    guard unsafe report(context, phase, Int32(level), fraction) == 0 else { throw Cancelled() }
  }

  func phase(_ phase: Phase, level: Int, isDone fraction: Double) throws {
    try show(phase.rawValue, level: level, isDone: fraction)
  }

  func show(_ phase: String, level: Int = 0, isDone fraction: Double) throws {
    (self.phase, self.level, self.fraction) = (phase, level, fraction)
    try check()
  }

  func finishedStep(_ step: Int, of count: Int, loss: Double) {
    (phase, level, fraction) = ("train", 0, Double(step) / Double(max(count, 1)))
  }

  func request(after step: Int, on communicator: some Communicator) throws -> TrainingRequest {
    try check()
    return .proceed
  }

  func endsValidation(on communicator: some Communicator) throws -> Bool {
    if phase != "thresholds" { (phase, fraction) = ("thresholds", 0) }
    try check()
    return false
  }
}

/// Tells the caller's function how far a clustering is, and writes every level.
struct LevelKeeper: ClusteringObserver {
  let progress: Progress
  let hierarchy: HierarchyWriter

  var wantsLevels: Bool { true }

  func phase(_ phase: Phase, level: Int, isDone fraction: Double) throws {
    try progress.phase(phase, level: level, isDone: fraction)
  }

  func finished(
    _ record: LevelRecord, labels: [Int64], of points: NodePartition,
    on communicator: some Communicator
  ) throws {
    try hierarchy.write(record, labels: labels, on: communicator)
  }
}

/// A communicator on which work can be stopped: whatever would communicate asks first.
struct Interruptible<Base: Communicator>: Communicator {
  let progress: Progress
  private let base: Base

  init(_ progress: Progress, _ base: Base) {
    self.progress = progress
    self.base = base
  }

  var rank: Rank { base.rank }
  var size: Int { base.size }

  func isOnThisHost(_ rank: Rank) -> Bool { base.isOnThisHost(rank) }

  func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    try progress.check()
    try base.exchange(outgoing, to: destinations, into: &incoming, from: sources)
  }

  func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment],
    during work: (_ moveOn: () throws -> Void) throws -> Void
  ) throws {
    try progress.check()
    try base.exchange(
      outgoing, to: destinations, into: &incoming, from: sources, during: work)
  }

  func transpose(_ counts: [Int]) throws -> [Int] {
    try progress.check()
    return try base.transpose(counts)
  }

  func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    try progress.check()
    try base.allGather(contribution, byteCounts: byteCounts, into: &gathered)
  }

  func withGroup<R>(_ group: Int, _ body: (Interruptible) throws -> R) throws -> R {
    try progress.check()
    return try base.withGroup(group) { try body(Interruptible(progress, $0)) }
  }

  func waitForFirstRank() throws { try base.waitForFirstRank() }

  func gatherForAssertion(_ number: UInt64) throws -> [UInt64] {
    try base.gatherForAssertion(number)
  }
}

/// One rank on which work can be stopped.
typealias InterruptibleRank = Interruptible<SingleRank>

extension InterruptibleRank {
  init(_ progress: Progress) { self.init(progress, SingleRank()) }
}
