import ArgumentParser
import Communication
import Datasets
import Evaluation
import GraphNetworks
import MPICommunication
import Training

extension TrainCommand {
  /// Trains a network of structure and writes it.
  ///
  /// > Collective: over `communicator`, as ``trainStructureNetwork(on:options:from:observer:over:)``.
  func trainStructure(
    on source: FeatureFile, _ identities: [Int64], over communicator: MPICommunicator
  ) throws {
    guard checkpoint == nil, log == nil, judging.validation.isEmpty else {
      throw ValidationError(
        "--checkpoint, --log and --validation go with --input coordinates: a model of structure is "
          + "trained in a minute")
    }
    let start = try structure.from.map { path in
      try communicator.agree { try StructureNetwork(openModel(path)) }
    }
    let options = structure.options(
      recipe, judging, from: start, workers: try threads.workers(on: communicator))
    let others = try communicator.agree {
      try stride(from: 0, to: structure.also.count, by: 2).map { place in
        let features = try FeatureFile(path: structure.also[place])
        return LabelledEmbeddings(
          features,
          labels: try allLabels(
            structure.also[place + 1], count: features.rowCount, of: features.path))
      }
    }
    let begin = ContinuousClock.now
    let training = try trainStructureNetwork(
      on: [LabelledEmbeddings(source, labels: identities)] + others, options: options, from: start,
      observer: StructureTrainingReporter(ProgressReporter(progress, on: communicator)),
      over: communicator)
    let seconds = try communicator.maximum(begin.duration(to: .now) / .seconds(1))
    let metadata = training.metadata(
      options, pointCount: others.reduce(identities.count) { $0 + $1.labels.count },
      from: structure.from)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try TensorFile.write(
        training.network.tensors, metadata: metadata, to: output, overwrite: outputs.overwrite)
    }
    guard communicator.rank == Rank(0) else { return }
    print(training.summary(seconds: seconds, model: output))
  }
}

/// Notes of what goes on, for people.
private struct StructureTrainingReporter: StructureTrainingObserver {
  private let progress: ProgressReporter

  init(_ progress: ProgressReporter) { self.progress = progress }

  func madeGraphs(_ count: Int) { progress.note("\(count) levels to learn from") }

  func finishedEpoch(_ epoch: Int, of count: Int, loss: Double) {
    progress.note("epoch \(epoch) of \(count): loss \(decimal(loss, places: 4))")
  }

  func tried(_ trial: ThresholdTrial) {
    progress.note(
      "τ = \(trial.threshold), later \(trial.laterThreshold): "
        + "pairwise F \(decimal(trial.pairwiseF, places: 4)), "
        + "BCubed F \(decimal(trial.bcubedF, places: 4)) of held-out identities")
  }
}

extension StructureTraining {
  /// The model file's account of itself.
  func metadata(
    _ options: StructureTrainingOptions, pointCount: Int, from start: String?
  ) -> [String: String] {
    var metadata = network.metadata
    metadata["highland"] = highlandVersion
    metadata["training_points"] = "\(pointCount)"
    metadata["seed"] = "\(options.seed)"
    metadata["epochs"] = "\(options.epochCount)"
    metadata["graphs"] = "\(options.graphCount)"
    metadata["mixtures"] = "\(options.mixtureCount)"
    metadata["graph_points"] = "\(options.pointLimit)"
    if let start { metadata["from"] = start }
    if let chosen {
      metadata["validation_pairwise_f"] = decimal(chosen.pairwiseF, places: 4)
      metadata["validation_bcubed_f"] = decimal(chosen.bcubedF, places: 4)
    }
    return metadata
  }

  /// What is printed at the end.
  func summary(seconds: Double, model: String) -> String {
    let first = "\(graphCount) levels, \(losses.count) epochs, \(decimal(seconds, places: 1)) s"
    guard let chosen else {
      return """
        \(first). No validation: τ is left at \(network.settings.threshold).
        Model: \(model)
        """
    }
    return """
      \(first). By held-out identities τ = \(chosen.threshold) at level 0 and \
      \(chosen.laterThreshold) later:
      pairwise F \(decimal(chosen.pairwiseF, places: 4)), \
      BCubed F \(decimal(chosen.bcubedF, places: 4)).
      Model: \(model)
      """
  }
}
