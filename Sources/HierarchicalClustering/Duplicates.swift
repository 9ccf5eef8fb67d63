internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import RandomNumbers

/// The first of the points with the same direction, for every owned point; itself where there is no
/// other or no direction.
///
/// Directions are compared by the 128 bits of two hashes, which meet by chance once in 2⁶⁴ for 2³²
/// points.
///
/// > Collective: over `communicator`. Five rounds: 24 bytes and back 8 per point.
///
/// - Parameters:
///   - rows: Owned. Unit rows.
///   - hasDirection: Owned. Points without one are like nobody.
/// - Complexity: O(ownedCount · columns).
func duplicateRoots(
  of rows: Matrix, where hasDirection: [Bool], in points: NodePartition,
  on communicator: some Communicator
) throws -> [GlobalNode] {
  let first = points.owned(by: communicator.rank).lowerBound
  precondition(
    rows.rowCount == hasDirection.count, "\(rows.rowCount) rows, \(hasDirection.count) others")
  let hashes = rows.rowHashes
  let asked = hashes.indices.filter { hasDirection[$0] }
  let entries = asked.map { row in
    Fingerprint(hash: hashes[row], point: GlobalNode(first + row))
  }
  let size = communicator.size
  let (sent, places) = Buckets.sorting(entries, into: size) {
    Rank(Int($0.hash.low % UInt64(size)))
  }
  let arrived = try communicator.allToAll(sent)
  var firstPoint: [Fingerprint.Hash: GlobalNode] = [:]
  for entry in arrived.values {
    firstPoint[entry.hash] = min(firstPoint[entry.hash] ?? entry.point, entry.point)
  }
  let answers = try communicator.exchange(
    arrived.map { firstPoint[$0.hash]! }, receiving: sent.counts)
  var roots = (0..<rows.rowCount).map { GlobalNode(first + $0) }
  for (place, row) in zip(places, asked) { roots[row] = answers.values[place] }
  return roots
}

private struct Fingerprint: BitwiseCopyable {
  struct Hash: BitwiseCopyable, Hashable {
    var low: UInt64 = 0x9E37_79B9_7F4A_7C15
    var high: UInt64 = 0xD1B5_4A32_D192_ED03
  }

  var hash: Hash
  var point: GlobalNode
}

extension Matrix {
  /// Two hashes of the numbers of every row; 0 and −0 are the same number.
  fileprivate var rowHashes: [Fingerprint.Hash] {
    (0..<rowCount).map { index in
      var hash = Fingerprint.Hash()
      for value in row(index) {
        let bits = UInt64((value == 0 ? 0 : value).bitPattern)
        hash.low = mixed(hash.low ^ bits)
        hash.high = mixed(hash.high &+ bits &* 0x2545_F491_4F6C_DD1D)
      }
      return hash
    }
  }
}
