internal import CKernels
internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// Which cells each owned row belongs to: the nearest, and those that are hardly less near.
///
/// What is lost at the border of cells is the pairs with one point on either side. A point near a border
/// joins both cells; one amid its cell does not, which costs less than two cells for each. How near is told
/// by the distance to the border, (x·a − x·b) / |a − b| for the nearest centre a and another, b: the
/// difference of similarities alone is small between centres that are near each other, too.
struct CellMembership: Sendable {
  /// Owned. Shape `[ownedCount + 1]`, ascending from 0.
  let offsets: [Int]
  /// Owned. The cells of row i are `cells[offsets[i] ..< offsets[i + 1]]`, the nearest first.
  let cells: [Int32]
  /// Replicated. How far the border of a cell may be.
  let margin: Float
  /// Owned. So many of the first rows ask for neighbours. The others are members of their nearest cells and visit none.
  let askingCount: Int

  /// Most cells that a row is in.
  static let limit = 32
  /// Rows by which the margin is found.
  static let sampleCount = 4096.0
  static func hash(_ seed: UInt64) -> NodeHash { NodeHash(seed: ~seed) }

  /// > Collective: over `communicator`. One round; 8 bytes for each of 31 cells of 4096 rows to every rank.
  ///
  /// - Parameters:
  ///   - directed: Owned. Ascending places of the rows that are not zeros; the others are in no cell.
  ///   - askingCount: Owned. So many of the first rows ask for neighbours.
  ///   - sample: The rows by which the margin is found.
  ///   - effort: Replicated.
  ///   - progress: Called on every rank, now and then, with the share of its rows that are done. If it throws, it must do
  ///     so on every rank.
  init(
    of rows: StoredRows, at directed: [Int], askingFirst askingCount: Int,
    marginBy sample: RowSample, in tree: CellTree, by effort: SearchEffort, using workers: Workers,
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws {
    let groupCount = effort.groupCount(among: tree.groups.columnCount)
    let nearest = tree.nearestCells(
      of: rows, at: sample.places, inGroups: groupCount, using: workers)
    // The distance is ∞ where there is no cell.
    let other = sample.places.indices.flatMap { row in
      (row * Self.limit + 1..<(row + 1) * Self.limit).map { place in
        OtherCell(
          distance: nearest.distance[place],
          gap: nearest.similarity[row * Self.limit] - nearest.similarity[place])
      }
    }
    let all = try communicator.allGather(
      other, counts: sample.counts.map { $0 * (Self.limit - 1) }
    )
    .values.filter { $0.distance < .infinity }
    .sorted { ($0.distance, $0.gap) < ($1.distance, $1.gap) }
    let near = all.prefix(max(0, Int((effort.meanCells - 1) * Double(sample.count))))
    let margin = near.last?.distance ?? -1
    self.margin = margin
    // Cells that are less similar than hardly any near one need not be looked at.
    let gaps = near.map(\.gap).sorted()
    let gap = gaps.isEmpty ? 0 : gaps[gaps.count * 99 / 100]

    var cellCounts = Array(repeating: 0, count: rows.rowCount + 1)
    var cells: [Int32] = []
    let firstOther = directed.firstIndex { $0 >= askingCount } ?? directed.count
    cells.reserveCapacity(
      Int(Double(firstOther) * effort.meanCells * 1.1) + directed.count - firstOther)
    // A slab at a time: the lists of all rows would be as much as rows of 100 columns.
    for slab in (0..<firstOther).tiles(of: 1 << 15) {
      let nearest = tree.nearestCells(
        of: rows, at: Array(directed[slab]), inGroups: groupCount, within: gap,
        using: workers)
      for (row, place) in directed[slab].enumerated() {
        for near in row * Self.limit..<(row + 1) * Self.limit
        where nearest.cell[near] >= 0
          && (near == row * Self.limit || nearest.distance[near] <= margin)
        {
          cells.append(Int32(nearest.cell[near]))
          cellCounts[place] += 1
        }
      }
      try progress(Double(slab.upperBound) / Double(directed.count))
    }
    let fewGroups = effort.groupCountOfOthers(among: tree.groups.columnCount)
    for slab in (firstOther..<directed.count).tiles(of: 1 << 15) {
      let nearest = tree.nearestCells(
        of: rows, at: Array(directed[slab]), limit: 1, inGroups: fewGroups, using: workers)
      for (row, place) in directed[slab].enumerated() where nearest.cell[row] >= 0 {
        cells.append(Int32(nearest.cell[row]))
        cellCounts[place] += 1
      }
      try progress(Double(slab.upperBound) / Double(directed.count))
    }
    self.cells = cells
    self.askingCount = askingCount
    offsets = cellCounts.exclusivePrefixSums()
  }
}

/// A cell that is not the nearest of a row.
private struct OtherCell: BitwiseCopyable {
  let distance: Float
  /// How much less similar its centre is than that of the nearest.
  let gap: Float
}

/// Cells near some rows. Lists of as many places for each.
struct NearCells {
  /// The nearest first; −1 for none.
  let cell: [Int64]
  /// Of the row to the cell's centre.
  let similarity: [Float]
  /// To the border between the row's nearest cell and this one; ∞ where there is none.
  let distance: [Float]
}

extension CellTree {
  /// The nearest cells of some rows, by the similarities of their centres.
  ///
  /// Only cells of the `groupCount` nearest groups are looked at, and those that are less similar than the
  /// nearest by more than the gap are left out.
  ///
  /// - Parameter limit: Most cells of a row.
  func nearestCells(
    of rows: StoredRows, at places: [Int], limit: Int = CellMembership.limit,
    inGroups groupCount: Int, within gap: Float = .infinity, using workers: Workers
  ) -> NearCells {
    var lists = CandidateLists(count: places.count, capacity: limit)
    let tiles = (0..<places.count).tiles(of: 512)
    unsafe lists.withAccess { lists in
      workers.forEach(tiles.count, scratch: { Matrix(rows: 0, columns: 0) }) { task, scores in
        let tile = tiles[task]
        unsafe offerCells(
          to: rows.copy(ofRows: Array(places[tile])), inGroups: groupCount, within: gap,
          lists, from: tile.lowerBound, scratch: &scores)
      }
    }
    let (cells, similarities) = (Array(lists.index), lists.similarity)
    let distances = [Float](
      count: cells.count, tilesOf: 512 * limit, using: workers, filledWith: .infinity
    ) { tile, distances in
      unsafe cells.withUnsafeBufferPointer { cells in
        unsafe similarities.withUnsafeBufferPointer { similarities in
          unsafe distances.withUnsafeMutableBufferPointer { distances in
            for list in stride(from: 0, to: tile.count, by: limit) {
              let first = tile.lowerBound + list
              unsafe highland_border_distances(
                centers.sharedRows().base, centers.columnCount, cells.baseAddress! + first,
                similarities.baseAddress! + first, limit, distances.baseAddress! + list)
            }
          }
        }
      }
    }
    return NearCells(cell: cells, similarity: similarities, distance: distances)
  }

  /// Offers the cells of the nearest groups to the lists of some rows.
  ///
  /// - Parameter first: The list of the first row.
  @unsafe private func offerCells(
    to rows: Matrix, inGroups groupCount: Int, within gap: Float, _ lists: CandidateLists.Access,
    from first: Int, scratch scores: inout Matrix
  ) {
    var nearGroups = CandidateLists(
      count: rows.rowCount, capacity: groupCount)
    nearGroups.offer(rows, groups, using: Workers())
    let (members, starts) = sorted(
      nearGroups.index.indices.map { $0 / nearGroups.capacity }, by: nearGroups.index.map(Int.init),
      keyCount: groups.columnCount)
    // The scores of all groups, one after the other: what a row's cells must reach follows from the best.
    let places = cells.indices.map { (starts[$0 + 1] - starts[$0]) * cells[$0].columnCount }
      .exclusivePrefixSums()
    let scoreCount =
      places[cells.count - 1] + (members.count - starts[cells.count - 1])
      * cells[cells.count - 1].columnCount
    if scores.count < scoreCount {
      scores = Matrix(uninitializedRows: 1, columns: scoreCount + scoreCount / 8)
    }
    let all = unsafe scores.disjointRows().base
    func forEachGroup(_ body: (_ group: Int, _ members: [Int], UnsafeMutablePointer<Float>) -> Void)
    {
      for group in cells.indices
      where starts[group] < starts[group + 1] && cells[group].columnCount > 0 {
        unsafe body(group, Array(members[starts[group]..<starts[group + 1]]), all + places[group])
      }
    }
    unsafe forEachGroup { group, members, scores in
      let (near, columns) = (rows.copy(ofRows: members), cells[group].columnCount)
      unsafe multiplyPacked(
        near.sharedRows().base, stride: rows.columnCount, rowCount: members.count, cells[group],
        into: scores, stride: columns)
      for (place, row) in members.enumerated() {
        let best = unsafe highland_reached_score(scores + place * columns, columns, 1)
        unsafe lists.bound[first + row] = max(lists.bound[first + row], best - gap)
      }
    }
    unsafe forEachGroup { group, members, scores in
      let columns = cells[group].columnCount
      let numbers = (firstCell[group]..<firstCell[group + 1]).map { Int64($0) }
      for (place, row) in members.enumerated() {
        unsafe highland_offer_to_rows(
          scores + place * columns, columns, 1, columns, [-1], numbers,
          lists.handle(from: first + row))
      }
    }
  }
}
