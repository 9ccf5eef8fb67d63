internal import CKernels
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// How the similarities of two blocks of rows are divided into tiles that stay in cache.
struct PairTiling {
  /// Columns of a tile, and the number of lists that share a lock. A packed strip of `stripLength` rows
  /// of the visiting block is a quarter of a megabyte, part of a second-level cache.
  let stripLength: Int
  /// Rows of a tile; divides ``stripLength``.
  let tileLength: Int
  /// Tiles that one task computes against a strip it has packed.
  let tilesPerTask = 16

  init(depth: Int) {
    let rows = 65_536 / max(depth, 1)
    stripLength = min(max(rows / 128 * 128, 128), 1024)
    tileLength = 128
  }
}

/// The rows of a rank's nodes, and the lists that collect their neighbours.
struct SearchBlock {
  let rows: SearchRows
  var lists: CandidateLists
  /// The name of every row. Lists hold names; of equally similar rows the one of lower name is first.
  let names: [GlobalNode]
}

extension SearchBlock {
  /// Some of the rows, to travel.
  func rows(_ range: Range<Int>) -> SearchRows {
    range == 0..<rows.rowCount ? rows : SearchRows(rows.stored.stored(ofRows: Array(range)))
  }

  /// These rows, to travel: with lists that consider only what would enter those of the block.
  func visiting(_ range: Range<Int>, as rows: SearchRows) -> SearchBlock {
    SearchBlock(
      rows: rows,
      lists: CandidateLists(capacity: lists.capacity, bounds: Array(lists.bound[range])),
      names: Array(names[range]))
  }
}

/// Rows, and which of them are all zeros and so similar to nothing.
struct SearchRows {
  let stored: StoredRows
  /// Ascending.
  private let zeroRows: [Int]

  /// - Complexity: O(rows), apart from leading zeros.
  init(_ rows: StoredRows) {
    stored = rows
    zeroRows = (0..<rows.rowCount).filter { rows.isZero($0) }
  }

  var rowCount: Int { stored.rowCount }
  var columnCount: Int { stored.columnCount }

  /// The rows of zeros among some.
  func zeroRows(in range: Range<Int>) -> ArraySlice<Int> {
    if zeroRows.isEmpty { return [] }
    func place(of row: Int) -> Int {
      var (low, high) = (0, zeroRows.count)
      while low < high {
        let middle = (low + high) / 2
        if zeroRows[middle] < row { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return zeroRows[place(of: range.lowerBound)..<place(of: range.upperBound)]
  }
}

extension [GlobalNode] {
  /// Calls `body` with the names of some rows, as the kernels read them.
  fileprivate func withNames(of rows: Range<Int>, _ body: (UnsafePointer<Int64>) -> Void) {
    unsafe self[rows].withUnsafeBytes {
      unsafe body($0.baseAddress!.assumingMemoryBound(to: Int64.self))
    }
  }

  /// Calls `body` with the names of some rows, and with those of some rows of another block.
  fileprivate func withNames(
    of rows: Range<Int>, and columns: Range<Int>, of others: [GlobalNode],
    _ body: (UnsafePointer<Int64>, UnsafePointer<Int64>) -> Void
  ) {
    unsafe withNames(of: rows) { own in
      unsafe others.withNames(of: columns) { unsafe body(own, $0) }
    }
  }
}

/// Computes the similarities of all pairs within a block, each once, and offers them to both.
///
/// - Complexity: rows² · columns flops.
func offerPairs(
  within block: inout SearchBlock, using workers: Workers, progress: (Int) throws -> Void
) rethrows {
  let rows = block.rows
  let tiling = PairTiling(depth: rows.columnCount)
  let names = block.names
  let tasks = (0..<rows.rowCount).tiles(of: tiling.stripLength).flatMap { strip in
    (0..<strip.upperBound).tiles(of: tiling.tileLength * tiling.tilesPerTask)
      .map { (strip: strip, rows: $0) }
  }
  let locks = TileLocks(rowCount: rows.rowCount, tiling)
  try unsafe block.lists.withAccess { lists in
    try unsafe run(tasks, tiling, rows, rows, workers, progress) { scores, tile, strip in
      locks.withLock(of: tile) {
        unsafe names.withNames(of: tile, and: strip, of: names) { tileNames, stripNames in
          unsafe highland_offer_to_rows(
            scores, tiling.stripLength, tile.count, strip.count, tileNames, stripNames,
            lists.handle(from: tile.lowerBound))
        }
      }
      // Inside the strip's own square both halves of the tile were computed.
      guard tile.upperBound <= strip.lowerBound else { return }
      locks.withLock(of: strip) {
        unsafe names.withNames(of: tile) {
          unsafe highland_offer_to_columns(
            scores, tiling.stripLength, tile.count, strip.count, $0,
            lists.handle(from: strip.lowerBound))
        }
      }
    }
  }
}

/// Computes the similarities of all pairs between rows of two blocks and offers them to both.
///
/// - Complexity: 2 · ownRows · visitingRows · columns flops.
func offerPairs(
  between own: inout SearchBlock, _ ownRows: Range<Int>,
  and visitor: inout SearchBlock, _ visitingRows: Range<Int>,
  using workers: Workers, progress: (Int) throws -> Void
) rethrows {
  let (rows, visiting) = (own.rows, visitor.rows)
  let tiling = PairTiling(depth: rows.columnCount)
  let (names, visitingNames) = (own.names, visitor.names)
  let tasks = visitingRows.tiles(of: tiling.stripLength).flatMap { strip in
    ownRows.tiles(of: tiling.tileLength * tiling.tilesPerTask).map { (strip: strip, rows: $0) }
  }
  let ownLocks = TileLocks(rowCount: rows.rowCount, tiling)
  let visitingLocks = TileLocks(rowCount: visiting.rowCount, tiling)
  try unsafe own.lists.withAccess { ownLists in
    try unsafe visitor.lists.withAccess { visitingLists in
      try unsafe run(tasks, tiling, rows, visiting, workers, progress) { scores, tile, strip in
        ownLocks.withLock(of: tile) {
          unsafe names.withNames(of: tile, and: strip, of: visitingNames) { tileNames, stripNames in
            unsafe highland_offer_to_rows(
              scores, tiling.stripLength, tile.count, strip.count, tileNames, stripNames,
              ownLists.handle(from: tile.lowerBound))
          }
        }
        visitingLocks.withLock(of: strip) {
          unsafe names.withNames(of: tile) {
            unsafe highland_offer_to_columns(
              scores, tiling.stripLength, tile.count, strip.count, $0,
              visitingLists.handle(from: strip.lowerBound))
          }
        }
      }
    }
  }
}

/// Computes the scores of every tile of every task and hands each tile to `offer`.
///
/// A task packs its strip once and reuses it for all its tiles.
private func run(
  _ tasks: [(strip: Range<Int>, rows: Range<Int>)], _ tiling: PairTiling, _ rows: SearchRows,
  _ visiting: SearchRows, _ workers: Workers, _ progress: (Int) throws -> Void,
  _ offer: @Sendable (UnsafePointer<Float>, _ tile: Range<Int>, _ strip: Range<Int>) -> Void
) rethrows {
  // A few hundred steps of progress; enough tasks in each to keep all threads busy.
  let stepLength = max(8 * workers.count, tasks.count / 200)
  for step in (0..<tasks.count).tiles(of: stepLength) {
    let batch = Array(tasks[step])
    workers.forEach(batch.count) {
      (
        strip: PackedMatrix(),
        scores: Matrix(rows: tiling.tileLength, columns: tiling.stripLength),
        // Where rows of short numbers are widened.
        columns: Matrix(rows: 0, columns: 0), rows: Matrix(rows: 0, columns: 0)
      )
    } _: { index, scratch in
      let (strip, taskRows) = batch[index]
      let columns = unsafe visiting.stored.read(strip, into: &scratch.columns)
      unsafe scratch.strip.pack(
        rows: columns, stride: visiting.columnCount, count: strip.count, depth: visiting.columnCount
      )
      for tile in taskRows.tiles(of: tiling.tileLength) {
        let scores = unsafe scratch.scores.disjointRows().base
        let left = unsafe rows.stored.read(tile, into: &scratch.rows)
        unsafe multiplyPacked(
          left, stride: rows.columnCount, rowCount: tile.count, scratch.strip, into: scores,
          stride: tiling.stripLength)
        unsafe CloseSimilarities.refine(
          scores, stride: tiling.stripLength, rows: (left, tile.count),
          columns: (columns, strip.count), depth: rows.columnCount)
        unsafe exclude(
          rows.zeroRows(in: tile), of: tile, visiting.zeroRows(in: strip), of: strip,
          from: scores, stride: tiling.stripLength)
        unsafe offer(scores, tile, strip)
      }
    }
    try progress(batch.reduce(0) { $0 + $1.strip.count * $1.rows.count })
  }
}

/// Takes rows of zeros out of the search: nothing is offered to their lists, and they are offered to no
/// other list.
private func exclude(
  _ zeroRows: ArraySlice<Int>, of tile: Range<Int>, _ zeroColumns: ArraySlice<Int>,
  of strip: Range<Int>, from scores: UnsafeMutablePointer<Float>, stride: Int
) {
  for row in zeroRows {
    for column in 0..<strip.count {
      unsafe scores[(row - tile.lowerBound) * stride + column] = .nan
    }
  }
  for column in zeroColumns {
    for row in 0..<tile.count { unsafe scores[row * stride + column - strip.lowerBound] = .nan }
  }
}

/// One lock per strip of lists.
private struct TileLocks: Sendable {
  private final class Lock: Sendable {
    // A value of no size has the address of another property, for which ThreadSanitizer takes it.
    let mutex = Guarded(false)
  }

  private let locks: [Lock]
  private let stripLength: Int

  init(rowCount: Int, _ tiling: PairTiling) {
    stripLength = tiling.stripLength
    locks = (0...rowCount / tiling.stripLength + 1).map { _ in Lock() }
  }

  /// Runs `body` while no other thread touches the lists of these rows.
  ///
  /// Rows need not start at a strip: a range may touch two, locked in ascending order.
  func withLock(of rows: Range<Int>, _ body: () -> Void) {
    let first = rows.lowerBound / stripLength
    let last = (rows.upperBound - 1) / stripLength
    locks[first].mutex.withLock { _ in
      if last == first { body() } else { locks[last].mutex.withLock { _ in body() } }
    }
  }
}
