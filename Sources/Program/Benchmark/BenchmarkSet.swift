import Communication
import Evaluation

/// Points with labels.
struct BenchmarkSet {
  var input: BaselinePoints
  /// Owned. The true label of every point.
  let labels: [Int64]

  /// How well clusters agree with the labels.
  ///
  /// > Collective: over `communicator`, as ``compareLabels(truth:predicted:on:)``.
  func metrics(
    of clusters: [Int64], on communicator: some Communicator
  ) throws -> ClusteringMetrics {
    try compareLabels(truth: labels, predicted: clusters, on: communicator)
  }
}
