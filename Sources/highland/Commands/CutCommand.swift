import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import HierarchicalClustering
import MPICommunication

struct CutCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "cut",
    abstract: "Write labels of fewer clusters than a saved run has.",
    discussion: """
        highland cut run/ --clusters 100 --output hundred.npy
        highland cut run/ --min-size 5 --output no-small-ones.npy

      Clusters merge by average linkage, as highland tree tells; or only those that are too small join the most similar \
      others.
      """)

  @Argument(help: "The directory of highland cluster --save.")
  var run: String

  @Option(help: "Merge until so many clusters are left.")
  var clusters: Int?

  @Option(help: "Merge clusters whose points have a greater cosine similarity on average.")
  var above: Double?

  @Option(help: "Have clusters of fewer points join others, the smallest first.")
  var minSize: Int?

  @Option(
    name: .shortAndLong, help: "Write the labels here: .npy of int64, or .txt, one per line.")
  var output: String

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard [clusters != nil, above != nil, minSize != nil].count(where: \.self) == 1 else {
      throw ValidationError("expected one of --clusters, --above and --min-size")
    }
    for (number, name) in [(clusters, "--clusters"), (minSize, "--min-size")] {
      if let number, number < 1 {
        throw ValidationError("\(name) \(number): expected 1 or more")
      }
    }
    if let above, !(-1...1).contains(above) {
      throw ValidationError("--above \(above): expected -1 ... 1")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [.labels(output)], reading: FittedClustering.files(in: run), on: communicator)
    let fit = try FittedClustering(reading: run, on: communicator)
    let count = fit.settings.clusterCount
    if let clusters, clusters > count {  // on every rank
      throw AgreedFailure(
        reason: "--clusters \(clusters): \(run) has \(count); expected no more")
    }
    let became: [Int]
    if let minSize {
      became = try fit.clusters(ofAtLeast: minSize, on: communicator)
    } else {
      let tree = try ClusterTree(of: fit, on: communicator)
      became = tree.clusters(
        afterMerges: clusters.map { max(count - $0, 0) }
          ?? tree.merges.count { $0.similarity > above! })
    }
    let labels = fit.labels.map { Int64(became[Int($0)]) }
    try outputs.write(labels, of: fit.points, to: output, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    print("\(count) clusters became \((became.max() ?? -1) + 1)")
  }
}
