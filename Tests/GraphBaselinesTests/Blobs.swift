import Communication
import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs

/// Unit rows in groups, of which some are tight and some are loose.
func blobs(_ count: Int, columns: Int, groups: Int, seed: Int) -> Matrix {
  let centers = randomMatrix(groups, columns, seed: 1000 + seed)
  var rows = randomMatrix(count, columns, seed: seed)
  for row in 0..<count {
    let group = row % groups
    let spread = 0.1 + 0.5 * Float(group) / Float(groups)
    for column in 0..<columns {
      rows[row, column] = centers[group, column] + spread * rows[row, column]
    }
  }
  rows.normalizeRows()
  return rows
}

/// The neighbour lists of all rows.
func exactLists(of rows: Matrix, length: Int) throws -> NeighborLists {
  try nearestNeighbors(
    of: rows, listLength: length, in: NodePartition(sharing: rows.rowCount, among: 1),
    on: SingleRank())
}

/// The product of two rows, in double precision.
func similarity(_ rows: Matrix, _ a: Int, _ b: Int) -> Double {
  zip(rows.row(a), rows.row(b)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// The lowest place with the same name, for every place: equal for equal partitions.
func canonical(_ names: [some Hashable]) -> [Int] {
  let first = Dictionary(zip(names, names.indices)) { old, _ in old }
  return names.map { first[$0]! }
}

/// What every rank returns for its share of the rows, one after the other.
func shares<T: Sendable>(
  of rows: Matrix, ranks: Int, seed: Int,
  _ body: @escaping @Sendable (StoredRows, NodePartition, ThreadCommunicator) throws -> [T]
) throws -> [T] {
  let nodes = NodePartition.random(nodeCount: rows.rowCount, ranks: ranks, seed: seed)
  return try ThreadCommunicator.run(ranks: ranks) { communicator in
    try body(StoredRows(rows.slice(nodes.owned(by: communicator.rank))), nodes, communicator)
  }.flatMap { $0 }
}
