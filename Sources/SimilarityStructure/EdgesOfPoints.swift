internal import Communication
internal import DistributedGraphs
internal import Parallelism

/// The edges of level 0 as they are: those of its graph, and of each cut edge the end at its source.
///
/// Memory: 24 bytes per cut edge beside the graph, which is shared.
struct EdgesOfPoints: Sendable {
  let graph: NeighborGraph
  /// Owned. Edges from owned nodes to those of other ranks, ascending by source, then target.
  private let outgoing: [CutEdge]

  /// An edge whose target is another rank's.
  private struct CutEdge: BitwiseCopyable, Sendable {
    var source: LocalNode
    var similarity: Float
    var target: GlobalNode
  }

  /// What the owner of a cut edge's source is told.
  private struct FarEnd: BitwiseCopyable {
    var target: GlobalNode
    var similarity: Float
  }

  /// > Collective: over `communicator`. Three rounds, 24 bytes per cut edge.
  init(_ graph: NeighborGraph, on communicator: some Communicator) throws {
    self.graph = graph
    let first = graph.halo.owned.lowerBound
    var sources: [GlobalNode] = []
    var ends: [FarEnd] = []
    for node in 0..<graph.ownedCount {
      for edge in graph.edges(into: node) where graph.columns[edge].index >= graph.ownedCount {
        sources.append(graph.source(of: edge))
        ends.append(
          FarEnd(target: GlobalNode(first + node), similarity: graph.affinities[edge]))
      }
    }
    let arrived = try graph.nodes.deliver(ends, width: 1, to: sources, on: communicator)
    outgoing = zip(arrived.nodes, arrived.rows).map {
      CutEdge(
        source: LocalNode(Int($0.index) - first), similarity: $1.similarity, target: $1.target)
    }.sorted { ($0.source, $0.target) < ($1.source, $1.target) }
  }

  /// As ``PointEdges/tally(of:and:)``.
  func tally(of node: Int, and other: GlobalNode) -> PointEdgeTally? {
    let owned = graph.halo.owned
    let isOwned = owned.contains(Int(other.index))
    var tally = PointEdgeTally()
    if let edge = graph.edges(into: node).first(where: { graph.source(of: $0) == other }) {
      tally = PointEdgeTally(incoming: 1, largest: graph.affinities[edge])
    }
    let similarity =
      isOwned
      ? graph.affinity(ofEdgeInto: Int(other.index) - owned.lowerBound, from: node)
      : similarityOfCutEdge(from: LocalNode(node), to: other)
    if let similarity { tally = tally + PointEdgeTally(outgoing: 1, largest: similarity) }
    return tally.incoming + tally.outgoing == 0 ? nil : tally
  }

  private func similarityOfCutEdge(from source: LocalNode, to target: GlobalNode) -> Float? {
    var (low, high) = (0, outgoing.count)
    while low < high {
      let middle = (low + high) / 2
      let edge = outgoing[middle]
      if (edge.source, edge.target) < (source, target) { low = middle + 1 } else { high = middle }
    }
    guard low < outgoing.count, outgoing[low].source == source, outgoing[low].target == target
    else { return nil }
    return outgoing[low].similarity
  }

  /// The similarities of the edges into an owned node, in units of 1 / ``PointEdges/unit``.
  func similaritySum(of node: Int) -> Int128 {
    graph.edges(into: node).reduce(0) {
      $0 + Int128(Int64((Double(graph.affinities[$1]) * PointEdges.unit).rounded(.toNearestOrEven)))
    }
  }
}

extension EdgesOfPoints {
  /// As ``PointEdges/merged(into:from:to:using:on:)``.
  func merged(
    into coarse: [GlobalNode], to coarseNodes: NodePartition, using workers: Workers,
    on communicator: some Communicator
  ) throws -> EdgesOfNodes {
    let owned = coarseNodes.owned(by: communicator.rank)
    let names = try graph.halo.extend(coarse, on: communicator)
    func isHere(_ name: GlobalNode) -> Bool { owned.contains(Int(name.index)) }
    // Coarse nodes of other ranks get theirs first, added up.
    let away = Set(names.filter { !isHere($0) }).sorted()
    let rowOfAway = Dictionary(uniqueKeysWithValues: away.enumerated().map { ($1, $0) })
    let rowOfNode = names.map { isHere($0) ? Int($0.index) - owned.lowerBound : rowOfAway[$0]! }
    func forEachEntry(ofRowsHere here: Bool, _ visit: (_ row: Int, PointEdges.Entry) -> Void) {
      for target in 0..<graph.ownedCount {
        for edge in graph.edges(into: target) {
          let (source, a) = (Int(graph.columns[edge].index), graph.affinities[edge])
          let (into, from) = (names[target], names[source])
          if isHere(into) == here {
            visit(
              rowOfNode[target],
              PointEdges.Entry(other: from, tally: PointEdgeTally(incoming: 1, largest: a)))
          }
          if into != from, isHere(from) == here {
            visit(
              rowOfNode[source],
              PointEdges.Entry(other: into, tally: PointEdgeTally(outgoing: 1, largest: a)))
          }
        }
      }
    }
    /// The entries of rows here or of others, and those that came from elsewhere.
    func combined(
      _ names: [GlobalNode], areHere here: Bool,
      with arrived: (rows: [Int], entries: [PointEdges.Entry])
    ) -> (rowOffsets: [Int], entries: [PointEdges.Entry]) {
      // Most edges come to lie inside a node: they are one entry from the start.
      var inside = Array(repeating: PointEdgeTally(), count: names.count)
      var counts = Array(repeating: 0, count: names.count)
      forEachEntry(ofRowsHere: here) { row, entry in
        if entry.other == names[row] {
          if inside[row].incoming == 0 { counts[row] += 1 }
          inside[row] = inside[row] + entry.tally
        } else {
          counts[row] += 1
        }
      }
      for row in arrived.rows { counts[row] += 1 }
      var rows = EntryRows(counts.exclusivePrefixSums() + [counts.reduce(0, +)])
      for (row, tally) in inside.enumerated() where tally.incoming > 0 {
        rows.append(PointEdges.Entry(other: names[row], tally: tally), to: row)
      }
      forEachEntry(ofRowsHere: here) { row, entry in
        if entry.other != names[row] { rows.append(entry, to: row) }
      }
      for (row, entry) in zip(arrived.rows, arrived.entries) { rows.append(entry, to: row) }
      return rows.combined(using: workers)
    }

    let (offsets, leaving) = combined(away, areHere: false, with: ([], []))
    let arrived = try coarseNodes.deliver(
      leaving, width: 1,
      to: away.indices.flatMap {
        repeatElement(away[$0], count: offsets[$0 + 1] - offsets[$0])
      }, on: communicator)
    let rows = combined(
      owned.map { GlobalNode($0) }, areHere: true,
      with: (arrived.nodes.map { Int($0.index) - owned.lowerBound }, arrived.rows))
    var sums = Array(repeating: Int128(0), count: owned.count)
    try coarseNodes.scatter(
      (0..<graph.ownedCount).map(similaritySum), to: coarse, into: &sums, on: communicator
    ) { $0 += $1 }
    return EdgesOfNodes(rows, similaritySums: sums)
  }
}

extension NeighborGraph {
  /// The affinity of the edge between two owned nodes, if there is one.
  fileprivate func affinity(ofEdgeInto target: Int, from source: Int) -> Float? {
    edges(into: target).first { Int(columns[$0].index) == source }.map { affinities[$0] }
  }
}
