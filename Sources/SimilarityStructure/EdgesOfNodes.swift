internal import Communication
internal import DistributedGraphs
internal import Parallelism

/// The edges of level 0 between the members of nodes of a later level, once per pair of nodes and end.
struct EdgesOfNodes: Sendable {
  typealias Entry = PointEdges.Entry

  /// Owned. Row i is `rowOffsets[i] ..< rowOffsets[i + 1]`. Shape `[ownedCount + 1]`.
  let rowOffsets: [Int]
  /// Owned. By ascending other node within a row.
  let entries: [Entry]
  /// Owned. Sum of similarities of all edges into members. Shape `[ownedCount]`.
  let similaritySums: [Int128]

  init(_ rows: (rowOffsets: [Int], entries: [Entry]), similaritySums: [Int128]) {
    (rowOffsets, entries) = rows
    self.similaritySums = similaritySums
  }

  init(rows: [[Entry]], similaritySums: [Int128]) {
    precondition(rows.count == similaritySums.count, "\(rows.count) rows")
    var placed = EntryRows(rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) })
    for (node, row) in rows.enumerated() { for entry in row { placed.append(entry, to: node) } }
    self.init(placed.combined(using: Workers()), similaritySums: similaritySums)
  }

  /// As ``PointEdges/merged(into:from:to:using:on:)``.
  func merged(
    into coarse: [GlobalNode], from nodes: NodePartition, to coarseNodes: NodePartition,
    using workers: Workers, on communicator: some Communicator
  ) throws -> EdgesOfNodes {
    let coarseOthers = try nodes.fetch(coarse, at: entries.map(\.other), on: communicator)
    // What is equal already in a row is added up before it is moved.
    var renamed = EntryRows(rowOffsets, entries)
    renamed.forEachRow(using: workers) { node, entries, places, first in
      for (index, place) in places.enumerated() {
        entries[place].other = coarseOthers[first + index]
        // An edge that comes to lie inside a node was in two rows; it stays as incoming alone.
        if entries[place].other == coarse[node] { entries[place].tally.outgoing = 0 }
      }
    }
    let (offsets, parts) = renamed.combined(using: workers) { node, entry in
      entry.other != coarse[node] || entry.tally.incoming > 0
    }
    let owned = coarseNodes.owned(by: communicator.rank)
    func isHere(_ node: Int) -> Bool { owned.contains(Int(coarse[node].index)) }
    let leaving = coarse.indices.filter { !isHere($0) }
    let arrived = try coarseNodes.deliver(
      leaving.flatMap { parts[offsets[$0]..<offsets[$0 + 1]] }, width: 1,
      to: leaving.flatMap { repeatElement(coarse[$0], count: offsets[$0 + 1] - offsets[$0]) },
      on: communicator)

    var coarseOffsets = Array(repeating: 0, count: owned.count + 1)
    for node in coarse.indices where isHere(node) {
      coarseOffsets[Int(coarse[node].index) - owned.lowerBound + 1] +=
        offsets[node + 1] - offsets[node]
    }
    for node in arrived.nodes { coarseOffsets[Int(node.index) - owned.lowerBound + 1] += 1 }
    for node in 0..<owned.count { coarseOffsets[node + 1] += coarseOffsets[node] }
    var rows = EntryRows(coarseOffsets)
    for node in coarse.indices where isHere(node) {
      for place in offsets[node]..<offsets[node + 1] {
        rows.append(parts[place], to: Int(coarse[node].index) - owned.lowerBound)
      }
    }
    for (node, entry) in zip(arrived.nodes, arrived.rows) {
      rows.append(entry, to: Int(node.index) - owned.lowerBound)
    }
    var sums = Array(repeating: Int128(0), count: owned.count)
    try coarseNodes.scatter(similaritySums, to: coarse, into: &sums, on: communicator) { $0 += $1 }
    return EdgesOfNodes(rows.combined(using: workers), similaritySums: sums)
  }

  /// The edges between an owned node and another one; nil if there are none.
  ///
  /// - Complexity: O(log of the nodes it is connected to).
  func tally(of node: Int, and other: GlobalNode) -> PointEdgeTally? {
    var (low, high) = (rowOffsets[node], rowOffsets[node + 1])
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].other < other { low = middle + 1 } else { high = middle }
    }
    return low < rowOffsets[node + 1] && entries[low].other == other ? entries[low].tally : nil
  }

  /// How many edges of level 0 run into the members of an owned node.
  func incomingCount(of node: Int) -> Int {
    entries[rowOffsets[node]..<rowOffsets[node + 1]].reduce(0) { $0 + Int($1.tally.incoming) }
  }
}
