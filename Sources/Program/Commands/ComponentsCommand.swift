import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import Evaluation
import HierarchicalClustering
import MPICommunication

struct ComponentsCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "components",
    abstract: "Find connected components of a graph, as a clustering baseline or to deduplicate.",
    discussion: """
        highland components --neighbors n.npy --similarities s.npy --above .75 -o c.npy
        highland components edges.npy --output labels.npy
        highland components pairs.tsv --above .9 --output components.tsv

      The graph is an edge list, .npy of integers [edges × 2] or text, or the edges of a kNN graph whose similarities \
      are above a threshold. Similarities may be cosines, inner products or any measure that is greater for nearer \
      points, but not distances. Ids in .npy may be any numbers. Time and memory depend on the number of \
      edges, but --output has a label for every id up to the largest. Where there are more than ten million, and \
      more than a hundred for every edge, they are written only with --points. Edges count in both directions. \
      Labels are 0, 1, 2, … in order of first appearance.

      A text has two ids on every line, and perhaps a weight, separated by tabs, commas or blanks; lines that begin with # \
      are comments. Ids may be any words, and --output has a line for each in order of first appearance: the id, a \
      tab and the label. With --points ids are numbers of points, and labels are written as those of .npy.
      """)

  @Argument(
    help: "Edges, .npy of integers [edges × 2], or text of two ids, and perhaps a weight, per line."
  )
  var edges: String?

  @Option(
    help: """
      The number of points of an edge list. Default: of .npy one more than its largest index, of text as many as there \
      are ids, which may be any words.
      """)
  var points: Int?

  @Option(help: "Neighbours, .npy of integers [points × any], −1 for none.")
  var neighbors: String?

  @Option(help: "Similarities to --neighbors, of the same shape.")
  var similarities: String?

  @Option(help: "Count only edges whose similarity, or weight in a text, is greater than this.")
  var above: Double?

  @Option(
    name: .shortAndLong,
    help:
      "Write the labels here: .npy of int64, or .txt, one per line; of ids that are words a text of id and label."
  )
  var output: String?

  @Option(help: "True labels: print how well the components agree with them.")
  var truth: String?

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard (edges == nil) != (neighbors == nil) else {
      throw ValidationError("expected an edge list, or --neighbors and --similarities")
    }
    guard (neighbors == nil) == (similarities == nil), neighbors == nil || above != nil else {
      throw ValidationError("--neighbors, --similarities and --above go together")
    }
    guard above == nil || neighbors != nil || isText else {
      throw ValidationError("--above is of --similarities, or of weights in an edge list as text")
    }
    guard truth == nil || !hasNamedPoints else {
      throw ValidationError(
        "--truth has a label for each point; an edge list as text needs --points, by which its ids are numbers"
      )
    }
    guard points == nil || neighbors == nil else {
      throw ValidationError("--points is for an edge list; --neighbors has a row per point")
    }
    if let above, !above.isFinite {
      throw ValidationError("--above \(above): expected a finite number")
    }
    if let points, points < 0 { throw ValidationError("--points \(points): expected 0 or more") }
    try outputs.check([output], named: "--output")
  }

  /// Whether the edge list is a text.
  private var isText: Bool { edges.map { !$0.lowercased().hasSuffix(".npy") } ?? false }

  /// Whether its ids may be any words.
  private var hasNamedPoints: Bool { isText && points == nil }

  func run(on communicator: MPICommunicator) throws {
    try outputs.check(
      [hasNamedPoints ? .table(output) : .labels(output)],
      reading: [edges, neighbors, similarities, truth], on: communicator)
    let (edges, pointCount, ids) = try readEdges(on: communicator)
    try outputs.reserveSpace(forLabels: pointCount, at: output, on: communicator)
    let trueLabels = try truth.map { path in
      let (labels, file) = try communicator.agree {
        try readLabels(path, count: pointCount, communicator)
      }
      try noteLabels(labels, of: file, on: communicator)
      return labels
    }
    let answer = try answer(edges, of: pointCount, on: communicator)
    let owned = answer.points.owned(by: communicator.rank)
    if let output, let ids {
      try writeLabelTable(
        of: ids, owned: owned, to: output, overwrite: outputs.overwrite, on: communicator,
        labels: answer.labels)
    } else if let output {
      try keepingOnFailure(
        answer.labels(owned), shape: [pointCount], firstRow: owned.lowerBound, of: output,
        on: communicator
      ) {
        try LabelFile.write(
          count: pointCount, owned: owned, to: output, overwrite: outputs.overwrite,
          on: communicator, labels: answer.labels)
      }
    }
    let metrics = try trueLabels.map {
      try compareLabels(truth: $0, predicted: answer.labels(owned), on: communicator)
    }
    guard communicator.rank == Rank(0) else { return }
    print("\(pointCount) points in \(answer.componentCount) components")
    if let metrics { print(metrics) }
  }

  private struct Answer {
    let points: NodePartition
    let componentCount: Int
    /// The labels of a range that this rank is responsible for.
    let labels: (Range<Int>) -> [Int64]
  }

  /// The components, from arrays over all points if most of them have edges, and otherwise from
  /// arrays over the points with edges, since ids of documents may be any numbers. Both give the
  /// same answer.
  private func answer(
    _ edges: [(GlobalNode, GlobalNode)], of pointCount: Int, on communicator: some Communicator
  ) throws -> Answer {
    let edgeCount = try communicator.sum(edges.count)
    // A place in a rank's arrays has 32 bits.
    guard pointCount / 8 <= edgeCount, pointCount / communicator.size < Int32.max else {
      let components = try SparseComponents(edges, of: pointCount, on: communicator)
      return Answer(
        points: components.points, componentCount: components.componentCount,
        labels: components.labels)
    }
    let nodes = NodePartition(sharing: pointCount, among: communicator.size)
    let components = try connectedComponents(edges, in: nodes, on: communicator)
    let (labels, count) = try numberByFirstAppearance(
      components, of: nodes, in: nodes, on: communicator)
    let first = nodes.owned(by: communicator.rank).lowerBound
    return Answer(points: nodes, componentCount: count) {
      Array(labels[$0.lowerBound - first..<$0.upperBound - first])
    }
  }

  /// This rank's share of the edges, the number of points, and what points are called, if these are words.
  private func readEdges(on communicator: some Communicator) throws -> (
    [(GlobalNode, GlobalNode)], Int, ids: [[UInt8]]?
  ) {
    guard let path = edges else {
      let (edges, pointCount) = try readNeighborEdges(on: communicator)
      return (edges, pointCount, nil)
    }
    guard !isText else { return try readText(path, on: communicator) }
    let ends = try communicator.agree {
      let file = try ArrayFile(path: path)
      guard file.columnCount == 2, file.shape.count == 2 else {
        throw DataError(path: path, problem: "shape \(file.shape); expected [edges, 2]")
      }
      let rows = ownShare(of: file.rowCount, on: communicator)
      let ends = try file.integers(rows: rows)
      let limit = points.map(Int64.init) ?? .max
      for (place, end) in ends.enumerated() where !(0..<limit).contains(end) {
        throw DataError(
          path: path,
          problem: "edge \(rows.lowerBound + place / 2): index \(end); expected "
            + (end < 0 && points == nil ? "0 or more" : "0 ..< \(limit)"))
      }
      return ends
    }
    let largest = try communicator.maximum(ends.max() ?? -1)
    try checkLabelCount(largest, ends, of: path, on: communicator)
    return (Self.pairs(ends), points ?? Int(largest) + 1, nil)
  }

  private static func pairs(_ ends: [Int64]) -> [(GlobalNode, GlobalNode)] {
    stride(from: 0, to: ends.count, by: 2).map {
      (GlobalNode(ends[$0]), GlobalNode(ends[$0 + 1]))
    }
  }

  /// > Collective: over `communicator`. A round of one byte. Where ids are words every rank reads the whole text.
  private func readText(_ path: String, on communicator: some Communicator) throws -> (
    [(GlobalNode, GlobalNode)], Int, ids: [[UInt8]]?
  ) {
    try communicator.agree {
      let list = try EdgeList(path: path)
      if above != nil { try list.requireWeights() }
      let lines = ownShare(of: list.lineCount, on: communicator)
      if let points {
        let ends = try list.ends(lines, above: above, pointCount: points)
        return (Self.pairs(ends), points, nil)
      }
      let (ends, ids) = try list.ends(lines, above: above)
      return (Self.pairs(ends), ids.count, ids)
    }
  }

  /// Labels beyond this and beyond ``labelsPerEdge`` are written only if `--points` asks for them.
  private static let plentyOfLabels = 10_000_000
  private static let labelsPerEdge = 100

  /// Refuses labels by the million for a few edges: an id that was none, or one of many digits.
  ///
  /// > Collective: over `communicator`. Rounds of 8 bytes per rank, if there are many labels.
  private func checkLabelCount(
    _ largest: Int64, _ ends: [Int64], of path: String, on communicator: some Communicator
  ) throws {
    guard let output, points == nil, largest >= Self.plentyOfLabels else { return }
    let edgeCount = try communicator.sum(ends.count / 2)
    guard largest / Int64(Self.labelsPerEdge) >= edgeCount else { return }
    let first = ownShare(of: edgeCount, on: communicator).lowerBound
    let row = try communicator.minimum(ends.firstIndex(of: largest).map { first + $0 / 2 } ?? .max)
    let count = UInt64(largest) + 1
    throw AgreedFailure(
      reason:
        "\(path): edge \(row): index \(largest): \(output) would get \(count) labels, one for "
        + "every index up to it, for \(edgeCount) \(edgeCount == 1 ? "edge" : "edges"); renumber the "
        + "points, or give --points \(count) to have them all")
  }

  private func readNeighborEdges(on communicator: some Communicator) throws -> (
    [(GlobalNode, GlobalNode)], Int
  ) {
    try communicator.agree {
      let files = try NeighborFiles(
        neighbors: neighbors!, similarities: similarities!, areCosines: false)
      let owned = ownShare(of: files.rowCount, on: communicator)
      let lists = try files.lists(owned, nodeCount: files.rowCount)
      var edges: [(GlobalNode, GlobalNode)] = []
      for (place, neighbor) in lists.neighbors.enumerated()
      where neighbor != NeighborLists.none && Double(lists.similarities[place]) > above! {
        edges.append((GlobalNode(owned.lowerBound + place / lists.listLength), neighbor))
      }
      return (edges, files.rowCount)
    }
  }
}
