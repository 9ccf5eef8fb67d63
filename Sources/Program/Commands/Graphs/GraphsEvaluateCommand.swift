import ArgumentParser
import Communication
import Evaluation
import GraphClassification
import GraphCollections
import MPICommunication

struct GraphsEvaluateCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure how well a trained network classifies a collection of graphs.",
    discussion: """
        highland graphs evaluate PROTEINS/ --model model.safetensors

      Prints accuracy, the mean of -ln p at the true class, and the confusion matrix.
      """)

  @OptionGroup var input: GraphModelOptions

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threads: ThreadOptions

  func run(on communicator: MPICommunicator) throws {
    let workers = try threads.workers(on: communicator)
    let (model, collection, rows) = try input.read(on: communicator)
    let truth = try communicator.agree { try model.classes(of: collection) }
    let logarithms = try classify(
      Array(0..<collection.graphCount), of: collection, rows: rows, with: model.network,
      workers: workers, on: communicator)
    let metrics = GraphMetrics(logarithms, truth: truth, classCount: model.classLabels.count)
    guard communicator.rank == Rank(0) else { return }
    if json { return try printJSON(metrics) }
    print("graphs    \(metrics.graphCount)")
    print("accuracy  \(decimal(metrics.accuracy, places: 4))")
    print("loss      \(decimal(metrics.loss, places: 4))")
    print("")
    print("graphs by true class (rows) and predicted class (columns)")
    for line in confusionTable(metrics.confusion, classes: model.classLabels) { print(line) }
  }
}
