package import Communication
package import DistributedGraphs
package import LinearAlgebra
package import Parallelism

/// The lists of some nodes after others have come: the new nodes get lists, and nearer ones enter the old lists.
///
/// Only pairs with a new node are compared. If the old lists are those of an exact search among the old nodes, the lists
/// are, bit for bit, those of ``nearestNeighbors(of:listLength:dividedBy:in:named:using:on:progress:)`` among all.
///
/// > Collective: over `communicator`. A round of 8 bytes per rank, and five for every `tileLength` new nodes: their rows to
/// > every rank, and from every rank 12 bytes for each place of their lists.
///
/// - Parameters:
///   - lists: Owned. A list for every node; those of new nodes are not looked at.
///   - oldCount: Replicated. How many nodes there were: the first ones. Lists hold nodes below it.
///   - rows: Owned. Unit rows, or zero rows, which take no part. Shape `[ownedCount × columns]`.
///   - tileLength: Replicated. How many new nodes of all ranks are compared at a time.
///   - progress: Called on every rank with the share that is done, in 0 ... 1. If it throws, it must do so on every rank.
/// - Returns: Owned. A list for every node, and what was done.
/// - Complexity: 2 · new nodes · nodes · columns flops, shared among the ranks by their nodes; memory for all lists once
///   more, and a tile and its lists.
package func extend(
  _ lists: NeighborLists, ofFirst oldCount: Int, to rows: StoredRows, in nodes: NodePartition,
  inTilesOf tileLength: Int = 16_384, using workers: Workers = Workers(),
  on communicator: some Communicator, progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: SearchSummary) {
  try communicator.assertReplicated(
    (
      oldCount: oldCount, listLength: lists.listLength, columns: rows.columnCount,
      nodes: nodes.firstNode, tileLength: tileLength
    ))
  let owned = nodes.owned(by: communicator.rank)
  let length = lists.listLength
  precondition(
    rows.rowCount == owned.count && lists.neighbors.count == owned.count * length,
    "\(rows.rowCount) rows and \(lists.count) lists for \(owned.count) nodes")
  let names = owned.map { GlobalNode($0) }
  let firstNew = min(max(oldCount - owned.lowerBound, 0), owned.count)
  // New nodes ask all others, and only the lists of old ones take what asks them.
  var block = SearchBlock(
    rows: SearchRows(rows),
    lists: CandidateLists(
      capacity: length,
      bounds: owned.indices.map { $0 - owned.lowerBound < firstNew ? -.infinity : .infinity }),
    names: names)
  block.lists.merge(
    CandidateLists(
      capacity: length, similarity: Array(lists.similarities.prefix(firstNew * length)),
      names: Array(lists.neighbors.prefix(firstNew * length)),
      bound: Array(repeating: -.infinity, count: firstNew)), from: 0)

  try rows.forEachTile(
    of: firstNew..<owned.count, named: names, tileLength: tileLength, on: communicator,
    progress: progress
  ) { tile in
    let count = tile.rows.rowCount
    var visitor = SearchBlock(
      rows: SearchRows(StoredRows(tile.rows)),
      lists: CandidateLists(count: count, capacity: length), names: tile.names)
    offerPairs(
      between: &visitor, 0..<count, and: &block, 0..<owned.count, using: workers,
      progress: { _ in })
    try block.lists.take(visitor.lists, counts: tile.counts, from: tile.first, on: communicator)
  }
  return (
    (consume block).lists.neighborLists(listLength: length, using: workers),
    SearchSummary(
      method: .exact, reason: "only pairs with a new point",
      comparedPairs: Double(nodes.nodeCount - oldCount) * Double(nodes.nodeCount))
  )
}
