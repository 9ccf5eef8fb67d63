import ArgumentParser
import Communication
import Datasets
import HierarchyReports
import MPICommunication

struct ReportCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show a hierarchy as an HTML page.",
    discussion: """
        highland cluster features.npy --hierarchy levels/
        highland report levels/ --output report.html --names titles.txt
        highland report levels/ --output report.html --images paths.txt

      Writes one self-contained HTML file: sizes of clusters, merges per level, histograms of linkage \
      and density, the largest and the least certain clusters with the input rows that bridge them, \
      and the merges with most at stake. Given the truth, it also shows how well clusters agree with \
      it and where they do not. Docs/Report.md explains every number.

      Rows and levels are counted from 0. Under mpirun rank 0 does the work.
      """)

  @Argument(help: "A directory that highland cluster --hierarchy wrote.")
  var hierarchy: String

  @Option(name: .shortAndLong, help: "Write the page here, .html.")
  var output: String?

  @Option(
    help: "True labels of all points: .npy of integers, or text, one number or name per line.")
  var truth: String?

  @Option(
    help: ArgumentHelp(
      "Names of the points: text, one line per input row.",
      discussion: "Shown beside the row, up to the first \(NameFile.limit) characters."))
  var names: String?

  @Option(
    help: ArgumentHelp(
      "Images of the points: text, the path of a PNG, JPEG, GIF or WebP file per input row, or .npy of pixels.",
      discussion: """
        The page holds those of the rows that it lists, as thumbnails. Relative paths are from the directory of the \
        text, and an empty line is a row without one. Pixels are uint8 of shape (rows, height, width) or \
        (rows, height, width, 3). An image has \(ImageList.limit / 1024) KiB at most.
        """))
  var images: String?

  @Option(
    help: ArgumentHelp(
      "Where to draw the points on a map: .npy of two numbers per input row.",
      discussion:
        "Their first two principal axes by highland convert --reduce 2, or what UMAP made of them.")
  )
  var map: String?

  @Option(help: "The maximum length of each list of clusters and merges, 1 ... 1000.")
  var top = 10

  @Flag(help: "Print the contents as JSON; null stands for 0/0.")
  var json = false

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard output != nil || json else {
      throw ValidationError("expected --output FILE for a page, --json, or both")
    }
    guard (1...1000).contains(top) else {
      throw ValidationError("--top \(top): expected 1 ... 1000")
    }
    guard output != nil || images == nil else {
      throw ValidationError("--images are shown on a page: expected --output")
    }
    try outputs.check([output], named: "--output")
  }

  func run(on communicator: MPICommunicator) throws {
    // One that cannot be listed is reported when it is read.
    let stored = ((try? fileNames(inDirectory: hierarchy)) ?? [])
      .filter { $0.hasSuffix(".npy") || $0.hasSuffix(".json") }.map { "\(hierarchy)/\($0)" }
    try outputs.check(
      [.page(output)], reading: stored + [truth, names, images, map], on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let (report, shown) = try readReport()
      if let output {
        try writeText(report.page(images: shown), to: output, overwrite: outputs.overwrite)
        if !json { print("\(output): \(report.overview)") }
      }
      if json { try printJSON(report) }
    }
  }

  /// The report, and the images of the rows that its page lists.
  private func readReport() throws -> (HierarchyReport, [Int: EncodedImage]) {
    let stored = try StoredHierarchy(path: hierarchy)
    let count = stored.summary.pointCount
    let trueLabels = try truth.map { path in
      let (labels, file) = try readLabels(path, count: count, SingleRank())
      try noteLabels(labels, of: file, on: SingleRank())
      return labels
    }
    let nameFile = try names.map { try NameFile(path: $0, pointCount: count) }
    let imageList = try images.map { try ImageList(path: $0, pointCount: count) }
    let coordinates = try map.map { path in
      let file = try ArrayFile(path: path)
      guard file.shape == [count, 2] else {
        throw DataError(
          path: path,
          problem: "shape \(file.shape); expected [\(count), 2], two numbers per point")
      }
      return file
    }
    let report = try HierarchyReport(
      of: stored, truth: trueLabels, names: nameFile, coordinates: coordinates, top: top)
    return (report, try imageList?.images(of: report.listedRows) ?? [:])
  }
}
