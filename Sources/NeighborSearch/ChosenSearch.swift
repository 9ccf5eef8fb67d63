public import Communication
public import DistributedGraphs
public import LinearAlgebra
public import Parallelism

/// The nearest other nodes of every owned node by cosine similarity: all of them, or almost all.
///
/// > Collective: over `communicator`, as ``nearestNeighbors(of:listLength:dividedBy:in:named:using:on:progress:)`` or
/// > ``approximateNeighbors(of:listLength:recall:dividedBy:in:named:keptIn:using:on:progress:)``.
///
/// - Parameters:
///   - rows: Owned. Unit rows, or zero rows, which take no part. Shape `[ownedCount × columns]`.
///   - listLength: Replicated. The number of neighbours for each node, without the node itself.
///   - options: Replicated.
///   - names: Owned. The name of every node, as in the searches; nil names nodes by their index.
///   - store: Replicated. Where an approximate search keeps what it has found so far; nil where it does not.
/// - Returns: Lists of `listLength` places, and what was done for them.
/// - Throws: ``AgreedFailure`` on every rank for a recall of an approximate search that no estimate can show.
public func nearestNeighbors(
  of rows: StoredRows, listLength: Int, by options: SearchOptions, in nodes: NodePartition,
  named names: [GlobalNode]? = nil, keptIn store: (any SearchStore)? = nil,
  using workers: Workers = Workers(), on communicator: some Communicator,
  progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: SearchSummary) {
  try communicator.assertReplicated(options)
  let plan = SearchPlan(nodeCount: nodes.nodeCount, listLength: listLength)
  let choice = plan.choice(by: options)
  if choice.method == .approximate { try plan.check(recall: options.recall) }
  guard choice.method == .approximate else {
    let lists = try nearestNeighbors(
      of: rows, listLength: listLength, dividedBy: options.division, in: nodes, named: names,
      using: workers, on: communicator,
      progress: progress)
    return (
      lists,
      SearchSummary(method: .exact, reason: choice.reason, comparedPairs: plan.exactPairs)
    )
  }
  let (lists, summary) = try approximateNeighbors(
    of: rows, listLength: listLength, recall: options.recall, dividedBy: options.division,
    in: nodes, named: names, keptIn: store, using: workers, on: communicator, progress: progress)
  return (
    lists,
    SearchSummary(
      method: .approximate, reason: choice.reason, comparedPairs: summary.comparedPairs,
      approximate: summary)
  )
}
