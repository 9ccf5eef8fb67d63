public import Communication
public import DistributedGraphs
public import Parallelism

/// The edges of level 0 between the members of two nodes of any level, added up.
///
/// 64 bits count all edges of 10¹² points with lists of millions of places.
package struct PointEdgeTally: BitwiseCopyable, Equatable, Sendable {
  /// Edges into members of this node from members of the other.
  package var incoming: Int64 = 0
  /// Edges into members of the other node from members of this one.
  package var outgoing: Int64 = 0
  /// The largest similarity of all of them.
  package var largest: Float = -1

  package init(incoming: Int64 = 0, outgoing: Int64 = 0, largest: Float = -1) {
    self.incoming = incoming
    self.outgoing = outgoing
    self.largest = largest
  }

  static func + (a: Self, b: Self) -> Self {
    Self(
      incoming: a.incoming + b.incoming, outgoing: a.outgoing + b.outgoing,
      largest: max(a.largest, b.largest))
  }
}

/// How the members of every node are connected at level 0, the finest evidence that a level has.
///
/// An edge j → i says that j is among the near neighbours of i. They are counted once per pair of
/// nodes and merged with the nodes, so memory falls from level to level: 32 bytes per pair and end.
public struct PointEdges: Equatable, Sendable {
  /// The edges between a node and another one.
  package struct Entry: BitwiseCopyable, Equatable, Sendable {
    /// The other node; the node itself for edges inside it.
    package var other: GlobalNode
    /// An edge inside a node is counted once, as incoming.
    package var tally: PointEdgeTally

    package init(other: GlobalNode, tally: PointEdgeTally) {
      self.other = other
      self.tally = tally
    }
  }

  /// Owned. Row i is `rowOffsets[i] ..< rowOffsets[i + 1]`. Shape `[ownedCount + 1]`.
  private var rowOffsets: [Int]
  /// Owned. By ascending other node within a row.
  private var entries: [Entry]
  /// Owned. Sum of similarities of all edges into members, in units of 2⁻⁴⁰: room for 2⁸⁶ edges.
  /// Shape `[ownedCount]`.
  private var similaritySums: [Int128]

  /// The edges of level 0 themselves.
  ///
  /// > Collective: over `communicator`. Three rounds, 24 bytes per cut edge.
  ///
  /// - Complexity: O(edges · log of the edges at a node).
  public init(
    _ graph: NeighborGraph, using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    let owned = graph.nodes.owned(by: communicator.rank)
    var offsets = Array(repeating: 0, count: owned.count + 1)
    similaritySums = Array(repeating: 0, count: owned.count)
    // A source here gets its end of the edge at once; that of another rank is told.
    var away: [(source: GlobalNode, end: FarEnd)] = []
    for node in 0..<owned.count {
      for edge in graph.edges(into: node) {
        let a = graph.affinities[edge]
        similaritySums[node] += Int128(Int64((Double(a) * Self.unit).rounded(.toNearestOrEven)))
        let source = Int(graph.columns[edge].index)
        offsets[node + 1] += 1
        if source < owned.count {
          if graph.edge(into: source, from: node) == nil { offsets[source + 1] += 1 }
        } else {
          away.append(
            (
              graph.source(of: edge),
              FarEnd(target: GlobalNode(owned.lowerBound + node), similarity: a)
            ))
        }
      }
    }
    let arrived = try graph.nodes.deliver(
      away.map(\.end), width: 1, to: away.map(\.source), on: communicator)
    for source in arrived.nodes { offsets[Int(source.index) - owned.lowerBound + 1] += 1 }
    for node in 0..<owned.count { offsets[node + 1] += offsets[node] }

    var rows = Rows(offsets)
    for node in 0..<owned.count {
      let name = GlobalNode(owned.lowerBound + node)
      for edge in graph.edges(into: node) {
        let a = graph.affinities[edge]
        var tally = PointEdgeTally(incoming: 1, largest: a)
        let source = Int(graph.columns[edge].index)
        let isOwned = source < owned.count
        // Edges in both directions are one entry at each end from the start.
        let back = isOwned ? graph.edge(into: source, from: node) : nil
        if let back {
          tally = tally + PointEdgeTally(outgoing: 1, largest: graph.affinities[back])
        }
        rows.append(Entry(other: graph.source(of: edge), tally: tally), to: node)
        guard isOwned, back == nil else { continue }
        rows.append(
          Entry(other: name, tally: PointEdgeTally(outgoing: 1, largest: a)), to: source)
      }
    }
    for (source, end) in zip(arrived.nodes, arrived.rows) {
      rows.append(
        Entry(
          other: end.target, tally: PointEdgeTally(outgoing: 1, largest: end.similarity)),
        to: Int(source.index) - owned.lowerBound)
    }
    (rowOffsets, entries) = rows.combined(using: workers)
  }

  private static let unit = 0x1p40

  /// The end of an edge that its source's owner does not have.
  private struct FarEnd: BitwiseCopyable {
    var target: GlobalNode
    var similarity: Float
  }

  /// Edges that were counted elsewhere.
  ///
  /// - Parameters:
  ///   - rows: Owned. For every node its edges to others, in any order.
  ///   - similaritySums: Owned. In units of 2⁻⁴⁰.
  package init(rows: [[Entry]], similaritySums: [Int128]) {
    precondition(rows.count == similaritySums.count, "\(rows.count) rows")
    var placed = Rows(rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) })
    for (node, row) in rows.enumerated() { for entry in row { placed.append(entry, to: node) } }
    (rowOffsets, entries) = placed.combined(using: Workers())
    self.similaritySums = similaritySums
  }

  /// The same edges between the nodes of the next level.
  ///
  /// > Collective: over `communicator`. Nine rounds: the coarse name of every other node, 16 bytes;
  /// > then per rank 40 bytes per pair of nodes that are connected, and 16 per node.
  ///
  /// - Parameters:
  ///   - coarse: Owned. The coarse node of every node.
  ///   - nodes, coarseNodes: Which rank owns which of them.
  public func merged(
    into coarse: [GlobalNode], from nodes: NodePartition, to coarseNodes: NodePartition,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws -> PointEdges {
    try communicator.assertReplicated(
      (nodes: nodes.firstNode, coarseNodes: coarseNodes.firstNode), from: .all)
    let coarseOthers = try nodes.fetch(coarse, at: entries.map(\.other), on: communicator)
    // What is equal already in a row is added up before it is moved.
    var renamed = Rows(rowOffsets, entries)
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
    var rows = Rows(coarseOffsets)
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
    return PointEdges(rows.combined(using: workers), similaritySums: sums)
  }

  private init(
    _ rows: (rowOffsets: [Int], entries: [Entry]), similaritySums: [Int128]
  ) {
    (rowOffsets, entries) = rows
    self.similaritySums = similaritySums
  }

  /// The edges between an owned node and another one; nil if there are none.
  ///
  /// - Complexity: O(log of the nodes it is connected to).
  package func tally(of node: Int, and other: GlobalNode) -> PointEdgeTally? {
    var (low, high) = (rowOffsets[node], rowOffsets[node + 1])
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].other < other { low = middle + 1 } else { high = middle }
    }
    return low < rowOffsets[node + 1] && entries[low].other == other ? entries[low].tally : nil
  }

  /// How many edges of level 0 run into the members of an owned node.
  package func incomingCount(of node: Int) -> Int {
    entries[rowOffsets[node]..<rowOffsets[node + 1]].reduce(0) { $0 + Int($1.tally.incoming) }
  }

  /// The mean similarity of the edges into the members of an owned node; 0 without edges.
  package func meanSimilarity(of node: Int) -> Float {
    let count = incomingCount(of: node)
    return count == 0 ? 0 : Float(Double(similaritySums[node]) / Self.unit / Double(count))
  }
}

extension PointEdges {
  /// Rows of entries in any order, while they are put together.
  private struct Rows {
    private let offsets: [Int]
    private var entries: [Entry]
    /// Where the next entry of every row goes.
    private var next: [Int]

    /// Empty rows with room for as many entries as lie between the offsets.
    init(_ offsets: [Int]) {
      self.offsets = offsets
      entries = Array(
        repeating: Entry(other: GlobalNode(0), tally: PointEdgeTally()),
        count: offsets[offsets.count - 1])
      next = offsets
    }

    /// Rows that are full.
    init(_ offsets: [Int], _ entries: [Entry]) {
      self.offsets = offsets
      self.entries = entries
      next = Array(offsets.dropFirst()) + [entries.count]
    }

    mutating func append(_ entry: Entry, to row: Int) {
      entries[next[row]] = entry
      next[row] += 1
    }

    /// Calls `body` with every row: entries of it and others, its places among these, and the place
    /// of the first of them in all.
    mutating func forEachRow(
      using workers: Workers,
      _ body:
        @Sendable (
          _ row: Int, _ entries: inout MutableSpan<Entry>, _ places: Range<Int>, _ first: Int
        ) -> Void
    ) {
      let offsets = offsets
      let tiles = (0..<offsets.count - 1).tiles(of: 1024)
      entries.forEachTile(
        tiles.map { offsets[$0.lowerBound]..<offsets[$0.upperBound] }, using: workers
      ) { tile, elements in
        let start = offsets[tiles[tile].lowerBound]
        for row in tiles[tile] {
          body(row, &elements, offsets[row] - start..<offsets[row + 1] - start, offsets[row])
        }
      }
    }

    /// The rows with the entries of equal other nodes added up, and those alone that are wanted.
    consuming func combined(
      using workers: Workers,
      where isWanted: @Sendable (_ row: Int, Entry) -> Bool = { _, _ in true }
    ) -> (rowOffsets: [Int], entries: [Entry]) {
      let offsets = offsets
      forEachRow(using: workers) { row, entries, places, _ in
        entries.sortByOther(places)
        var end = places.lowerBound
        for place in places {
          if end > places.lowerBound, entries[end - 1].other == entries[place].other {
            entries[end - 1].tally = entries[end - 1].tally + entries[place].tally
          } else {
            entries[end] = entries[place]
            end += 1
          }
        }
        for place in places where place >= end || !isWanted(row, entries[place]) {
          entries[place].other = Self.absent
        }
      }
      var rowOffsets = [0]
      rowOffsets.reserveCapacity(offsets.count)
      var end = 0
      for row in 0..<offsets.count - 1 {
        for place in offsets[row]..<offsets[row + 1] where entries[place].other != Self.absent {
          entries[end] = entries[place]
          end += 1
        }
        rowOffsets.append(end)
      }
      // What was added up leaves memory, which only a copy gives back.
      return (rowOffsets, end == entries.count ? entries : Array(entries[..<end]))
    }

    private static let absent = GlobalNode(-1)
  }
}

extension NeighborGraph {
  /// The edge between two owned nodes, if there is one.
  fileprivate func edge(into target: Int, from source: Int) -> Int? {
    edges(into: target).first { Int(columns[$0].index) == source }
  }
}

extension MutableSpan<PointEdges.Entry> {
  fileprivate mutating func sortByOther(_ places: Range<Int>) {
    guard places.count <= 24 else { return sort(places) { $0.other < $1.other } }
    for place in places.dropFirst() {
      let entry = self[place]
      var free = place
      while free > places.lowerBound, entry.other < self[free - 1].other {
        self[free] = self[free - 1]
        free -= 1
      }
      self[free] = entry
    }
  }
}
