import ArgumentParser
import Communication
import Datasets
import DiscriminantTransforms
import Evaluation
import LinearAlgebra
import MPICommunication
import Parallelism

struct TransformCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transform",
    abstract: "Learn transforms of embeddings from labels.",
    discussion: """
        highland transform fit known.npy known-labels.npy -o t.safetensors
      """,
    subcommands: [TransformFitCommand.self])
}

struct TransformFitCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Learn from labelled rows a linear map after which angles tell classes apart better.",
    discussion: """
        highland transform fit known.npy known-labels.npy -o t.safetensors
        highland cluster features.npy --transform t.safetensors --output labels.npy

      The labels are true ones, or those that highland cluster found on rows of the same kind. Cluster, knn, diarize and \
      convert apply the transform with --transform: a row is brought to length 1, centred, multiplied, and brought to \
      length 1 again. How much is centred, how far the covariance within classes is shrunk to a ball, and whether that \
      between classes counts, is chosen on classes that are held out. Needs OpenBLAS with LAPACK. The file is the \
      same, byte for byte, on any number of ranks and threads.
      """)

  @OptionGroup var input: FeatureOptions

  @Argument(
    help:
      "The class of every row: .npy of integers, or text, one number or name per line. Classes of one row do not count."
  )
  var labels: String

  @Option(name: .shortAndLong, help: "Write the transform here, a .safetensors file.")
  var output: String

  @Option(
    help: "Columns of transformed rows: those that tell classes apart best. Default: all.")
  var columns: Int?

  @Option(
    help:
      "How much each row counts, 0 … 1: .npy of numbers, one per row, as strengths of membership.")
  var weights: String?

  @Flag(help: "Print how the transform was learned as JSON.")
  var json = false

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    if let columns, columns < 1 {
      throw ValidationError("--columns \(columns): expected at least 1")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [.model(output)], readingRows: [input.features], reading: [labels, weights],
      on: communicator)
    let file = try FeatureFiles(
      path: input.features, dimensions: input.dimensions, on: communicator)
    let (rows, ownLabels, labelFile) = try communicator.agree {
      try labelledRows(of: file, on: communicator)
    }
    try noteLabels(ownLabels, of: labelFile, on: communicator)
    let columnText = columns.map { " (--columns \($0))" } ?? ""
    try MemoryNeed(
      option: file.path, purpose: "products of \(file.columnCount) columns",
      bytes: DiscriminantTransform.memoryBytes(
        columnCount: file.columnCount, isFirst: communicator.rank == Rank(0))
    ).check(on: communicator)
    let workers = try threading.workers(on: communicator)
    let progress = ProgressReporter(progress, on: communicator)
    let fitted = try DiscriminantTransform.fit(
      columns, to: rows, columnCount: file.columnCount, using: workers, on: communicator,
      observer: { progress.show($0.rawValue, isDone: $1) },
      describing: { error in
        switch error {
        case .tooManyAxes, .tooManyColumns: "\(file.path): \(error)\(columnText)"
        case .tooFewClasses, .noSpread: "\(labels): \(error)"
        }
      },
      reading: { try file.directions($0).matrix })
    let summary = Summary(fitted.transform, fitted.account, threadCount: workers.count)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try fitted.transform.write(to: output, notes: summary.notes, overwrite: outputs.overwrite)
    }
    guard communicator.rank == Rank(0) else { return }
    try show(summary, as: summary.text, inJSON: json)
  }

  /// All labels and weights, this rank's share of the labels, and their file.
  ///
  /// - Throws: ``DataError`` if there is not one of each for every row, or a weight is none; it names the row.
  private func labelledRows(
    of file: FeatureFiles, on communicator: some Communicator
  ) throws -> (LabelledRows, own: [Int64], file: LabelFile) {
    let labelFile = try LabelFile(path: labels)
    guard labelFile.count == file.rowCount else {
      throw labelFile.miscount(expected: file.rowCount, "one per row of \(file.path)")
    }
    let all = try labelFile.labels(0..<file.rowCount)
    let own = Array(all[ownShare(of: file.rowCount, on: communicator)])
    guard let weights else { return (LabelledRows(labels: all), own, labelFile) }
    let array = try ArrayFile(path: weights)
    guard array.rowCount == file.rowCount, array.columnCount == 1 else {
      throw DataError(
        path: weights,
        problem: "[\(array.rowCount) × \(array.columnCount)] numbers; expected one for each of "
          + "\(file.rowCount) rows of \(file.path)")
    }
    let values = try array.floats(rows: 0..<file.rowCount).elements
    if let row = values.firstIndex(where: { !(0...1).contains($0) }) {
      throw DataError(path: weights, problem: "row \(row): \(values[row]); expected 0 … 1")
    }
    return (LabelledRows(labels: all, weights: values), own, labelFile)
  }

  /// What `--json` prints.
  private struct Summary: Encodable {
    var columns: Int
    var transformedColumns: Int
    var rows: Int
    var classes: Int
    var form: String
    var centering: Double
    var shrinkage: Double
    /// Equal error rates on held-out classes, 0 … 1.
    var errorAsTheyAre: Double?
    var errorTransformed: Double?
    var threadCount: Int

    init(_ transform: DiscriminantTransform, _ account: TransformAccount, threadCount: Int) {
      self.threadCount = threadCount
      columns = transform.center.count
      transformedColumns = transform.axes.rowCount
      rows = account.rowCount
      classes = account.classCount
      form = account.settings.form.rawValue
      centering = account.settings.centering
      shrinkage = account.settings.shrinkage
      errorAsTheyAre = account.heldOut?.asTheyAre
      errorTransformed = account.heldOut?.transformed
    }

    var notes: [String: String] {
      [
        "form": form, "centering": "\(centering)", "shrinkage": "\(shrinkage)", "rows": "\(rows)",
        "classes": "\(classes)",
      ]
    }

    var text: String {
      let settings =
        "\(columns) columns to \(transformedColumns), learned from \(rows) rows in \(classes) classes: "
        + "\(form), centering \(centering), shrinkage \(shrinkage)"
      guard let errorAsTheyAre, let errorTransformed else {
        return settings + "; too few classes to hold any out"
      }
      func percent(_ share: Double) -> String { decimal(100 * share, places: 2) + " %" }
      return settings
        + "\nequal error rate on held-out classes \(percent(errorAsTheyAre)) as they are, "
        + "\(percent(errorTransformed)) transformed"
    }
  }
}
