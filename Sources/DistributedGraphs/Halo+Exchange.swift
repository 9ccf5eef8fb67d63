public import Communication
public import LinearAlgebra

/// Local rows of `Float`.
public typealias LocalRows = DenseLocalRows<Float>

/// Rows of the owned nodes together with those of the ghosts.
///
/// Only a halo exchange makes one, so a layer that needs local rows cannot be given owned ones by mistake.
public struct DenseLocalRows<Scalar: MatrixScalar>: Sendable {
  /// Shape `[ownedCount × width]`, where the columns of interest start at `firstColumn`.
  public let owned: DenseMatrix<Scalar>
  /// Shape `[ghostCount × width]` of the columns of interest alone.
  public let ghosts: DenseMatrix<Scalar>
  /// Where the columns of interest start in `owned`.
  public let firstColumn: Int

  /// The number of columns of interest.
  public var width: Int { ghosts.columnCount }
}

extension DenseLocalRows {
  /// Rows that this rank computed for its ghosts just as their owners did, from values it had already
  /// received from them.
  ///
  /// - Parameters:
  ///   - owned: Shape `[ownedCount × width]`.
  ///   - ghosts: Shape `[ghostCount × width]`.
  package init(owned: DenseMatrix<Scalar>, computedForGhosts ghosts: DenseMatrix<Scalar>) {
    precondition(
      owned.columnCount == ghosts.columnCount,
      "\(owned.columnCount) and \(ghosts.columnCount) columns")
    self.owned = owned
    self.ghosts = ghosts
    firstColumn = 0
  }
}

extension Halo {
  /// The values of all local nodes: those of the owned nodes, then those that ghosts get from their owners.
  ///
  /// > Collective: over `communicator`. One round, one value per ghost.
  @inlinable
  public func extend<T: Message>(_ values: [T], on communicator: some Communicator) throws -> [T] {
    precondition(values.count == ownedCount, "\(values.count) values for \(ownedCount) nodes")
    let received = try communicator.exchange(
      boundary.map { values[Int($0.index)] }, receiving: ghostCounts)
    return values + received.values
  }

  /// The rows of all local nodes, `width` values each: those of the owned nodes, then those of the ghosts.
  ///
  /// > Collective: over `communicator`. One round, `width` values per ghost.
  ///
  /// - Parameter rows: Owned. Row after row. Shape `[ownedCount × width]`.
  @inlinable
  public func extend<T: Message>(
    _ rows: [T], width: Int, on communicator: some Communicator
  ) throws -> [T] {
    try communicator.assertReplicated(width, from: .all)
    precondition(
      rows.count == ownedCount * width, "\(rows.count) values for \(ownedCount) rows of \(width)")
    var packed: [T] = []
    packed.reserveCapacity(boundary.values.count * width)
    for node in boundary.values {
      let first = Int(node.index) * width
      packed += rows[first..<first + width]
    }
    let received = try communicator.exchange(
      Buckets(values: packed, counts: boundary.counts.map { $0 * width }),
      receiving: ghostCounts.map { $0 * width })
    return rows + received.values
  }

  /// Some columns of the rows of all local nodes.
  ///
  /// > Collective: over `communicator`. One round, `4 · columns.count` bytes per ghost.
  public func extend<Scalar>(
    _ rows: DenseMatrix<Scalar>, columns: Range<Int>, on communicator: some Communicator
  ) throws -> DenseLocalRows<Scalar> {
    let ghosts = try receive(rows, columns: columns, of: piece(0, of: 1), on: communicator)
    return DenseLocalRows(owned: rows, ghosts: ghosts, firstColumn: columns.lowerBound)
  }

  /// The rows of all local nodes.
  ///
  /// > Collective: over `communicator`. One round, one row per ghost.
  public func extend<Scalar>(
    _ rows: DenseMatrix<Scalar>, on communicator: some Communicator
  ) throws -> DenseLocalRows<Scalar> {
    try extend(rows, columns: 0..<rows.columnCount, on: communicator)
  }

  /// The rows of one piece of the ghosts, so that not all of them need be in memory at once.
  ///
  /// > Collective: over `communicator`. One round, `4 · columns.count` bytes per ghost of the
  /// > piece.
  ///
  /// - Returns: In the order of ``GhostPiece/members``. Shape `[piece.members.count × columns.count]`.
  public func receive<Scalar>(
    _ rows: DenseMatrix<Scalar>, columns: Range<Int>, of piece: GhostPiece,
    on communicator: some Communicator
  ) throws -> DenseMatrix<Scalar> {
    try communicator.assertReplicated(columns, from: .all)
    precondition(rows.rowCount == ownedCount, "\(rows.rowCount) rows for \(ownedCount) nodes")
    precondition(
      columns.lowerBound >= 0 && columns.upperBound <= rows.columnCount,
      "columns \(columns) of \(rows.columnCount)")
    let rowBytes = columns.count * MemoryLayout<Scalar>.size
    let packed = rows.gathering(piece.boundary.values, columns: columns)
    var ghosts = DenseMatrix<Scalar>(rows: piece.members.count, columns: columns.count)
    try packed.withBytes { outgoing in
      try ghosts.withMutableBytes { incoming in
        try communicator.exchange(
          outgoing, to: segments(piece.boundary.counts, of: rowBytes, on: communicator),
          into: &incoming, from: segments(piece.counts, of: rowBytes, on: communicator))
      }
    }
    return ghosts
  }

  /// Where rows go or come from: nothing to ranks without any.
  private func segments(
    _ counts: [Int], of rowBytes: Int, on communicator: some Communicator
  ) -> [Segment] {
    communicator.ranks.filter { counts[$0.index] * rowBytes > 0 }
      .map { Segment(rank: $0, byteCount: counts[$0.index] * rowBytes) }
  }

  /// Adds the ghosts' rows to those of their owners: the adjoint of ``extend(_:on:)``.
  ///
  ///     ⟨extend x, y⟩ = ⟨x, accumulate y⟩
  ///
  /// Contributions are added in rank order. For a node that is a ghost of several ranks, sums are
  /// reproducible on the same number of ranks, but not between different numbers.
  ///
  /// > Collective: over `communicator`. One round, one row per ghost.
  ///
  /// - Parameters:
  ///   - ghosts: Shape `[ghostCount × width]`.
  ///   - rows: Owned. Added to. Shape `[ownedCount × width]`.
  public func accumulate<Scalar>(
    _ ghosts: DenseMatrix<Scalar>, into rows: inout DenseMatrix<Scalar>,
    on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated(rows.columnCount, from: .all)
    precondition(
      ghosts.rowCount == ghostCount && rows.rowCount == ownedCount
        && ghosts.columnCount == rows.columnCount,
      "[\(ghosts.rowCount) × \(ghosts.columnCount)] into [\(rows.rowCount) × \(rows.columnCount)]")
    let width = rows.columnCount
    let rowBytes = width * MemoryLayout<Scalar>.size
    var arrived = DenseMatrix<Scalar>(rows: boundary.values.count, columns: width)
    try ghosts.withBytes { outgoing in
      try arrived.withMutableBytes { incoming in
        try communicator.exchange(
          outgoing, to: segments(ghostCounts, of: rowBytes, on: communicator), into: &incoming,
          from: segments(boundary.counts, of: rowBytes, on: communicator))
      }
    }
    rows.add(arrived, to: boundary.values)
  }
}

extension DenseMatrix {
  /// Adds the rows of another matrix to some rows, in order.
  @specialized(where Scalar == Float)
  fileprivate mutating func add(_ other: Self, to nodes: [LocalNode]) {
    let (width, rowCount) = (columnCount, rowCount)
    unsafe other.withUnsafeBufferPointer { source in
      unsafe withUnsafeMutableBufferPointer { target in
        for (place, node) in nodes.enumerated() {
          precondition(Int(node.index) < rowCount, "row \(node.index) of \(rowCount)")
          let (to, from) = (Int(node.index) * width, place * width)
          for column in 0..<width { unsafe target[to + column] += source[from + column] }
        }
      }
    }
  }

  /// Copies of some rows, of some columns. Shape `[nodes.count × columns.count]`.
  @specialized(where Scalar == Float)
  fileprivate func gathering(_ nodes: [LocalNode], columns: Range<Int>) -> Self {
    var packed = Self(rows: nodes.count, columns: columns.count)
    unsafe withUnsafeBufferPointer { source in
      unsafe packed.withUnsafeMutableBufferPointer { target in
        for (place, node) in nodes.enumerated() {
          let first = Int(node.index) * columnCount + columns.lowerBound
          unsafe (target.baseAddress! + place * columns.count).update(
            from: source.baseAddress! + first, count: columns.count)
        }
      }
    }
    return packed
  }
}
