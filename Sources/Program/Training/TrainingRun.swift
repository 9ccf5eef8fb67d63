import Evaluation
import FoundationEssentials
import Optimization
import Parallelism
import Training

/// A run that trains a network of coordinates.
struct TrainingRun {
  let description: RunDescription
  private let shape: LanderShape
  /// k of clustering.
  private let neighborCount: Int

  init(_ description: RunDescription, options: TrainingOptions) {
    self.description = description
    shape = options.shape
    neighborCount = options.chains[0].neighborCount
  }

  /// τ by validation; 0.8 without.
  func tau(of state: TrainingState) -> Double { state.progress.best?.result.chosen.tau ?? 0.8 }

  /// The model file's account of itself; the same for the same training, whatever it took.
  func metadata(of state: TrainingState) -> [String: String] {
    var metadata = [
      "highland": description.highland, "input": "coordinates", "k": "\(neighborCount)",
      "tau": "\(tau(of: state))", "use_cluster_feat": "\(shape.usesAverageFeature)",
      "network": shape.headCount == nil ? "mean" : "attention", "hidden": "\(shape.hidden)",
      "layers": "\(shape.layerCount)", "heads": "\(shape.headCount ?? 1)",
      "dimensions": "\(shape.dimensions)", "training_points": "\(description.trainingPoints)",
      "training_identities": "\(description.trainingIdentities)",
      "epochs": "\(state.progress.history.count)",
      "seed": description.settings["--seed"] ?? "0",
    ]
    if let best = state.progress.best {
      let chosen = best.result.chosen
      metadata["best_epoch"] = "\(best.epoch)"
      metadata["validation_pairwise_f"] = decimal(chosen.pairwiseF, places: 4)
      metadata["validation_bcubed_f"] = decimal(chosen.bcubedF, places: 4)
      metadata["validation_nmi"] = decimal(chosen.nmi, places: 4)
      metadata["validation_clusters"] = "\(chosen.clusterCount)"
    }
    let recipe = description.settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    metadata["recipe"] = recipe.joined(separator: ", ")
    return metadata
  }

  /// What is printed at the end.
  func summary(of state: TrainingState) -> String {
    let progress = state.progress
    let reason = progress.stopReason == .earlyStop ? ", as validation no longer improved" : ""
    let work =
      "\(progress.history.count) epochs of \(description.trainingPoints) points, "
      + "\(state.optimizer.stepCount) steps\(reason)."
    guard let best = progress.best else { return "\(work) No validation: τ is left at 0.8." }
    let chosen = best.result.chosen
    return """
      \(work) Chosen by held-out identities: epoch \(best.epoch), τ = \(chosen.tau), with \
      pairwise F \(decimal(chosen.pairwiseF, places: 4)), \
      BCubed F \(decimal(chosen.bcubedF, places: 4)), NMI \(decimal(chosen.nmi, places: 4)).
      """
  }
}
