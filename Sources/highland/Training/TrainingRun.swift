import Evaluation
import FoundationEssentials
import Optimization
import Parallelism
import Training

/// What a training run is about: for the log, the model's metadata and the report.
struct TrainingRun: Encodable {
  var highland = highlandVersion
  var features: String
  var rankCount: Int
  var threadCount: Int
  var trainingPoints: Int
  var trainingIdentities: Int
  var dimensions: Int
  var parameterCount: Int
  /// By the names of options.
  var settings: [String: String]

  /// k of clustering, and how the network is built, for files.
  private let shape: LanderShape
  private let neighborCount: Int

  private enum CodingKeys: String, CodingKey {
    case highland, features, rankCount, threadCount, trainingPoints, trainingIdentities
    case dimensions, parameterCount, settings
  }

  init(
    features: String, rankCount: Int, options: TrainingOptions, settings: [String: String],
    trainingPoints: Int, trainingIdentities: Int, parameterCount: Int
  ) {
    self.features = features
    self.rankCount = rankCount
    threadCount = options.workers.count
    self.trainingPoints = trainingPoints
    self.trainingIdentities = trainingIdentities
    self.parameterCount = parameterCount
    self.settings = settings
    dimensions = options.shape.dimensions
    shape = options.shape
    neighborCount = options.chains[0].neighborCount
  }

  /// τ by validation; 0.8 without.
  func tau(of state: TrainingState) -> Double { state.progress.best?.result.chosen.tau ?? 0.8 }

  /// The model file's account of itself; the same for the same training, whatever it took.
  func metadata(of state: TrainingState) -> [String: String] {
    var metadata = [
      "highland": highland, "input": "coordinates", "k": "\(neighborCount)",
      "tau": "\(tau(of: state))", "use_cluster_feat": "\(shape.usesAverageFeature)",
      "network": shape.headCount == nil ? "mean" : "attention", "hidden": "\(shape.hidden)",
      "layers": "\(shape.layerCount)", "heads": "\(shape.headCount ?? 1)",
      "dimensions": "\(dimensions)", "training_points": "\(trainingPoints)",
      "training_identities": "\(trainingIdentities)",
      "epochs": "\(state.progress.history.count)", "seed": settings["--seed"] ?? "0",
    ]
    if let best = state.progress.best {
      let chosen = best.result.chosen
      metadata["best_epoch"] = "\(best.epoch)"
      metadata["validation_pairwise_f"] = decimal(chosen.pairwiseF, places: 4)
      metadata["validation_bcubed_f"] = decimal(chosen.bcubedF, places: 4)
      metadata["validation_nmi"] = decimal(chosen.nmi, places: 4)
      metadata["validation_clusters"] = "\(chosen.clusterCount)"
    }
    let recipe = settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    metadata["recipe"] = recipe.joined(separator: ", ")
    return metadata
  }

  /// What is printed at the end.
  func summary(of state: TrainingState) -> String {
    let progress = state.progress
    let reason = progress.stopReason == .earlyStop ? ", as validation no longer improved" : ""
    let work =
      "\(progress.history.count) epochs of \(trainingPoints) points, "
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
