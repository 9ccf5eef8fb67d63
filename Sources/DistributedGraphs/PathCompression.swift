public import Communication

/// Replaces every owned node's parent by the root of its tree, by pointer jumping.
///
/// > Collective: over `communicator`. ⌈log₂ d⌉ + 1 rounds for trees of depth d; each round one
/// > ``NodePartition/fetch(_:at:on:)`` of the parents that are not known to be roots and one
/// > 1-byte all-reduce.
///
/// - Parameter parent: One entry per owned node. A root is its own parent.
/// - Precondition: The parents form a forest.
public func compressPaths(
  _ parent: inout [GlobalNode], in nodes: NodePartition, on communicator: some Communicator
) throws {
  try communicator.assertReplicated(nodes.firstNode, from: .all)
  let first = nodes.owned(by: communicator.rank).lowerBound
  // A node whose grandparent is its parent points at a root, and will for ever.
  var climbing = parent.indices.filter { parent[$0] != GlobalNode(first + $0) }
  var isFlat = false
  while !isFlat {
    let grandparent = try nodes.fetch(parent, at: climbing.map { parent[$0] }, on: communicator)
    var next: [Int] = []
    for (node, ancestor) in zip(climbing, grandparent) where parent[node] != ancestor {
      parent[node] = ancestor
      next.append(node)
    }
    isFlat = try communicator.all(next.isEmpty)
    climbing = next
  }
}
