import ArgumentParser
import Communication
import Datasets
import MPICommunication

struct ConvertCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert features or labels between file formats.",
    discussion: """
      Features: .npy, .fvecs, .fbin, .bin. Labels: .npy of integers of one column, .txt with one per \
      line. The extensions say which. Checkpoints of PyTorch and pickled data sets are converted by \
      Scripts/convert-checkpoint.py and Scripts/convert-dataset.py.
      """)

  @Argument(help: "What to read.")
  var input: String

  @Argument(help: "What to write.")
  var result: String

  @Option(help: "Columns of a raw .bin file of features; checked for other formats.")
  var dimensions: Int?

  @Option(
    help: "Elements of a .npy file of features: float16, float32 or float64. Default: float32.")
  var elementType: FeatureElement?

  @OptionGroup var outputs: OutputOptions

  enum FeatureElement: String, CaseIterable, ExpressibleByArgument {
    case float16, float32, float64

    var type: ElementType {
      switch self {
      case .float16: .float16
      case .float32: .float32
      case .float64: .float64
      }
    }
  }

  func validate() throws {
    if isText, let name = optionOfFeatures {
      throw ValidationError("\(name) is for features; text holds labels")
    }
    if let elementType, elementType != .float32, !result.lowercased().hasSuffix(".npy") {
      throw ValidationError(
        "--element-type \(elementType) is for features in .npy; other formats hold float32")
    }
  }

  private var isText: Bool {
    [input, result].contains { $0.lowercased().hasSuffix(".txt") }
  }

  /// One that is given and does nothing to labels.
  private var optionOfFeatures: String? {
    dimensions != nil ? "--dimensions" : elementType != nil ? "--element-type" : nil
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check([result], on: communicator)
    let isLabels = try communicator.agree {
      if isText { return true }
      guard [input, result].allSatisfy({ $0.lowercased().hasSuffix(".npy") }) else { return false }
      // Integers of several columns are features.
      let array = try ArrayFile(path: input)
      return !array.elementType.isFloatingPoint && array.columnCount == 1
    }
    if isLabels {
      if let name = optionOfFeatures {  // on every rank
        throw AgreedFailure(
          reason: "\(input): integers of one column are labels; \(name) is for features")
      }
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
        as: (elementType ?? .float32).type, overwrite: outputs.overwrite, on: communicator)
    }
  }
}
