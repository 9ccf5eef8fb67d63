public import Communication
public import DistributedGraphs

/// The edges of level 0 between the members of two nodes of any level, added up.
struct PointEdgeTally: BitwiseCopyable, Equatable, Sendable {
  /// Edges into members of this node from members of the other.
  var incoming: Int32 = 0
  /// Edges into members of the other node from members of this one.
  var outgoing: Int32 = 0
  /// The largest similarity of all of them.
  var largest: Float = -1

  static func + (a: Self, b: Self) -> Self {
    Self(
      incoming: a.incoming + b.incoming, outgoing: a.outgoing + b.outgoing,
      largest: max(a.largest, b.largest))
  }
}

/// How the members of every node are connected at level 0: the finest evidence that a level has.
///
/// An edge j → i says that j is among the near neighbours of i. They are counted once per pair of
/// nodes and merged with the nodes, so memory falls from level to level.
public struct PointEdges: Sendable {
  /// Owned. Row i is `rowOffsets[i] ..< rowOffsets[i + 1]`. Shape `[ownedCount + 1]`.
  private(set) var rowOffsets: [Int]
  /// Owned. The other node, ascending within a row; the node itself for edges inside it.
  private(set) var others: [GlobalNode]
  /// Owned. What runs between the two. Of edges inside a node each is counted once, as incoming.
  private(set) var tallies: [PointEdgeTally]
  /// Owned. Sum of similarities of all edges into members, in units of 2⁻⁴⁰. Shape `[ownedCount]`.
  private(set) var similaritySums: [Int64]

  private struct Row: BitwiseCopyable {
    var node: GlobalNode
    var other: GlobalNode
    var tally: PointEdgeTally
  }

  /// The edges of level 0 themselves.
  ///
  /// > Collective: over `communicator`. Three rounds, 40 bytes per cut edge.
  public init(_ graph: NeighborGraph, on communicator: some Communicator) throws {
    var rows: [Row] = []
    rows.reserveCapacity(2 * graph.edgeCount)
    var leaving: [Row] = []
    similaritySums = Array(repeating: 0, count: graph.ownedCount)
    for node in 0..<graph.ownedCount {
      let name = graph.halo.global(LocalNode(node))
      for edge in graph.edges(into: node) {
        let source = graph.source(of: edge)
        let a = graph.affinities[edge]
        similaritySums[node] += Int64((Double(a) * Self.unit).rounded(.toNearestOrEven))
        rows.append(
          Row(node: name, other: source, tally: PointEdgeTally(incoming: 1, largest: a)))
        leaving.append(
          Row(node: source, other: name, tally: PointEdgeTally(outgoing: 1, largest: a)))
      }
    }
    rows += try graph.nodes.deliver(
      leaving, width: 1, to: leaving.map(\.node), on: communicator
    ).rows
    (rowOffsets, others, tallies) = Self.merged(
      rows, of: graph.nodes.owned(by: communicator.rank))
  }

  private static let unit = 0x1p40

  /// The same edges between the nodes of the next level.
  ///
  /// > Collective: over `communicator`. Nine rounds: the coarse name of every other node, 16 bytes;
  /// > then 40 bytes per pair of nodes that are connected, and 8 per node.
  ///
  /// - Parameters:
  ///   - coarse: Owned. The coarse node of every node.
  ///   - nodes, coarseNodes: Who owns which.
  public func merged(
    into coarse: [GlobalNode], from nodes: NodePartition, to coarseNodes: NodePartition,
    on communicator: some Communicator
  ) throws -> PointEdges {
    try communicator.assertReplicated(
      (nodes: nodes.firstNode, coarseNodes: coarseNodes.firstNode), from: .all)
    let coarseOthers = try nodes.fetch(coarse, at: others, on: communicator)
    var rows: [Row] = []
    rows.reserveCapacity(others.count)
    for node in coarse.indices {
      for place in rowOffsets[node]..<rowOffsets[node + 1] {
        var row = Row(node: coarse[node], other: coarseOthers[place], tally: tallies[place])
        // An edge that comes to lie inside a node was in two rows; it stays as incoming alone.
        if row.node == row.other {
          row.tally.outgoing = 0
          if row.tally.incoming == 0 { continue }
        }
        rows.append(row)
      }
    }
    let arrived = try coarseNodes.deliver(
      rows, width: 1, to: rows.map(\.node), on: communicator)
    let owned = coarseNodes.owned(by: communicator.rank)
    var sums = Array(repeating: Int64(0), count: owned.count)
    try coarseNodes.scatter(similaritySums, to: coarse, into: &sums, on: communicator) { $0 += $1 }
    return PointEdges(Self.merged(arrived.rows, of: owned), similaritySums: sums)
  }

  private init(
    _ rows: (rowOffsets: [Int], others: [GlobalNode], tallies: [PointEdgeTally]),
    similaritySums: [Int64]
  ) {
    (rowOffsets, others, tallies) = rows
    self.similaritySums = similaritySums
  }

  /// Adds up the rows of equal ends, in whatever order they come.
  private static func merged(_ rows: [Row], of owned: Range<Int>) -> (
    rowOffsets: [Int], others: [GlobalNode], tallies: [PointEdgeTally]
  ) {
    var offsets = Array(repeating: 0, count: owned.count + 1)
    for row in rows { offsets[Int(row.node.index) - owned.lowerBound + 1] += 1 }
    for node in 0..<owned.count { offsets[node + 1] += offsets[node] }
    var next = offsets
    var order = Array(repeating: 0, count: rows.count)
    for (index, row) in rows.enumerated() {
      let node = Int(row.node.index) - owned.lowerBound
      order[next[node]] = index
      next[node] += 1
    }
    var rowOffsets = [0]
    var others: [GlobalNode] = []
    var tallies: [PointEdgeTally] = []
    for node in 0..<owned.count {
      let first = others.count
      let ofNode = order[offsets[node]..<offsets[node + 1]]
        .sorted { rows[$0].other < rows[$1].other }
      for index in ofNode {
        if others.count > first, others[others.count - 1] == rows[index].other {
          tallies[tallies.count - 1] = tallies[tallies.count - 1] + rows[index].tally
        } else {
          others.append(rows[index].other)
          tallies.append(rows[index].tally)
        }
      }
      rowOffsets.append(others.count)
    }
    return (rowOffsets, others, tallies)
  }

  /// What runs between an owned node and another one; nil if nothing does.
  ///
  /// - Complexity: O(log of the nodes it is connected to).
  func tally(of node: Int, and other: GlobalNode) -> PointEdgeTally? {
    var (low, high) = (rowOffsets[node], rowOffsets[node + 1])
    while low < high {
      let middle = (low + high) / 2
      if others[middle] < other { low = middle + 1 } else { high = middle }
    }
    return low < rowOffsets[node + 1] && others[low] == other ? tallies[low] : nil
  }

  /// How many edges of level 0 run into the members of an owned node.
  func incomingCount(of node: Int) -> Int {
    tallies[rowOffsets[node]..<rowOffsets[node + 1]].reduce(0) { $0 + Int($1.incoming) }
  }

  /// The mean similarity of the edges into the members of an owned node; 0 without edges.
  func meanSimilarity(of node: Int) -> Float {
    let count = incomingCount(of: node)
    return count == 0 ? 0 : Float(Double(similaritySums[node]) / Self.unit / Double(count))
  }
}
