import Communication
import Datasets
import DiscriminantTransforms
import Evaluation
import FoundationEssentials
import HierarchicalClustering
import MPICommunication
import Optimization
import Parallelism
import Training

/// Observes training: shows progress, writes the log, requests checkpoints.
final class TrainingReporter: TrainingObserver {
  let progress: ProgressReporter
  private let isFirst: Bool
  private let log: LogFile?
  private let checkpoints: CheckpointDirectory?
  private let interval: Double
  private var lastSave = ContinuousClock.now
  private let start = ContinuousClock.now
  /// When the step under way began, and what the steps of the epoch took before it.
  private var stepStart = Cost.now
  private var epochCost = Cost()

  /// > Collective: over `communicator`. A round of a byte.
  ///
  /// - Parameter place: Where the run resumes; nil for a new one.
  init(
    _ progress: ProgressReporter, log: String?, checkpoints: CheckpointDirectory?,
    interval: Double, goingOnAt place: RunPlace?, overwrite: Bool,
    on communicator: MPICommunicator
  ) throws {
    self.progress = progress
    self.checkpoints = checkpoints
    self.interval = interval
    isFirst = communicator.rank == Rank(0)
    let isFirst = isFirst
    self.log = try communicator.agree {
      guard let log, isFirst else { return nil }
      return try LogFile(log, keepingUpTo: place, overwrite: overwrite)
    }
    if checkpoints != nil { TerminationRequest.listen() }
  }

  func note(_ text: String) { progress.note(text) }

  /// > Collective: over `communicator`. A round of a byte.
  func started(
    _ run: RunDescription, at place: RunPlace?, on communicator: some Communicator
  ) throws {
    stepStart = .now
    // Time left is counted from here on.
    progress.show("train", isDone: 0)
    guard let place else {
      return try write(LogLine(event: "start", step: 0, run: run), on: communicator)
    }
    progress.note("going on after step \(place.step)")
    try write(LogLine(event: "resume", step: place.step), on: communicator)
  }

  func finishedStep(_ step: Int, of count: Int, loss: StepLoss) {
    finishedStep(step, of: count, loss: loss.linkage + loss.density)
  }

  /// - Parameters:
  ///   - step: From 1, of `count` in all.
  func finishedStep(_ step: Int, of count: Int, loss: Double) {
    epochCost = epochCost + (Cost.now - stepStart)
    stepStart = .now
    progress.show(
      "train, loss \(decimal(loss, places: 4))", isDone: Double(step) / Double(max(count, 1)),
      amount: Double(count), unit: "steps")
  }

  /// What the steps of the epoch cost that just ended: the longest rank's seconds, all ranks' processor
  /// time.
  ///
  /// > Collective: over `communicator`. A round of 16 bytes.
  func takeEpochCost(on communicator: some Communicator) throws -> Cost {
    defer { epochCost = Cost() }
    return try communicator.allReduce(epochCost) {
      Cost(seconds: max($0.seconds, $1.seconds), cpuSeconds: $0.cpuSeconds + $1.cpuSeconds)
    }
  }

  func finished(_ epoch: EpochRecord, steps: Int, on communicator: some Communicator) throws {
    let cost = try takeEpochCost(on: communicator)
    try write(
      LogLine(
        event: "epoch", step: epoch.epoch * steps, epoch: epoch.epoch, steps: steps,
        seconds: cost.seconds, cpuSeconds: cost.cpuSeconds,
        loss: epoch.linkageLoss + epoch.densityLoss, linkageLoss: epoch.linkageLoss,
        densityLoss: epoch.densityLoss, learningRate: epoch.learningRate), on: communicator)
    guard let validation = epoch.validation else { return }
    let chosen = validation.chosen
    let loss = decimal(epoch.linkageLoss + epoch.densityLoss, places: 4)
    progress.note(
      "epoch \(epoch.epoch): loss \(loss), validation F "
        + "\(decimal(chosen.pairwiseF, places: 4)) pairwise, "
        + "\(decimal(chosen.bcubedF, places: 4)) BCubed at τ = \(chosen.tau)")
    try write(
      LogLine(
        event: "validation", step: epoch.epoch * steps, epoch: epoch.epoch,
        validation: validation), on: communicator)
  }

  /// > Collective: over `communicator`. A round of a byte.
  func write(_ line: LogLine, on communicator: some Communicator) throws {
    try communicator.agree { try log?.write(line) }
  }

  func request(after step: Int, on communicator: some Communicator) throws -> TrainingRequest {
    defer { stepStart = .now }
    guard checkpoints != nil else { return .proceed }
    var request = TrainingRequest.proceed
    if isFirst, lastSave.duration(to: .now) / .seconds(1) >= interval { request = .save }
    if TerminationRequest.isMade { request = .saveAndStop }
    return TrainingRequest(rawValue: try communicator.maximum(request.rawValue)) ?? .proceed
  }

  func endsValidation(on communicator: some Communicator) throws -> Bool {
    try checkpoints != nil && communicator.any(TerminationRequest.isMade)
  }

  func save(_ state: RunState<some Any>, on communicator: some Communicator) throws {
    try checkpoints?.save(state, on: communicator)
    lastSave = .now
    stepStart = .now
  }

  /// > Collective: over `communicator`.
  func ended(_ state: TrainingState, on communicator: some Communicator) throws {
    let best = state.progress.best
    try write(
      LogLine(
        event: "end", step: state.optimizer.stepCount, epoch: best?.epoch,
        seconds: elapsedSeconds, validation: best?.result,
        stopReason: state.progress.stopReason?.rawValue), on: communicator)
    try checkpoints?.save(state, on: communicator)
  }

  /// Since the run began, or went on.
  var elapsedSeconds: Double { start.duration(to: .now) / .seconds(1) }

  /// Reports that the run was stopped and how to resume.
  func interrupted(at step: Int, on communicator: some Communicator) throws {
    try write(LogLine(event: "interrupted", step: step), on: communicator)
    throw Interruption(step: step)
  }
}

/// Seconds, elapsed and of the processor.
struct Cost: Message {
  var seconds = 0.0
  var cpuSeconds = 0.0

  static var now: Cost {
    Cost(seconds: ProcessClock.secondsSinceStart, cpuSeconds: processorSeconds())
  }

  static func - (a: Cost, b: Cost) -> Cost {
    Cost(seconds: a.seconds - b.seconds, cpuSeconds: a.cpuSeconds - b.cpuSeconds)
  }

  static func + (a: Cost, b: Cost) -> Cost {
    Cost(seconds: a.seconds + b.seconds, cpuSeconds: a.cpuSeconds + b.cpuSeconds)
  }
}

private enum ProcessClock {
  private static let start = ContinuousClock.now
  static var secondsSinceStart: Double { start.duration(to: .now) / .seconds(1) }
}

/// A run that was interrupted, thrown on every rank.
struct Interruption: Error, CustomStringConvertible {
  var step: Int

  var description: String {
    "stopped after step \(step), as asked; a checkpoint is written, the same command goes on from it"
  }

  /// EX_TEMPFAIL: trying again helps.
  static let exitCode: Int32 = 75
}

/// One line of the log.
struct LogLine: Encodable {
  var event: String
  var step: Int
  var epoch: Int?
  var steps: Int?
  var seconds: Double?
  var cpuSeconds: Double?
  var loss: Double?
  var linkageLoss: Double?
  var densityLoss: Double?
  var learningRate: Double?
  var validation: ValidationResult?
  var trial: ThresholdTrial?
  var calibration: LevelCalibration?
  var lengths: LengthChoice?
  var transforms: [TransformTrial]?
  var transform: TransformSettings?
  var obstacle: String?
  var run: RunDescription?
  var stopReason: String?
}

/// How far a run has come.
struct RunPlace {
  /// Updates of the parameters.
  var step: Int
  /// Finished, with their validations.
  var epochs: Int
}

/// Lines of JSON, each in the file when it is written.
final class LogFile {
  private let file: AppendingFile
  private let encoder = JSONEncoder()

  /// - Parameter place: The place of the checkpoint that the run resumes from; nil for a new run. Lines of
  ///   later steps and epochs are removed, and so are the choices of k and of a transform, and trials of
  ///   thresholds, which are repeated.
  init(_ path: String, keepingUpTo place: RunPlace?, overwrite: Bool) throws {
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var kept = ""
    if let place, try exists(path) {
      struct Line: Decodable {
        var event: String
        var step: Int
        var epoch: Int?
      }
      let data: Data
      do {
        data = try Data(contentsOf: URL(filePath: path))
      } catch { throw DataError(path: path, problem: "cannot read the log to go on with") }
      let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
      for (index, text) in lines.enumerated() {
        guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
          // Cut when the run was killed.
          let isWhole = data.last == UInt8(ascii: "\n")
          if index == lines.count - 1, index > 0 || !isWhole { continue }
          throw DataError(
            path: path,
            problem: "line \(index + 1) is not of a log of training; it is left as it is")
        }
        if line.step <= place.step, line.epoch ?? 0 <= place.epochs,
          !["trial", "length", "transform"].contains(line.event)
        {
          kept += text + "\n"
        }
      }
    }
    try writeText(kept, to: path, overwrite: overwrite || place != nil)
    file = try AppendingFile(path)
  }

  func write(_ line: LogLine) throws { try file.append(line: try encoder.encode(line)) }
}
