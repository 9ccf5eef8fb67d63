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
      Prints pairwise and BCubed precision, recall and F, NMI, ARI, the numbers of clusters and \
      singletons, and quantiles of cluster sizes.
      """)

  @Option(help: "True labels: .npy of integers, or text, one per line.")
  var truth: String

  @Option(help: "Predicted labels: .npy of integers, or text, one per line.")
  var predicted: String

  @Flag(help: "Print JSON; null stands for 0/0.")
  var json = false

  func run(on communicator: MPICommunicator) throws {
    let trueLabels = try readAllLabels(truth, on: communicator)
    let labels = try readAllLabels(predicted, on: communicator)
    guard trueLabels.count == labels.count else {
      throw AgreedFailure(
        reason: "\(predicted): \(labels.count) labels; expected \(trueLabels.count), as in \(truth)"
      )
    }
    let metrics = try compareLabels(
      truth: trueLabels.share, predicted: labels.share, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(metrics), as: UTF8.self))
    } else {
      print(metrics)
    }
  }

  /// This rank's share of all labels of a file: every line is read before numbers of lines are
  /// compared, so that the file that has a line too many is the one that is named.
  ///
  /// > Collective: over `communicator`. A round of one byte and one of 8.
  private func readAllLabels(
    _ path: String, on communicator: some Communicator
  ) throws -> (share: [Int64], count: Int) {
    let (share, count) = try communicator.agree {
      let file = try LabelFile(path: path)
      return (try file.labels(ownShare(of: file.count, on: communicator)), file.count)
    }
    try noteNegativeLabels(share, of: path, on: communicator)
    return (share, count)
  }
}
