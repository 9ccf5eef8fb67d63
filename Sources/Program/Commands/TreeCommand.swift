import ArgumentParser
import Communication
import Datasets
import Evaluation
import HierarchicalClustering
import MPICommunication

struct TreeCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "tree",
    abstract: "Write how the clusters of a saved run merge into one, by average linkage.",
    discussion: """
        highland tree run/ --newick tree.nwk --linkage z.npy
        highland tree run/ --graphml tree.graphml

      Clusters merge two at a time, those first whose points are most similar on average. It takes time by the square of \
      their number.
      """)

  @Argument(help: "The directory of highland cluster --save.")
  var run: String

  @Option(help: "Write the tree as a text in Newick's format; leaves are labels.")
  var newick: String?

  @Option(
    help: """
      Write the tree as GraphML for programs that draw graphs: nodes with labels, points and similarities.
      """)
  var graphml: String?

  @Option(help: "Write the merges as SciPy's linkage, .npy of float64 [clusters − 1 × 4].")
  var linkage: String?

  @Flag(help: "Print sizes of clusters and merges as JSON.")
  var json = false

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard newick != nil || graphml != nil || linkage != nil || json else {
      throw ValidationError("expected --newick, --graphml, --linkage or --json")
    }
    try outputs.check([newick, graphml, linkage], named: "--newick, --graphml or --linkage")
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [.tree(newick), .tree(graphml), .array(linkage)],
      reading: FittedClustering.files(in: run), on: communicator)
    let fit = try FittedClustering(reading: run, on: communicator)
    try fit.requireNoGroups(run, "whose clusters do not merge across groups")
    let tree = try ClusterTree(of: fit, on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      if let newick { try writeText(tree.newick, to: newick, overwrite: outputs.overwrite) }
      if let graphml { try writeText(tree.graphML, to: graphml, overwrite: outputs.overwrite) }
      if let linkage {
        try writeArray(
          tree.merges.flatMap {
            [Double($0.first), Double($0.second), 1 - $0.similarity, Double($0.clusterCount)]
          }, shape: [tree.merges.count, 4], firstRow: 0, to: linkage, overwrite: outputs.overwrite,
          on: SingleRank())
      }
      let count = tree.pointCounts.count
      try show(
        tree, as: "\(quantity(count, "cluster")), \(tree.merges.count) merges",
        inJSON: json)
    }
  }
}
