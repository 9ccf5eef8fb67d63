import ArgumentParser
import Communication
import Datasets
import FoundationEssentials
import LinearAlgebra
import MPICommunication
import SyntheticData

struct GenerateCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make labelled synthetic embeddings, for trials and benchmarks.",
    discussion: """
        highland generate --points 100000 --dimensions 64 --output data/

      Makes unit vectors in clusters of long-tailed sizes: some tight, some loose, some of one point. \
      The train and test splits share no cluster. The directory will hold features_train.npy, \
      labels_train.npy, features_test.npy, labels_test.npy and generate.json. The files are the same \
      on any number of ranks.
      """)

  @Option(help: "The number of points in both splits together.")
  var points: Int

  @Option(help: "Columns of the embeddings.")
  var dimensions = 128

  @Option(help: "The seed of the random numbers.")
  var seed: UInt64 = 0

  @Option(help: "The mean size of a cluster.")
  var meanClusterSize = 20.0

  @Option(help: "Clusters of one point, as a share of all clusters.")
  var singletonShare = 0.05

  @Option(help: "The share of the points in the test split.")
  var testShare = 0.5

  @Option(
    help: ArgumentHelp(
      "Elements of the features: float32, float16 or int8.",
      discussion: "Of int8, every row is scaled so that its largest value is 127, and rounded."))
  var elementType = FeatureElement.float32

  @Option(name: .shortAndLong, help: "The directory to write.")
  var output: String

  @OptionGroup var outputs: OutputOptions

  enum FeatureElement: String, CaseIterable, ExpressibleByArgument, Encodable {
    case float32, float16, int8

    var type: ElementType {
      switch self {
      case .float32: .float32
      case .float16: .float16
      case .int8: .int8
      }
    }
  }

  func validate() throws { _ = try options() }

  private func options() throws -> SyntheticEmbeddings.Options {
    do {
      return try SyntheticEmbeddings.Options(
        points: points, dimensions: dimensions, seed: seed, meanClusterSize: meanClusterSize,
        singletonShare: singletonShare, testShare: testShare)
    } catch let error as SyntheticEmbeddings.InvalidOption {
      // meanClusterSize is the option --mean-cluster-size.
      let name = error.option.reduce(into: "--") { name, letter in
        name += letter.isUppercase ? "-\(letter.lowercased())" : "\(letter)"
      }
      throw ValidationError("\(name) \(error.value): expected a number \(error.requirement)")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    let options = try communicator.agree { try self.options() }
    // The labels of the larger split; where each cluster begins, on every rank.
    let largerShare = Double(points) * max(testShare, 1 - testShare) / Double(communicator.size)
    try MemoryNeed(
      option: "--points \(points) --dimensions \(dimensions)", purpose: "labels",
      bytes: 16 * largerShare + 8 * Double(points) / meanClusterSize
    ).check(on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try checkSpace(
        ofShape: [points, dimensions], elementByteCount: elementType.type.byteCount, for: output)
    }
    let embeddings = SyntheticEmbeddings(options)
    try writeDirectory(
      to: output, marker: "generate.json", overwrite: outputs.overwrite, on: communicator
    ) { directory in
      for split in SyntheticEmbeddings.Split.allCases {
        let count = embeddings.rowCount(of: split)
        let owned = ownShare(of: count, on: communicator)
        try FeatureFile.write(
          rows: owned, of: count, columnCount: dimensions,
          sliceLength: max(1, min(4096, (1 << 25) / dimensions)),
          to: "\(directory)/features_\(split.rawValue).npy", as: elementType.type,
          overwrite: false, on: communicator
        ) { range in
          let rows = embeddings.rows(range, of: split)
          return elementType == .int8 ? rows.scaled(to: 127) : rows
        }
        try LabelFile.write(
          embeddings.labels(owned, of: split), count: count, firstRow: owned.lowerBound,
          to: "\(directory)/labels_\(split.rawValue).npy", overwrite: false, on: communicator)
      }
      try writeJSON(
        Summary(self, embeddings), to: "\(directory)/generate.json", overwrite: false,
        on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    for split in SyntheticEmbeddings.Split.allCases {
      print(
        "\(split.rawValue): \(embeddings.rowCount(of: split)) points in "
          + "\(embeddings.clusterCount(of: split)) clusters")
    }
  }

  private struct Summary: Encodable {
    var highland = highlandVersion
    var points: Int
    var dimensions: Int
    var seed: UInt64
    var meanClusterSize: Double
    var singletonShare: Double
    var testShare: Double
    var elementType: FeatureElement
    var clusterCounts: [String: Int]

    init(_ command: GenerateCommand, _ embeddings: SyntheticEmbeddings) {
      points = command.points
      dimensions = command.dimensions
      seed = command.seed
      meanClusterSize = command.meanClusterSize
      singletonShare = command.singletonShare
      testShare = command.testShare
      elementType = command.elementType
      clusterCounts = Dictionary(
        uniqueKeysWithValues: SyntheticEmbeddings.Split.allCases.map {
          ($0.rawValue, embeddings.clusterCount(of: $0))
        })
    }
  }
}

extension Matrix {
  /// Every row multiplied so that its largest magnitude is the given one.
  fileprivate func scaled(to largest: Float) -> Matrix {
    var result = self
    for row in 0..<rowCount {
      let magnitude = (0..<columnCount).reduce(Float(0)) { max($0, abs(self[row, $1])) }
      guard magnitude > 0 else { continue }
      for column in 0..<columnCount { result[row, column] *= largest / magnitude }
    }
    return result
  }
}
