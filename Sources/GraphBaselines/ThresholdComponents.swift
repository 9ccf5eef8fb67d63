public import Communication
public import DistributedGraphs

/// The connected components of the edges to neighbours that are more similar than a threshold: the smallest
/// node of its component for every owned node.
///
/// Edges count in both directions. Over lists of all other nodes this is single linkage, cut at the threshold.
///
/// > Collective: over `communicator`, as ``connectedComponents(_:in:on:)``.
///
/// - Parameters:
///   - lists: Owned.
///   - threshold: Replicated. An edge must be more similar than this.
/// - Returns: One entry per owned node.
/// - Complexity: O(edges · α) locally.
public func thresholdComponents(
  of lists: NeighborLists, above threshold: Double, in nodes: NodePartition,
  on communicator: some Communicator
) throws -> [GlobalNode] {
  try communicator.assertReplicated(threshold)
  let owned = nodes.owned(by: communicator.rank)
  var edges: [(GlobalNode, GlobalNode)] = []
  for list in 0..<lists.count {
    for place in list * lists.listLength..<(list + 1) * lists.listLength {
      guard lists.neighbors[place] != NeighborLists.none,
        Double(lists.similarities[place]) > threshold
      else { break }  // the rest is less similar
      edges.append((GlobalNode(owned.lowerBound + list), lists.neighbors[place]))
    }
  }
  return try connectedComponents(edges, in: nodes, on: communicator)
}
