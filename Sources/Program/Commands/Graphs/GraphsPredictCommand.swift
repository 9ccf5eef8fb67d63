import ArgumentParser
import Communication
import Datasets
import Evaluation
import GraphClassification
import GraphCollections
import LinearAlgebra
import MPICommunication

struct GraphsPredictCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Classify graphs with a trained network.",
    discussion: """
        highland graphs predict PROTEINS/ --model m.safetensors -o classes.csv

      Writes a line per graph: its number, the most probable class, and the probability of each \
      class. The collection needs no classes of its own. With --assignments also the clusters into which the network's pooling puts the nodes. \
      The files are the same, byte by byte, on any number of ranks and threads.
      """)

  @OptionGroup var input: GraphModelOptions

  @Option(name: .shortAndLong, help: "The predictions to write: comma-separated text.")
  var output: String

  @Option(help: "The clusters of nodes to write: int64, shape (nodes, pooling levels) (.npy).")
  var assignments: String?

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var outputs: OutputOptions

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [.table(output), .array(assignments)],
      reading: collectionFiles(in: input.directory) + [input.model], on: communicator)
    let workers = try threads.workers(on: communicator)
    let (model, collection, rows) = try input.read(
      needsClasses: false, on: communicator)
    try communicator.agree {
      if assignments != nil, model.network.architecture.clusterCounts.isEmpty {
        throw DataError(
          path: input.model, problem: "is of a flat network; --assignments needs one that pools")
      }
    }
    let graphs = Array(0..<collection.graphCount)
    let logarithms = try classify(
      graphs, of: collection, rows: rows, with: model.network, workers: workers,
      on: communicator)
    var text = "graph,class" + model.classLabels.map { ",p(\($0))" }.joined() + "\n"
    for graph in graphs {
      let row = logarithms.row(graph)
      text += "\(graph + 1),\(model.classLabels[mostProbable(row)])"
      for probability in probabilities(row) { text += "," + decimal(probability, places: 6) }
      text += "\n"
    }
    try writeText(text, to: output, overwrite: outputs.overwrite, on: communicator)
    guard let assignments else { return }
    let clusters = try nodeClusters(
      graphs, of: collection, rows: rows, with: model.network, workers: workers,
      on: communicator)
    let levelCount = model.network.architecture.clusterCounts.count
    let owned = ownShare(of: collection.nodeCount, on: communicator)
    try writeArray(
      Array(clusters[owned.lowerBound * levelCount..<owned.upperBound * levelCount]),
      shape: [collection.nodeCount, levelCount], firstRow: owned.lowerBound, to: assignments,
      overwrite: outputs.overwrite, on: communicator)
  }
}
