import ArgumentParser
import Communication
import DistributedGraphs
import Evaluation
import FoundationEssentials
@unsafe @preconcurrency import Glibc
import HierarchicalClustering
import HierarchyReports
import Logging
import MPICommunication
import MPIPrograms

/// How to show progress.
enum ProgressStyle: String, CaseIterable, ExpressibleByArgument {
  case auto, live, log, none
}

struct ProgressOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How to show progress on stderr: live, log, none or auto.",
      discussion: """
        live: one changing line, with percentage, rate and time left. log: a line per phase. \
        auto: live on a terminal, log elsewhere and under mpirun.
        """))
  var progress = ProgressStyle.auto
}

/// Shows progress on stderr, on rank 0.
final class ProgressReporter {
  private let style: ProgressStyle
  private let isFirst: Bool
  private let logger: Logger
  private var started = ContinuousClock.now
  private var shown = ContinuousClock.now
  private var lineIsOpen = false
  /// The last work reported as done, so that it is reported once.
  private var finished = ""

  init(_ options: ProgressOptions, on communicator: some Communicator) {
    var logger = Logger(label: "highland") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .info
    self.logger = logger
    isFirst = communicator.rank == Rank(0)
    let isUnderMPIRun = Launcher.rank != nil
    let isTerminal = isatty(STDERR_FILENO) == 1
    style =
      switch options.progress {
      case _ where !isFirst: .none
      case .auto: isTerminal && !isUnderMPIRun ? .live : .log
      case let chosen: chosen
      }
  }

  /// Says something that is not about progress.
  func note(_ text: String) {
    guard style != .none else { return }
    closeLine()
    logger.info("\(text)", source: logger.label)
  }

  /// Says what must be heard where no progress is shown, too.
  func warn(_ text: String) {
    guard isFirst else { return }
    closeLine()
    logger.warning("\(text)", source: logger.label)
  }

  /// Work called `name`, of which a share is done.
  ///
  /// - Parameters:
  ///   - fraction: 0 at the start, 1 at the end.
  ///   - amount: How much there is in all, in `unit`s, for the rate.
  func show(_ name: String, isDone fraction: Double, amount: Double = 0, unit: String = "") {
    if fraction == 0 {
      Watchdog.phase = name
      started = .now
      shown = .now
      finished = ""
    }
    guard fraction < 1 || finished != name else { return }
    if fraction == 1 { finished = name }
    let elapsed = started.duration(to: .now) / .seconds(1)
    switch style {
    case .live:
      guard fraction == 1 || shown.duration(to: .now) > .milliseconds(200) else { return }
      shown = .now
      var line = "\(name): \(percentage(fraction))"
      if amount > 0, elapsed > 0.05, fraction > 0 {
        line += ", \(quantity(fraction * amount / elapsed)) \(unit)/s"
      }
      line += timeLeft(after: elapsed, isDone: fraction)
      if fraction == 1 { line += ", \(duration(elapsed))" }
      write("\r\u{1B}[K" + line)
      lineIsOpen = true
      if fraction == 1 { closeLine() }
    case .log:
      // A long phase says every ten seconds that it is alive.
      if fraction == 1 {
        logger.info("\(name): done in \(duration(elapsed))", source: logger.label)
      } else if fraction > 0, shown.duration(to: .now) > .seconds(10) {
        shown = .now
        logger.info(
          "\(name): \(percentage(fraction))\(timeLeft(after: elapsed, isDone: fraction))",
          source: logger.label)
      }
    case .auto, .none: break
    }
  }

  private func closeLine() {
    if lineIsOpen { write("\n") }
    lineIsOpen = false
  }

  private func write(_ text: String) { unsafe fputs(text, stderr) }
}

/// How long the rest will take, in words; nothing as long as hardly anything is done, which says little.
private func timeLeft(after elapsed: Double, isDone fraction: Double) -> String {
  guard fraction >= 0.01, fraction < 1 else { return "" }
  return ", \(duration(elapsed * (1 - fraction) / fraction)) left"
}

private func percentage(_ fraction: Double) -> String { "\(Int(fraction * 100)) %" }

private func quantity(_ value: Double) -> String {
  let units: [(Double, String)] = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
  for (size, name) in units where value >= size {
    return "\(decimal(value / size, places: 1)) \(name)"
  }
  return decimal(value, places: 1)
}

/// For people.
func duration(_ seconds: Double) -> String {
  if seconds < 100 { return "\(decimal(seconds, places: seconds < 10 ? 2 : 1)) s" }
  let whole = Int(seconds)
  if whole < 6000 { return "\(whole / 60) min \(whole % 60) s" }
  return "\(whole / 3600) h \(whole / 60 % 60) min"
}

/// Shows clustering in the progress line, and keeps the hierarchy if that is wanted.
struct ClusteringReporter: ClusteringObserver {
  let progress: ProgressReporter
  let hierarchy: HierarchyWriter?
  let store: (any ListStore)?
  let runs: RunStore?
  var truth: PointTruth?

  var wantsLevels: Bool { hierarchy != nil }

  func chose(_ thresholds: ThresholdChoice) {
    guard let bestSeparating = thresholds.bestSeparating, let deciding = thresholds.deciding else {
      return
    }
    for trial in thresholds.trials {
      progress.note(
        "τ = \(trial.threshold): \(trial.clusterCount) clusters, "
          + "silhouette \(decimal(trial.silhouette, places: 4))")
    }
    progress.note(
      "τ = \(decimal(thresholds.thresholds.first, places: 3)), as there are no labels to choose by: "
        + "the best silhouette has \(bestSeparating), and 96 % of the nodes with denser neighbours "
        + "merge above \(decimal(deciding, places: 3))")
  }

  func chose(_ listLength: ListLengthChoice) {
    for trial in listLength.trials {
      progress.note(
        "k = \(trial.neighborCount): \(trial.clusterCount) clusters, "
          + "silhouette \(decimal(trial.silhouette, places: 4)), "
          + "agreement \(decimal(trial.agreement, places: 4)), "
          + "score \(decimal(trial.score, places: 4))")
    }
  }

  func compared(_ methods: MethodComparison) {
    progress.note(
      "silhouette by flow \(decimal(methods.flow, places: 4)), by the network "
        + "\(decimal(methods.network, places: 4))")
  }

  func phase(_ phase: Phase, level: Int, isDone fraction: Double) {
    let name =
      switch phase {
      case .read, .copies, .thresholds, .flow: phase.rawValue
      default: "level \(level), \(phase.rawValue)"
      }
    progress.show(name, isDone: fraction)
  }

  func finished(
    _ record: LevelRecord, labels: [Int64], of points: NodePartition,
    on communicator: some Communicator
  ) throws {
    try hierarchy?.write(record, labels: labels, on: communicator)
  }
}
