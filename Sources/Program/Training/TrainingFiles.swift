import ArgumentParser
import Communication
import Datasets
import FoundationEssentials
import GraphNetworks
import HierarchicalClustering
import MPICommunication
import Optimization
import Parallelism
import Training

/// What every kind of training reads and writes, and how it resumes.
struct TrainingFiles: ParsableArguments {
  @OptionGroup var input: FeatureOptions

  @Argument(
    help: "The identity of every point: .npy of integers, or text, one number or name per line.")
  var labels: String

  @OptionGroup var noise: NoiseOptions

  @Option(name: .shortAndLong, help: "Write the model here, a .safetensors file.")
  var output: String

  @Option(help: "Save the state of the run in this directory, and resume from it.")
  var checkpoint: String?

  @Option(
    name: .customLong("checkpoint-interval"),
    help: """
      Seconds between checkpoints; 0 saves one after every step. Needs --checkpoint. Default: 60.
      """)
  var givenCheckpointInterval: Double?

  @OptionGroup var resuming: ResumeOptions

  @Option(help: "Write a line of JSON for the start, every epoch, every validation and the end.")
  var log: String?

  @Option(help: "Write an HTML page with the curves of losses and measures.")
  var report: String?

  @Option(help: "The seed of the split of identities and of all other random numbers.")
  var seed: UInt64 = 0

  @OptionGroup var search: NeighborSearchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try resuming.check(checkpoint)
    guard let givenCheckpointInterval else { return }
    guard (0...1e9).contains(givenCheckpointInterval) else {
      throw ValidationError(
        "--checkpoint-interval \(givenCheckpointInterval): expected 0 ... 1000000000")
    }
    guard checkpoint != nil else {
      throw ValidationError("--checkpoint-interval goes with --checkpoint")
    }
  }

  /// The points to learn from, and those to choose by, if they are given.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank.
  ///
  /// - Parameters:
  ///   - validation: Features and labels, or nothing.
  ///   - more: Features and labels, in turn, that are read later.
  ///   - others: Other files that are read.
  func open(
    judgingBy validation: [String], also more: [String] = [], reading others: [String?] = [],
    on communicator: MPICommunicator
  ) throws -> (data: LabelledFile, other: LabelledFile?) {
    let pairs = [validation, more].flatMap { files in
      stride(from: 0, to: files.count, by: 2).map { Array(files[$0..<$0 + 2]) }
    }
    try outputs.check(
      [.model(output), .page(report)] + (checkpoint == nil ? [.log(log)] : []),
      readingRows: [input.features] + pairs.map { $0[0] },
      reading: [labels] + pairs.map { $0[1] } + others,
      keepingIn: checkpoint, appended: checkpoint == nil ? nil : .log(log), on: communicator)
    let features = try input.open(on: communicator)
    let data = try communicator.agree {
      try LabelledFile(features, labels: labels, noise: noise.noiseLabel)
    }
    if communicator.rank == Rank(0) { try data.note(on: SingleRank()) }
    let other = try validation.isEmpty ? nil : open(validation[...], on: communicator)
    return (data, other)
  }

  /// Features and labels that an option names, beside the data.
  ///
  /// > Collective: over `communicator`. As opening the features, and a round of a byte.
  func open(_ paths: ArraySlice<String>, on communicator: MPICommunicator) throws -> LabelledFile {
    try LabelledFile(
      paths, dimensions: input.dimensions, noise: noise.noiseLabel, on: communicator)
  }

  /// What decides which points are learned from, by names of options.
  var settings: [String: String] {
    search.settings.merging(noise.noiseLabel.map { ["--noise-label": $0] } ?? [:]) { $1 }
  }

  /// Where checkpoints are kept, made if it is not there; nil if none are wanted.
  ///
  /// > Collective: over `communicator`. A round of a byte, and what `identity` sends.
  ///
  /// - Parameter identity: Asked if checkpoints are wanted: it reads all data.
  func openCheckpoints(
    on communicator: MPICommunicator, _ identity: () throws -> RunIdentity
  ) throws -> CheckpointDirectory? {
    guard let checkpoint else { return nil }
    let identity = try identity()
    let directory = CheckpointDirectory(
      checkpoint, settings: identity.settings, files: identity.files)
    try communicator.agree { if communicator.rank == Rank(0) { try directory.create() } }
    return directory
  }

  /// The state to resume from, if there is one, how far it got, and who reports from there on. If there is
  /// none, the start is saved, so that the same command resumes and finds its own log, however early it
  /// was killed.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank.
  ///
  /// - Parameter epochs: How many epochs a state has finished.
  func begin<Progress>(
    in directory: CheckpointDirectory?, from start: RunState<Progress>, _ rule: OptimizerRule,
    epochs: (Progress) -> Int, on communicator: MPICommunicator
  ) throws -> (saved: RunState<Progress>?, place: RunPlace?, reporter: TrainingReporter) {
    let shown = ProgressReporter(progress, on: communicator)
    let saved: RunState<Progress>? = try directory?.load(
      rule, like: start.parameters, resuming: resuming.rule, note: shown.warn, on: communicator)
    if saved == nil { try directory?.save(start, on: communicator) }
    let place = saved.map {
      RunPlace(step: $0.optimizer.stepCount, epochs: epochs($0.progress))
    }
    let reporter = try TrainingReporter(
      shown, log: log, checkpoints: directory,
      interval: givenCheckpointInterval ?? 60, goingOnAt: place, overwrite: outputs.overwrite,
      on: communicator)
    return (saved, place, reporter)
  }

  /// Every row has a direction: said before anything is made of the rows, by their places in the file.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank and file.
  func checkRows(of files: [LabelledFile?], on communicator: MPICommunicator) throws {
    do {
      for source in files.compactMap({ $0?.features }) {
        _ = try source.unitRows(
          ownShare(of: source.rowCount, on: communicator), invalid: .error, on: communicator)
      }
    } catch let failure as AgreedFailure {
      throw AgreedFailure(reason: failure.reason)  // without the advice of other commands
    }
  }
}
