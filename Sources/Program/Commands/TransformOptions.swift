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
      "Apply this transform to every row first: a file of highland transform fit.",
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
    guard let path = transform else { return FeatureRows(file: file, transform: nil) }
    return try communicator.agree {
      let transform = try DiscriminantTransform(path: path)
      guard transform.center.count == file.columnCount else {
        throw DataError(
          path: file.path,
          problem: "rows of \(file.columnCount) columns; expected \(transform.center.count), which "
            + "\(path) was learned on (--transform)")
      }
      return FeatureRows(file: file, transform: transform)
    }
  }
}

/// The rows of one file of features or several, as they are or transformed.
struct FeatureRows: EmbeddingSource {
  let file: FeatureFiles
  let transform: DiscriminantTransform?

  var name: String { file.path }
  var rowCount: Int { file.rowCount }
  var dimensions: Int { transform?.axes.rowCount ?? file.columnCount }
  var storedElement: StoredElement { transform == nil ? file.storedElement : .float32 }

  func rowName(_ row: Int) -> String { file.rowName(row) }

  func rows(_ range: Range<Int>) throws -> Matrix {
    guard let transform else { return try file.rows(range) }
    return try transform.transform(range) { try file.directions($0).matrix }
  }

  func storedRows(_ range: Range<Int>) throws -> StoredRows? {
    transform == nil ? try file.storedRows(range) : nil
  }

  func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    transform == nil ? try file.directions(range) : (try rows(range), [])
  }
}
