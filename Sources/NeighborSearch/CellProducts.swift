internal import CKernels
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// The rows of a rank that are in its cells: its own, and those of other ranks after them.
struct CellRows: Sendable {
  let own: StoredRows
  let guests: StoredRows
  let ownNames: [GlobalNode]
  let guestNames: [GlobalNode]

  func name(_ row: Int32) -> Int64 {
    let row = Int(row)
    return (row < own.rowCount ? ownNames[row] : guestNames[row - own.rowCount]).index
  }

  /// Copies some of them to the first rows of a matrix.
  ///
  /// - Parameter lists: Will be asked for next.
  @unsafe func copy(_ rows: ArraySlice<Int32>, to target: inout Matrix, before lists: CellLists) {
    let width = own.columnCount
    precondition(
      rows.allSatisfy { $0 >= 0 && $0 < own.rowCount + guests.rowCount }
        && target.rowCount >= rows.count && target.columnCount == width,
      "\(rows.count) rows to [\(target.rowCount) × \(target.columnCount)]")
    unsafe rows.withUnsafeBufferPointer { rows in
      guard let first = rows.baseAddress else { return }
      let (from, others) = unsafe (own.words.sharedRows(), guests.words.sharedRows())
      guard own.element == .float32 else {
        return unsafe highland_gather_short_rows(
          from.base, own.rowCount, others.base, from.columnCount, own.element.rawValue, first,
          rows.count, width, lists.own.bound, target.disjointRows().base)
      }
      unsafe highland_gather_rows(
        from.base, own.rowCount, others.base, first, rows.count, width,
        lists.own.handle(from: 0), target.disjointRows().base)
    }
    withExtendedLifetime(self) {}
  }
}

/// The lists of the rows of ``CellRows``, which several threads fill.
///
/// Unsafe in that a thread must hold the lock of a list that others may write.
@unsafe struct CellLists: Sendable {
  let own: CandidateLists.Access
  let ownCount: Int
  let guests: CandidateLists.Access
  // A value of no size has the address of another property, for which ThreadSanitizer takes it.
  private let locks = (0..<1024).map { _ in Guarded(false) }

  init(own: CandidateLists.Access, ownCount: Int, guests: CandidateLists.Access) {
    unsafe self.own = own
    unsafe self.ownCount = ownCount
    unsafe self.guests = guests
  }

  /// The list of a row, in the kernels' form.
  subscript(row: Int32) -> highland_lists {
    unsafe Int(row) < ownCount
      ? own.handle(from: Int(row)) : guests.handle(from: Int(row) - ownCount)
  }

  /// Runs `body` while no other thread has the list of the row.
  func withLock(of row: Int32, _ body: () -> Void) {
    unsafe locks[Int(row) % locks.count].withLock { _ in body() }
  }
}

/// What one thread needs to compare the rows of cells, by the products of the exact search.
struct CellProducts {
  /// Rows of a tile.
  private static let tileLength = 64

  private let all: CellRows
  private var members: Matrix
  private var visitors: Matrix
  private var packed = PackedMatrix()
  private var scores = Matrix(rows: 0, columns: 0)

  init(_ all: CellRows) {
    self.all = all
    members = Matrix(rows: 0, columns: all.own.columnCount)
    visitors = Matrix(uninitializedRows: Self.tileLength, columns: all.own.columnCount)
  }

  @unsafe private mutating func pack(_ rows: ArraySlice<Int32>, before lists: CellLists) {
    if members.rowCount < rows.count {
      members = Matrix(
        uninitializedRows: max(rows.count, 2 * members.rowCount), columns: members.columnCount)
    }
    unsafe all.copy(rows, to: &members, before: lists)
    packed.pack(rows: 0..<rows.count, of: members)
    if scores.columnCount < rows.count {
      scores = Matrix(
        uninitializedRows: Self.tileLength, columns: max(rows.count, 2 * scores.columnCount))
    }
  }

  /// The scores of some consecutive rows of a matrix with what is packed, one row after the other.
  @unsafe private mutating func multiply(
    _ rows: Range<Int>, of left: Matrix, count: Int
  ) -> UnsafeMutablePointer<Float> {
    let result = unsafe scores.disjointRows().base
    unsafe multiplyPacked(
      left.sharedRows()[rows.lowerBound], stride: left.columnCount, rowCount: rows.count, packed,
      into: result, stride: count)
    unsafe CloseSimilarities.refine(
      result, stride: count, rows: rows, of: left, columns: 0..<count, of: members)
    return unsafe result
  }

  /// Offers the members of a cell to each other's lists. No other thread may have them.
  ///
  /// - Complexity: 2 · members² · columns flops.
  mutating func compare(_ cell: ArraySlice<Int32>, into lists: CellLists) {
    unsafe compare(first: cell.count, of: cell, into: lists)
  }

  /// Offers the members of a cell to the lists of the first of them. No other thread may have those.
  ///
  /// - Complexity: 2 · askingCount · members · columns flops.
  mutating func compare(
    first askingCount: Int, of cell: ArraySlice<Int32>, into lists: CellLists
  ) {
    let count = cell.count
    unsafe pack(cell, before: lists)
    let names = cell.map { all.name($0) }
    for tile in (0..<askingCount).tiles(of: Self.tileLength) {
      let scores = unsafe multiply(tile, of: members, count: count)
      for row in tile {
        let own = unsafe scores + (row - tile.lowerBound) * count
        unsafe own[row] = -.infinity
        unsafe offer(own, names, to: lists[cell[cell.startIndex + row]], of: names[row])
      }
    }
  }

  /// Offers the members of a cell to the lists of its visitors, and the visitors to those of the members.
  ///
  /// - Complexity: 2 · members · visitors · columns flops.
  mutating func compare(
    _ cell: ArraySlice<Int32>, with visiting: ArraySlice<Int32>, into lists: CellLists
  ) {
    let (count, capacity) = unsafe (cell.count, lists.own.capacity)
    unsafe pack(cell, before: lists)
    let names = cell.map { all.name($0) }
    var bounds = Array(repeating: -Float.infinity, count: count)
    for (place, row) in cell.enumerated() {
      unsafe lists.withLock(of: row) { bounds[place] = unsafe lists[row].bound[0] }
    }
    var ofMembers = CandidateLists(capacity: capacity, bounds: bounds)
    for first in stride(from: visiting.startIndex, to: visiting.endIndex, by: Self.tileLength) {
      let tile = visiting[first..<min(first + Self.tileLength, visiting.endIndex)]
      unsafe all.copy(tile, to: &visitors, before: lists)
      let scores = unsafe multiply(0..<tile.count, of: visitors, count: count)
      let visitorNames = tile.map { all.name($0) }
      for (place, row) in tile.enumerated() {
        unsafe lists.withLock(of: row) {
          unsafe offer(scores + place * count, names, to: lists[row], of: visitorNames[place])
        }
      }
      unsafe ofMembers.withAccess { members in
        unsafe highland_offer_to_columns(
          scores, count, tile.count, count, visitorNames, members.handle(from: 0))
      }
    }
    for (place, row) in cell.enumerated() {
      unsafe lists.withLock(of: row) {
        unsafe ofMembers.withAccess { members in
          unsafe highland_offer_new(
            members.similarity + place * capacity, members.index + place * capacity, capacity, 0,
            lists[row])
        }
      }
    }
  }

  @unsafe private func offer(
    _ scores: UnsafePointer<Float>, _ names: [Int64], to list: highland_lists, of node: Int64
  ) {
    if unsafe list.bound[0] == -.infinity {
      unsafe list.bound[0] = highland_reached_score(scores, names.count, list.capacity)
    }
    unsafe highland_offer_scores(scores, names.count, node, names, 0, list)
  }
}
