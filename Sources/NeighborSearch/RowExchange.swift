package import Communication
internal import DistributedGraphs
package import LinearAlgebra

// Rows that travel.

extension Communicator {
  /// Moves rows between pairs of ranks that both know their number.
  ///
  /// > Collective: one message per pair of ranks with rows.
  ///
  /// - Parameters:
  ///   - rows: Those for rank 0, then those for rank 1, and so on.
  ///   - counts: How many each rank gets, and how many it has for this one. Shape `[size]`.
  ///   - work: What this rank does meanwhile, without communication; it calls its argument now and then.
  func exchange(
    rows: Matrix, counts: [Int], receiving: [Int],
    during work: (_ moveOn: () throws -> Void) throws -> Void = { _ in }
  ) throws -> Matrix {
    let stride = rows.columnCount * MemoryLayout<Float>.stride
    func segments(_ counts: [Int]) -> [Segment] {
      counts.indices.filter { counts[$0] * stride > 0 }.map {
        Segment(rank: Rank($0), byteCount: counts[$0] * stride)
      }
    }
    var arrived = Matrix(uninitializedRows: receiving.reduce(0, +), columns: rows.columnCount)
    try rows.withBytes { outgoing in
      try arrived.withMutableBytes { incoming in
        try exchange(
          outgoing, to: segments(counts), into: &incoming, from: segments(receiving), during: work)
      }
    }
    return arrived
  }

  /// Moves rows as they are stored.
  ///
  /// > Collective: as ``exchange(rows:counts:receiving:during:)-(Matrix,_,_,_)``.
  func exchange(
    rows: StoredRows, counts: [Int], receiving: [Int],
    during work: (_ moveOn: () throws -> Void) throws -> Void = { _ in }
  ) throws -> StoredRows {
    StoredRows(
      words: try exchange(rows: rows.words, counts: counts, receiving: receiving, during: work),
      like: rows)
  }

  /// The rows of every rank, in rank order, on every rank.
  ///
  /// > Collective: one round, the rows, to every rank.
  ///
  /// - Parameter counts: Replicated. How many rows each rank has. Shape `[size]`.
  package func allGather(rows: Matrix, counts: [Int]) throws -> Matrix {
    let stride = rows.columnCount * MemoryLayout<Float>.stride
    var all = Matrix(uninitializedRows: counts.reduce(0, +), columns: rows.columnCount)
    try rows.withBytes { own in
      try all.withMutableBytes { gathered in
        try allGather(own, byteCounts: counts.map { $0 * stride }, into: &gathered)
      }
    }
    return all
  }
}

/// Rows that travel with their names, in one message: the bits of a name take two columns before its row.
struct NamedRows: Sendable {
  private static let nameColumns = MemoryLayout<GlobalNode>.stride / MemoryLayout<Float>.stride

  /// The names' bits are no numbers to compute with, and neither need those of rows be, which travel as they
  /// are stored.
  private let packed: Matrix
  /// No rows, of the same kind.
  private let kind: StoredRows

  let names: [GlobalNode]

  var count: Int { packed.rowCount }

  private init(packed: Matrix, _ kind: StoredRows) {
    self.packed = packed
    self.kind = kind
    names = unsafe packed.withUnsafeBufferPointer { elements in
      (0..<packed.rowCount).map {
        unsafe UnsafeRawPointer(elements.baseAddress! + $0 * packed.columnCount).loadUnaligned(
          as: GlobalNode.self)
      }
    }
  }

  /// - Parameter places: Of the rows, each with its name.
  init(_ stored: StoredRows, at places: [Int], named names: [GlobalNode]) {
    let rows = stored.words
    let width = rows.columnCount
    var packed = Matrix(uninitializedRows: places.count, columns: Self.nameColumns + width)
    unsafe rows.withUnsafeBufferPointer { source in
      unsafe packed.withUnsafeMutableBufferPointer { target in
        for (place, row) in places.enumerated() {
          precondition(row >= 0 && row < rows.rowCount, "row \(row) of \(rows.rowCount)")
          let first = place * (Self.nameColumns + width)
          unsafe UnsafeMutableRawPointer(target.baseAddress! + first).storeBytes(
            of: names[row], as: GlobalNode.self)
          for column in 0..<width {
            unsafe target[first + Self.nameColumns + column] = source[row * width + column]
          }
        }
      }
    }
    self.packed = packed
    kind = stored.stored(ofRows: [])
    self.names = places.map { names[$0] }
  }

  /// Copies of some of the rows.
  func rows(at places: [Int]) -> StoredRows {
    let width = packed.columnCount - Self.nameColumns
    var rows = Matrix(uninitializedRows: places.count, columns: width)
    unsafe packed.withUnsafeBufferPointer { source in
      unsafe rows.withUnsafeMutableBufferPointer { target in
        for (place, row) in places.enumerated() {
          precondition(row >= 0 && row < count, "row \(row) of \(count)")
          let first = row * packed.columnCount + Self.nameColumns
          for column in 0..<width {
            unsafe target[place * width + column] = source[first + column]
          }
        }
      }
    }
    return StoredRows(words: rows, like: kind)
  }

  /// > Collective: one round, the rows, to every rank.
  ///
  /// - Parameter counts: Replicated. How many rows each rank has. Shape `[size]`.
  func gathered(counts: [Int], on communicator: some Communicator) throws -> NamedRows {
    NamedRows(packed: try communicator.allGather(rows: packed, counts: counts), kind)
  }

  /// > Collective: one round, as ``Communicator/exchange(rows:counts:receiving:during:)``.
  func exchanged(
    counts: [Int], receiving: [Int], on communicator: some Communicator
  ) throws -> NamedRows {
    if communicator.size == 1 { return self }
    return NamedRows(
      packed: try communicator.exchange(rows: packed, counts: counts, receiving: receiving), kind)
  }
}
