import ArgumentParser
import Communication
import Datasets
import Evaluation
import HierarchicalClustering

/// The option by which points are in no cluster.
struct NoiseOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Leave out points with this true label, which says that they are in no cluster.",
      discussion:
        "A number, or a name where labels are names: --noise-label -1, --noise-label unknown."
    ))
  var noiseLabel: String?
}

/// The true labels of this rank's share of points, and which of them count.
struct TrueLabels {
  private var labels: [Int64]
  /// Places of the labels that are of a cluster; nil if all are.
  private let kept: [Int]?

  /// > Collective: over `communicator`. As ``noteLabels(_:of:on:)``, and a round of 8 bytes if there is a label of noise.
  ///
  /// - Parameters:
  ///   - labels: This rank's share of those of a file.
  ///   - noise: The label of points that are left out.
  init(
    _ labels: [Int64], of file: LabelFile, noise: String?, on communicator: some Communicator
  ) throws {
    self.labels = labels
    let number = try communicator.agree { try noise.flatMap { try file.number(of: $0) } }
    kept = noise.map { _ in labels.indices.filter { labels[$0] != number } }
    try noteLabels(kept.map { $0.map { labels[$0] } } ?? labels, of: file, on: communicator)
    guard let noise, let kept else { return }
    let count = try communicator.sum(labels.count - kept.count)
    noteNoise(count, of: file.count, label: noise, file.path, on: communicator)
  }

  /// With other numbers, of which equal ones are still equal.
  ///
  /// - Precondition: One for each.
  func renumbered(_ labels: [Int64]) -> TrueLabels {
    precondition(labels.count == self.labels.count, "\(labels.count) of \(self.labels.count)")
    var result = self
    result.labels = labels
    return result
  }

  /// Those that count, for a run that measures its probabilities by them.
  var points: PointTruth { PointTruth(labels, keeping: kept) }

  /// How well a clustering agrees with those that count.
  ///
  /// > Collective: over `communicator`. As ``compareLabels(truth:predicted:on:)``.
  ///
  /// - Parameter predicted: Of the same points.
  func metrics(
    of predicted: [Int64], on communicator: some Communicator
  ) throws -> ClusteringMetrics {
    guard let kept, predicted.count == labels.count else {
      return try compareLabels(truth: labels, predicted: predicted, on: communicator)
    }
    return try compareLabels(
      truth: kept.map { labels[$0] }, predicted: kept.map { predicted[$0] }, on: communicator)
  }
}
