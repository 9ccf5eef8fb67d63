// A run between two levels as files.

internal import Communication
internal import Datasets
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism
internal import SimilarityStructure

/// What ``RunStore`` keeps of a run: all but its arrays.
struct KeptRun: StateDescription {
  /// What the labels depend on, by name.
  var settings: [String: String]
  var choice: ThresholdChoice
  /// Nil before level 0 is merged: then there are no arrays either.
  var state: State?
  /// Of the arrays, by name.
  var checksums: [String: String]

  /// Where the run is.
  struct State: Codable {
    var pointCount: Int
    var dimensions: Int
    /// The level to judge next.
    var level: Int
    var nodeCount: Int
    var isInInputOrder: Bool
    var rows: Rows
    /// The bits of the largest absolute value of the input.
    var largestValue: UInt32
    /// The bits of the mean similarity of level 0, and how many pairs of nodes its edges connect; nil if the
    /// judge needs no evidence.
    var evidence: Evidence?
    var history: [LevelSummary]
    var stopReason: StopReason?
  }

  /// Which arrays of rows there are.
  enum Rows: String, Codable { case peaks, peaksAndMeans, means, none }

  struct Evidence: Codable {
    var meanSimilarity: UInt32
    var pairCount: Int
  }
}

extension ClusteringRun {
  /// Writes the arrays of a run between two levels; returns the rest.
  ///
  /// | array | of | contents |
  /// |---|---|---|
  /// | `nodes` | points | the node of each |
  /// | `peaks`, `counts` | nodes | the input point of the peak, and the number of members |
  /// | `directions`, `means` | nodes | rows, as ``NodeRows`` has them: means of directions alone, or rows of peaks with or without means of input rows |
  /// | `degrees`, `sums` | nodes | pairs of ``PointEdges``, and sums of similarities |
  /// | `pairs` | pairs | the other node, edges in and out, bits of the largest similarity |
  ///
  /// > Collective: over `communicator`. As ``CheckedArrays/write(_:as:width:firstRow:of:on:)``, for each array, and
  /// > two rounds of 8 bytes per rank.
  ///
  /// - Precondition: Nodes are in equal shares on all ranks, as they are after level 0.
  func write(
    to arrays: inout CheckedArrays, on communicator: some Communicator
  ) throws -> KeptRun.State {
    let nodes = level.nodes
    let owned = nodes.owned(by: communicator.rank)
    precondition(
      nodes == NodePartition(sharing: nodes.nodeCount, among: communicator.size),
      "level \(level.number) is not shared equally")
    func write<Element: CheckedElement>(
      _ elements: [Element], as name: String, width: Int = 1
    ) throws {
      try arrays.write(
        elements, as: name, width: width, firstRow: owned.lowerBound, of: nodes.nodeCount,
        on: communicator)
    }
    try arrays.write(
      nodeOfPoint.map(\.index), as: "nodes",
      firstRow: points.owned(by: communicator.rank).lowerBound,
      of: points.nodeCount, on: communicator)
    try write(level.inputPoint.map(\.index), as: "peaks")
    try write(level.memberCounts, as: "counts")
    var (kind, width) = (KeptRun.Rows.none, 0)
    switch level.rows {
    case .none: break
    case .peaks(let rows):
      (kind, width) = (.peaks, rows.columnCount)
      try write(rows.unitRows().elements, as: "directions", width: width)
    case .peaksAndMeans(let rows, let means):
      (kind, width) = (.peaksAndMeans, rows.columnCount)
      try write(rows.elements, as: "directions", width: width)
      try write(means.elements, as: "means", width: width)
    case .means(let means):
      (kind, width) = (.means, means.columnCount)
      try write(level.rows.averages.elements, as: "means", width: width)
    }
    // Nobody judges after the last level.
    let needed = stopReason == nil ? level.evidence : nil
    let evidence = try needed.map { evidence in
      guard let scale = evidence.scales.ofAll else {  // on every rank
        throw AgreedFailure(reason: "a run within groups is not kept")
      }
      let words = evidence.pointEdges.words
      try write(words.degrees, as: "degrees")
      try write(words.sums, as: "sums", width: 2)
      let first = try communicator.exclusivePrefixSum(words.entries.count / 4)
      let count = try communicator.sum(words.entries.count / 4)
      try arrays.write(
        words.entries, as: "pairs", width: 4, firstRow: first, of: count, on: communicator)
      return KeptRun.Evidence(
        meanSimilarity: scale.mean.bitPattern, pairCount: count)
    }
    return KeptRun.State(
      pointCount: points.nodeCount, dimensions: width, level: level.number,
      nodeCount: nodes.nodeCount, isInInputOrder: level.isInInputOrder, rows: kind,
      largestValue: largestValue.bitPattern, evidence: evidence,
      history: history.map {
        var summary = $0
        summary.calibration = nil  // of labels that are no part of a run
        return summary
      }, stopReason: stopReason)
  }

  /// A run whose arrays were written, on this or another number of ranks.
  ///
  /// > Collective: over `communicator`. As ``CheckedArrays/read(_:width:rows:of:on:)``, for each array.
  ///
  /// - Throws: ``AgreedFailure`` on every rank, if an array is not the one that was written.
  init(
    _ state: KeptRun.State, _ choice: ThresholdChoice, _ arrays: CheckedArrays,
    using workers: Workers, on communicator: some Communicator
  ) throws {
    let points = NodePartition(sharing: state.pointCount, among: communicator.size)
    let nodes = NodePartition(sharing: state.nodeCount, among: communicator.size)
    let owned = nodes.owned(by: communicator.rank)
    func read<Element: CheckedElement>(
      _ name: String, of type: Element.Type, width: Int = 1
    ) throws -> [Element] {
      try arrays.read(name, width: width, rows: owned, of: nodes.nodeCount, on: communicator)
    }
    func matrix(_ name: String) throws -> Matrix {
      Matrix(
        rows: owned.count, columns: state.dimensions,
        elements: try read(name, of: Float.self, width: state.dimensions))
    }
    let nodeOfPoint: [Int64] = try arrays.read(
      "nodes", rows: points.owned(by: communicator.rank), of: points.nodeCount, on: communicator)
    let peaks = try read("peaks", of: Int64.self)
    let counts = try read("counts", of: Int64.self)
    let rows: NodeRows =
      switch state.rows {
      case .none: .none
      case .peaks: .peaks(StoredRows(try matrix("directions")))
      case .peaksAndMeans: .peaksAndMeans(try matrix("directions"), means: try matrix("means"))
      case .means: .means(StoredRows(keeping: try matrix("means"), using: workers))
      }
    let evidence = try state.evidence.map { kept in
      let degrees = try read("degrees", of: Int64.self)
      let sums = try read("sums", of: Int64.self, width: 2)
      let count = Int(degrees.reduce(0, +))
      let first = try communicator.exclusivePrefixSum(count)
      let entries: [Int64] = try arrays.read(
        "pairs", width: 4, rows: first..<first + count, of: kept.pairCount, on: communicator)
      return Evidence(
        scales: .ofAll(ClosenessScale(mean: Float(bitPattern: kept.meanSimilarity))),
        pointEdges: PointEdges(words: (degrees, entries, sums)))
    }
    self.init(
      points: points, hasDirection: [], largestValue: Float(bitPattern: state.largestValue),
      inputCount: state.pointCount,
      level: Level(
        number: state.level, nodes: nodes, rows: rows, memberCounts: counts,
        inputPoint: peaks.map { GlobalNode($0) }, isInInputOrder: state.isInInputOrder,
        evidence: evidence),
      nodeOfPoint: nodeOfPoint.map { GlobalNode($0) }, thresholds: choice.thresholds,
      history: state.history, stopReason: state.stopReason)
  }
}
