import Communication
import Datasets
import Evaluation
import Foundation
import GraphNetworks
import HierarchicalClustering
import Parallelism
import Testing

/// The reference's partition of real embeddings, with the models that it trained on them.
@Suite struct RealDataTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let tau: Double
    /// Whether exact duplicates, which tie in density, leave the reference's answer to rounding.
    let hasDuplicates: Bool

    var testDescription: String { "\(name), tau \(tau)" }
  }

  struct Reference: Decodable {
    var clusters: Int
    var pairwise: [Double]
    var bcubed: [Double]
    var nmi: Double
  }

  static let cases = [("clinc150", false), ("omniglot", false), ("inventors", true)].flatMap {
    set in [0.6, 0.8].map { Case(name: set.0, tau: $0, hasDuplicates: set.1) }
  }

  @Test(
    .enabled(if: Material.hasShared, "the shared data and golden numbers are not here"),
    arguments: cases)
  func findsTheReferencesPartition(real: Case) throws {
    let golden = Material.shared.appending(path: "golden/real/\(real.name)")
    let data = Material.shared.appending(path: "data/\(real.name)")
    let features = try FeatureFile(path: data.appending(path: "features_test.npy").path)
    let model = try Lander(
      TensorFile(path: golden.appending(path: "model.safetensors").path),
      dimensions: features.columnCount)
    let clustering = try cluster(
      features, with: model,
      options: ClusteringOptions(threshold: real.tau, maximumLevels: 20, workers: Workers(2)),
      on: SingleRank())

    let reference = try JSONDecoder().decode(
      Reference.self,
      from: Data(contentsOf: golden.appending(path: "tau\(real.tau).json")))
    let truth = try labels(data.appending(path: "labels_test.npy"))
    let own = try compareLabels(truth: truth, predicted: clustering.labels, on: SingleRank())
    let agreement = try compareLabels(
      truth: labels(golden.appending(path: "labels_tau\(real.tau).npy")),
      predicted: clustering.labels, on: SingleRank())
    print(
      "\(real.testDescription): pairwise F against the reference's labels",
      agreement.pairwise.f, "clusters", clustering.clusterCount, "of", reference.clusters,
      "F", own.pairwise.f, own.bcubed.f, own.nmi)

    // A few exact duplicates are in every set. They tie in density, and the reference joins them
    // or not by rounding: one pair of clinc150 moves the metrics by 2e-5.
    let tolerance = real.hasDuplicates ? 0.02 : 1e-4
    if !real.hasDuplicates { #expect(agreement.pairwise.f >= 0.9995) }
    #expect(abs(own.pairwise.f - reference.pairwise[2]) <= tolerance)
    #expect(abs(own.bcubed.f - reference.bcubed[2]) <= tolerance)
    #expect(abs(own.nmi - reference.nmi) <= tolerance)
  }

  /// Byte for byte, on 11,250 real points.
  @Test(
    .enabled(if: Material.hasShared, "the shared data and golden numbers are not here"),
    arguments: [(2, 1), (3, 2), (5, 1)])
  func realPointsHaveTheSameBits(ranks: Int, threads: Int) throws {
    let golden = Material.shared.appending(path: "golden/real/clinc150")
    let data = Material.shared.appending(path: "data/clinc150")
    let features = try FeatureFile(path: data.appending(path: "features_test.npy").path)
    let model = try Lander(
      TensorFile(path: golden.appending(path: "model.safetensors").path),
      dimensions: features.columnCount)
    func answer(ranks: Int, threads: Int) throws -> ClusterAnswer {
      try clusterOnThreads(
        features, with: model,
        options: ClusteringOptions(threshold: 0.6, maximumLevels: 20, workers: Workers(threads)),
        ranks: ranks)
    }
    #expect(
      try answer(ranks: ranks, threads: threads) == answer(ranks: 1, threads: 1))
  }

  private func labels(_ url: URL) throws -> [Int64] {
    let file = try LabelFile(path: url.path)
    return try file.labels(0..<file.count)
  }
}
