internal import Communication
internal import DistributedGraphs
internal import FlowClustering
internal import GraphNetworks
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism
internal import SimilarityStructure

/// The directions of new points beside those of a fit.
///
/// The graph of both has the new nodes that are no copies of the fit's, and the fit's; every rank owns its shares of both,
/// the new ones first. A node's *name* does not depend on ranks: the fit's nodes are 0 ..< n, new ones follow in the order
/// of the input.
struct NewNodes {
  /// The new points as nodes of level 0, one for every direction.
  let run: ClusteringRun
  let fit: FittedClustering
  /// Owned nodes of the fit. The number of each one's cluster.
  private let fitLabels: [Int64]
  /// Owned new nodes. The number of the cluster; ``none`` before it is known.
  var labels: [Int64]
  /// Owned. The places of the new nodes that are no copies, ascending.
  let open: [Int]
  /// Replicated. Who owns which of them, by their order.
  private let openNodes: NodePartition
  /// Replicated. Who owns which nodes of the graph of both.
  private let nodes: NodePartition

  static let none = Int64(-1)

  /// > Collective: over `communicator`. As ``duplicateRoots(of:where:within:in:named:using:on:)`` for new points, and for new
  /// > nodes and the fit's; two fetches of 8 bytes per node.
  ///
  /// - Parameter run: The new points, as they were read.
  init(
    _ run: ClusteringRun, of source: some EmbeddingSource, beside fit: FittedClustering,
    using workers: Workers, on communicator: some Communicator
  ) throws {
    var run = run
    if run.points.nodeCount > 0 {
      try run.mergeCopies(of: source, using: workers, on: communicator)
    }
    let rows = run.level.rows.directions
    let both = NodePartition.joining(run.level.nodes, fit.nodes)
    let fitNodes = fit.nodes.owned(by: communicator.rank)
    let all = rows.followed(by: fit.rows)
    let roots = try duplicateRoots(
      of: all, where: (0..<all.rowCount).map { !all.isZero($0) }, in: both,
      named: run.level.nodes.owned(by: communicator.rank).map {
        GlobalNode(fit.nodes.nodeCount + $0)
      } + fitNodes.map { GlobalNode($0) }, using: workers, on: communicator
    ).prefix(rows.rowCount)
    fitLabels = try fit.nodeLabels(on: communicator)
    labels = Array(repeating: Self.none, count: rows.rowCount)
    let copies = roots.indices.filter { roots[$0].index < fit.nodes.nodeCount }
    let known = try fit.nodes.fetch(
      fitLabels, at: copies.map { roots[$0] }, on: communicator)
    for (place, label) in zip(copies, known) { labels[place] = label }
    open = labels.indices.filter { [labels] in labels[$0] == Self.none }
    openNodes = NodePartition(
      firstNode: (try communicator.gatherOne(open.count) + [0]).exclusivePrefixSums())
    nodes = .joining(openNodes, fit.nodes)
    self.run = run
    self.fit = fit
  }

  /// Replicated. Whether there are others than copies of the fit's.
  var areOpen: Bool { openNodes.nodeCount > 0 }

  /// The name of every owned node of both.
  private func names(of rank: Rank) -> [GlobalNode] {
    openNodes.owned(by: rank).map { GlobalNode(fit.nodes.nodeCount + $0) }
      + fit.nodes.owned(by: rank).map { GlobalNode($0) }
  }

  /// The node of a name.
  private func node(named name: GlobalNode) -> GlobalNode {
    let place = Int(name.index) - fit.nodes.nodeCount
    let (own, name) = place < 0 ? (fit.nodes, name) : (openNodes, GlobalNode(place))
    let rank = own.owner(of: name)
    let first = nodes.firstNode[rank.index] + (place < 0 ? openNodes.owned(by: rank).count : 0)
    return GlobalNode(first + Int(name.index) - own.firstNode[rank.index])
  }
}

// Edges.

extension NewNodes {
  /// Edges into new nodes from nodes with which they may share a cluster.
  struct Edges {
    let graph: NeighborGraph
    /// Owned. In whole units, so that sums do not depend on their order; 0 for an edge that does not count. Shape
    /// `[edgeCount]`.
    let weights: [Int64]
    /// What a network says of all edges; nil by flow.
    let judged: (linkage: Linkage, scales: ClosenessScales?)?
  }

  /// The edges that the method of the fit would keep, and how strong they are: w by flow, p by a network.
  ///
  /// > Collective: over `communicator`. As the search of new nodes and the judge.
  func edges(
    by options: AssigningOptions,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws -> (edges: Edges, search: SearchSummary) {
    let rows = StoredRows(run.level.rows.directions.copy(ofRows: open)).followed(by: fit.rows)
    let (found, search) = try clock.measure(.neighbors) { progress in
      try nearestNeighbors(
        ofFirst: open.count, of: rows, listLength: fit.listLength, by: options.search, in: nodes,
        named: names(of: communicator.rank), using: options.workers, on: communicator,
        progress: progress)
    }
    // The lists of the fit stay as they were.
    let lists = NeighborLists(
      listLength: fit.listLength,
      neighbors: (found.neighbors + fit.lists.neighbors).map {
        $0 == NeighborLists.none ? $0 : node(named: $0)
      }, similarities: found.similarities + fit.lists.similarities)
    guard let network = fit.model?.linkage, let thresholds = fit.settings.thresholds else {
      return try clock.measure(.flow) { _ in
        let flow = try FlowWeights(
          lists, in: nodes, weighingFirst: open.count, endingLists: false,
          threshold: fit.settings.theta ?? FlowWeights.usualThreshold,
          using: options.workers, on: communicator)
        return (
          Edges(graph: flow.graph, weights: flow.doubled.map { Int64($0) }, judged: nil), search
        )
      }
    }
    return try clock.measure(.network) { _ in
      let graph = try NeighborGraph(
        lists.prefix(fit.settings.neighborCount - 1), in: nodes, on: communicator)
      var level = Level(
        number: 0, nodes: nodes, rows: .peaks(rows),
        memberCounts: open.map { run.level.memberCounts[$0] } + fit.memberCounts,
        inputPoint: names(of: communicator.rank), isInInputOrder: false)
      // What is known of the fit's nodes depends on all lists; the edges into them are not judged again.
      let linkage = try network.linkage(
        lists, over: graph, intoFirst: open.count, of: &level, using: options.workers,
        on: communicator)
      // Modules hold pairs of p ≥ γ, if their nodes have mean degrees; those of new nodes are not known.
      let limit = Float(1 - min(thresholds.first, thresholds.resolution ?? 1))
      return (
        Edges(
          graph: graph,
          weights: linkage.distance.map {
            $0 < limit ? Int64((Double(1 - $0) * 0x1p22).rounded()) : 0
          }, judged: (linkage, level.evidence?.scales)), search
      )
    }
  }
}

// Labels.

extension NewNodes {
  /// Gives new nodes that lead into the fit's clusters their labels, until none does.
  ///
  /// > Collective: over `communicator`. For each round 8 bytes per ghost, and a byte per rank.
  mutating func join(along edges: Edges, on communicator: some Communicator) throws {
    let graph = edges.graph
    var known = open.map { labels[$0] } + fitLabels
    let expected = Double(fit.nodes.nodeCount) / Double(nodes.nodeCount)
    var hasJoined = true
    while try communicator.any(hasJoined) {
      let local = try graph.halo.extend(known, on: communicator)
      hasJoined = false
      for node in open.indices where known[node] == Self.none {
        var all = Int64(0)
        var joined: [Int64: Int64] = [:]
        for edge in graph.edges(into: node) {
          all += edges.weights[edge]
          let label = local[Int(graph.columns[edge].index)]
          if label != Self.none { joined[label, default: 0] += edges.weights[edge] }
        }
        guard Double(joined.values.reduce(0, +)) > Double(all) * expected / 2 else { continue }
        known[node] = joined.max { ($0.value, $1.key) < ($1.value, $0.key) }!.key
        hasJoined = true
      }
    }
    for (place, node) in open.enumerated() { labels[node] = known[place] }
  }

  /// Does with the new nodes of a group what the fit's did in the end: those of new clusters with fewer points than the
  /// network allows join others, and each moves where it is most similar. The fit's nodes stay, and so do points
  /// without a direction.
  ///
  /// - Parameter newClusterCount: How many clusters are new.
  /// - Returns: How many of them are left.
  /// - Precondition: There is one rank.
  mutating func settle(_ newClusterCount: Int) -> Int {
    guard fit.hasGroups, let network = fit.model?.linkage, network.mergesFewNodes,
      fit.nodes.nodeCount > 0
    else { return newClusterCount }
    let members = open.map { labels[$0] } + fitLabels
    let counts = open.map { run.level.memberCounts[$0] } + fit.memberCounts
    var points: [Int64: Int64] = [:]
    for (label, count) in zip(members, counts) { points[label, default: 0] += count }
    let names = points.keys.sorted()
    let placeOf = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    let first = Int64(fit.settings.clusterCount)
    let rows = StoredRows(run.level.rows.directions.copy(ofRows: open)).followed(by: fit.rows)
    let small = open.indices.filter { place in
      members[place] >= first && points[members[place]]! < network.fewestPoints
        && !rows.isZero(place)
    }.map { placeOf[members[$0]]! }
    var clusters = DirectionClusters(
      rows.unitRows(), weights: counts.map { Double($0) },
      clusters: members.map { placeOf[$0]! })
    clusters.settle(first: open.count, leaving: Set(small))
    var numberOf: [Int64: Int64] = [:]
    for (place, node) in open.enumerated() {
      let label = names[clusters.clusters[place]]
      if label >= first, numberOf[label] == nil { numberOf[label] = first + Int64(numberOf.count) }
      labels[node] = numberOf[label] ?? label
    }
    return numberOf.count
  }

  /// The labels of the new points.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per point.
  func labelsOfPoints(on communicator: some Communicator) throws -> [Int64] {
    try run.level.nodes.fetch(labels, at: run.nodeOfPoint, on: communicator)
  }

  /// How many new points are copies of the fit's, and how many others joined its clusters.
  ///
  /// > Collective: over `communicator`. Two rounds of 8 bytes per rank.
  func pointCounts(on communicator: some Communicator) throws -> (copies: Int, joined: Int) {
    var (copies, joined) = (run.level.memberCounts.reduce(0, +), Int64(0))
    for node in open {
      copies -= run.level.memberCounts[node]
      if labels[node] < fit.settings.clusterCount { joined += run.level.memberCounts[node] }
    }
    return (try communicator.sum(Int(copies)), try communicator.sum(Int(joined)))
  }
}

extension NodePartition {
  /// Every rank owns its nodes of both partitions.
  fileprivate static func joining(_ first: Self, _ second: Self) -> NodePartition {
    NodePartition(firstNode: zip(first.firstNode, second.firstNode).map { $0 + $1 })
  }
}

extension StoredRows {
  /// These rows and others after them, as unit rows of `Float`.
  fileprivate func followed(by other: StoredRows) -> StoredRows {
    var all = Matrix(rows: rowCount + other.rowCount, columns: other.columnCount)
    for (rows, offset) in [(self, 0), (other, rowCount)] {
      for tile in (0..<rows.rowCount).tiles(of: 4096) {
        all.replaceRows(tile.map { $0 + offset }, by: rows.copy(ofRows: tile).elements)
      }
    }
    return StoredRows(all)
  }
}
