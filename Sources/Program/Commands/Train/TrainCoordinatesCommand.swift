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

struct TrainCoordinatesCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "coordinates",
    abstract: "Train a network that sees the embeddings themselves.",
    discussion: """
        mpirun -n 4 highland train coordinates known.npy known-labels.npy \\
          --output model.safetensors --checkpoint state/ --log train.jsonl

      As in the paper, for very many identities of one embedding. Some identities are held out: every few \
      epochs they are clustered, the parameters that do best are kept, and τ is chosen on them. \
      Networks of structure (highland train structure) need fewer identities.
      """)

  @OptionGroup var files: TrainingFiles
  @OptionGroup(title: "Network") var network: NetworkOptions
  @OptionGroup(title: "Training") var recipe: RecipeOptions
  @OptionGroup(title: "Validation") var held: HeldOutOptions
  @OptionGroup(title: "Validation") var course: CourseOptions

  /// The share of identities that is held out if nothing else is said.
  private static let heldOut = 0.5

  /// Refuses what was given but would do nothing.
  func validate() throws {
    guard recipe.initial != .distance || network.shape(dimensions: 1).canStartFromDistance else {
      throw ValidationError("--initial distance goes with --network mean --layers 1")
    }
    if held.givenFraction == 0, let name = course.given.first {
      throw ValidationError(
        "\(name) and --validation-fraction 0: expected one of them, as nothing is validated")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    let (data, other) = try files.open(judgingBy: held.validation, on: communicator)
    if let other, other.features.columnCount != data.features.columnCount {  // on every rank
      throw AgreedFailure(
        reason: "\(other.features.path): \(other.features.columnCount) columns; expected "
          + "\(data.features.columnCount), as in \(data.features.path)")
    }
    let split = try communicator.agree {
      do {
        return try IdentitySplit(
          of: data.labels, holdingOut: other == nil ? held.fraction(default: Self.heldOut) : 0,
          seed: files.seed)
      } catch let error as TrainingDataError {
        throw DataError(path: data.labelPath, problem: "\(error)")
      }
    }
    try files.checkRows(of: [data, other], on: communicator)
    let options = try recipe.options(
      shape: network.shape(dimensions: data.features.columnCount),
      seed: files.seed, workers: files.threads.workers(on: communicator))
    try checkMemory(options.shape, on: communicator)
    let settings = recipe.settings(of: options)
      .merging(held.settings(default: Self.heldOut)) { $1 }.merging(course.settings) { $1 }
      .merging(files.settings) { $1 }
    let directory = try files.openCheckpoints(on: communicator) {
      var run = RunIdentity(
        settings.merging(["kind": "coordinates"]) { $1 }.filter { $0.key != "--validation" })
      try run.add(data, as: "", on: communicator)
      if let other { try run.add(other, as: "--validation", on: communicator) }
      return run
    }
    try checkSizes(data, split, options, on: communicator)
    let start = TrainingState(options)
    let (saved, place, reporter) = try files.begin(
      in: directory, from: start, options.optimizer, epochs: \.history.count, on: communicator)
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
      plan: course.plan, observer: reporter, on: communicator)
    guard state.progress.stopReason != .interrupted else {
      return try reporter.interrupted(at: state.optimizer.stepCount, on: communicator)
    }
    try finish(state, run, reporter, on: communicator)
  }

  /// Refuses a network that no memory holds with its gradients and moments.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func checkMemory(_ shape: LanderShape, on communicator: MPICommunicator) throws {
    let hidden = Double(shape.hidden)
    let encoder =
      2 * hidden * (Double(2 * shape.dimensions) + Double(shape.layerCount - 1) * hidden)
    // Parameters, gradients and two moments, 4 bytes each; steps make new ones beside the old.
    try MemoryNeed(
      option: "--hidden \(shape.hidden) --layers \(shape.layerCount)",
      purpose: "parameters, gradients and moments", bytes: 28 * (encoder + hidden * hidden)
    ).check(on: communicator)
  }

  /// > Collective: over `communicator`. A round of a byte.
  private func checkSizes(
    _ data: LabelledFile, _ split: IdentitySplit, _ options: TrainingOptions,
    on communicator: MPICommunicator
  ) throws {
    try communicator.agree {
      func check(_ points: [Int], _ part: String, _ k: Int) throws {
        guard points.count <= k else { return }
        let error = TrainingDataError.fewPoints(
          count: points.count, of: part, neighborCount: k)
        throw DataError(path: data.features.path, problem: "\(error) (-k)")
      }
      for chain in options.chains { try check(split.training, "training", chain.neighborCount) }
      if !split.validation.isEmpty {
        try check(split.validation, "validation", options.chains[0].neighborCount)
      }
    }
  }

  /// > Collective: over `communicator`, as ``trainingGraphs``.
  private func graphs(
    of points: [Int], _ data: LabelledFile, _ options: TrainingOptions,
    _ reporter: TrainingReporter, on communicator: MPICommunicator
  ) throws -> [TrainingGraph] {
    reporter.note("building the graphs of \(points.count) points")
    let graphs = try trainingGraphs(
      of: data.subset(points), labels: points.map { data.labels[$0] },
      chains: options.chains, usesTrueLinks: options.usesTrueLinks,
      needsAverages: options.shape.usesAverageFeature, search: files.search.options,
      using: options.workers, on: communicator)
    reporter.note("\(graphs.count) graphs")
    return graphs
  }

  /// > Collective: over `communicator`. A neighbour search.
  private func makeValidator(
    _ data: LabelledFile, _ other: LabelledFile?, _ split: IdentitySplit,
    _ options: TrainingOptions, on communicator: MPICommunicator
  ) throws -> Validator<EmbeddingSubset<FeatureFiles>>? {
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
  ) throws -> Validator<EmbeddingSubset<FeatureFiles>> {
    try Validator(
      data.subset(points), labels: points.map { data.labels[$0] },
      neighborCount: options.chains[0].neighborCount, search: files.search.options,
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
      try keepingOnFailure(of: files.output) { path in
        try TensorFile.write(
          kept.tensors, metadata: run.metadata(of: state), to: path,
          overwrite: files.outputs.overwrite)
      }
    }
    try reporter.ended(state, on: communicator)
    if let report = files.report {
      try writeText(
        run.page(of: state), to: report, overwrite: files.outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print(run.summary(of: state) + "\nModel: \(files.output)")
  }
}
