internal import Communication
internal import DistributedGraphs

/// The nodes of a coarser graph, each of which is a connected component of a finer one.
struct Coarsening {
  /// Which rank owns which coarse nodes. They are in the order of their first fine nodes, and owned by their owners.
  let nodes: NodePartition
  /// Owned fine nodes. The coarse node of each.
  let coarseNode: [GlobalNode]

  /// > Collective: over `communicator`, as ``connectedComponents(_:in:on:)``; then a round of 8 bytes per rank, and a
  /// > fetch of a word per node.
  init(
    joining edges: [(GlobalNode, GlobalNode)], in fine: NodePartition,
    on communicator: some Communicator
  ) throws {
    let roots = try connectedComponents(edges, in: fine, on: communicator)
    let first = fine.owned(by: communicator.rank).lowerBound
    let isRoot = roots.indices.map { roots[$0] == GlobalNode(first + $0) }
    let counts = try communicator.gatherOne(isRoot.count { $0 })
    let firstNode = counts.exclusivePrefixSums()
    nodes = NodePartition(firstNode: firstNode + [counts.reduce(0, +)])
    var next = firstNode[communicator.rank.index]
    let numbers = isRoot.map { isRoot in
      defer { if isRoot { next += 1 } }
      return GlobalNode(next)
    }
    coarseNode = try fine.fetch(numbers, at: roots, on: communicator)
  }
}
