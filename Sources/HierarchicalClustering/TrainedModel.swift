public import Communication
public import Datasets
internal import DefaultModel
public import DiscriminantTransforms
internal import FoundationEssentials
internal import GraphNetworks
internal import LinearAlgebra

/// A network, and how to use it.
public struct TrainedModel: Sendable {
  /// Its name in messages and reports.
  public let name: String
  public let linkage: LinkageModel
  /// What is done to rows before they are clustered with it (``EmbeddingSource/transformed(for:)``); nil for nothing. From as
  /// many columns to as many.
  public let transform: DiscriminantTransform?
  /// How it was trained.
  public let defaults: Defaults
  /// Whether it is meant for kinds of data that it has not seen. The order of its probabilities is then
  /// more or less right, but no threshold on them is right for all data.
  public let isForAnyData: Bool
  /// The bytes of a `.safetensors` file that holds it, which was read once; nil for one that was made in memory.
  public let contents: [UInt8]?

  public struct Defaults: Sendable {
    /// Nil if the model does not say.
    public var neighborCount: Int?
    public var threshold = 0.8
    public var laterThreshold = 0.8
    /// γ of level 0, if modules are what merges best there.
    public var resolution: Double?
  }

  /// Where an error says the model is at fault.
  var origin: String { isForAnyData ? "the default model" : name }

  /// Networks of structure work with a single k.
  var isForOneNeighborCount: Bool { linkage.settings != nil }

  /// k: as asked, or else as trained; 10 if the model does not say.
  public func neighborCount(_ asked: Int?) -> Int { asked ?? defaults.neighborCount ?? 10 }

  /// - Parameters:
  ///   - transform: What is done to rows before.
  ///   - name: Its name in messages.
  public init(
    _ linkage: LinkageModel, after transform: DiscriminantTransform? = nil,
    name: String = "the model"
  ) {
    self.init(
      linkage, after: transform, name: name, defaults: Defaults(), isForAnyData: false,
      contents: nil)
  }

  private init(
    _ linkage: LinkageModel, after transform: DiscriminantTransform?, name: String,
    defaults: Defaults, isForAnyData: Bool, contents: [UInt8]?
  ) {
    self.transform = transform
    self.name = name
    self.contents = contents
    self.linkage = linkage
    self.isForAnyData = isForAnyData
    self.defaults =
      linkage.settings.map {
        Defaults(
          neighborCount: $0.neighborCount, threshold: $0.threshold,
          laterThreshold: $0.laterThreshold, resolution: $0.resolution)
      } ?? defaults
  }

  /// Reads a model file, or the built-in model if there is no path.
  ///
  /// - Parameter dimensions: D of the embeddings to cluster.
  /// - Throws: ``ModelError`` or ``DataError``.
  public init(path: String?, dimensions: Int) throws {
    try self.init(
      contents: Self.isBuiltIn(path) ? [] : Self.contents(path), orBuiltIn: path ?? "",
      dimensions: dimensions)
  }

  /// Reads a model file on one rank for all, or the built-in model if there is no path.
  ///
  /// > Collective: over `communicator`. Rounds of some bytes per rank, and a broadcast of the file.
  ///
  /// - Parameters:
  ///   - path: Replicated.
  ///   - dimensions: Replicated. D of the embeddings to cluster.
  /// - Throws: ``AgreedFailure`` on every rank if it cannot be read, or is no model for these embeddings.
  public init(path: String?, dimensions: Int, on communicator: some Communicator) throws {
    let contents = try communicator.broadcast(
      communicator.agree {
        communicator.rank != Rank(0) || Self.isBuiltIn(path) ? [] : try Self.contents(path)
      })
    self = try communicator.agree {
      try TrainedModel(contents: contents, orBuiltIn: path ?? "", dimensions: dimensions)
    }
  }

  /// - Parameters:
  ///   - contents: Empty for the built-in model.
  ///   - path: Where they are from.
  private init(contents: [UInt8], orBuiltIn path: String, dimensions: Int) throws {
    try self.init(
      contents: contents.isEmpty ? DefaultModel.contents : contents,
      name: contents.isEmpty ? Self.builtInName : path, isBuiltIn: contents.isEmpty,
      dimensions: dimensions)
  }

  /// Reads a model file that is in memory.
  ///
  /// - Parameters:
  ///   - dimensions: D of the embeddings to cluster.
  ///   - name: Its name in messages and reports.
  /// - Throws: ``ModelError`` or ``DataError``.
  public init(contents: [UInt8], dimensions: Int, name: String = "the model") throws {
    try self.init(contents: contents, name: name, isBuiltIn: false, dimensions: dimensions)
  }

  private init(contents: [UInt8], name: String, isBuiltIn: Bool, dimensions: Int) throws {
    let file = try TensorFile(contents: contents, name: name)
    var defaults = Defaults()
    // Those of a model of structure are read with the network.
    if try ModelInput(file) == .coordinates {
      if let k = try file.metadata("k", in: 1...1_000_000) { defaults.neighborCount = k }
      if let tau = try file.metadata("tau", in: 0.0...1) {
        defaults.threshold = tau
        defaults.laterThreshold = tau
      }
      if let tau = try file.metadata("tau_later", in: 0.0...1) { defaults.laterThreshold = tau }
    }
    self.init(
      try LinkageModel(file, dimensions: dimensions),
      after: try Self.transform(in: file, dimensions: dimensions),
      name: isBuiltIn ? Self.defaultName : file.path, defaults: defaults, isForAnyData: isBuiltIn,
      contents: contents)
  }

  /// The transform that a model's file holds, if it holds one.
  ///
  /// - Throws: ``ModelError`` if it is of rows of another width; ``DataError`` if it is damaged.
  private static func transform(
    in file: TensorFile, dimensions: Int
  ) throws -> DiscriminantTransform? {
    guard let transform = try DiscriminantTransform(of: file) else {
      guard file.metadata["transform"] == nil else {
        throw ModelError(
          path: file.path,
          reason:
            "its metadata speak of a transform of rows, but the tensors 'transform.center' and 'transform.axes' are "
            + "not there")
      }
      return nil
    }
    guard transform.axes.rowCount == transform.center.count else {
      throw ModelError(
        path: file.path,
        reason:
          "its transform makes \(transform.axes.rowCount) columns of \(transform.center.count); "
          + "expected as many as before")
    }
    guard transform.center.count == dimensions else {
      throw ModelError(
        path: file.path,
        reason: "it transforms rows of \(transform.center.count) columns, and the embeddings have "
          + "\(dimensions); highland train --no-transform makes a model for any width")
    }
    return transform
  }

  /// The name of the built-in model.
  static let defaultName = "default"
  private static let builtInName = "the default model"

  /// The file of a model. It is that of the built-in model if there is no path, or if the path is
  /// `default` and no file has that name: ``isBuiltIn(_:)``.
  public static func file(_ path: String?) throws -> TensorFile {
    guard !isBuiltIn(path), let path else {
      return try TensorFile(contents: DefaultModel.contents, name: builtInName)
    }
    return try TensorFile(path: path)
  }

  /// The bytes of a model's file: ``file(_:)``. Its header is looked at before all of it is read, as it may be a large
  /// one of another kind.
  public static func contents(_ path: String?) throws -> [UInt8] { try file(path).contents() }

  /// Whether ``file(_:)`` is the built-in model.
  public static func isBuiltIn(_ path: String?) -> Bool {
    guard let path else { return true }
    return path == defaultName && !FileManager.default.fileExists(atPath: path)
  }
}

extension TensorFile {
  /// A number in the metadata, if there is one.
  ///
  /// - Throws: ``ModelError`` for what is no number, or none of the range.
  fileprivate func metadata<T: LosslessStringConvertible>(
    _ name: String, in range: ClosedRange<T>
  ) throws -> T? {
    guard let text = metadata[name] else { return nil }
    guard let value = T(text), range.contains(value) else {
      func short(_ bound: T) -> String {
        let text = "\(bound)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
      }
      throw ModelError(
        path: path,
        reason: "its metadata say '\(text)' of '\(name)'; expected \(short(range.lowerBound)) ... "
          + short(range.upperBound))
    }
    return value
  }
}
