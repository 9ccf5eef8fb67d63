internal import DistributedGraphs

extension PointEdges {
  /// Point edges as numbers of 64 bits, for files.
  package typealias Words = (
    /// Owned. How many other nodes each is connected to, itself included if there are edges inside.
    degrees: [Int64],
    /// Four for each of these, row after row: the other node, edges in, edges out, and the bits of the largest
    /// similarity.
    entries: [Int64],
    /// Two per owned node: the sum of similarities, the higher half first.
    sums: [Int64]
  )
}

extension EdgesOfNodes {
  var words: PointEdges.Words {
    (
      degrees: zip(rowOffsets.dropFirst(), rowOffsets).map { Int64($0 - $1) },
      entries: entries.flatMap {
        [
          $0.other.index, $0.tally.incoming, $0.tally.outgoing,
          Int64($0.tally.largest.bitPattern),
        ]
      },
      sums: similaritySums.flatMap {
        [Int64($0 >> 64), Int64(truncatingIfNeeded: $0)]
      }
    )
  }

  init(words: PointEdges.Words) {
    let rowOffsets = words.degrees.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int($1)) }
    let entries = (0..<words.entries.count / 4).map { place in
      let word = words.entries[4 * place..<4 * place + 4]
      let first = word.startIndex
      return Entry(
        other: GlobalNode(word[first]),
        tally: PointEdgeTally(
          incoming: word[first + 1], outgoing: word[first + 2],
          largest: Float(bitPattern: UInt32(truncatingIfNeeded: word[first + 3]))))
    }
    self.init(
      (rowOffsets, entries),
      similaritySums: (0..<words.sums.count / 2).map {
        Int128(words.sums[2 * $0]) << 64 | Int128(UInt64(bitPattern: words.sums[2 * $0 + 1]))
      })
  }
}
