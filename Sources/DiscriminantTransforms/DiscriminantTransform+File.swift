public import Datasets
internal import LinearAlgebra

extension DiscriminantTransform {
  /// What the file says it is, under `format`.
  public static let format = "highland transform"

  /// Writes `center` and `axes` as `.safetensors`, by this rank alone.
  ///
  /// - Parameter notes: How the transform was learned, beside the tensors.
  /// - Throws: ``DataError`` as `TensorFile.write(_:metadata:to:overwrite:)`.
  public func write(to path: String, notes: [String: String], overwrite: Bool) throws {
    try TensorFile.write(
      tensors(), metadata: notes.merging(["format": Self.format]) { $1 }, to: path,
      overwrite: overwrite)
  }

  /// Reads what ``write(to:notes:overwrite:)`` has written; `format` may be missing. Or the transform that a model holds.
  ///
  /// - Throws: ``DataError`` if the tensors are not there, do not fit each other, or are not finite.
  public init(path: String) throws {
    func error(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    let file = try TensorFile(path: path)
    if let model = try Self(of: file) {
      self = model
      return
    }
    if let format = file.metadata["format"], format != Self.format {
      throw error("holds a \(format); expected a transform, of highland transform fit")
    }
    guard file.names.contains("center"), file.names.contains("axes") else {
      throw error("no tensors 'center' and 'axes'; expected a transform, of highland transform fit")
    }
    try self.init(file)
  }

  /// Where tensors of a model's transform begin.
  private static let prefix = "transform."

  /// The transform within a model's file, if it holds one.
  ///
  /// - Throws: ``DataError`` as ``init(path:)``.
  public init?(of model: TensorFile) throws {
    guard model.names.contains(where: { $0.hasPrefix(Self.prefix) }) else { return nil }
    try self.init(model, prefix: Self.prefix)
  }

  /// The tensors of this transform within a model's file.
  public var tensorsOfModel: [Tensor] { tensors(prefix: Self.prefix) }

  private func tensors(prefix: String = "") -> [Tensor] {
    [
      Tensor(name: "\(prefix)center", shape: [center.count], elements: center),
      Tensor(name: "\(prefix)axes", axes),
    ]
  }

  private init(_ file: TensorFile, prefix: String = "") throws {
    func error(_ problem: String) -> DataError { DataError(path: file.path, problem: problem) }
    let (center, axes) = (
      try file.tensor("\(prefix)center"), try file.matrix("\(prefix)axes")
    )
    guard center.shape == [axes.columnCount], axes.count > 0 else {
      throw error(
        "'\(prefix)center' of shape \(center.shape) and '\(prefix)axes' of shape [\(axes.rowCount), \(axes.columnCount)]; "
          + "expected [columns] and [D, columns]")
    }
    for (name, elements) in [("center", center.elements), ("axes", axes.elements)] {
      guard let place = elements.firstIndex(where: { !$0.isFinite }) else { continue }
      throw error(
        "'\(prefix)\(name)', element \(place): \(elements[place]); expected finite numbers")
    }
    self.init(center: center.elements, axes: axes)
  }
}
