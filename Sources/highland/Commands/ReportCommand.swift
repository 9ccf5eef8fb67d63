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
    try outputs.check([output], named: "--output")
  }

  func run(on communicator: MPICommunicator) throws {
    // One that cannot be listed is reported when it is read.
    let stored = ((try? fileNames(inDirectory: hierarchy)) ?? [])
      .filter { $0.hasSuffix(".npy") || $0.hasSuffix(".json") }.map { "\(hierarchy)/\($0)" }
    try outputs.check([.page(output)], reading: stored + [truth, names, map], on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let report = try readReport()
      if let output {
        try writeText(report.page, to: output, overwrite: outputs.overwrite)
        if !json { print("\(output): \(report.overview)") }
      }
      if json { try printJSON(report) }
    }
  }

  private func readReport() throws -> HierarchyReport {
    let stored = try StoredHierarchy(path: hierarchy)
    let count = stored.summary.pointCount
    let trueLabels = try truth.map { path in
      let (labels, file) = try readLabels(path, count: count, SingleRank())
      try noteLabels(labels, of: file, on: SingleRank())
      return labels
    }
    let nameFile = try names.map { try openNames($0, count: count) }
    let coordinates = try map.map { path in
      let file = try ArrayFile(path: path)
      guard file.shape == [count, 2] else {
        throw DataError(
          path: path,
          problem: "shape \(file.shape); expected [\(count), 2], two numbers per point")
      }
      return file
    }
    return try HierarchyReport(
      of: stored, truth: trueLabels, names: nameFile, coordinates: coordinates, top: top)
  }
}

/// Opens what people call points: a line for each.
func openNames(_ path: String, count: Int) throws -> NameFile {
  let file = try NameFile(path: path)
  guard file.count == count else {
    throw DataError(path: path, problem: "\(file.count) lines; expected \(count), one per point")
  }
  return file
}
