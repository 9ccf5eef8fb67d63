package import Communication
package import DistributedGraphs
package import LinearAlgebra
package import Parallelism
internal import RandomNumbers

/// For every owned point, the first of the points with its direction, by its name; the point itself if there is
/// no other, or if it has no direction.
///
/// Directions are compared by two hashes of 128 bits together. For 2³² points they collide by chance
/// with a probability of 2⁻⁶⁴.
///
/// Each rank finds its own copies first, so a direction travels once from every rank that has it,
/// however many points share it.
///
/// > Collective: over `communicator`. Three rounds: 24 bytes and back 8 per direction and rank.
///
/// - Parameters:
///   - rows: Owned. Unit rows.
///   - hasDirection: Owned. Points without a direction are not copies of any other.
///   - groups: Owned. Points of two groups are not copies of each other.
///   - names: Owned. The name of every point, all different. Given on all ranks or on none; nil names points by
///     their index.
/// - Complexity: O(ownedCount · columns).
package func duplicateRoots(
  of rows: StoredRows, where hasDirection: [Bool], within groups: PointGroups? = nil,
  in points: NodePartition, named names: [GlobalNode]? = nil, using workers: Workers = Workers(),
  on communicator: some Communicator
) throws -> [GlobalNode] {
  let names = names ?? points.owned(by: communicator.rank).map { GlobalNode($0) }
  precondition(
    rows.rowCount == hasDirection.count && rows.rowCount == names.count,
    "\(rows.rowCount) rows, \(hasDirection.count) others, \(names.count) names")
  let hashes = rows.rowHashes(using: workers)
  // For every point the place of its direction among those of this rank.
  var placeOf: [Fingerprint.Hash: Int] = [:]
  var entries: [Fingerprint] = []
  let places = hashes.indices.map { row in
    guard hasDirection[row] else { return -1 }
    var hash = hashes[row]
    if let groups { hash.add(UInt64(bitPattern: groups.firstPoint[row].index)) }
    if let place = placeOf[hash] {
      entries[place].point = min(entries[place].point, names[row])
      return place
    }
    placeOf[hash] = entries.count
    entries.append(Fingerprint(hash: hash, point: names[row]))
    return entries.count - 1
  }
  // Alone, the first point here is the first of all.
  var firstOf = entries.map(\.point)
  if communicator.size > 1 {
    let size = communicator.size
    let (sent, bucketPlaces) = Buckets.sorting(entries, into: size) {
      Rank(Int($0.hash.low % UInt64(size)))
    }
    let arrived = try communicator.allToAll(sent)
    var firstPoint: [Fingerprint.Hash: GlobalNode] = [:]
    for entry in arrived.values {
      firstPoint[entry.hash] = min(firstPoint[entry.hash] ?? entry.point, entry.point)
    }
    let answers = try communicator.exchange(
      arrived.map { firstPoint[$0.hash]! }, receiving: sent.counts)
    firstOf = bucketPlaces.map { answers.values[$0] }
  }
  return places.enumerated().map { row, place in
    place < 0 ? names[row] : firstOf[place]
  }
}

private struct Fingerprint: BitwiseCopyable {
  struct Hash: BitwiseCopyable, Hashable {
    var low: UInt64 = 0x9E37_79B9_7F4A_7C15
    var high: UInt64 = 0xD1B5_4A32_D192_ED03

    mutating func add(_ bits: UInt64) {
      low = mixed(low ^ bits)
      high = mixed(high &+ bits &* 0x2545_F491_4F6C_DD1D)
    }
  }

  var hash: Hash
  var point: GlobalNode
}

extension StoredRows {
  /// A hash of the numbers of every row, by which rows have an order that is not that of the input.
  func rowNames(using workers: Workers) -> [UInt64] {
    rowHashes(using: workers).map { mixed($0.low ^ mixed($0.high)) }
  }

  /// Two hashes of the numbers of every row; 0 and −0 are the same number.
  fileprivate func rowHashes(using workers: Workers) -> [Fingerprint.Hash] {
    let width = columnCount
    return [Fingerprint.Hash](
      count: rowCount, tilesOf: 256, using: workers, filledWith: Fingerprint.Hash()
    ) { places, hashes in
      var scratch = Matrix(rows: 0, columns: 0)
      let rows = unsafe read(places, into: &scratch)
      defer { withExtendedLifetime(scratch) {} }
      for index in places {
        let row = unsafe rows + (index - places.lowerBound) * width
        var hash = Fingerprint.Hash()
        for column in 0..<width {
          let value = unsafe row[column]
          let bits = UInt64((value == 0 ? 0 : value).bitPattern)
          hash.add(bits)
        }
        hashes[index - places.lowerBound] = hash
      }
    }
  }
}
