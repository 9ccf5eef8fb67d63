internal import CHighland
internal import Communication
internal import Datasets
internal import DistributedGraphs
internal import HierarchicalClustering
internal import LinearAlgebra

/// The rows that all ranks hand in, one rank's after the other's.
///
/// Each rank can read its equal share of them, whatever it has handed in itself.
struct RowsOfRanks: EmbeddingSource {
  /// Replicated. Which rank has handed in which rows.
  let given: NodePartition
  /// Replicated. Which rank can read which rows.
  let shares: NodePartition
  /// All rows, of which this rank has its share.
  private let rows: ArrayInMemory
  /// Where they lie, unless they are those that this rank handed in.
  private let arrived: FixedArray<UInt8>?

  var name: String { rows.path }
  var rowCount: Int { rows.rowCount }
  var dimensions: Int { rows.columnCount }
  /// How ``storedRows(_:)`` keeps the numbers.
  var element: StoredElement { rows.element }

  /// > Collective: over `communicator`. Four rounds of some bytes per rank; in one more, rows travel that are of
  /// > another rank's share.
  ///
  /// - Parameter own: The rows of this rank.
  /// - Throws: ``AgreedFailure`` on all ranks if they have not the same columns, of the same type.
  init(_ own: ArrayInMemory, on communicator: some Communicator) throws {
    let description = "\(own.columnCount) columns of \(own.elementType)"
    let first = String(
      decoding: try communicator.broadcast(Array(description.utf8)), as: UTF8.self)
    try communicator.agreeWithStatus {
      guard description == first else {
        throw invalidArgument(
          "features: rank \(communicator.rank.index) has \(description), rank 0 \(first); "
            + "expected the same on all ranks")
      }
    }
    given = NodePartition(
      firstNode: (try communicator.gatherOne(own.rowCount) + [0]).exclusivePrefixSums())
    shares = NodePartition(sharing: given.nodeCount, among: communicator.size)
    let share = shares.owned(by: communicator.rank)
    guard given != shares else {
      (rows, arrived) = (own.asRows(share, of: given.nodeCount), nil)
      return
    }
    let rowBytes = own.columnCount * own.elementType.byteCount
    let bytes = FixedArray(
      try given.hand(own.packedBytes(), width: rowBytes, to: shares, on: communicator))
    arrived = bytes
    rows = unsafe try ArrayInMemory(
      at: bytes.base, of: own.elementType, rows: share.count, columns: own.columnCount,
      rowStride: rowBytes, columnStride: own.elementType.byteCount, name: own.path
    ).asRows(share, of: given.nodeCount)
  }

  func rows(_ range: Range<Int>) throws -> Matrix { try rows.rows(range) }

  func storedRows(_ range: Range<Int>) throws -> StoredRows? { try rows.storedRows(range) }

  func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    try rows.directions(range)
  }
}
