import ArgumentParser
import Communication
import Datasets
import MPICommunication

struct ConvertCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert features or labels between file formats.",
    discussion: """
      Features: .npy, .fvecs, .fbin, .bin. Labels: .npy of integers in one column, or .txt with one \
      per line. The extension gives the format. Scripts/convert-checkpoint.py and \
      Scripts/convert-dataset.py convert PyTorch checkpoints and pickled data sets.
      """)

  @Argument(help: "The file to read.")
  var input: String

  @Argument(help: "The file to write.")
  var result: String

  @Option(help: "Columns of a raw .bin file.")
  var dimensions: Int?

  @Option(help: "Element type of a .npy file of features: float16, float32 or float64.")
  var elementType = FeatureElement.float32

  @OptionGroup var outputs: OutputOptions

  enum FeatureElement: String, CaseIterable, ExpressibleByArgument {
    case float16, float32, float64

    var elementType: ElementType {
      switch self {
      case .float16: .float16
      case .float32: .float32
      case .float64: .float64
      }
    }
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check([result], on: communicator)
    let isLabels = try communicator.agree {
      if [input, result].contains(where: { $0.lowercased().hasSuffix(".txt") }) { return true }
      guard [input, result].allSatisfy({ $0.lowercased().hasSuffix(".npy") }) else { return false }
      // Integers of several columns are features.
      let array = try ArrayFile(path: input)
      return !array.elementType.isFloatingPoint && array.columnCount == 1
    }
    if isLabels {
      let (labels, count) = try communicator.agree {
        let file = try LabelFile(path: input)
        return (try file.labels(ownShare(of: file.count, on: communicator)), file.count)
      }
      try LabelFile.write(
        labels, count: count, firstRow: ownShare(of: count, on: communicator).lowerBound,
        to: result, overwrite: outputs.overwrite, on: communicator)
    } else {
      let file = try communicator.agree { try FeatureFile(path: input, dimensions: dimensions) }
      let owned = ownShare(of: file.rowCount, on: communicator)
      let rows = try communicator.agree { try file.rows(owned) }
      try FeatureFile.write(
        rows, rowCount: file.rowCount, firstRow: owned.lowerBound, to: result,
        as: elementType.elementType, overwrite: outputs.overwrite, on: communicator)
    }
  }
}
