internal import CKernels
internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// Which cells each owned row belongs to: the nearest, and those that are hardly less near.
///
/// What is lost at the border of cells is the pairs with one point on either side. A point near a border
/// joins both cells; one amid its cell does not, which costs less than two cells for each.
struct CellMembership: Sendable {
  /// Owned. Shape `[ownedCount + 1]`, ascending from 0.
  let offsets: [Int]
  /// Owned. The cells of row i are `cells[offsets[i] ..< offsets[i + 1]]`, the nearest first.
  let cells: [Int32]
  /// Replicated. How much less similar than the nearest a cell's centre may be.
  let margin: Float

  /// Most cells that a row is in.
  static let limit = 32
  /// Rows by which the margin is found.
  private static let sampleCount = 4096.0

  /// > Collective: over `communicator`. Three rounds; 31 similarities of each of 4096 rows to every rank.
  ///
  /// - Parameters:
  ///   - directed: Owned. Ascending places of the rows that are not zeros; the others are in no cell.
  ///   - effort: Replicated.
  ///   - seed: Replicated.
  init(
    of rows: StoredRows, at directed: [Int], named names: [GlobalNode], in tree: CellTree,
    by effort: SearchEffort, seed: UInt64, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    let hash = NodeHash(seed: ~seed)
    let groupCount = effort.groupCount(among: tree.groups.columnCount)
    let count = Double(max(1, try communicator.sum(directed.count)))
    let sample = directed.filter { hash.isWithin(Self.sampleCount / count, names[$0]) }
    let nearest = tree.nearestCells(
      of: rows, at: sample, inGroups: groupCount, using: workers)
    var gaps: [Float] = []
    for row in sample.indices {
      for place in 1..<Self.limit where nearest.index[row * Self.limit + place] >= 0 {
        gaps.append(
          nearest.similarity[row * Self.limit] - nearest.similarity[row * Self.limit + place])
      }
    }
    let sampled = try communicator.sum(sample.count)
    let all = try communicator.allGather(gaps).values.sorted()
    let wanted = Int((effort.meanCells - 1) * Double(sampled))
    margin = wanted > 0 && !all.isEmpty ? all[min(wanted, all.count) - 1] : -1

    var counts = Array(repeating: 0, count: rows.rowCount + 1)
    var cells: [Int32] = []
    cells.reserveCapacity(Int(Double(directed.count) * effort.meanCells * 1.1))
    // A slab at a time: the lists of all rows would be as much as rows of 100 columns.
    for slab in (0..<directed.count).tiles(of: 1 << 15) {
      let nearest = tree.nearestCells(
        of: rows, at: Array(directed[slab]), inGroups: groupCount, within: max(margin, 0),
        using: workers)
      for (row, place) in directed[slab].enumerated() {
        let first = row * Self.limit
        let best = nearest.similarity[first]
        var kept = 0
        while kept < Self.limit, nearest.index[first + kept] >= 0,
          kept == 0 || best - nearest.similarity[first + kept] <= margin
        {
          cells.append(Int32(nearest.index[first + kept]))
          kept += 1
        }
        counts[place] = kept
      }
    }
    self.cells = cells
    offsets = counts.exclusivePrefixSums()
  }
}

extension CellTree {
  /// The nearest cells of some rows, by the similarities of their centres. Lists of
  /// ``CellMembership/limit`` places.
  ///
  /// Only cells of the `groupCount` nearest groups are looked at, and those that are less similar than the
  /// nearest by more than the margin are left out.
  func nearestCells(
    of rows: StoredRows, at places: [Int], inGroups groupCount: Int,
    within margin: Float = .infinity,
    using workers: Workers
  ) -> CandidateLists {
    var lists = CandidateLists(count: places.count, capacity: CellMembership.limit)
    let tiles = (0..<places.count).tiles(of: 512)
    unsafe lists.withAccess { lists in
      workers.forEach(tiles.count, scratch: { Matrix(rows: 0, columns: 0) }) { task, scores in
        let tile = tiles[task]
        unsafe offerCells(
          to: rows.copy(ofRows: Array(places[tile])), inGroups: groupCount, within: margin,
          lists.handle(from: tile.lowerBound), scratch: &scores)
      }
    }
    return lists
  }

  /// Offers the cells of the nearest groups to the lists of some rows.
  @unsafe private func offerCells(
    to rows: Matrix, inGroups groupCount: Int, within margin: Float, _ lists: highland_lists,
    scratch scores: inout Matrix
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
        unsafe lists.bound[row] = max(lists.bound[row], best - margin)
      }
    }
    unsafe forEachGroup { group, members, scores in
      let columns = cells[group].columnCount
      let numbers = (firstCell[group]..<firstCell[group + 1]).map { Int64($0) }
      for (place, row) in members.enumerated() {
        unsafe highland_offer_to_rows(
          scores + place * columns, columns, 1, columns, [-1], numbers,
          highland_lists(
            similarity: lists.similarity + row * lists.capacity,
            index: lists.index + row * lists.capacity, bound: lists.bound + row,
            capacity: lists.capacity))
      }
    }
  }
}
