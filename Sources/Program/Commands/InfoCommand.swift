import ArgumentParser
import Communication
import Datasets
import DiscriminantTransforms
import GraphClassification
import GraphCollections
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import MPICommunication

struct InfoCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract:
      "Describe a features, labels or model file; without a file, describe this machine.",
    discussion: """
        highland info
        highland info model.safetensors
      """)

  @Argument(
    help: """
      A file of features, labels or parameters, or several of features, as highland cluster takes them.
      """)
  var file: String?

  @Option(help: "Columns of a raw .bin file; checked for other features.")
  var dimensions: Int?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard dimensions == nil || file != nil else {
      throw ValidationError("--dimensions are those of a file of features; expected one")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    let facts =
      try file.map { path in
        try communicator.agree { communicator.rank == Rank(0) ? try describe(path) : [] }
      } ?? machineFacts(on: communicator)
    guard communicator.rank == Rank(0) else { return }
    if json {
      try printJSON(Dictionary(facts.map { ($0.name, $0.value) }) { first, _ in first })
    } else {
      let width = facts.map(\.name.count).max() ?? 0
      for fact in facts {
        print(fact.name + String(repeating: " ", count: width + 2 - fact.name.count) + fact.value)
      }
    }
  }

  private typealias Fact = (name: String, value: String)

  private func describe(_ path: String) throws -> [Fact] {
    func refuseDimensions(of kind: String) throws {
      guard dimensions == nil else {
        throw DataError(path: path, problem: "holds \(kind); --dimensions is for features")
      }
    }
    if TrainedModel.isBuiltIn(path) {
      try refuseDimensions(of: "a model")
      return try describeModel(TrainedModel.file(path))
    }
    if let names = try? fileNames(inDirectory: path) {
      let command: String? =
        names.contains("hierarchy.json")
        ? "highland report shows a hierarchy"
        : names.contains { $0.hasSuffix("_A.txt") }
          ? "highland graphs info describes a collection of graphs" : nil
      if let command {
        throw DataError(path: path, problem: "is a directory; expected a file; \(command)")
      }
    }
    let paths = try FeaturePaths(path)
    if paths.areSeveral { return try describe(FeatureFiles(paths, dimensions: dimensions)) }
    switch path.split(separator: ".").last?.lowercased() {
    // An index of a model in several files is JSON; the message says so.
    case "safetensors", "json":
      try refuseDimensions(of: "a model")
      return try describeModel(TensorFile(path: path))
    case "txt":
      try refuseDimensions(of: "labels")
      let labels = try LabelFile(path: path)
      try labels.check()
      noteOddity(of: labels, on: SingleRank())
      return [("kind", "labels"), ("labels", "\(labels.count)")]
        + (labels.names.map { [("names", "\($0.count)")] } ?? [])
    case "npy":
      let array = try ArrayFile(path: path)
      if let dimensions, dimensions != array.columnCount {
        throw DataError(
          path: path,
          problem: "rows of \(array.columnCount) columns; expected \(dimensions) for --dimensions")
      }
      let kind =
        array.elementType.isFloatingPoint
        ? "features" : array.columnCount == 1 ? "labels or indices" : "features or indices"
      return [
        ("kind", kind),
        ("elements", array.elementType.rawValue),
        ("rows", "\(array.rowCount)"), ("columns", "\(array.columnCount)"),
      ]
    default:
      let features = try FeatureFile(path: path, dimensions: dimensions)
      return [
        ("kind", "features"), ("format", features.format.rawValue),
        ("rows", "\(features.rowCount)"), ("columns", "\(features.columnCount)"),
      ]
    }
  }

  private func describe(_ features: FeatureFiles) throws -> [Fact] {
    let parts = features.paths.parts
    return [
      ("kind", "features"), ("files", "\(parts.count)"), ("first file", parts.first!),
      ("last file", parts.last!),
      ("format", try features.formats.map(\.rawValue).joined(separator: ", ")),
      ("elements", features.elementName),
      ("rows", "\(features.rowCount)"), ("columns", "\(features.columnCount)"),
    ]
  }

  private func describeModel(_ file: TensorFile) throws -> [Fact] {
    if file.metadata["format"] == DiscriminantTransform.format {
      let transform = try DiscriminantTransform(path: file.path)
      return [
        ("kind", "transform of rows"), ("use", "--transform of cluster, knn, diarize and convert"),
        ("columns", "\(transform.center.count)"),
        ("transformed columns", "\(transform.axes.rowCount)"),
      ] + file.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    if file.metadata["format"] == GraphModel.format {
      let model = try GraphModel(path: file.path)
      let architecture = model.network.architecture
      return [
        ("kind", "classifier of whole graphs"), ("use", "highland graphs evaluate and predict"),
        ("network", architecture.kind.rawValue), ("layers", "\(architecture.layerCount)"),
        ("hidden", "\(architecture.hidden)"), ("classes", "\(architecture.classCount)"),
        ("nodes are seen by", model.encoder.description),
        ("parameters", "\(architecture.parameterCount)"),
      ] + file.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    if try ModelInput(file) == .structure {
      let network = try StructureNetwork(file)
      return [
        ("kind", "model of structure"), ("channels", "\(network.width)"),
        ("parameters", "\(network.tensors.reduce(0) { $0 + $1.elements.count })"),
        (
          "embeddings",
          try DiscriminantTransform(of: file).map {
            "of \($0.center.count) columns and the kind it learned from, which it transforms"
          } ?? "of any kind and width"
        ),
      ] + file.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    let architecture = try LanderArchitecture(file)
    let parameterCount = try file.names.reduce(0) {
      $0 + (try file.shape(of: $1).reduce(1, *))
    }
    let width = architecture.inputWidth
    let input =
      switch architecture.usesAverageFeature {
      case true?: "\(width / 2) dimensions and their averages"
      case false?: "\(width) dimensions"
      case nil: "\(width) dimensions, or \(width / 2) and their averages"
      }
    return [
      ("kind", "LANDER model"),
      ("layer", architecture.headCount.map { "attention, \($0) heads" } ?? "mean"),
      ("layers", "\(architecture.layerCount)"), ("hidden", "\(architecture.hidden)"),
      ("input", input), ("parameters", "\(parameterCount)"),
    ] + file.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func machineFacts(on communicator: MPICommunicator) throws -> [Fact] {
    let hosts = communicator.hostNames
    var ranksPerHost: [(host: String, count: Int)] = []
    for host in hosts {
      if let place = ranksPerHost.firstIndex(where: { $0.host == host }) {
        ranksPerHost[place].count += 1
      } else {
        ranksPerHost.append((host, 1))
      }
    }
    return [
      ("highland", highlandVersion),
      ("mpi", MPICommunicator.libraryVersion),
      ("ranks", "\(communicator.size)"),
      ("ranksPerHost", ranksPerHost.map { "\($0.host): \($0.count)" }.joined(separator: ", ")),
      ("processors", "\(Machine.processorCount)"),
    ] + (communicator.rank == Rank(0) ? libraryFacts : []) + [
      ("processorsOfRank0", "\(AvailableProcessors.count)")
    ]
  }

  /// OpenBLAS on this host; it is only for comparison, so its absence is a fact and no error.
  private var libraryFacts: [Fact] {
    let blas: OpenBLAS.Report
    do throws(OpenBLASError) {
      blas = try OpenBLAS.shared.report
    } catch {
      return [("openblas", "not available: \(error.reasons.joined(separator: "; "))")]
    }
    return [
      ("openblas", blas.configuration),
      (
        "openblasCore",
        blas.isRepaired ? "\(blas.core) (the library had chosen \(blas.chosenCore))" : blas.core
      ),
      ("openblasThreads", "\(blas.threadCount)"),
    ]
  }
}
