import ArgumentParser
import Communication
import Datasets
import Evaluation
import FoundationEssentials
import MPICommunication

struct EvaluateCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Compare a clustering with the truth.",
    discussion: """
      Pairwise and BCubed precision, recall and F, NMI, ARI, numbers of clusters and singletons, \
      and quantiles of cluster sizes.
      """)

  @Option(help: "True labels: .npy of integers, or text, one per line.")
  var truth: String

  @Option(help: "Predicted labels: .npy of integers, or text, one per line.")
  var predicted: String

  @Flag(help: "Print JSON; what is 0/0 is null.")
  var json = false

  func run(on communicator: MPICommunicator) throws {
    let (trueLabels, labels) = try communicator.agree {
      let count = try LabelFile(path: predicted).count
      return (
        try readLabels(truth, count: count, communicator),
        try readLabels(predicted, count: count, communicator)
      )
    }
    let metrics = try compareLabels(truth: trueLabels, predicted: labels, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(metrics), as: UTF8.self))
    } else {
      print(metrics)
    }
  }
}
