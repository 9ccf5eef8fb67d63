import ArgumentParser
import Communication
import Datasets
import Evaluation
import MPICommunication

struct CompareCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Tell which clusters of one labelling split, merged or moved in another.",
    discussion: """
        highland compare labels.npy other-labels.npy
        highland compare labels.npy other-labels.npy --output changes.html --names titles.txt

      Clusters that share points, directly or by others, are one change: split if one became several, merged if several \
      became one, rearranged if several became several others. Labels are compared by the points that they have, not by \
      their numbers. How well labels agree with a truth is what highland evaluate tells.
      """)

  @Argument(help: "Labels before: .npy of integers, or text, one number or name per line.")
  var before: String

  @Argument(help: "Labels of the same points after.")
  var after: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write a page here, .html.",
      discussion: """
        It has how much the labels agree, the sizes of clusters before and after, and of each kind the changes that \
        moved most points, with the first rows of their clusters.
        """))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Names of the points for the page: text, one line per input row.",
      discussion: "Shown beside the row, up to the first \(NameFile.limit) characters."))
  var names: String?

  @Option(help: "List so many changes, on a page of each kind, those that moved most points first.")
  var top = 10

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard top >= 0 else { throw ValidationError("--top \(top): expected 0 or more") }
    guard output != nil || names == nil else {
      throw ValidationError("--names are shown on a page: expected --output")
    }
    try outputs.check([output], named: "--output")
  }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check([.page(output)], reading: [before, after, names], on: communicator)
    let old = try readAllLabels(before, on: communicator)
    let new = try readAllLabels(after, on: communicator)
    try requireEqualCounts(new.file, old.file)  // on every rank
    try noteLabels(old.share, of: old.file, on: communicator)
    try noteLabels(new.share, of: new.file, on: communicator)
    var changes = try clusterChanges(from: old.share, to: new.share, on: communicator)
    changes.name(before: old.file.names, after: new.file.names)
    try writePage(changes, old.share, new.share, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    changes.changes = Array(changes.changes.prefix(top))
    try show(changes, as: changes.account, inJSON: json)
  }

  /// Writes the page, if one is wanted.
  ///
  /// > Collective: over `communicator`. As ``compareLabels(truth:predicted:on:)``, and some bytes for each cluster that is shown.
  private func writePage(
    _ changes: ClusterChanges, _ old: [Int64], _ new: [Int64], on communicator: MPICommunicator
  ) throws {
    guard let output else { return }
    let metrics = try compareLabels(truth: old, predicted: new, on: communicator)
    let shown = ClusterChanges.Kind.allCases.flatMap { changes.shown(of: $0, top: top) }
    func rows(
      _ labels: [Int64], _ clusters: (ClusterChanges.Change) -> [ClusterChanges.Cluster]
    ) throws -> [Int64: [Int]] {
      let wanted = shown.flatMap { clusters($0).prefix(ComparisonPage.clusterCount).map(\.label) }
      return try firstPoints(
        labels, ofEach: ComparisonPage.rowCount, of: Set(wanted), on: communicator)
    }
    let (rowsBefore, rowsAfter) = (try rows(old) { $0.before }, try rows(new) { $0.after })
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let shownRows = [rowsBefore, rowsAfter].flatMap { $0.values.flatMap(\.self) }
      let page = ComparisonPage(
        before: before, after: after, changes: changes, metrics: metrics, top: top,
        names: try readNames(ofRows: shownRows, count: changes.pointCount),
        rowsBefore: rowsBefore, rowsAfter: rowsAfter)
      try writeText(page.html, to: output, overwrite: outputs.overwrite)
    }
  }

  private func readNames(ofRows rows: [Int], count: Int) throws -> [Int: String] {
    guard let names else { return [:] }
    return try NameFile(path: names, pointCount: count).names(of: rows)
  }
}

extension ClusterChanges {
  /// What it says to people.
  var account: String {
    func sizes(_ clusters: [Cluster]) -> String {
      let shown = clusters.prefix(5).map { "\($0.title) (\($0.size))" }.joined(separator: ", ")
      return shown + (clusters.count > 5 ? ", and \(clusters.count - 5) more" : "")
    }
    let counts = totals.map { total in
      "\(total.kind.rawValue): \(quantity(total.clustersBefore, "cluster")) became "
        + "\(total.clustersAfter), \(quantity(total.pointCount, "point"))"
    }
    let lines = changes.map { change in
      "\(change.kind.rawValue), \(change.movedPointCount) of \(quantity(change.pointCount, "point")) moved: "
        + "\(sizes(change.before)) became \(sizes(change.after))"
    }
    let before = totals.reduce(0) { $0 + $1.clustersBefore }
    let after = totals.reduce(0) { $0 + $1.clustersAfter }
    return
      ([
        "\(quantity(pointCount, "point")): \(quantity(before, "cluster")) became \(after); \(movedPointCount) moved"
      ]
      + counts + lines).joined(separator: "\n")
  }
}
