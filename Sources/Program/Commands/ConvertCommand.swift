import ArgumentParser
import Communication
import Datasets
import Evaluation
import HierarchicalClustering
import MPICommunication
import Parallelism
import PrincipalComponents

struct ConvertCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert features or labels between file formats, or features to other columns.",
    discussion: """
        highland convert features.fvecs features.npy
        highland convert wide.npy narrow.npy --reduce 128

      Features: .npy, .fvecs, .fbin, .bin; .u8bin, .i8bin, .bvecs, .ivecs, .npz and .safetensors are read only. Labels: \
      .npy of integers in one column, or .txt with one per line; if these are names, they become numbers in the order in \
      which they first appear, and the names are written beside them, one per line: labels.names for labels.npy. The \
      extension gives the format. Scripts/convert-checkpoint.py and Scripts/convert-dataset.py convert PyTorch \
      checkpoints and pickled data sets; Docs/Formats.md has recipes for Parquet and HDF5.
      """)

  @Argument(
    help:
      "The file to read; of features also a pattern in quotes, a directory or a list of files, or file.npz:NAME."
  )
  var input: String

  @Argument(help: "The file to write.")
  var result: String

  @Option(help: "Columns of a raw .bin file of features; checked for other formats.")
  var dimensions: Int?

  @Option(
    help: "Elements of a .npy file of features: float16, float32 or float64. Default: float32.")
  var elementType: FeatureElement?

  @Option(
    help: ArgumentHelp(
      "Reduce features to this many columns, along their principal axes.",
      discussion: """
        The axes keep as much of the rows, scaled to length 1, as that many columns can. Nothing is \
        centred, because embeddings are compared by the angles between them. Needs OpenBLAS with LAPACK.
        """))
  var reduce: Int?

  @OptionGroup var transforming: TransformOptions

  @Flag(help: "Print what the axes keep as JSON; with --reduce.")
  var json = false

  @OptionGroup var outputs: OutputOptions
  @OptionGroup var threading: ThreadOptions
  @OptionGroup var progress: ProgressOptions

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
    if let reduce, reduce < 1 {
      throw ValidationError("--reduce \(reduce): expected at least 1")
    }
    guard reduce == nil || transforming.transform == nil else {
      throw ValidationError(
        "--reduce and --transform: expected one of them; highland transform fit --columns chooses columns"
      )
    }
    if reduce == nil, let name = optionOfReducing {
      throw ValidationError("\(name) goes with --reduce")
    }
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
    dimensions != nil
      ? "--dimensions"
      : elementType != nil
        ? "--element-type"
        : reduce != nil ? "--reduce" : transforming.transform != nil ? "--transform" : nil
  }

  /// One that is given and does nothing but for ``reduce``.
  private var optionOfReducing: String? {
    json
      ? "--json"
      : threading.threads != nil ? "--threads" : progress.progress != .auto ? "--progress" : nil
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [isText ? .labels(result) : .features(result)], readingRows: isText ? [] : [input],
      reading: [isText ? input : nil, transforming.transform], on: communicator)
    let paths = try isText ? nil : FeaturePaths(input, on: communicator)
    let isLabels = try communicator.agree {
      guard let paths else { return true }
      guard let path = paths.parts.first,
        [path, result].allSatisfy({ $0.lowercased().hasSuffix(".npy") })
      else { return false }
      // Integers of several columns are features.
      let array = try ArrayFile(path: path)
      guard !array.elementType.isFloatingPoint, array.columnCount == 1 else { return false }
      guard !paths.areSeveral else {
        throw DataError(
          path: path,
          problem: "integers of one column are labels; several files as one are for features")
      }
      return true
    }
    if isLabels {
      if let name = optionOfFeatures {  // on every rank
        throw AgreedFailure(
          reason: "\(input): integers of one column are labels; \(name) is for features")
      }
      try convertLabels(on: communicator)
    } else {
      let file = try communicator.agree { try FeatureFiles(paths!, dimensions: dimensions) }
      if let reduce {
        try write(file, reducedTo: reduce, on: communicator)
      } else {
        let rows = try transforming.applied(to: file, on: communicator)
        // A slice at a time: files may be larger than memory.
        let sliceLength = max(1, min(4096, (1 << 25) / max(file.columnCount, rows.dimensions)))
        try FeatureFile.write(
          rows: ownShare(of: file.rowCount, on: communicator), of: file.rowCount,
          columnCount: rows.dimensions, sliceLength: sliceLength, to: result,
          as: (elementType ?? .float32).type, overwrite: outputs.overwrite,
          from: file.place, on: communicator
        ) { try rows.rows($0) }
      }
    }
  }

  /// Writes the labels, and beside them their names, if they are names.
  ///
  /// > Collective: over `communicator`. As ``LabelFile/write(_:count:firstRow:to:overwrite:on:)``, and as much for names.
  private func convertLabels(on communicator: MPICommunicator) throws {
    let (labels, file) = try readAllLabels(input, on: communicator)
    noteOddity(of: file, on: communicator)
    if let names = file.names {
      try outputs.check(
        [.labels(result), .names(namesPath)], reading: [input], on: communicator)
      try writeText(
        names.map { $0 + "\n" }.joined(), to: namesPath, overwrite: outputs.overwrite,
        on: communicator)
    }
    try LabelFile.write(
      labels, count: file.count, firstRow: ownShare(of: file.count, on: communicator).lowerBound,
      to: result, overwrite: outputs.overwrite, on: communicator)
  }

  /// Where the names of labels are written: `labels.names` for `labels.npy`.
  private var namesPath: String {
    let end = result.lastIndex(of: ".") ?? result.endIndex
    return "\(result[..<end]).names"
  }

  /// > Collective: over `communicator`.
  private func write(
    _ file: FeatureFiles, reducedTo count: Int, on communicator: MPICommunicator
  ) throws {
    let workers = try threading.workers(on: communicator)
    let slice = 8 * Double(min(file.rowCount, PrincipalAxes.sliceLength)) * Double(file.columnCount)
    // More axes than there can be are refused as such.
    let axisCount = min(count, file.rowCount, file.columnCount)
    try MemoryNeed(
      option: "--reduce \(count)",
      purpose: "products of \(min(file.rowCount, file.columnCount)) "
        + "\(file.rowCount < file.columnCount ? "rows" : "columns") of \(file.path)",
      bytes: slice
        + PrincipalAxes.memoryBytes(
          axisCount, rowCount: file.rowCount, columnCount: file.columnCount,
          isFirst: communicator.rank == Rank(0))
    ).check(on: communicator)
    let progress = ProgressReporter(progress, on: communicator)
    let axes = try PrincipalAxes(
      count, rowCount: file.rowCount, columnCount: file.columnCount, using: workers,
      on: communicator, observer: { progress.show($0.rawValue, isDone: $1) },
      describing: { "\(file.path): \($0) (--reduce \(count))" }, of: { try file.rows($0) })
    let owned = PrincipalAxes.share(of: file.rowCount, on: communicator)
    progress.show("writing", isDone: 0)
    try FeatureFile.write(
      rows: owned, of: file.rowCount, columnCount: count, sliceLength: PrincipalAxes.sliceLength,
      to: result, as: (elementType ?? .float32).type, overwrite: outputs.overwrite,
      on: communicator
    ) { rows in
      progress.show("writing", isDone: share(of: owned, before: rows))
      return axes.reduce(try file.rows(rows), using: workers)
    }
    progress.show("writing", isDone: 1)
    guard communicator.rank == Rank(0) else { return }
    if json {
      try printJSON(Summary(file, axes, threadCount: workers.count))
    } else {
      print(
        "\(file.columnCount) columns to \(count), which keep "
          + "\(decimal(100 * axes.keptShare, places: 2)) % of the rows' squares")
      if axes.invalidRowCount > 0 {
        print(
          "\(axes.invalidRowCount) rows of zeros, or with NaN or infinite values, do not count; the "
            + "latter are rows of NaN in \(result)")
      }
    }
  }

  private func share(of owned: Range<Int>, before rows: Range<Int>) -> Double {
    Double(rows.lowerBound - owned.lowerBound) / Double(owned.count)
  }

  /// What `--json` prints.
  private struct Summary: Encodable {
    var rows: Int
    var columns: Int
    var reducedColumns: Int
    /// Of the sum of the squares of the rows at length 1, 0 ... 1.
    var keptShare: Double
    /// Of each axis.
    var shares: [Double]
    var invalidRows: Int
    var threadCount: Int

    init(_ file: FeatureFiles, _ axes: PrincipalAxes, threadCount: Int) {
      self.threadCount = threadCount
      rows = file.rowCount
      columns = file.columnCount
      reducedColumns = axes.shares.count
      keptShare = axes.keptShare
      shares = axes.shares
      invalidRows = axes.invalidRowCount
    }
  }
}
