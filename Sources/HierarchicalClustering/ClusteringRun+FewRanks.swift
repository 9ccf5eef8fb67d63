// Levels that are too small for all ranks.

internal import Communication
internal import DistributedGraphs
internal import FoundationEssentials
internal import LinearAlgebra
internal import SimilarityStructure

/// How many ranks so few nodes are for.
///
/// - Returns: Nil if that is more than half of the ranks: then all take part.
public func fewRanks(for nodeCount: Int, atLeast nodesPerRank: Int, of rankCount: Int) -> Int? {
  precondition(nodesPerRank > 0, "\(nodesPerRank) nodes per rank")
  let count = max(1, (nodeCount + nodesPerRank - 1) / nodesPerRank)
  return nodesPerRank > 1 && 2 * count <= rankCount ? count : nil
}

extension ClusteringRun {
  /// On how many ranks the run goes on; nil for all.
  ///
  /// All of them are needed by observers that see every level, and for labels that are kept after every level. In
  /// groups every node has its owner already. A memory bound is for shares of all ranks. An approximate search draws by
  /// the names of input points, and its rounds do not grow with the ranks.
  func fewRanks(
    for plan: ClusteringPlan<some LinkageJudge>, _ observer: some ClusteringObserver,
    of rankCount: Int
  ) -> Int? {
    let nodeCount = level.nodes.nodeCount
    guard level.number > 0, level.groups == nil, plan.memoryBound == nil, !plan.keepsLayers,
      !observer.wantsLevels,
      plan.search.isExact(amongNodes: nodeCount, length: plan.listLength)
    else { return nil }
    return HierarchicalClustering.fewRanks(
      for: nodeCount, atLeast: plan.nodesPerRank, of: rankCount)
  }

  /// Takes the run to its end on the first ranks, while the others wait.
  ///
  /// They have a run of their own, whose points are the nodes of this level. Its answer says where each node went.
  ///
  /// > Collective: over `communicator`. Some 40 rounds; the nodes with their rows and evidence to the first ranks,
  /// > the last level's back to all, and 16 bytes per point; as ``handed(_:to:at:on:)`` if there is a truth. Between them
  /// > levels over the first ranks.
  mutating func finish<Base: Communicator>(
    onFirst count: Int, of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>, keepingRows keepsRows: Bool,
    measuredBy clock: PhaseClock<Base, some ClusteringObserver>,
    on communicator: CountingCommunicator<Base>
  ) throws {
    let next = history.count
    try clock.measure(.hand, isWaiting: communicator.rank.index >= count) { _ in
      let few = NodePartition(
        sharing: level.nodes.nodeCount, amongFirst: count, of: communicator.size)
      // The points of the other run are these places.
      let places = try points.places(of: level.inputPoint, on: communicator)
      let start = try handed(to: few, ofFirst: count, at: places, on: communicator)
      let end = try communicator.withFirstRanks(count) { group in
        try clock.leavingOut(group) { clock in
          var run = start
          try run.finish(
            along: nil, of: source, by: plan, keepingRows: keepsRows, measuredBy: clock, on: group)
          return run
        }
      }
      try take(
        end, from: few, ofFirst: count, at: places,
        NodeRows(noneFor: keepsRows ? plan.judge.means : nil, columns: source.dimensions),
        on: communicator)
    }
    history[next].add(try clock.finishLevel(LevelCounts()).costs)
  }

  /// This level as a run of the first ranks.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - few: The level's nodes, in their order, all owned by the first ranks.
  ///   - places: Owned. Of every node's input point among those of all nodes.
  private func handed(
    to few: NodePartition, ofFirst count: Int, at places: [GlobalNode],
    on communicator: some Communicator
  ) throws -> ClusteringRun {
    let nodes = level.nodes
    let own = nodes.owned(by: communicator.rank).map { GlobalNode($0) }
    return ClusteringRun(
      points: few.ofFirst(count), hasDirection: [], largestValue: largestValue,
      inputCount: inputCount,
      level: Level(
        number: level.number, nodes: few.ofFirst(count),
        rows: try level.rows.handed(from: nodes, to: few, on: communicator),
        memberCounts: try nodes.hand(level.memberCounts, to: few, on: communicator),
        inputPoint: try nodes.hand(places, to: few, on: communicator),
        isInInputOrder: level.isInInputOrder,
        evidence: try level.evidence?.handed(from: nodes, to: few, on: communicator)),
      nodeOfPoint: try few.arrange(own, at: places, on: communicator), thresholds: thresholds,
      history: history, stopReason: nil,
      truth: try truth.map { try handed($0, to: few, at: places, on: communicator) })
  }

  /// Goes where the run of the first ranks has gone.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - end: That run at its end; nil on a rank that has waited.
  ///   - few, places: As it was ``handed(to:ofFirst:at:on:)``.
  ///   - noRows: What a rank that has waited has of the last level's rows.
  private mutating func take(
    _ end: ClusteringRun?, from few: NodePartition, ofFirst count: Int, at places: [GlobalNode],
    _ noRows: NodeRows, on communicator: some Communicator
  ) throws {
    let bytes = try end.map { Array(try JSONEncoder().encode(RunEnd(of: $0))) } ?? []
    let summary = try JSONDecoder().decode(
      RunEnd.self, from: Data(try communicator.broadcast(bytes)))
    let nodeOfNode = try few.fetch(end?.nodeOfPoint ?? [], at: places, on: communicator)
    nodeOfPoint = try level.nodes.fetch(nodeOfNode, at: nodeOfPoint, on: communicator)

    let pointOfPlace = try few.arrange(level.inputPoint, at: places, on: communicator)
    let inputPoint = try few.fetch(
      pointOfPlace, at: end?.level.inputPoint ?? [], on: communicator)
    let last = NodePartition(
      sharing: summary.nodeCount, amongFirst: count, of: communicator.size)
    let nodes = NodePartition(sharing: summary.nodeCount, among: communicator.size)
    level = Level(
      number: summary.level, nodes: nodes,
      rows: try (end?.level.rows ?? noRows).handed(from: last, to: nodes, on: communicator),
      memberCounts: try last.hand(end?.level.memberCounts ?? [], to: nodes, on: communicator),
      inputPoint: try last.hand(inputPoint, to: nodes, on: communicator),
      isInInputOrder: level.isInInputOrder)
    (history, stopReason) = (summary.history, summary.stopReason)
  }
}

/// What is replicated of a run that has ended.
private struct RunEnd: Codable {
  var level: Int
  var nodeCount: Int
  var history: [LevelSummary]
  var stopReason: StopReason?

  init(of run: ClusteringRun) {
    level = run.level.number
    nodeCount = run.level.nodes.nodeCount
    history = run.history
    stopReason = run.stopReason
  }
}

extension NodeRows {
  /// Those of a rank that owns no nodes.
  fileprivate init(noneFor means: NodeMeans?, columns: Int) {
    let none = Matrix(rows: 0, columns: columns)
    self =
      switch means {
      case nil: .none
      case .peaksOnly: .peaks(StoredRows(none))
      case .ofInputRows: .peaksAndMeans(none, means: none)
      case .ofDirections:
        .means(StoredRows(rows: 0, columns: columns, of: .float32WithNorm))
      }
  }

  /// > Collective: over `communicator`, as ``NodePartition/hand(_:width:to:on:)``.
  fileprivate func handed(
    from nodes: NodePartition, to others: NodePartition, on communicator: some Communicator
  ) throws -> NodeRows {
    func handed(_ rows: Matrix) throws -> Matrix {
      Matrix(
        rows: others.owned(by: communicator.rank).count, columns: rows.columnCount,
        elements: try nodes.hand(
          rows.elements, width: rows.columnCount, to: others, on: communicator))
    }
    func handed(_ rows: StoredRows) throws -> StoredRows {
      StoredRows(words: try handed(rows.words), like: rows)
    }
    return switch self {
    case .peaks(let rows): .peaks(try handed(rows))
    case .peaksAndMeans(let rows, let means):
      .peaksAndMeans(try handed(rows), means: try handed(means))
    case .means(let rows): .means(try handed(rows))
    case .none: .none
    }
  }
}

extension Evidence {
  /// > Collective: over `communicator`. Five rounds; 24 bytes per node and 32 per pair of nodes.
  ///
  /// - Precondition: Of a later level, without groups.
  fileprivate func handed(
    from nodes: NodePartition, to others: NodePartition, on communicator: some Communicator
  ) throws -> Evidence {
    func pairs(_ count: Int) throws -> NodePartition {
      NodePartition(firstNode: (try communicator.gatherOne(count) + [0]).exclusivePrefixSums())
    }
    let words = pointEdges.words
    let degrees = try nodes.hand(words.degrees, to: others, on: communicator)
    let (here, there) = (
      try pairs(words.entries.count / 4), try pairs(Int(degrees.reduce(0, +)))
    )
    return Evidence(
      scales: scales,
      pointEdges: PointEdges(
        words: (
          degrees: degrees,
          entries: try here.hand(words.entries, width: 4, to: there, on: communicator),
          sums: try nodes.hand(words.sums, width: 2, to: others, on: communicator)
        )))
  }
}
