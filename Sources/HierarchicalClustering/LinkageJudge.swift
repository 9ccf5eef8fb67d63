public import Communication
public import DistributedGraphs
public import GraphNetworks
public import Parallelism

/// Says how probable it is that both ends of an edge belong together: a network, or the truth.
public protocol LinkageJudge {
  /// Which means the nodes of later levels have to carry for it.
  var means: NodeMeans { get }

  /// The dimension of the embeddings that it is for; nil for any.
  var dimensions: Int? { get }

  /// Whether points with the same direction are one node from the start. Copies would fill each
  /// other's neighbour lists, and nothing else could be learned from these.
  var mergesCopies: Bool { get }

  /// Places of the neighbour lists that it looks at, the node itself not counted: at least k − 1.
  func listLength(neighborCount: Int) -> Int

  /// The linkage of every edge and the density of every node of a level.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters:
  ///   - lists: Owned. The neighbour lists, as long as ``listLength(neighborCount:)`` says.
  ///   - graph: The edges: the first k − 1 places of the lists.
  ///   - level: A judge may consume the rows of level 0, and begins the evidence that it wants later.
  func linkage(
    _ lists: NeighborLists, over graph: NeighborGraph, of level: inout Level,
    using workers: Workers, on communicator: some Communicator
  ) throws -> Linkage
}

extension LinkageJudge {
  public var dimensions: Int? { nil }
}

/// The edges of a level, and what a judge says about them.
package struct JudgedEdges: Sendable {
  /// Owned. The lists that the edges were made of; nil where nobody wants them any more.
  package let neighbors: NeighborLists?
  package let graph: NeighborGraph
  /// Owned. Of the edges of `graph`.
  package let linkage: Linkage
}
