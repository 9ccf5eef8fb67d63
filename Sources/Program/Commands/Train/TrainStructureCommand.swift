import ArgumentParser
import Communication
import Datasets
import DiscriminantTransforms
import Evaluation
import GraphNetworks
import HierarchicalClustering
import MPICommunication
import Optimization
import Parallelism
import SimilarityStructure
import Training

struct TrainStructureCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "structure",
    abstract: "Train a network that sees the structure of similarities (default).",
    discussion: """
        highland train known.npy known-labels.npy --output model.safetensors
        highland train x.npy labels.npy --groups segments.tsv -o voices.safetensors

      Sees ranks, shared neighbours, sizes and linkages of clusters; trains in seconds on a few hundred identities. \
      Chooses the length of neighbour lists on halves of the identities that short trainings hold out, and then \
      whether a transform of rows helps: a model that holds one is for embeddings of this kind and width, others \
      are for any. Learns from all identities, and chooses τ \
      on all of them with equal weight, unless --validation or --validation-fraction names others.
      """)

  @OptionGroup var files: TrainingFiles
  @OptionGroup(title: "Training") var structure: StructureOptions
  @OptionGroup(title: "Validation") var held: HeldOutOptions

  func validate() throws {
    if structure.groups != nil, !held.validation.isEmpty {
      throw ValidationError("--groups and --validation: expected one; the other has no groups")
    }
    if structure.groups != nil, let option = files.search.settings.keys.sorted().first {
      throw ValidationError(
        "\(option) and --groups: expected one of them, as small groups are searched exactly")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    var (data, other) = try files.open(
      judgingBy: held.validation, also: structure.also,
      reading: [structure.from, structure.groups],
      on: communicator)
    if let groups = structure.groups {
      try communicator.agree { try data.readGroups(groups) }
    }
    let start = try structure.from.map { path in
      try communicator.agree {
        let file = try TrainedModel.file(path)
        let network = try StructureNetwork(file)
        if let name = Parameters(network).firstThatIsNotFinite {
          throw DataError(path: path, problem: "'\(name)' holds numbers that are not finite")
        }
        if try DiscriminantTransform(of: file) != nil {
          ProgressReporter(files.progress, on: communicator).note(
            "training starts from the network of \(path), and not from its transform of rows")
        }
        return network
      }
    }
    let workers = try files.threads.workers(on: communicator)
    let options = try communicator.agree {
      var options = try structure.options(held, seed: files.seed, from: start, workers: workers)
      options.search = files.search.options
      return options
    }
    let sets =
      try [data]
      + stride(from: 0, to: structure.also.count, by: 2).map {
        try files.open(structure.also[$0..<$0 + 2], on: communicator)
      }
    try checkMemory(
      options, pointCount: sets.reduce(0) { max($0, $1.labels.count) }, on: communicator)
    try files.checkRows(of: sets + [other], on: communicator)
    let settings = structure.settings(of: options).merging(files.settings) { $1 }
    let directory = try files.openCheckpoints(on: communicator) {
      var run = RunIdentity(settings.merging(["kind": "structure"]) { $1 })
      for (index, set) in sets.enumerated() {
        try run.add(set, as: index == 0 ? "" : "--also \(index)", on: communicator)
      }
      if let other { try run.add(other, as: "--validation", on: communicator) }
      if let start, let path = structure.from {
        run.add(start.tensors, from: path, as: "--from")
      }
      return run
    }
    let initial = StructureTrainingState(options, from: start)
    let (saved, place, reporter) = try files.begin(
      in: directory, from: initial, options.optimizer, epochs: \.epochs.count, on: communicator)
    let run = RunDescription(
      features: sets.map(\.features.path).joined(separator: ", "), rankCount: communicator.size,
      threadCount: options.workers.count, trainingPoints: sets.reduce(0) { $0 + $1.labels.count },
      trainingIdentities: sets.reduce(0) { $0 + Set($1.labels).count },
      dimensions: data.features.columnCount, parameterCount: initial.parameters.elementCount,
      settings: settings.merging(given) { $1 })
    try reporter.started(run, at: place, on: communicator)
    let training: StructureTraining
    do {
      training = try trainStructureNetwork(
        on: sets.map(\.embeddings), validatingOn: other?.embeddings, options: options, from: start,
        goingOnFrom: saved, observer: reporter, over: communicator)
    } catch let interruption as TrainingInterrupted {  // on every rank
      return try reporter.interrupted(at: interruption.step, on: communicator)
    }
    let seconds = try communicator.maximum(reporter.elapsedSeconds)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try keepingOnFailure(of: files.output) { path in
        try TensorFile.write(
          training.tensors,
          metadata: training.metadata(
            options, pointCount: run.trainingPoints, from: structure.from, version: highlandVersion),
          to: path, overwrite: files.outputs.overwrite)
      }
    }
    try reporter.ended(training, on: communicator)
    let summary = training.summary(seconds: seconds, model: files.output)
    if let report = files.report {
      try writeText(
        training.page(of: run, summary: training.summary), to: report,
        overwrite: files.outputs.overwrite, on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print(summary)
  }

  /// Refuses graphs that no memory holds.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  ///
  /// - Parameter pointCount: Of the largest set.
  private func checkMemory(
    _ options: StructureTrainingOptions, pointCount: Int, on communicator: MPICommunicator
  ) throws {
    let k = options.neighborCounts.max() ?? options.settings.neighborCount
    // Features of no more edges are kept than steps take.
    let edgesPerPoint = min(
      Double(k),
      Double(options.epochCount + 1) * Double(options.stepEdgeCount)
        / Double(min(options.pointLimit, max(pointCount, 1))))
    let bytesPerPoint =
      4
      * (Double(StructureFeatures.nodeWidth) + edgesPerPoint * Double(StructureFeatures.edgeWidth))
    let points =
      Double(options.graphCount) * Double(min(options.pointLimit, pointCount))
      + Double(options.mixtureCount) * Double(options.pointLimit)
    try MemoryNeed(
      option: "--graphs \(options.graphCount) --mixtures \(options.mixtureCount) --graph-points "
        + "\(options.pointLimit)",
      purpose: "features of graphs", bytes: points * bytesPerPoint / Double(communicator.size)
    ).check(on: communicator)
  }

  /// Files that the options name, and what follows from them, for the log and the report.
  private var given: [String: String] {
    var given: [String: String] = [:]
    if let from = structure.from { given["--from"] = from }
    if !structure.also.isEmpty { given["--also"] = structure.also.joined(separator: " ") }
    if !held.validation.isEmpty {
      given["--validation"] = held.validation.joined(separator: " ")
      given["--validation-fraction"] = "0"
    }
    return given
  }
}

extension StructureTraining {
  /// What came out, for people.
  var summary: String {
    let work = "\(graphCount) levels, \(epochs.count) epochs, \(stepCount) steps."
    guard let chosen else { return work }
    let first = chosen.resolution.map { "γ = \($0)" } ?? "τ = \(chosen.threshold)"
    return """
      \(work) \(first) at level 0 and τ = \(chosen.laterThreshold) later, with pairwise F \
      \(decimal(chosen.pairwiseF, places: 4)), BCubed F \(decimal(chosen.bcubedF, places: 4))\(rowsOfF).
      """
  }

  /// Which rows the F is of, where there is a choice.
  private var rowsOfF: String {
    guard transformChoice.transform != nil else { return "" }
    return transformChoice.thresholds == nil
      ? " of rows as they are" : " of rows after transforms that were not learned from them"
  }

  /// What is printed at the end.
  func summary(seconds: Double, model: String) -> String {
    let choices = [lengths.summary, transformChoice.summary].compactMap(\.self).map { "\n\($0)" }
    return
      "\(summary) \(decimal(seconds, places: 1)) s.\(choices.joined())\nModel: \(model)"
  }
}
