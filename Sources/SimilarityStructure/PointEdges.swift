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
/// An edge j → i says that j is among the near neighbours of i. At level 0 they are those of the graph; of
/// later levels they are counted once per pair of nodes, and merged with the nodes: 32 bytes per pair and
/// end, fewer from level to level.
public struct PointEdges: Sendable {
  private let form: Form

  private enum Form {
    case ofPoints(EdgesOfPoints)
    case ofNodes(EdgesOfNodes)
  }

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

  /// The edges of level 0 themselves. The graph is shared.
  public init(_ graph: NeighborGraph) { form = .ofPoints(EdgesOfPoints(graph: graph)) }

  /// Edges that were counted elsewhere.
  ///
  /// - Parameters:
  ///   - rows: Owned. For every node its edges to others, in any order.
  ///   - similaritySums: Owned. In units of 2⁻⁴⁰.
  package init(rows: [[Entry]], similaritySums: [Int128]) {
    form = .ofNodes(EdgesOfNodes(rows: rows, similaritySums: similaritySums))
  }

  /// The same edges between the nodes of the next level.
  ///
  /// > Collective: over `communicator`. Nine rounds: the coarse name of every other node, 16 bytes, or at
  /// > level 0 of every ghost, 8 bytes; then per rank 40 bytes per pair of nodes that are connected, and 16
  /// > per node.
  ///
  /// - Parameters:
  ///   - coarse: Owned. The coarse node of every node.
  ///   - nodes, coarseNodes: Which rank owns which of them.
  /// - Complexity: O(edges · log of the edges at a node).
  public func merged(
    into coarse: [GlobalNode], from nodes: NodePartition, to coarseNodes: NodePartition,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws -> PointEdges {
    try communicator.assertReplicated(
      (nodes: nodes.firstNode, coarseNodes: coarseNodes.firstNode), from: .all)
    let merged =
      switch form {
      case .ofPoints(let edges):
        try edges.merged(into: coarse, to: coarseNodes, using: workers, on: communicator)
      case .ofNodes(let edges):
        try edges.merged(
          into: coarse, from: nodes, to: coarseNodes, using: workers, on: communicator)
      }
    return PointEdges(form: .ofNodes(merged))
  }

  private init(form: Form) { self.form = form }

  /// The edges between nodes of a later level as numbers of 64 bits, for files.
  ///
  /// - Precondition: Not those of level 0.
  package var words: Words {
    guard case .ofNodes(let edges) = form else { preconditionFailure("edges of level 0") }
    return edges.words
  }

  /// - Precondition: What ``words`` of some edges are.
  package init(words: Words) { form = .ofNodes(EdgesOfNodes(words: words)) }

  /// How many pairs of a node of a later level and another one are held here.
  package var pairCount: Int {
    switch form {
    case .ofPoints: 0
    case .ofNodes(let edges): edges.entries.count
    }
  }

  /// Whether nodes are points, of which the neighbour lists tell all.
  var areOfPoints: Bool { if case .ofPoints = form { true } else { false } }

  /// The edges between an owned node of a later level and another one, or inside it; nil if there are none.
  ///
  /// - Complexity: O(log of the nodes it is connected to).
  package func tally(of node: Int, and other: GlobalNode) -> PointEdgeTally? {
    switch form {
    case .ofPoints: nil
    case .ofNodes(let edges): edges.tally(of: node, and: other)
    }
  }

  /// How many edges of level 0 run into the members of an owned node.
  package func incomingCount(of node: Int) -> Int {
    switch form {
    case .ofPoints(let edges): edges.graph.edges(into: node).count
    case .ofNodes(let edges): edges.incomingCount(of: node)
    }
  }

  /// The mean similarity of the edges into the members of an owned node; 0 without edges.
  package func meanSimilarity(of node: Int) -> Float {
    let count = incomingCount(of: node)
    let sum =
      switch form {
      case .ofPoints(let edges): edges.similaritySum(of: node)
      case .ofNodes(let edges): edges.similaritySums[node]
      }
    return count == 0 ? 0 : Float(Double(sum) / Self.unit / Double(count))
  }

  /// Sums of similarities are in units of 2⁻⁴⁰, with room for 2⁸⁶ edges.
  static let unit = 0x1p40
}
