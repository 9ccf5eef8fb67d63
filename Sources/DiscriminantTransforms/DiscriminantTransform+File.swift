internal import Datasets
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
      [
        Tensor(name: "center", shape: [center.count], elements: center),
        Tensor(name: "axes", axes),
      ],
      metadata: notes.merging(["format": Self.format]) { $1 }, to: path, overwrite: overwrite)
  }

  /// Reads what ``write(to:notes:overwrite:)`` has written; `format` may be missing.
  ///
  /// - Throws: ``DataError`` if the tensors are not there, do not fit each other, or are not finite.
  public init(path: String) throws {
    func error(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    let file = try TensorFile(path: path)
    if let format = file.metadata["format"], format != Self.format {
      throw error("holds a \(format); expected a transform, of highland transform fit")
    }
    guard file.names.contains("center"), file.names.contains("axes") else {
      throw error("no tensors 'center' and 'axes'; expected a transform, of highland transform fit")
    }
    let (center, axes) = (try file.tensor("center"), try file.matrix("axes"))
    guard center.shape == [axes.columnCount], axes.count > 0 else {
      throw error(
        "'center' of shape \(center.shape) and 'axes' of shape [\(axes.rowCount), \(axes.columnCount)]; "
          + "expected [columns] and [D, columns]")
    }
    for (name, elements) in [("center", center.elements), ("axes", axes.elements)] {
      guard let place = elements.firstIndex(where: { !$0.isFinite }) else { continue }
      throw error("'\(name)', element \(place): \(elements[place]); expected finite numbers")
    }
    self.init(center: center.elements, axes: axes)
  }
}
