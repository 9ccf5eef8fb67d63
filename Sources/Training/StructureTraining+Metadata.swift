public import Datasets
internal import DiscriminantTransforms
internal import Evaluation
internal import GraphNetworks
public import HierarchicalClustering

extension StructureTraining {
  /// The model, as its file would be read.
  ///
  /// - Parameter name: Its name in messages.
  public func model(named name: String = "the model") -> TrainedModel {
    TrainedModel(.structure(network), after: transformChoice.transform, name: name)
  }

  /// The tensors of the model's file.
  public var tensors: [Tensor] {
    network.tensors + (transformChoice.transform?.tensorsOfModel ?? [])
  }

  /// The model file's account of itself.
  ///
  /// - Parameters:
  ///   - pointCount: Of all sets.
  ///   - start: The name of the model that training started from.
  ///   - version: Of the program.
  public func metadata(
    _ options: StructureTrainingOptions, pointCount: Int, from start: String?, version: String
  ) -> [String: String] {
    var metadata = network.metadata
    metadata["highland"] = version
    metadata["training_points"] = "\(pointCount)"
    metadata["seed"] = "\(options.seed)"
    metadata["epochs"] = "\(options.epochCount)"
    metadata["graphs"] = "\(options.graphCount)"
    metadata["mixtures"] = "\(options.mixtureCount)"
    metadata["graph_points"] = "\(options.pointLimit)"
    if !options.omissions.names.isEmpty {
      metadata["without"] = options.omissions.names.joined(separator: " ")
    }
    if !lengths.trials.isEmpty {
      metadata["k_trials"] = lengths.trials.map {
        "\($0.neighborCount): \(decimal($0.score, places: 4))"
      }.joined(separator: ", ")
    }
    if let before = transformChoice.asTheyAre {
      metadata["transform_trials"] =
        "as they are: \(decimal(before.score, places: 4))"
        + (transformChoice.best.map { ", transformed: \(decimal($0.score, places: 4))" } ?? "")
    }
    if let chosen = transformChoice.chosen?.settings {
      metadata["transform"] = chosen.description
    }
    if let start { metadata["from"] = start }
    if let chosen {
      metadata["validation_pairwise_f"] = decimal(chosen.pairwiseF, places: 4)
      metadata["validation_bcubed_f"] = decimal(chosen.bcubedF, places: 4)
    }
    return metadata
  }
}
