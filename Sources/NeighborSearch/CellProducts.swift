internal import CKernels
internal import LinearAlgebra
internal import Parallelism
internal import RandomNumbers

/// The rows of a rank that are in its cells: its own, and those of other ranks after them.
struct CellRows: Sendable {
  let own: Matrix
  let guests: Matrix

  /// Copies some of them to the first rows of a matrix.
  func copy(_ rows: [Int], to target: inout Matrix) {
    let width = own.columnCount
    precondition(
      rows.allSatisfy { $0 >= 0 && $0 < own.rowCount + guests.rowCount }
        && target.rowCount >= rows.count && target.columnCount == width,
      "\(rows.count) rows to [\(target.rowCount) × \(target.columnCount)]")
    let (here, away, copies) = unsafe (
      own.sharedRows(), guests.sharedRows(), target.disjointRows()
    )
    for (place, row) in rows.enumerated() {
      unsafe copies[place].update(
        from: row < own.rowCount ? here[row] : away[row - own.rowCount], count: width)
    }
    withExtendedLifetime(self) {}
  }
}

/// What one thread needs to find the nearest neighbours within cells.
struct CellProducts {
  /// Most rows of a cell that is not divided: its scores take 2 MB, as a second-level cache has.
  static let rowLimit = 704
  /// Rows of a tile, and columns of a panel of the kernel.
  private static let side = 64

  private var rows = Matrix(rows: 0, columns: 0)
  private var packed = PackedMatrix()
  private var scores = Matrix(rows: 0, columns: 0)
  private var lists = CandidateLists(count: 0, capacity: 0)

  /// Finds each member's nearest others in a cell, by the products of the exact search, each pair once.
  ///
  /// The names in the lists are places in the cell. Every list considers only what reaches its bound.
  ///
  /// - Parameters:
  ///   - members: The members' rows, in the order of their nodes. At most ``rowLimit``.
  ///   - bounds: The similarity that each member's neighbours must reach.
  /// - Returns: The lists, and perhaps more lists after them.
  /// - Complexity: members² · columns flops.
  mutating func neighbors(
    among members: [Int], of all: CellRows, listLength: Int, reaching bounds: [Float]
  ) -> CandidateLists {
    let (count, width) = (members.count, all.own.columnCount)
    let stride = (count + Self.side - 1) / Self.side * Self.side
    if rows.rowCount < count || rows.columnCount != width {
      rows = Matrix(uninitializedRows: Self.rowLimit, columns: width)
    }
    if scores.count < stride * stride {
      scores = Matrix(uninitializedRows: stride, columns: stride)
    }
    all.copy(members, to: &rows)
    let (copies, square) = unsafe (rows.sharedRows(), scores.disjointRows().base)
    packed.pack(rows: 0..<count, of: rows)
    for tile in (0..<count).tiles(of: Self.side) {
      let first = tile.lowerBound
      let corner = unsafe square + first * stride + first
      unsafe packed.withUnsafePanels { panels in
        unsafe highland_multiply_packed(
          copies[first], width, panels + first * width, corner, stride, tile.count, count - first,
          width, nil, 0)
      }
      unsafe CloseSimilarities.refine(
        corner, stride: stride, rows: tile, of: rows, columns: first..<count, of: rows)
      // What is right of the tile's own square is also below it.
      if tile.upperBound < count {
        unsafe highland_transpose(
          corner + tile.count, stride, tile.count, count - tile.upperBound,
          square + tile.upperBound * stride + first, stride)
      }
    }
    // Nothing is its own neighbour, and what is past the last column nobody's.
    for row in 0..<count {
      unsafe square[row * stride + row] = -.infinity
      for column in count..<stride { unsafe square[row * stride + column] = -.infinity }
    }
    lists.reset(count: count, capacity: listLength, bounds: bounds)
    unsafe lists.withAccess { lists in
      unsafe highland_raise_bounds(square, stride, count, stride, listLength, lists.bound)
      unsafe highland_offer_to_rows(
        square, stride, count, stride, 0, 0, lists.handle(from: 0))
    }
    return lists
  }

  /// Divides a cell that is too large in halves, again and again.
  ///
  /// Each time members are put in order by how much more similar they are to one member than to another,
  /// ties by node, and cut in the middle: copies of one row are cut like any others.
  ///
  /// - Parameters:
  ///   - members: The members' rows, in the order of their nodes.
  ///   - hashes: By which the two members are chosen: the lowest.
  /// - Returns: Places in `members`, ascending in each part.
  static func parts(of members: [Int], of all: CellRows, hashes: [UInt64]) -> [[Int]] {
    var parts: [[Int]] = []
    var pending = [Array(members.indices)]
    while let part = pending.popLast() {
      guard part.count > rowLimit else {
        parts.append(part)
        continue
      }
      var rows = Matrix(uninitializedRows: part.count, columns: all.own.columnCount)
      all.copy(part.map { members[$0] }, to: &rows)
      // Another pair at every size, or halves would be cut along the same direction as the whole.
      let salt = UInt64(part.count)
      let pivots = part.indices.sorted {
        (mixed(hashes[part[$0]] ^ salt), $0) < (mixed(hashes[part[$1]] ^ salt), $1)
      }
      let difference = zip(rows.row(pivots[0]), rows.row(pivots[1])).map { $0 - $1 }
      let excess = product(
        rows, PackedMatrix(columns: Matrix(rows: 1, columns: difference.count, elements: difference)))
      let order = part.indices.sorted { (excess[$0, 0], $0) < (excess[$1, 0], $1) }
      let middle = order.count / 2
      pending.append(order[middle...].sorted().map { part[$0] })
      pending.append(order[..<middle].sorted().map { part[$0] })
    }
    return parts
  }
}
