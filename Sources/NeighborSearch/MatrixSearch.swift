public import Communication
public import DistributedGraphs
public import LinearAlgebra
public import Parallelism

// Searches among unit rows that are a matrix of `Float`.

/// The nearest other nodes of every owned node by cosine similarity, exactly.
///
/// > Collective: over `communicator`, as for rows that are stored.
public func nearestNeighbors(
  of rows: Matrix, listLength: Int, in nodes: NodePartition, named names: [GlobalNode]? = nil,
  using workers: Workers = Workers(), on communicator: some Communicator,
  progress: (Double) throws -> Void = { _ in }
) throws -> NeighborLists {
  try nearestNeighbors(
    of: StoredRows(rows), listLength: listLength, in: nodes, named: names, using: workers,
    on: communicator, progress: progress)
}

/// The nearest other nodes of every owned node by cosine similarity: all of them, or almost all.
///
/// > Collective: over `communicator`, as for rows that are stored.
public func nearestNeighbors(
  of rows: Matrix, listLength: Int, by options: SearchOptions, in nodes: NodePartition,
  named names: [GlobalNode]? = nil, using workers: Workers = Workers(),
  on communicator: some Communicator, progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: SearchSummary) {
  try nearestNeighbors(
    of: StoredRows(rows), listLength: listLength, by: options, in: nodes, named: names,
    using: workers, on: communicator, progress: progress)
}

/// Almost all of the nearest other nodes of every owned node by cosine similarity.
///
/// > Collective: over `communicator`, as for rows that are stored.
public func approximateNeighbors(
  of rows: Matrix, listLength: Int, recall: Double = SearchOptions.usualRecall,
  in nodes: NodePartition,
  named names: [GlobalNode]? = nil, using workers: Workers = Workers(),
  on communicator: some Communicator, progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: ApproximateSummary) {
  try approximateNeighbors(
    of: StoredRows(rows), listLength: listLength, recall: recall, in: nodes, named: names,
    using: workers, on: communicator, progress: progress)
}
