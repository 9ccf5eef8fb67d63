import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import Evaluation
import HierarchicalClustering
import HierarchyReports
import MPICommunication

struct CutCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "cut",
    abstract: "Write labels of fewer clusters than a saved run has, or of one of its levels.",
    discussion: """
        highland cut run/ --clusters 100 --output hundred.npy
        highland cut run/ --min-size 5 --output no-small-ones.npy
        highland cut levels/ --level 0 --output finest.npy

      Clusters merge by average linkage, as highland tree tells; or only those that are too small join the most similar \
      others. The levels of a network, which come before, are in the directory of --hierarchy.
      """)

  @Argument(
    help: """
      The directory of highland cluster --save; with --level, that of highland cluster --hierarchy.
      """)
  var run: String

  @Option(help: "Merge until so many clusters are left.")
  var clusters: Int?

  @Option(help: "Merge clusters whose points have a greater cosine similarity on average.")
  var above: Double?

  @Option(help: "Have clusters of fewer points join others, the smallest first.")
  var minSize: Int?

  @Option(help: "Take the clusters after this level of a network; the first is 0.")
  var level: Int?

  @Option(
    name: .shortAndLong, help: "Write the labels here: .npy of int64, or .txt, one per line.")
  var output: String

  @Flag(help: "Print how many points each cluster has, as JSON, instead of a sentence.")
  var json = false

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    let given = [clusters != nil, above != nil, minSize != nil, level != nil]
    guard given.count(where: \.self) == 1 else {
      throw ValidationError("expected one of --clusters, --above, --min-size and --level")
    }
    if let level, level < 0 {
      throw ValidationError("--level \(level): expected 0 or more")
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
    if let level { return try writeLevel(level, on: communicator) }
    try outputs.check(
      [.labels(output)], reading: FittedClustering.files(in: run), on: communicator)
    let fit = try FittedClustering(reading: run, on: communicator)
    try fit.requireNoGroups(run, "whose clusters do not merge across groups")
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
    let leftCount = (became.max() ?? -1) + 1
    let sizes = try clusterSizes(labels, count: leftCount, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    try show(
      CutReport(clusterCount: leftCount, clusterSizes: sizes),
      as: "\(count) clusters became \(leftCount)", inJSON: json)
  }

  /// The JSON of `--json`.
  private struct CutReport: Encodable {
    let clusterCount: Int
    /// Points of every cluster.
    let clusterSizes: [Int64]
  }

  /// > Collective: over `communicator`. Rounds of some bytes per rank; each reads its own points.
  private func writeLevel(_ level: Int, on communicator: MPICommunicator) throws {
    try outputs.check(
      [.labels(output)], reading: StoredHierarchy.labelFiles(in: run), on: communicator)
    let (hierarchy, points, labels) = try communicator.agree {
      let hierarchy = try StoredHierarchy(path: run)
      let levels = hierarchy.summary.levels
      guard level < levels.count else {
        let range = levels.isEmpty ? "" : ", 0 ... \(levels.count - 1)"
        throw DataError(
          path: run,
          problem: "has \(quantity(levels.count, "level"))\(range) "
            + "(--level \(level))")
      }
      let points = NodePartition(sharing: hierarchy.summary.pointCount, among: communicator.size)
      let own = points.owned(by: communicator.rank)
      return (hierarchy, points, try hierarchy.labels(afterLevel: level, of: own))
    }
    try outputs.write(labels, of: points, to: output, on: communicator)
    let sizes = try clusterSizes(
      labels, count: hierarchy.summary.levels[level].clusterCount, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    let levels = hierarchy.summary.levels
    try show(
      CutReport(clusterCount: sizes.count, clusterSizes: sizes),
      as: "level \(level) of 0 ... \(levels.count - 1): \(points.nodeCount) points in "
        + "\(levels[level].clusterCount) clusters", inJSON: json)
  }
}
