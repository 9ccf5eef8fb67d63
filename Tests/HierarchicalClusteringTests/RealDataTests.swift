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
      features, with: .coordinates(model),
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
    // A few exact duplicates are in every set. They tie in density, and the reference joins them
    // or not by rounding: one pair of clinc150 moves the metrics by 2e-5.
    let tolerance = real.hasDuplicates ? 0.02 : 1e-4
    let comment: Comment =
      "\(clustering.clusterCount) clusters of \(reference.clusters), agreement \(agreement.pairwise.f)"
    if !real.hasDuplicates { #expect(agreement.pairwise.f >= 0.9995, comment) }
    #expect(abs(own.pairwise.f - reference.pairwise[2]) <= tolerance, comment)
    #expect(abs(own.bcubed.f - reference.bcubed[2]) <= tolerance, comment)
    #expect(abs(own.nmi - reference.nmi) <= tolerance, comment)
  }

  /// Bit for bit, on 20,000 real points.
  @Test(.enabled(if: Material.hasShared, "the shared data and golden numbers are not here"))
  func realPointsHaveTheSameBits() throws {
    let file = try FeatureFile(
      path: Material.shared.appending(path: "data/glyphs/features_test.npy").path)
    let features = EmbeddingsInMemory(try file.rows(0..<20_000))
    let model = try Lander(
      TensorFile(
        path: Material.shared.appending(path: "golden/small/sage_cf/model.safetensors").path),
      dimensions: file.columnCount)
    func answer(ranks: Int, threads: Int) throws -> ClusterAnswer {
      try clusterOnThreads(
        features, with: .coordinates(model),
        options: ClusteringOptions(threshold: 0.6, maximumLevels: 20, workers: Workers(threads)),
        ranks: ranks)
    }
    let alone = try answer(ranks: 1, threads: 1)
    #expect(alone.levels.count > 1)
    for (ranks, threads) in [(1, 2), (2, 1), (2, 2), (3, 1), (4, 2), (5, 1), (8, 2)] {
      let found = try answer(ranks: ranks, threads: threads)
      // Not an operand: a difference would print both answers.
      let isSame = found == alone
      #expect(isSame, "\(ranks) ranks of \(threads) threads")
    }
  }

  private func labels(_ url: URL) throws -> [Int64] {
    let file = try LabelFile(path: url.path)
    return try file.labels(0..<file.count)
  }
}
