internal import Datasets
public import Differentiation
internal import FoundationEssentials
public import GraphCollections
public import LinearAlgebra
internal import Optimization

/// A trained classifier with all that is needed to use it: the network, how nodes become rows, and what
/// the classes are called.
public struct GraphModel: Sendable {
  public var network: GraphNetwork<Float>
  public var encoder: NodeEncoder
  public var classLabels: [Int]

  public init(network: GraphNetwork<Float>, encoder: NodeEncoder, classLabels: [Int]) {
    precondition(
      encoder.width == network.architecture.inputWidth
        && classLabels.count == network.architecture.classCount,
      "an encoder of \(encoder.width) columns, \(classLabels.count) classes")
    self.network = network
    self.encoder = encoder
    self.classLabels = classLabels
  }

  /// What the file says it is, under `format`.
  public static let format = "highland graph classifier 1"

  /// Writes a `.safetensors` file: the parameters, running means and variances, and the rest as
  /// metadata. By this rank alone.
  ///
  /// - Parameter metadata: More of it, as how the model came about.
  public func write(
    to path: String, metadata: [String: String] = [:], overwrite: Bool
  ) throws {
    var tensors = network.parameters.all.map {
      Tensor(name: $0.name, shape: $0.shape, elements: $0.value.elements)
    }
    for (name, width) in network.architecture.normalizations {
      let statistics = network.running[name]!
      tensors.append(
        Tensor(name: "\(name).running_mean", shape: [width], elements: statistics.mean.elements))
      tensors.append(
        Tensor(
          name: "\(name).running_var", shape: [width], elements: statistics.variance.elements))
    }
    let own = [
      "format": Self.format, "architecture": try json(network.architecture),
      "encoder": try json(encoder), "classes": try json(classLabels),
    ]
    try TensorFile.write(
      tensors, metadata: metadata.merging(own) { $1 }, to: path, overwrite: overwrite)
  }

  /// - Throws: `DataError` if the file is not such a model, or its parts do not fit together.
  public init(path: String) throws {
    let file = try TensorFile(path: path)
    func error(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    guard file.metadata["format"] == Self.format else {
      let isOfPoints =
        file.metadata["input"] != nil || file.names.contains { $0.hasPrefix("conv.0.gcn_layer.") }
      throw error(
        "is no graph classifier: its metadata has the format "
          + "'\(file.metadata["format"] ?? "")'; expected '\(Self.format)'"
          + (isOfPoints ? "; it is a model for highland cluster" : ""))
    }
    func part<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
      guard let text = file.metadata[name] else { throw error("has no '\(name)' in its metadata") }
      do {
        return try JSONDecoder().decode(T.self, from: Data(text.utf8))
      } catch {
        let shown = text.count > 60 ? "\(text.prefix(60))…" : text
        throw DataError(
          path: path,
          problem:
            "its metadata say '\(shown)' of '\(name)'; expected JSON as highland graphs train "
            + "writes it")
      }
    }
    let architecture = try part("architecture", as: GraphArchitecture.self)
    let encoder = try part("encoder", as: NodeEncoder.self)
    let classLabels = try part("classes", as: [Int].self)
    if let problem = architecture.problem { throw error("its metadata say \(problem)") }
    if let problem = encoder.problem { throw error("its metadata say \(problem)") }
    guard encoder.width == architecture.inputWidth else {
      throw error(
        "its metadata say \(architecture.inputWidth) of 'inputWidth' in 'architecture'; expected "
          + "\(encoder.width), the columns of 'encoder'")
    }
    guard classLabels.count == architecture.classCount else {
      throw error(
        "its metadata say \(architecture.classCount) of 'classCount' in 'architecture'; expected "
          + "\(classLabels.count), the number of 'classes'")
    }
    guard Set(classLabels).count == classLabels.count else {
      throw error(
        "its metadata say '\(file.metadata["classes"]!)' of 'classes'; expected no repetition")
    }

    func elements(_ name: String, _ shape: [Int]) throws -> [Float] {
      let found = try file.shape(of: name)
      guard found == shape else {
        throw error("tensor '\(name)' has the shape \(found); its architecture expects \(shape)")
      }
      let elements = try file.tensor(name).elements
      guard elements.allSatisfy(\.isFinite) else {
        throw error("tensor '\(name)' holds NaN or infinite values")
      }
      return elements
    }
    let parameters = try architecture.parameters.map { name, shape, _ in
      let columns = shape[shape.count - 1]
      return Parameter(
        name: name, shape: shape,
        value: Matrix(
          rows: shape.reduce(1, *) / columns, columns: columns,
          elements: try elements(name, shape)))
    }
    for (name, width) in architecture.normalizations {
      if let least = try elements("\(name).running_var", [width]).min(), least < 0 {
        throw error("tensor '\(name).running_var' holds \(least); expected 0 or more")
      }
    }
    let running = try architecture.normalizations.map { name, width in
      (
        name,
        BatchStatistics(
          mean: Matrix(
            rows: 1, columns: width, elements: try elements("\(name).running_mean", [width])),
          variance: Matrix(
            rows: 1, columns: width, elements: try elements("\(name).running_var", [width])),
          rowCount: 0)
      )
    }
    self.init(
      network: GraphNetwork(
        architecture, parameters: Parameters(parameters),
        running: Dictionary(uniqueKeysWithValues: running)),
      encoder: encoder, classLabels: classLabels)
  }

  /// The rows of a collection's nodes.
  ///
  /// - Throws: `DataError` if the collection has other attributes or labels than the model knows.
  public func rows(of collection: GraphCollection) throws -> Matrix {
    try encoder.rows(of: collection)
  }

  /// A collection with the model's classes in place of its own.
  ///
  /// - Throws: `DataError` if a graph has a class that the model does not know.
  public func classes(of collection: GraphCollection) throws -> [Int] {
    let place = Dictionary(zip(classLabels, classLabels.indices)) { first, _ in first }
    return try collection.classes.enumerated().map { graph, own in
      guard let place = place[collection.classLabels[own]] else {
        throw DataError(
          path: collection.name,
          problem: "graph \(graph + 1) has the class \(collection.classLabels[own]); the model "
            + "knows \(classLabels.map(String.init).joined(separator: ", "))")
      }
      return place
    }
  }
}

extension GraphArchitecture {
  /// What the initializer would not take, or nobody trains: to be asked of what a file says.
  ///
  /// - Returns: The value, its key and what is expected; nil if all is well.
  fileprivate var problem: String? {
    func check(_ key: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
      range.contains(value)
        ? nil
        : "\(value) of '\(key)' in 'architecture'; expected \(range.lowerBound) ... \(range.upperBound)"
    }
    if let problem = check("inputWidth", inputWidth, 1...100_000_000)
      ?? check("hidden", hidden, 1...65_536) ?? check("layerCount", layerCount, 1...1000)
      ?? check("classCount", classCount, 1...100_000_000)
      ?? check(
        "the length of clusterCounts", clusterCounts.count, kind == .diffpool ? 1...100 : 0...0)
    {
      return problem
    }
    for count in clusterCounts {
      if let problem = check("clusterCounts", count, 1...65_536) { return problem }
    }
    return (0..<1).contains(dropout)
      ? nil : "\(dropout) of 'dropout' in 'architecture'; expected 0 to below 1"
  }
}

extension NodeEncoder {
  /// As ``GraphArchitecture/problem``.
  fileprivate var problem: String? {
    guard attributeMeans.count == attributeDeviations.count else {
      return "\(attributeDeviations.count) values of 'attributeDeviations' in 'encoder'; expected "
        + "\(attributeMeans.count), as of 'attributeMeans'"
    }
    if let mean = attributeMeans.first(where: { !$0.isFinite }) {
      return "\(mean) of 'attributeMeans' in 'encoder'; expected finite numbers"
    }
    if let deviation = attributeDeviations.first(where: { !($0 > 0 && $0.isFinite) }) {
      return "\(deviation) of 'attributeDeviations' in 'encoder'; expected finite numbers above 0"
    }
    if labels.contains(where: { Set($0).count != $0.count }) {
      return "a repeated label of 'labels' in 'encoder'; expected each once"
    }
    return nil
  }
}

private func json(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
