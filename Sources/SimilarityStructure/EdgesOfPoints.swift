internal import Communication
internal import DistributedGraphs
internal import Parallelism

/// The edges of level 0 as they are: those of its graph, which is shared.
struct EdgesOfPoints: Sendable {
  let graph: NeighborGraph

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
