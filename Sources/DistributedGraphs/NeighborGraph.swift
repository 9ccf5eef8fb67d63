public import Communication

/// The directed graph of one level. Each rank holds the rows of the nodes it owns.
///
/// Row i lists the sources j of the edges j → i: the neighbours in i's list with positive
/// similarity, nearest first. That order is the same on any number of ranks, and so are sums over a row.
public struct NeighborGraph: Sendable {
  /// Replicated.
  public let nodes: NodePartition
  /// Local. Which rank needs which nodes from which other rank.
  public let halo: Halo
  /// Owned. Row i is `rowOffsets[i] ..< rowOffsets[i + 1]`. Shape `[ownedCount + 1]`.
  public let rowOffsets: [Int]
  /// Owned. Source of every edge. Shape `[edgeCount]`.
  public let columns: [LocalNode]
  /// Owned. Affinity a of every edge: cosine similarity, positive. Shape `[edgeCount]`.
  public let affinities: [Float]

  /// Builds the rows and the halo from neighbour lists.
  ///
  /// > Collective: over `communicator`. Two rounds: the counts, then 8 bytes per ghost.
  ///
  /// - Parameter usedCount: Owned. Only so many lists, the first, make edges; nil for all.
  /// - Complexity: O(e log e) for the e edges from ghosts, O(edges) otherwise.
  public init(
    _ lists: NeighborLists, usingFirst usedCount: Int? = nil, in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated((listLength: lists.listLength, nodes: nodes.firstNode))
    let owned = nodes.owned(by: communicator.rank)
    precondition(
      lists.listLength == 0 || lists.count == owned.count,
      "\(lists.count) lists for \(owned.count) nodes")
    var rowOffsets = [0]
    rowOffsets.reserveCapacity(owned.count + 1)
    let usedCount = lists.listLength == 0 ? 0 : usedCount ?? owned.count
    for node in 0..<owned.count {
      rowOffsets.append(rowOffsets[node] + (node < usedCount ? lists.edgeCount(of: node) : 0))
    }
    var sources: [GlobalNode] = []
    var affinities: [Float] = []
    sources.reserveCapacity(rowOffsets[owned.count])
    affinities.reserveCapacity(rowOffsets[owned.count])
    for node in 0..<owned.count {
      let first = node * lists.listLength
      let edges = first..<first + rowOffsets[node + 1] - rowOffsets[node]
      sources += lists.neighbors[edges]
      affinities += lists.similarities[edges]
    }
    (halo, columns) = try Halo.localizing(sources, in: nodes, on: communicator)
    self.nodes = nodes
    self.rowOffsets = rowOffsets
    self.affinities = affinities
  }

  public var ownedCount: Int { rowOffsets.count - 1 }
  public var edgeCount: Int { columns.count }

  /// Owned. How many edges come from ghosts.
  public var cutEdgeCount: Int { columns.count { $0.index >= ownedCount } }

  /// The edges into an owned node.
  public func edges(into node: Int) -> Range<Int> { rowOffsets[node]..<rowOffsets[node + 1] }

  /// The global name of an edge's source.
  public func source(of edge: Int) -> GlobalNode { halo.global(columns[edge]) }
}
