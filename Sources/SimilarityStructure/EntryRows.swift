internal import DistributedGraphs
internal import Parallelism

/// Rows of entries in any order, while they are put together.
struct EntryRows {
  private let offsets: [Int]
  private var entries: [PointEdges.Entry]
  /// Where the next entry of every row goes.
  private var next: [Int]

  /// Empty rows with room for as many entries as lie between the offsets.
  init(_ offsets: [Int]) {
    self.offsets = offsets
    entries = Array(
      repeating: PointEdges.Entry(other: GlobalNode(0), tally: PointEdgeTally()),
      count: offsets[offsets.count - 1])
    next = offsets
  }

  /// Rows that are full.
  init(_ offsets: [Int], _ entries: [PointEdges.Entry]) {
    self.offsets = offsets
    self.entries = entries
    next = Array(offsets.dropFirst()) + [entries.count]
  }

  mutating func append(_ entry: PointEdges.Entry, to row: Int) {
    entries[next[row]] = entry
    next[row] += 1
  }

  /// Calls `body` with every row: entries of it and others, its places among these, and the place
  /// of the first of them in all.
  mutating func forEachRow(
    using workers: Workers,
    _ body:
      @Sendable (
        _ row: Int, _ entries: inout MutableSpan<PointEdges.Entry>, _ places: Range<Int>,
        _ first: Int
      ) -> Void
  ) {
    let offsets = offsets
    let tiles = (0..<offsets.count - 1).tiles(of: 1024)
    entries.forEachTile(
      tiles.map { offsets[$0.lowerBound]..<offsets[$0.upperBound] }, using: workers
    ) { tile, elements in
      let start = offsets[tiles[tile].lowerBound]
      for row in tiles[tile] {
        body(row, &elements, offsets[row] - start..<offsets[row + 1] - start, offsets[row])
      }
    }
  }

  /// The rows with the entries of equal other nodes added up, and those alone that are wanted.
  consuming func combined(
    using workers: Workers,
    where isWanted: @Sendable (_ row: Int, PointEdges.Entry) -> Bool = { _, _ in true }
  ) -> (rowOffsets: [Int], entries: [PointEdges.Entry]) {
    let offsets = offsets
    forEachRow(using: workers) { row, entries, places, _ in
      entries.sortByOther(places)
      var end = places.lowerBound
      for place in places {
        if end > places.lowerBound, entries[end - 1].other == entries[place].other {
          entries[end - 1].tally = entries[end - 1].tally + entries[place].tally
        } else {
          entries[end] = entries[place]
          end += 1
        }
      }
      for place in places where place >= end || !isWanted(row, entries[place]) {
        entries[place].other = Self.absent
      }
    }
    var rowOffsets = [0]
    rowOffsets.reserveCapacity(offsets.count)
    var end = 0
    for row in 0..<offsets.count - 1 {
      for place in offsets[row]..<offsets[row + 1] where entries[place].other != Self.absent {
        entries[end] = entries[place]
        end += 1
      }
      rowOffsets.append(end)
    }
    // What was added up leaves memory, which only a copy gives back: as long as both take no more than half
    // as much again.
    guard end > entries.count / 2 else { return (rowOffsets, Array(entries[..<end])) }
    entries.removeLast(entries.count - end)
    return (rowOffsets, entries)
  }

  private static let absent = GlobalNode(-1)
}

extension MutableSpan<PointEdges.Entry> {
  fileprivate mutating func sortByOther(_ places: Range<Int>) {
    guard places.count <= 24 else { return sort(places) { $0.other < $1.other } }
    for place in places.dropFirst() {
      let entry = self[place]
      var free = place
      while free > places.lowerBound, entry.other < self[free - 1].other {
        self[free] = self[free - 1]
        free -= 1
      }
      self[free] = entry
    }
  }
}
