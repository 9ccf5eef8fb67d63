public import LinearAlgebra

/// Into how many parts a search divides what it holds at once: more parts, less memory, and the same bits.
public struct SearchDivision: Hashable, Sendable {
  /// Slabs of the cells of an approximate search, at least. In 1 ... 255.
  public var slabCount: Int
  /// Pieces of a block of an exact search that go round the ring one after the other.
  public var pieceCount: Int

  public init(slabCount: Int = 1, pieceCount: Int = 1) {
    precondition((1...255).contains(slabCount) && pieceCount >= 1, "\(slabCount), \(pieceCount)")
    self.slabCount = slabCount
    self.pieceCount = pieceCount
  }

  /// Divisions that need ever less memory and more rounds.
  public static let all = [(1, 1), (16, 2), (32, 4), (64, 8), (128, 16), (255, 32)].map {
    SearchDivision(slabCount: $0, pieceCount: $1)
  }
}

/// The memory that a search needs on the rank with the most rows, as far as it grows with the rows.
///
/// Docs/Running.md has the formula.
public struct SearchMemory: Sendable {
  public let rowCount: Int
  public let nodeCount: Int
  public let columnCount: Int
  public let element: StoredElement
  /// Places of a list.
  public let listLength: Int
  public let rankCount: Int

  public init(
    rowCount: Int, nodeCount: Int, columnCount: Int, element: StoredElement, listLength: Int,
    rankCount: Int
  ) {
    self.rowCount = rowCount
    self.nodeCount = nodeCount
    self.columnCount = columnCount
    self.element = element
    self.listLength = listLength
    self.rankCount = rankCount
  }

  /// Of one row, as it is stored.
  public var bytesPerRow: Double {
    Double(StoredRows.byteCount(columns: columnCount, of: element))
  }

  private var capacity: Double { Double(min(listLength, max(nodeCount - 1, 0))) }

  /// Rows, names and lists, and what is added by the way in which they are searched; of an approximate search
  /// that of data as diffuse as they may be.
  public func bytes(by options: SearchOptions) -> Double { bytes(by: options, isDiffuse: nil) }

  /// The same of data of which it is known whether they are diffuse; nil for as diffuse as they may be.
  package func bytes(by options: SearchOptions, isDiffuse: Bool?) -> Double {
    let (n, p) = (Double(rowCount), Double(rankCount))
    let held = n * (bytesPerRow + 12 * capacity + 4 + 8)
    // As they are handed out, with all their places however few other nodes there are.
    let handedOut = 12 * n * max(0, Double(listLength) - capacity)
    let plan = SearchPlan(nodeCount: nodeCount, listLength: listLength)
    guard plan.choice(by: options).method == .approximate else {
      let block = n * (bytesPerRow + 12 * capacity + 4 + 8) / Double(options.division.pieceCount)
      return held + handedOut + (p == 1 ? 0 : p < 4 ? 2 : 3) * block
    }
    if let isDiffuse {
      return held + handedOut
        + bytesOfPartition(
          by: SearchEffort(isDiffuse: isDiffuse), plan, options.division, isExpected: true)
    }
    let searched = [false, true].map { isDiffuse in
      bytesOfPartition(by: SearchEffort(isDiffuse: isDiffuse), plan, options.division)
    }
    return held + handedOut + searched.max()!
  }

  /// What is added to rows and lists while the cells of a partition are searched.
  ///
  /// - Parameter isExpected: Whether rows that visit several cells of a rank are taken to come once; if not, each visit is
  ///   taken to bring a row.
  private func bytesOfPartition(
    by effort: SearchEffort, _ plan: SearchPlan, _ division: SearchDivision,
    isExpected: Bool = false
  ) -> Double {
    let (n, p) = (Double(rowCount), Double(rankCount))
    let cellCount = Double(plan.cellCount(by: effort))
    let visits = n * effort.meanCells
    let sampled = CellTree.rowsPerCell * cellCount / p * (bytesPerRow + 16)
    let centers = 12 * Double(columnCount) * cellCount
    // Which cells a row is in; in a slab, who goes where, and what comes from other ranks.
    let membership = 32 * n + 4.4 * visits
    let slabs = CellTasks.slabCount(
      members: n, visits: visits, rowByteCount: bytesPerRow, listByteCount: 12 * capacity,
      isAlone: p == 1, division)
    let ofSlab = visits / Double(slabs)
    let coming =
      isExpected
      ? n / Double(slabs)
        * effort.awayRanks(
          ofCells: cellCount, among: p * Double(slabs), otherShare: (p - 1) / p)
      : ofSlab * (p - 1) / p
    let guests = p == 1 ? 0 : coming * (2 * bytesPerRow + 24 * capacity + 40)
    return max((p == 1 ? 1 : 2) * sampled, 40 * ofSlab + guests) + membership + centers
  }
}
