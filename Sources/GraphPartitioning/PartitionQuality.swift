public import Communication
public import DistributedGraphs

/// How well parts divide a graph of neighbour lists.
public struct PartitionQuality: Equatable, Sendable {
  /// Edges between parts, as a share of all edges.
  public let cutShare: Double
  /// Nodes that parts need from others, over all parts, divided by the number of nodes.
  public let ghostsPerNode: Double
  /// The number of nodes of the largest part, divided by the mean.
  public let imbalance: Double
}

/// How well parts divide a graph of neighbour lists.
///
/// > Collective: over `communicator`. Some ten rounds, of 8 bytes per ghost and 16 per cut edge.
///
/// - Parameter parts: Owned. The part of every node, in `0 ..< count`.
public func quality(
  of parts: [Int], count: Int, along lists: NeighborLists, in nodes: NodePartition,
  on communicator: some Communicator
) throws -> PartitionQuality {
  let graph = try NeighborGraph(lists, in: nodes, on: communicator)
  let local = try graph.halo.extend(parts, on: communicator)
  var sizes = Array(repeating: Int64(0), count: count)
  var wanted: [(node: GlobalNode, part: Int)] = []
  for node in parts.indices {
    sizes[parts[node]] += 1
    for edge in graph.edges(into: node) {
      if local[Int(graph.columns[edge].index)] != parts[node] {
        wanted.append((graph.source(of: edge), parts[node]))
      }
    }
  }
  let arrived = try nodes.deliver(
    wanted.map(\.part), width: 1, to: wanted.map(\.node), on: communicator)
  let pairs = Array(zip(arrived.nodes, arrived.rows)).sorted { $0 < $1 }
  let ghosts = pairs.indices.count { $0 == 0 || pairs[$0] != pairs[$0 - 1] }
  let sums = try communicator.integerSums(
    sizes + [Int64(wanted.count), Int64(ghosts), Int64(graph.edgeCount)])
  let (cut, ghostCount, edges) = (sums[count], sums[count + 1], sums[count + 2])
  let nodeCount = nodes.nodeCount
  return PartitionQuality(
    cutShare: edges > 0 ? Double(cut) / Double(edges) : 0,
    ghostsPerNode: nodeCount > 0 ? Double(ghostCount) / Double(nodeCount) : 0,
    imbalance: nodeCount > 0
      ? Double(Int(sums[0..<count].max()!) * count) / Double(nodeCount) : 1)
}
