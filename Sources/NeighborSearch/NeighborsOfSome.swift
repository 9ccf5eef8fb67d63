package import Communication
package import DistributedGraphs
package import LinearAlgebra
package import Parallelism

/// The nearest other nodes of some owned nodes by cosine similarity: of those that come first on every rank.
///
/// All pairs of such a node and any other are compared, unless an approximate search is much cheaper, in which only these
/// nodes ask. The exact lists have the order and the bits of
/// ``nearestNeighbors(of:listLength:dividedBy:in:named:using:on:progress:)``.
///
/// > Collective: over `communicator`. Exact: a round of 8 bytes per rank and four for every `tileLength` nodes, their
/// > rows to every rank, and from every rank 12 bytes for each place of their lists. Approximate: as
/// > ``approximateNeighbors(of:listLength:recall:dividedBy:in:named:keptIn:using:on:progress:)``.
///
/// - Parameters:
///   - count: Owned. Of how many of the owned nodes neighbours are wanted.
///   - rows: Owned. Unit rows, or zero rows, which take no part. Shape `[ownedCount × columns]`.
///   - listLength: Replicated. The number of neighbours for each node, without the node itself.
///   - options: Replicated.
///   - names: Owned. The name of every node, as in the searches.
///   - tileLength: Replicated. How many nodes of all ranks are compared at a time.
///   - progress: Called on every rank with the share that is done, in 0 ... 1. If it throws, it must do so on
///     every rank.
/// - Returns: Owned. A list for each of the `count` nodes, and what was done.
/// - Complexity: Exact: 2 · count · nodes · columns flops, shared among the ranks; memory for a tile and its lists.
package func nearestNeighbors(
  ofFirst count: Int, of rows: StoredRows, listLength: Int, by options: SearchOptions,
  in nodes: NodePartition, named names: [GlobalNode], inTilesOf tileLength: Int = 16_384,
  using workers: Workers = Workers(), on communicator: some Communicator,
  progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: SearchSummary) {
  try communicator.assertReplicated(
    (
      listLength: listLength, options: options, columns: rows.columnCount, nodes: nodes.firstNode,
      tileLength: tileLength
    ))
  let plan = SearchPlan(
    nodeCount: nodes.nodeCount, listLength: listLength, askingCount: try communicator.sum(count))
  let choice = plan.choice(by: options)
  if choice.method == .approximate {
    try plan.check(recall: options.recall)
    let (lists, summary) = try approximateNeighbors(
      ofFirst: count, of: rows, listLength: listLength, recall: options.recall,
      dividedBy: options.division, in: nodes, named: names, keptIn: nil, using: workers,
      on: communicator, progress: progress)
    return (
      lists.first(count),
      SearchSummary(
        method: .approximate, reason: choice.reason, comparedPairs: summary.comparedPairs,
        approximate: summary)
    )
  }
  var lists = CandidateLists(count: count, capacity: listLength)
  try rows.forEachTile(
    of: 0..<count, named: names, tileLength: tileLength, on: communicator, progress: progress
  ) { tile in
    let found = nearestRows(
      of: tile.rows, named: tile.names, among: rows, named: names, listLength: listLength,
      using: workers)
    try lists.take(found, counts: tile.counts, from: tile.first, on: communicator)
  }
  return (
    lists.neighborLists(listLength: listLength, using: workers),
    SearchSummary(method: .exact, reason: choice.reason, comparedPairs: plan.exactPairs)
  )
}

/// Nodes of all ranks that ask for their neighbours.
struct AskingTile {
  /// Replicated. Those of each rank, by rank. Shape `[nodes × columns]`.
  let rows: Matrix
  /// Replicated. Of these nodes.
  let names: [GlobalNode]
  /// Replicated. How many each rank has.
  let counts: [Int]
  /// Owned. The place of the first that is owned.
  let first: Int
}

extension StoredRows {
  /// Sends some rows to every rank, a tile at a time.
  ///
  /// > Collective: over `communicator`. A round of 8 bytes per rank; three for each tile: the rows, 8 bytes for each of their
  /// > names, and 8 per rank.
  ///
  /// - Parameters:
  ///   - places: Owned. Which rows.
  ///   - names: Owned. Of all rows.
  ///   - tileLength: Replicated. Rows of all ranks in a tile.
  ///   - progress: Called after each tile with the share that is done, in 0 ... 1.
  ///   - body: Called on every rank as often. May communicate.
  func forEachTile(
    of places: Range<Int>, named names: [GlobalNode], tileLength: Int,
    on communicator: some Communicator, progress: (Double) throws -> Void,
    _ body: (AskingTile) throws -> Void
  ) throws {
    let ownTile = max(tileLength / communicator.size, 1)
    let tileCount = try communicator.maximum((places.count + ownTile - 1) / ownTile)
    for tile in 0..<tileCount {
      let start = places.lowerBound + tile * ownTile
      let own = (start..<start + ownTile).clamped(to: places)
      let counts = try communicator.gatherOne(own.count)
      try body(
        AskingTile(
          rows: communicator.allGather(rows: copy(ofRows: own), counts: counts),
          names: communicator.allGather(Array(names[own]), counts: counts).values, counts: counts,
          first: own.lowerBound))
      try progress(Double(tile + 1) / Double(tileCount))
    }
  }
}

extension CandidateLists {
  /// Merges what every rank has found for consecutive nodes of all ranks into the lists of their owners.
  ///
  /// > Collective: over `communicator`. Two rounds of 12 bytes for each place.
  ///
  /// - Parameters:
  ///   - found: Lists of the same capacity for the nodes of each rank, by rank.
  ///   - counts: Replicated. How many nodes each rank has among these.
  ///   - first: Owned. The list of the first of them that are owned.
  mutating func take(
    _ found: CandidateLists, counts: [Int], from first: Int, on communicator: some Communicator
  ) throws {
    let count = counts[communicator.rank.index]
    let received = Array(repeating: count * capacity, count: communicator.size)
    let places = counts.map { [capacity] in $0 * capacity }
    let names = try communicator.exchange(
      Buckets(values: found.names, counts: places), receiving: received)
    let similarities = try communicator.exchange(
      Buckets(values: found.similarity, counts: places), receiving: received)
    for rank in communicator.ranks {
      merge(
        CandidateLists(
          capacity: capacity, similarity: Array(similarities[rank]), names: Array(names[rank]),
          bound: Array(repeating: -.infinity, count: count)), from: first)
    }
  }
}

extension NeighborLists {
  /// The lists of the first nodes.
  fileprivate func first(_ count: Int) -> NeighborLists {
    NeighborLists(
      listLength: listLength, neighbors: Array(neighbors.prefix(count * listLength)),
      similarities: Array(similarities.prefix(count * listLength)))
  }
}
