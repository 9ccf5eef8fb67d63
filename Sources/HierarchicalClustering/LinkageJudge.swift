public import Communication
public import DistributedGraphs
public import GraphNetworks
package import NeighborSearch
public import Parallelism

/// Judges how probable it is that both ends of an edge belong together: a network, or the truth.
public protocol LinkageJudge {
  /// Which averages the nodes of later levels must carry for it.
  var means: NodeMeans { get }

  /// The dimension of the embeddings it works with; nil for any.
  var dimensions: Int? { get }

  /// Whether points with the same direction are one node from the start. Otherwise copies would fill
  /// each other's neighbour lists, which would then tell nothing else. Nodes of equal density then are no copies, and may
  /// merge.
  var mergesCopies: Bool { get }

  /// Whether levels, or groups, of no more than k nodes are merged further, too.
  var mergesFewNodes: Bool { get }

  /// Points of the smallest cluster of a group: smaller ones are joined to others.
  var fewestPoints: Int { get }

  /// Places in the neighbour lists that it looks at, without the node itself: at least k − 1.
  func listLength(neighborCount: Int) -> Int

  /// The linkage of every edge and the density of every node of a level.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - lists: Owned. The neighbour lists, as long as ``listLength(neighborCount:)`` says. Consumed, so that
  ///     their memory can be used again.
  ///   - graph: The edges: the first k − 1 places of the lists.
  ///   - level: A judge may consume the rows of level 0, and starts the evidence that it needs later.
  func linkage(
    _ lists: consuming NeighborLists, over graph: NeighborGraph, of level: inout Level,
    using workers: Workers, on communicator: some Communicator
  ) throws -> Linkage
}

extension LinkageJudge {
  public var dimensions: Int? { nil }
  public var mergesFewNodes: Bool { false }
  public var fewestPoints: Int { 1 }
}

/// The edges of a level, and the judge's linkages.
package struct JudgedEdges: Sendable {
  /// Owned. The lists that the edges were made from; nil if they are no longer needed.
  package let neighbors: NeighborLists?
  package let graph: NeighborGraph
  /// Owned. One linkage per edge of `graph`, and one density per node.
  package let linkage: Linkage
  /// Replicated. How the neighbours were searched; nil for the user's.
  package let search: SearchSummary?
}
