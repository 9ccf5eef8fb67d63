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
      Learns from points whose clusters are known to find clusters of points of the same kind, of \
      identities that it has never seen. Some identities are held out; every few epochs they are \
      clustered, the parameters that do best are kept, and τ is chosen by them. highland cluster takes \
      k and τ from the model.

      With --checkpoint a run that was stopped goes on where it was when the same command is given \
      again: with the same bits on as many ranks. After SIGTERM, as batch systems send it, it writes a \
      checkpoint and ends with exit code 75.
      """)

  @OptionGroup var input: FeatureOptions

  @Argument(help: "The identity of every point: .npy of integers, or text, one per line.")
  var labels: String

  @Option(name: .shortAndLong, help: "Where the model goes, a .safetensors file.")
  var output: String

  @OptionGroup(title: "Structure") var structure: StructureOptions
  @OptionGroup(title: "Network") var network: NetworkOptions
  @OptionGroup(title: "Training") var recipe: RecipeOptions
  @OptionGroup(title: "Validation") var judging: ValidationOptions

  @Option(help: "Keep the state of the run in this directory, and go on from it.")
  var checkpoint: String?

  @Option(help: "Seconds from one checkpoint to the next; 0 for one after every step.")
  var checkpointInterval = 60.0

  @Option(help: "Write a line of JSON for the start, every epoch, every validation and the end.")
  var log: String?

  @Option(help: "Write a page with the curves of losses and measures, HTML.")
  var report: String?

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard checkpointInterval >= 0 else {
      throw ValidationError("--checkpoint-interval \(checkpointInterval): expected 0 or more")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check([output, report], on: communicator)
    let source = try input.open(on: communicator)
    let identities = try communicator.agree {
      try allLabels(labels, count: source.rowCount, of: source.path)
    }
    if network.input == .structure {
      return try trainStructure(on: source, identities, over: communicator)
    }
    let split = try communicator.agree {
      try IdentitySplit(
        of: identities, holdingOut: judging.validation.isEmpty ? judging.validationFraction : 0,
        seed: recipe.seed)
    }
    let options = try trainingOptions(dimensions: source.dimensions, on: communicator)
    let directory = try checkpoint.map { path in
      try openCheckpoints(path, options, split, identities, on: communicator)
    }
    let template = options.shape.initialParameters(seed: recipe.seed)
    let saved = try directory?.load(options.optimizer, like: template, on: communicator)
    let reporter = try TrainingReporter(
      ProgressReporter(progress, on: communicator), log: log, checkpoints: directory,
      interval: checkpointInterval, resumedAt: saved?.optimizer.stepCount,
      overwrite: outputs.overwrite, on: communicator)

    let run = TrainingRun(
      features: source.path, rankCount: communicator.size, options: options,
      settings: recipe.settings(of: options), trainingPoints: split.training.count,
      trainingIdentities: Set(split.training.map { identities[$0] }).count,
      parameterCount: template.elementCount)
    try reporter.started(run, from: saved, on: communicator)
    let state = try train(
      graphs(of: split.training, source, identities, options, reporter, on: communicator),
      options: options, from: saved ?? TrainingState(options),
      validator: makeValidator(source, identities, split, options, on: communicator),
      plan: judging.plan, observer: reporter, on: communicator)
    guard state.progress.stopReason != .interrupted else {
      return try reporter.interrupted(at: state.optimizer.stepCount, on: communicator)
    }
    try finish(state, run, reporter, on: communicator)
  }

  /// > Collective: over `communicator`, as ``trainingGraphs``.
  private func graphs(
    of points: [Int], _ source: FeatureFile, _ identities: [Int64], _ options: TrainingOptions,
    _ reporter: TrainingReporter, on communicator: MPICommunicator
  ) throws -> [TrainingGraph] {
    reporter.note("building the graphs of \(points.count) points")
    let graphs = try trainingGraphs(
      of: EmbeddingSubset(source, points), labels: points.map { identities[$0] },
      chains: options.chains, usesTrueLinks: options.usesTrueLinks,
      needsAverages: options.shape.usesAverageFeature, using: options.workers, on: communicator)
    reporter.note("\(graphs.count) graphs")
    return graphs
  }

  private func trainingOptions(
    dimensions: Int, on communicator: MPICommunicator
  ) throws -> TrainingOptions {
    try recipe.options(
      shape: network.shape(dimensions: dimensions), workers: threads.workers(on: communicator))
  }

  /// > Collective: over `communicator`. A round of a byte.
  private func openCheckpoints(
    _ path: String, _ options: TrainingOptions, _ split: IdentitySplit, _ identities: [Int64],
    on communicator: MPICommunicator
  ) throws -> CheckpointDirectory {
    var settings = recipe.settings(of: options)
    settings["--validation-fraction"] = "\(judging.validationFraction)"
    settings["--validation"] = judging.validation.joined(separator: " ")
    settings["--validate-every"] = "\(judging.validateEvery)"
    settings["--patience"] = "\(judging.patience)"
    settings["points"] = "\(identities.count) of \(options.shape.dimensions) dimensions"
    settings["training points"] = "\(split.training.count)"
    settings["labels"] = fingerprint(of: identities)
    let directory = CheckpointDirectory(path, settings: settings)
    try communicator.agree { if communicator.rank == Rank(0) { try directory.create() } }
    return directory
  }

  /// > Collective: over `communicator`. A neighbour search.
  private func makeValidator(
    _ source: FeatureFile, _ identities: [Int64], _ split: IdentitySplit,
    _ options: TrainingOptions, on communicator: MPICommunicator
  ) throws -> Validator<EmbeddingSubset<FeatureFile>>? {
    let k = options.chains[0].neighborCount
    if !judging.validation.isEmpty {
      let other = try communicator.agree { try FeatureFile(path: judging.validation[0]) }
      let labels = try communicator.agree {
        guard other.dimensions == source.dimensions else {
          throw DataError(
            path: other.path,
            problem:
              "\(other.dimensions) columns; expected \(source.dimensions), as in \(source.path)")
        }
        return try allLabels(judging.validation[1], count: other.rowCount, of: other.path)
      }
      return try Validator(
        EmbeddingSubset(other, Array(labels.indices)), labels: labels,
        isHeldOut: Array(repeating: true, count: labels.count), neighborCount: k,
        using: options.workers, on: communicator)
    }
    guard !split.validation.isEmpty else { return nil }
    // Among themselves: a network that has its training points by heart never takes them for one of
    // these, and in their company every threshold looks good.
    return try Validator(
      EmbeddingSubset(source, split.validation), labels: split.validation.map { identities[$0] },
      isHeldOut: Array(repeating: true, count: split.validation.count), neighborCount: k,
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
    try reporter.ended(run, state, on: communicator)
    if let report {
      try writeText(
        run.page(of: state), to: report, overwrite: outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print(run.summary(of: state) + "\nModel: \(output)")
  }
}

/// The labels of all points, on every rank: which identities are held out depends on all of them.
func allLabels(_ path: String, count: Int, of features: String) throws -> [Int64] {
  let file = try LabelFile(path: path)
  guard file.count == count else {
    throw DataError(
      path: path, problem: "\(file.count) labels; expected \(count), one per row of \(features)")
  }
  let labels = try file.labels(0..<count)
  if let first = labels.first, labels.allSatisfy({ $0 == first }) {
    throw DataError(
      path: path, problem: "\(TrainingDataError.fewIdentities(count: 1, needed: 2))")
  }
  return labels
}

/// Sixteen digits that differ for other labels.
private func fingerprint(of labels: [Int64]) -> String {
  var hash: UInt64 = 14_695_981_039_346_656_037  // FNV-1a
  for label in labels { hash = (hash ^ UInt64(bitPattern: label)) &* 1_099_511_628_211 }
  return String(hash, radix: 16)
}
