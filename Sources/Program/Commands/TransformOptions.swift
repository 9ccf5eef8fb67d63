import ArgumentParser
import Communication
import Datasets
import DiscriminantTransforms
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
import Parallelism

/// The option by which rows are transformed before anything else.
struct TransformOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Apply this transform to every row first: a file of highland transform fit, or a model that holds one.",
      discussion: """
        Rows are brought to length 1 before and after. It needs rows with the columns that it was learned on.
        """))
  var transform: String?

  /// The rows of a file, transformed if that is asked for.
  ///
  /// > Collective: over `communicator`. A round of one byte; none without a transform.
  ///
  /// - Throws: The same on every rank if the transform cannot be read, or is of other columns.
  func applied(to file: FeatureFiles, on communicator: some Communicator) throws -> FeatureRows {
    guard let path = transform else { return FeatureRows(file, by: nil) }
    return try communicator.agree {
      let transform = try DiscriminantTransform(path: path)
      guard transform.center.count == file.columnCount else {
        throw DataError(
          path: file.path,
          problem: "rows of \(file.columnCount) columns; expected \(transform.center.count), which "
            + "\(path) was learned on (--transform)")
      }
      return FeatureRows(file, by: transform)
    }
  }
}

/// The rows of one file of features or several, as they are or transformed.
typealias FeatureRows = TransformedEmbeddings<FeatureFiles>

extension TransformedEmbeddings where Base == FeatureFiles {
  /// How rows stay in memory.
  var storedElement: StoredElement { transform == nil ? base.storedElement : .float32 }

  /// These rows as a model wants them.
  ///
  /// - Throws: ``DataError`` if both the user and the model transform rows.
  func transformed(for model: TrainedModel?, using workers: Workers) throws -> FeatureRows {
    guard let own = model?.transform else { return self }
    guard transform == nil else {
      throw DataError(
        path: model!.name,
        problem:
          "has a transform of its own; expected no --transform, as rows would be transformed twice")
    }
    return FeatureRows(base, by: own, using: workers)
  }
}
