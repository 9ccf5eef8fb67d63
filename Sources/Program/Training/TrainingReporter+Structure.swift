import Communication
import Evaluation
import MPIPrograms
import Training

/// Of a network of structure.
extension TrainingReporter: StructureTrainingObserver {
  func tried(_ trial: LengthTrial) {
    note(
      "k = \(trial.neighborCount): pairwise F \(decimal(trial.pairwiseF, places: 4)), BCubed F "
        + "\(decimal(trial.bcubedF, places: 4)) of held-out identities")
  }

  func tried(_ trial: TransformTrial) {
    note(
      "\(trial.settings.map { "transform of \($0)" } ?? "no transform"): pairwise F "
        + "\(decimal(trial.pairwiseF, places: 4)), BCubed F \(decimal(trial.bcubedF, places: 4)) of "
        + "identities that transforms were not learned from")
  }

  func chose(_ lengths: LengthChoice, on communicator: some Communicator) throws {
    if let summary = lengths.summary { note(summary) }
    try write(
      LogLine(event: "length", step: 0, seconds: elapsedSeconds, lengths: lengths),
      on: communicator)
  }

  func madeGraphs(_ count: Int) { note("\(count) levels to learn from") }

  func finished(
    _ epoch: StructureEpoch, steps: Int, after step: Int, on communicator: some Communicator
  ) throws {
    let cost = try takeEpochCost(on: communicator)
    Watchdog.phase = "training, after epoch \(epoch.epoch)"
    note("epoch \(epoch.epoch): loss \(decimal(epoch.loss, places: 4))")
    try write(
      LogLine(
        event: "epoch", step: step, epoch: epoch.epoch, steps: steps, seconds: cost.seconds,
        cpuSeconds: cost.cpuSeconds, loss: epoch.loss, learningRate: epoch.learningRate),
      on: communicator)
  }

  func tried(
    _ trial: ThresholdTrial, after step: Int, on communicator: some Communicator
  ) throws {
    note(
      (trial.resolution.map { "γ = \($0)" } ?? "τ = \(trial.threshold)")
        + ", later \(trial.laterThreshold): "
        + "pairwise F \(decimal(trial.pairwiseF, places: 4)), "
        + "BCubed F \(decimal(trial.bcubedF, places: 4)), "
        + "\(decimal(trial.identityF, places: 4)) with identities of one weight")
    try write(LogLine(event: "trial", step: step, trial: trial), on: communicator)
  }

  /// > Collective: over `communicator`. Two rounds of a byte.
  func ended(_ training: StructureTraining, on communicator: some Communicator) throws {
    note(
      training.calibration.summary
        + (training.transformChoice.transform == nil ? "" : ", of rows as they are"))
    try write(
      LogLine(
        event: "transform", step: training.stepCount, seconds: elapsedSeconds,
        transforms: [training.transformChoice.asTheyAre].compactMap(\.self)
          + training.transformChoice.trials,
        transform: training.transformChoice.chosen?.settings,
        obstacle: training.transformChoice.obstacle), on: communicator)
    try write(
      LogLine(
        event: "end", step: training.stepCount, seconds: elapsedSeconds, trial: training.chosen,
        calibration: training.calibration, stopReason: TrainingStopReason.epochs.rawValue),
      on: communicator)
  }
}
