internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism
internal import RandomNumbers

/// A division of all directions into cells, in two steps: into groups, and each group into its cells. A
/// row belongs to the cell whose centre is most similar, and to near cells besides
/// (``CellMembership``).
///
/// It is made from rows that are chosen by hashes of their names, and means are taken in the order of
/// the names, so it has the same bits on any number of ranks and threads.
struct CellTree: Sendable {
  /// Replicated. The centres of the groups.
  let groups: PackedMatrix
  /// Replicated. The centres of the cells of each group.
  let cells: [PackedMatrix]
  /// Replicated. The centres of all cells, one after the other.
  let centers: Matrix
  /// Replicated. The number of each group's first cell. Shape `[groups + 1]`, ascending from 0.
  let firstCell: [Int]
  /// Pairs of a row and a centre that this rank compared to find the centres.
  let ownPairCount: Double

  var cellCount: Int { firstCell[firstCell.count - 1] }

  /// About how many pairs of a row and a centre are compared to find the cells of all rows.
  func pairCount(rowCount: Int, by effort: SearchEffort) -> Double {
    Double(rowCount)
      * Self.pairsPerRow(inGroups: groups.columnCount, ofCells: Double(cellCount), by: effort)
  }

  /// The same of rows that do not ask.
  func pairCount(otherCount: Int, by effort: SearchEffort) -> Double {
    let searched = Double(effort.groupCountOfOthers(among: groups.columnCount))
    let groups = Double(max(1, groups.columnCount))
    return Double(otherCount) * (groups + searched * (Double(cellCount) / groups))
  }

  /// About how many centres a row is compared with to find its cells.
  static func pairsPerRow(
    inGroups groupCount: Int, ofCells cellCount: Double, by effort: SearchEffort
  ) -> Double {
    let searched = Double(effort.groupCount(among: groupCount))
    let groups = Double(max(1, groupCount))
    return groups + searched * (cellCount / groups)
  }

  /// Rows by which the centre of a group, and that of a cell, is found.
  static let rowsPerGroup = 128.0
  static let rowsPerCell = 48.0

  /// Rows by which the centres of all groups are found.
  static func leaderCount(ofCells cellCount: Int) -> Double {
    groupCount(ofCells: cellCount) * rowsPerGroup
  }

  private static func groupCount(ofCells cellCount: Int) -> Double {
    Double(cellCount).squareRoot().rounded()
  }

  /// > Collective: over `communicator`. Four rounds. The rows that are sampled for groups go to all
  /// > ranks, those for cells to one, and all centres to all ranks: `512 columns √cellCount` bytes,
  /// > `96 columns cellCount / p` and `4 columns cellCount`.
  ///
  /// - Parameters:
  ///   - rows: Owned. Unit rows, and rows of zeros, which are not sampled.
  ///   - directed: Owned. Ascending places of the rows that are not zeros.
  ///   - directedCount: Replicated. How many there are on all ranks.
  ///   - leading: The rows by which the centres of groups are found, ``leaderCount(ofCells:)`` or so.
  ///   - cellCount: Replicated. About how many cells to make. At least 1.
  ///   - seed: Replicated. Another seed, other cells.
  init(
    of rows: StoredRows, at directed: [Int], ofAll directedCount: Int, named names: [GlobalNode],
    groupsBy leading: RowSample, cellCount: Int, seed: UInt64, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    let hash = NodeHash(seed: seed)

    // The groups, by every rank for itself.
    let leaders = try NamedRows(rows, at: leading.places, named: names).gathered(
      counts: leading.counts, on: communicator)
    groups = PackedMatrix(
      columns: CenteredRows(leaders, at: Array(0..<leaders.count), hash).centers(
        Int(Self.groupCount(ofCells: cellCount)), using: workers))
    let groupCountFound = groups.columnCount

    // The cells of a group, by the rank it is dealt to.
    let share = Double(cellCount) * Self.rowsPerCell / Double(max(1, directedCount))
    let places = directed.filter { hash.isWithin(share, names[$0]) }
    var groupOf: [Int] = []
    for slab in places.indices.tiles(of: 1 << 13) {
      groupOf += rows.copy(ofRows: Array(places[slab])).nearest(of: groups, using: workers)
    }
    let found = GroupCounts(
      try communicator.allGather(
        groupOf.reduce(into: Array(repeating: Int32(0), count: groupCountFound)) { $0[$1] += 1 },
        counts: Array(repeating: groupCountFound, count: communicator.size)))
    let sizes = (0..<groupCountFound).map { found.size(of: $0) }
    let total = Double(max(sizes.reduce(0, +), 1))
    let counts = sizes.map {
      min($0, Int((Double(cellCount) * Double($0) / total).rounded(.up)))
    }
    let deal = Deal(
      costs: zip(sizes, counts).map { Double($0 * $1) }, rankCount: communicator.size)
    let groupsOf = communicator.ranks.map { rank in
      sizes.indices.filter { deal.rank[$0] == rank.index }
    }
    let mine = groupsOf[communicator.rank.index]
    // For each rank the rows of its groups, one group after the other.
    let order = groupsOf.flatMap { $0 }
    var place = Array(repeating: 0, count: groupCountFound)
    for (index, group) in order.enumerated() { place[group] = index }
    let arrived = try NamedRows(
      rows,
      at: sorted(places, by: groupOf.map { place[$0] }, keyCount: groupCountFound).elements,
      named: names
    ).exchanged(
      counts: groupsOf.map { found.count(from: communicator.rank, in: $0) },
      receiving: communicator.ranks.map { found.count(from: $0, in: mine) }, on: communicator)
    let members = found.members(of: mine, ranks: communicator.ranks)
    let centers = Guarded(Array(repeating: Matrix(rows: 0, columns: 0), count: mine.count))
    workers.forEach(mine.count) { task in
      let found = CenteredRows(arrived, at: members[task], hash)
        .centers(counts[mine[task]], using: Workers())
      centers.withLock { $0[task] = found }
    }

    // All centres, to all ranks.
    let own = centers.withLock { $0 }
    let all = try communicator.allGather(
      rows: Matrix(
        rows: own.reduce(0) { $0 + $1.rowCount }, columns: rows.columnCount,
        elements: own.flatMap(\.elements)),
      counts: groupsOf.map { $0.reduce(0) { $0 + counts[$1] } })
    var rowsOf = Array(repeating: 0..<0, count: groupCountFound)
    var next = 0
    for group in order {
      rowsOf[group] = next..<next + counts[group]
      next += counts[group]
    }
    cells = rowsOf.map {
      var packed = PackedMatrix()
      packed.pack(rows: $0, of: all)
      return packed
    }
    self.centers = all.copy(ofRows: rowsOf.flatMap { $0 })
    firstCell = (rowsOf.map(\.count) + [0]).exclusivePrefixSums()
    let tried = mine.reduce(leaders.count * groupCountFound) { $0 + sizes[$1] * counts[$1] }
    ownPairCount = Double(CenteredRows.roundCount * tried + places.count * groupCountFound)
  }
}

/// How many sampled rows of each group every rank has.
private struct GroupCounts {
  /// Replicated. For every rank a count of each group.
  private let counts: Buckets<Int32>

  init(_ counts: Buckets<Int32>) { self.counts = counts }

  private func count(from rank: Rank, of group: Int) -> Int {
    Int(counts.values[counts.offsets[rank.index] + group])
  }

  func count(from rank: Rank, in groups: [Int]) -> Int {
    groups.reduce(0) { $0 + count(from: rank, of: $1) }
  }

  func size(of group: Int) -> Int {
    (0..<counts.offsets.count - 1).reduce(0) { $0 + count(from: Rank($1), of: group) }
  }

  /// The places of each group's rows among those that arrived from all ranks, of each the rows of these
  /// groups, one group after the other.
  func members(of groups: [Int], ranks: [Rank]) -> [[Int]] {
    var members = Array(repeating: [Int](), count: groups.count)
    var next = 0
    for rank in ranks {
      for (task, group) in groups.enumerated() {
        let count = count(from: rank, of: group)
        members[task] += next..<next + count
        next += count
      }
    }
    return members
  }
}

/// Numbers that follow from nodes, and by which some of them are chosen, by any rank alike.
struct NodeHash: Sendable {
  private let key: UInt64

  init(seed: UInt64) { key = mixed(seed &+ 0x9E37_79B9_7F4A_7C15) }

  subscript(node: GlobalNode) -> UInt64 { mixed(key &+ mixed(UInt64(node.index) &+ 1)) }

  /// Whether a node is among those of the given share.
  func isWithin(_ share: Double, _ node: GlobalNode) -> Bool {
    share >= 1 || place(of: node) < share
  }

  /// At least 0 and below 1.
  func place(of node: GlobalNode) -> Double { Double(self[node] >> 11) * 0x1p-53 }
}

/// Rows whose k-means are sought, in the order of their names.
struct CenteredRows {
  private let rows: Matrix
  private let hashes: [UInt64]

  init(_ named: NamedRows, at places: [Int], _ hash: NodeHash) {
    let names = named.names
    let order = places.sorted { names[$0] < names[$1] }
    rows = named.rows(at: order).unitRows()
    hashes = order.map { hash[names[$0]] }
  }

  static let roundCount = 5

  /// Unit rows at the centres of some clusters of the rows, by k-means on the sphere: a centre is the
  /// direction of the sum of the rows to which it is the most similar. The rows of the lowest hashes are
  /// the first centres. A centre to which no row is nearest stays.
  ///
  /// - Parameter count: How many; fewer if there are fewer rows.
  func centers(_ count: Int, using workers: Workers) -> Matrix {
    let first = hashes.indices.sorted { (hashes[$0], $0) < (hashes[$1], $1) }.prefix(count)
    var centers = rows.copy(ofRows: Array(first))
    guard centers.rowCount < rows.rowCount else { return centers }
    let width = rows.columnCount
    for _ in 0..<Self.roundCount {
      let nearest = rows.nearest(of: PackedMatrix(columns: centers), using: workers)
      let (members, starts) = sorted(
        nearest.indices, by: nearest, keyCount: centers.rowCount)
      let source = unsafe rows.sharedRows()
      centers.forEachTile(ofRows: 8, using: workers) { tile, sums in
        for center in tile where starts[center] < starts[center + 1] {
          let first = (center - tile.lowerBound) * width
          for column in 0..<width { sums[first + column] = 0 }
          for place in starts[center]..<starts[center + 1] {
            let row = unsafe source[members[place]]
            for column in 0..<width { unsafe sums[first + column] += row[column] }
          }
        }
      }
      withExtendedLifetime(rows) {}
      centers.normalizeRows(using: workers)
    }
    return centers
  }
}

extension Matrix {
  /// For each row the centre to which it is most similar, the first of several. There must be one.
  func nearest(of centers: PackedMatrix, using workers: Workers) -> [Int] {
    var lists = CandidateLists(count: rowCount, capacity: 1)
    lists.offer(self, centers, using: workers)
    return lists.index.map { Int(max($0, 0)) }
  }
}

/// Elements by their keys, those of one key in the order given; and where each key's begin.
///
/// - Parameter keys: One for each element, in `0 ..< keyCount`.
func sorted<Element>(
  _ elements: some Sequence<Element>, by keys: [Int], keyCount: Int
) -> (elements: [Element], starts: [Int]) {
  var counts = Array(repeating: 0, count: keyCount + 1)
  for key in keys { counts[key] += 1 }
  let starts = counts.exclusivePrefixSums()
  var next = starts
  let all = Array(elements)
  guard let first = all.first else { return ([], starts) }
  var result = Array(repeating: first, count: all.count)
  for (element, key) in zip(all, keys) {
    result[next[key]] = element
    next[key] += 1
  }
  return (result, starts)
}
