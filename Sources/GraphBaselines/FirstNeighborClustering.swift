public import Communication
public import DistributedGraphs
public import LinearAlgebra
public import NeighborSearch
public import Parallelism

/// One of the partitions that FINCH finds.
public struct FirstNeighborPartition: Equatable, Sendable {
  /// Owned points. 0, 1, 2, … in the order in which clusters first appear.
  public var labels: [Int64]
  /// Replicated.
  public var clusterCount: Int
}

/// Every partition that FINCH finds, the finest first.
///
/// Each node and its first neighbour are of one cluster: the clusters are the components of these edges. The means of
/// the clusters' unit rows are the nodes of the next partition. A partition with one cluster, or that would merge one
/// node or none, is the end, and is left out, unless it is the first.
/// [Sarfraz, Sharma and Stiefelhagen, CVPR 2019; the end as in finch-clust 0.2.3]
///
/// > Collective: over `communicator`. Per partition those of ``connectedComponents(_:in:on:)``, two fetches of a
/// > word per node and point, 8 bytes per column and cluster that a rank has points of, and a search of the
/// > means.
///
/// - Parameters:
///   - rows: Owned. Unit rows. Shape `[pointCount × columns]`.
///   - lists: Owned. Those of one place will do.
///   - search: Replicated. How the neighbours of means are searched.
/// - Complexity: At most half of the nodes are left after every partition, so that all later searches take a third of
///   the time of the first at most.
public func firstNeighborPartitions(
  of rows: StoredRows, along lists: NeighborLists, searching search: SearchOptions,
  in points: NodePartition, using workers: Workers = Workers(), on communicator: some Communicator
) throws -> [FirstNeighborPartition] {
  var nodes = points
  var nodeOfPoint = points.owned(by: communicator.rank).map { GlobalNode($0) }
  var edges = lists.firstEdges(from: points.owned(by: communicator.rank).lowerBound)
  var meanSearch = search
  meanSearch.expectsDiffuse = true  // means lie apart
  var partitions: [FirstNeighborPartition] = []
  while true {
    let coarse = try Coarsening(joining: edges, in: nodes, on: communicator)
    let count = coarse.nodes.nodeCount
    // The first partition counts whatever it is.
    guard partitions.isEmpty || count > 1 && nodes.nodeCount - count > 1 else { break }
    nodeOfPoint = try nodes.fetch(coarse.coarseNode, at: nodeOfPoint, on: communicator)
    nodes = coarse.nodes
    partitions.append(
      FirstNeighborPartition(labels: nodeOfPoint.map(\.index), clusterCount: count))
    guard count > 1 else { break }
    let means = try clusterDirections(
      of: rows, in: nodeOfPoint, of: nodes, pointCount: points.nodeCount, using: workers,
      on: communicator)
    edges = try nearestNeighbors(
      of: means, listLength: 1, by: meanSearch, in: nodes, using: workers, on: communicator
    ).lists.firstEdges(from: nodes.owned(by: communicator.rank).lowerBound)
  }
  return partitions
}

extension NeighborLists {
  /// The edge to the first neighbour of every node that has one.
  ///
  /// - Parameter first: The node of the first list.
  fileprivate func firstEdges(from first: Int) -> [(GlobalNode, GlobalNode)] {
    (0..<count).compactMap { list in
      let neighbor = neighbors[list * listLength]
      return neighbor == Self.none ? nil : (GlobalNode(first + list), neighbor)
    }
  }
}
