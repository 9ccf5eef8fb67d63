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

struct TrainCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on labelled embeddings.",
    discussion: """
      Learns from points with known clusters how to cluster other points of the same kind, whose \
      identities it has never seen. A network of structure learns from all identities, and chooses τ \
      on all of them with equal weight, unless --validation or --validation-fraction names others. \
      With --input coordinates some identities are held out: every few epochs they are clustered, the \
      parameters that do best are kept, and τ is chosen on them. highland cluster takes k and τ from \
      the model.

      With --checkpoint, run the same command to resume a run that was stopped; on the same number of \
      ranks it gives the same bits. After SIGTERM, which batch systems send, it writes a checkpoint and \
      exits with code 75.
      """)

  @OptionGroup var input: FeatureOptions

  @Argument(help: "The identity of every point: .npy of integers, or text, one per line.")
  var labels: String

  @Option(name: .shortAndLong, help: "Write the model here, a .safetensors file.")
  var output: String

  @OptionGroup(title: "Structure") var structure: StructureOptions
  @OptionGroup(title: "Network") var network: NetworkOptions
  @OptionGroup(title: "Training") var recipe: RecipeOptions
  @OptionGroup(title: "Validation") var judging: ValidationOptions
  @OptionGroup var search: NeighborSearchOptions

  @Option(help: "Save the state of the run in this directory, and resume from it.")
  var checkpoint: String?

  @Option(
    name: .customLong("checkpoint-interval"),
    help: """
      Seconds between checkpoints; 0 saves one after every step. Needs --checkpoint. Default: 60.
      """)
  var givenCheckpointInterval: Double?

  @Option(help: "Write a line of JSON for the start, every epoch, every validation and the end.")
  var log: String?

  @Option(help: "Write an HTML page with the curves of losses and measures.")
  var report: String?

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    if let givenCheckpointInterval {
      guard (0...1e9).contains(givenCheckpointInterval) else {
        throw ValidationError(
          "--checkpoint-interval \(givenCheckpointInterval): expected 0 ... 1000000000")
      }
      guard checkpoint != nil else {
        throw ValidationError("--checkpoint-interval goes with --checkpoint")
      }
    }
    guard judging.chosenFraction == nil || judging.validation.isEmpty else {
      throw ValidationError("--validation-fraction and --validation: expected one of them")
    }
    try network.input == .coordinates ? validateCoordinates() : validateStructure()
  }

  /// Refuses what was given but would do nothing.
  private func validateCoordinates() throws {
    if let name = structure.given.first {
      throw ValidationError("\(name) goes with --input structure")
    }
    guard recipe.initial != .distance || network.shape(dimensions: 1).canStartFromDistance else {
      throw ValidationError("--initial distance goes with --network mean --layers 1")
    }
    if judging.chosenFraction == 0, let name = judging.givenOfCourse.first {
      throw ValidationError(
        "\(name) and --validation-fraction 0: expected one of them, as nothing is validated")
    }
  }

  /// Refuses what was given but would do nothing.
  private func validateStructure() throws {
    let given = network.givenOfCoordinates + recipe.givenOfCoordinates + judging.givenOfCourse
    if let name = given.first { throw ValidationError("\(name) goes with --input coordinates") }
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [output, report] + (checkpoint == nil ? [log] : []), appended: checkpoint == nil ? nil : log,
      on: communicator)
    let features = try input.open(on: communicator)
    let data = try communicator.agree { try LabelledFile(features, labels: labels) }
    let other = try communicator.agree {
      try judging.validation.isEmpty
        ? nil : LabelledFile(judging.validation[...], dimensions: input.dimensions)
    }
    switch network.input {
    case .structure: try trainStructure(on: data, judgingBy: other, over: communicator)
    case .coordinates: try trainCoordinates(on: data, judgingBy: other, over: communicator)
    }
  }

  /// Trains a network of coordinates and writes it.
  ///
  /// > Collective: over `communicator`, as
  /// > ``train(_:options:from:validator:plan:observer:on:)``.
  ///
  /// - Parameter other: What to choose by; nil for a share of the identities.
  private func trainCoordinates(
    on data: LabelledFile, judgingBy other: LabelledFile?, over communicator: MPICommunicator
  ) throws {
    if let other, other.features.columnCount != data.features.columnCount {  // on every rank
      throw AgreedFailure(
        reason: "\(other.features.path): \(other.features.columnCount) columns; expected "
          + "\(data.features.columnCount), as in \(data.features.path)")
    }
    let split = try communicator.agree {
      try IdentitySplit(
        of: data.labels, holdingOut: other == nil ? judging.validationFraction : 0,
        seed: recipe.seed)
    }
    try checkRows(of: [data, other], on: communicator)
    let options = try recipe.options(
      shape: network.shape(dimensions: data.features.columnCount),
      workers: threads.workers(on: communicator))
    let settings = recipe.settings(of: options).merging(judging.settings) { $1 }
      .merging(search.settings) { $1 }
    let directory = try openCheckpoints(on: communicator) {
      var run = RunIdentity(
        settings.merging(["--input": "coordinates"]) { $1 }.filter { $0.key != "--validation" })
      try run.add(data, as: "", on: communicator)
      if let other { try run.add(other, as: "--validation", on: communicator) }
      return run
    }
    try checkSizes(split, options, on: communicator)
    let start = TrainingState(options)
    let saved = try savedState(
      in: directory, orSaving: start, options.optimizer, on: communicator)
    let place = saved.map {
      RunPlace(step: $0.optimizer.stepCount, epochs: $0.progress.history.count)
    }
    let reporter = try reporter(directory, at: place, on: communicator)
    let run = TrainingRun(
      RunDescription(
        features: data.features.path, rankCount: communicator.size,
        threadCount: options.workers.count, trainingPoints: split.training.count,
        trainingIdentities: Set(split.training.map { data.labels[$0] }).count,
        dimensions: options.shape.dimensions, parameterCount: start.parameters.elementCount,
        settings: settings), options: options)
    try reporter.started(run.description, at: place, on: communicator)
    let state = try train(
      graphs(of: split.training, data, options, reporter, on: communicator),
      options: options, from: saved ?? start,
      validator: makeValidator(data, other, split, options, on: communicator),
      plan: judging.plan, observer: reporter, on: communicator)
    guard state.progress.stopReason != .interrupted else {
      return try reporter.interrupted(at: state.optimizer.stepCount, on: communicator)
    }
    try finish(state, run, reporter, on: communicator)
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

  /// The state to resume from. If there is none, the start is saved, so that the same command resumes and
  /// finds its own log, however early it was killed.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank.
  func savedState<Progress>(
    in directory: CheckpointDirectory?, orSaving start: RunState<Progress>, _ rule: OptimizerRule,
    on communicator: MPICommunicator
  ) throws -> RunState<Progress>? {
    let saved: RunState<Progress>? = try directory?.load(
      rule, like: start.parameters, on: communicator)
    if saved == nil { try directory?.save(start, on: communicator) }
    return saved
  }

  /// > Collective: over `communicator`. A round of a byte.
  func reporter(
    _ directory: CheckpointDirectory?, at place: RunPlace?, on communicator: MPICommunicator
  ) throws -> TrainingReporter {
    try TrainingReporter(
      ProgressReporter(progress, on: communicator), log: log, checkpoints: directory,
      interval: givenCheckpointInterval ?? 60, goingOnAt: place, overwrite: outputs.overwrite,
      on: communicator)
  }

  /// > Collective: over `communicator`. A round of a byte.
  private func checkSizes(
    _ split: IdentitySplit, _ options: TrainingOptions, on communicator: MPICommunicator
  ) throws {
    try communicator.agree {
      for chain in options.chains where split.training.count <= chain.neighborCount {
        throw TrainingDataError.fewPoints(
          count: split.training.count, of: "training", neighborCount: chain.neighborCount)
      }
      let k = options.chains[0].neighborCount
      if !split.validation.isEmpty, split.validation.count <= k {
        throw TrainingDataError.fewPoints(
          count: split.validation.count, of: "validation", neighborCount: k)
      }
    }
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

  /// > Collective: over `communicator`, as ``trainingGraphs``.
  private func graphs(
    of points: [Int], _ data: LabelledFile, _ options: TrainingOptions,
    _ reporter: TrainingReporter, on communicator: MPICommunicator
  ) throws -> [TrainingGraph] {
    reporter.note("building the graphs of \(points.count) points")
    let graphs = try trainingGraphs(
      of: EmbeddingSubset(data.features, points), labels: points.map { data.labels[$0] },
      chains: options.chains, usesTrueLinks: options.usesTrueLinks,
      needsAverages: options.shape.usesAverageFeature, search: search.options,
      using: options.workers, on: communicator)
    reporter.note("\(graphs.count) graphs")
    return graphs
  }

  /// > Collective: over `communicator`. A neighbour search.
  private func makeValidator(
    _ data: LabelledFile, _ other: LabelledFile?, _ split: IdentitySplit,
    _ options: TrainingOptions, on communicator: MPICommunicator
  ) throws -> Validator<EmbeddingSubset<FeatureFile>>? {
    if let other {
      return try validator(Array(other.labels.indices), of: other, options, on: communicator)
    }
    guard !split.validation.isEmpty else { return nil }
    // Among themselves: a network that has memorised its training points never confuses them with held-out
    // ones, so scoring among training points makes every threshold look good.
    return try validator(split.validation, of: data, options, on: communicator)
  }

  /// > Collective: over `communicator`. A neighbour search.
  private func validator(
    _ points: [Int], of data: LabelledFile, _ options: TrainingOptions,
    on communicator: MPICommunicator
  ) throws -> Validator<EmbeddingSubset<FeatureFile>> {
    try Validator(
      EmbeddingSubset(data.features, points), labels: points.map { data.labels[$0] },
      neighborCount: options.chains[0].neighborCount, search: search.options,
      using: options.workers, on: communicator)
  }

  /// Writes the model and the report.
  ///
  /// > Collective: over `communicator`. A round of a byte for each.
  private func finish(
    _ state: TrainingState, _ run: TrainingRun, _ reporter: TrainingReporter,
    on communicator: MPICommunicator
  ) throws {
    let kept = state.bestParameters ?? state.parameters
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try TensorFile.write(
        kept.tensors, metadata: run.metadata(of: state), to: output, overwrite: outputs.overwrite)
    }
    try reporter.ended(state, on: communicator)
    if let report {
      try writeText(
        run.page(of: state), to: report, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print(run.summary(of: state) + "\nModel: \(output)")
  }
}
