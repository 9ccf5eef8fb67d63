internal import CKernels
internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// The cells as tasks: in which slab of them, and by which ranks, each is searched.
///
/// Slabs are ranges of cells of about the same cost, as many as memory needs, and the share of a rank in a slab
/// is a range, too: cells that follow each other are near, and so a row that visits several goes to few ranks.
/// All shares of a slab cost the same: a cell on the border of two is searched by both ranks. Each has all
/// its members, and compares a part of the rows with them.
struct CellTasks: Sendable {
  /// Replicated. The number of each cell's first task. Shape `[cells + 1]`.
  private let firstTask: [Int]
  private let hash: NodeHash
  private let placeHash: NodeHash
  /// Replicated. Of each task.
  let slab: [UInt8]
  /// Replicated. Of each task, where it starts and ends in its slab, in shares of a rank.
  private let start: [Double]
  private let end: [Double]
  /// Replicated. Of each task, whether its cell has members.
  private let hasMembers: [Bool]
  /// Pairs of rows that are compared.
  let pairCount: Double
  /// Visits of cells, by members and others.
  let visitCount: Double

  let slabCount: Int

  /// Slabs at most, and on one rank, where they cost no rounds.
  private static let maximumSlabCount = 8
  /// The rows and lists that come to a rank in a slab may take so many bytes, or half of those of its own rows.
  private static let slabByteCount = 64 << 20
  /// A cell that reaches into a share by no more than this part of it stays out.
  private static let overlap = 0.02
  /// A cell of more members than this is divided by hashes of nodes, lest what half of all points are
  /// copies of take one rank's time, or all.
  private static let memberLimit = 2048.0

  /// > Collective: over `communicator`. Two rounds, 32 bytes per cell; none alone.
  ///
  /// - Parameters:
  ///   - rowByteCount: Replicated. Of the rows as they are stored.
  ///   - listLength: Replicated. Places of their lists.
  init(
    _ membership: CellMembership, cellCount: Int, rowByteCount: Int, listLength: Int, seed: UInt64,
    dividedBy division: SearchDivision = SearchDivision(),
    on communicator: some Communicator
  ) throws {
    var members = Array(repeating: 0.0, count: cellCount)
    var visits = members
    for (first, end) in zip(membership.offsets, membership.offsets.dropFirst()) where first < end {
      members[Int(membership.cells[first])] += 1
      for place in first..<end { visits[Int(membership.cells[place])] += 1 }
    }
    let sums = try communicator.sums(members + visits)
    members = Array(sums[..<cellCount])
    visits = Array(sums[cellCount...])
    visitCount = visits.reduce(0, +)
    slabCount = Self.slabCount(
      members: members.reduce(0, +) / Double(communicator.size),
      visits: visitCount / Double(communicator.size), rowByteCount: Double(rowByteCount),
      listByteCount: Double(12 * listLength), isAlone: communicator.size == 1, division)
    let parts = members.map { max(1, Int(($0 / Self.memberLimit).rounded(.up))) }
    firstTask = (parts + [0]).exclusivePrefixSums()
    hash = NodeHash(seed: seed)
    placeHash = NodeHash(seed: seed &+ 0x91AC_E000)
    let costs = parts.indices.flatMap { cell in
      let parts = parts[cell]
      let (members, visits) = (members[cell] / Double(parts), visits[cell] / Double(parts))
      // Each visit costs, beside its pairs, about as much as some; of a cell without members there are none.
      return Array(repeating: members > 0 ? visits * (members + 100) : 0, count: parts)
    }
    hasMembers = costs.map { $0 > 0 }
    let total = max(1, costs.reduce(0, +))
    var slab: [UInt8] = []
    var slabCosts = Array(repeating: 0.0, count: slabCount)
    var before = 0.0
    for cost in costs {
      let place = min(Int(Double(slabCount) * (before + cost / 2) / total), slabCount - 1)
      slab.append(UInt8(place))
      slabCosts[place] += cost
      before += cost
    }
    self.slab = slab
    var start: [Double] = []
    var end: [Double] = []
    var reached = Array(repeating: 0.0, count: slabCount)
    for (cost, slab) in zip(costs, slab.map(Int.init)) {
      let share = max(slabCosts[slab], 1) / Double(communicator.size)
      var (first, last) = (reached[slab] / share, (reached[slab] + cost) / share)
      reached[slab] += cost
      if last - first > 2 * Self.overlap {
        if first.rounded(.up) - first <= Self.overlap { first = first.rounded(.up) }
        if last - last.rounded(.down) <= Self.overlap { last = last.rounded(.down) }
      } else {
        first = (first + last) / 2
        last = first
      }
      start.append(first)
      end.append(last)
    }
    self.start = start
    self.end = end
    pairCount = parts.indices.reduce(0) { $0 + members[$1] / Double(parts[$1]) * visits[$1] }
  }

  /// - Parameters:
  ///   - members: Of a rank, on average.
  ///   - visits: Of them, and of others.
  ///   - division: How many there are at least.
  static func slabCount(
    members: Double, visits: Double, rowByteCount: Double, listByteCount: Double, isAlone: Bool,
    _ division: SearchDivision
  ) -> Int {
    guard !isAlone else { return max(maximumSlabCount, division.slabCount) }
    // Some visits are by rows that come anyway.
    let guests = (members + visits) / 2
    let limit = max(Double(slabByteCount), members * rowByteCount / 2)
    let count = (guests * (rowByteCount + listByteCount) / limit).rounded(.up)
    return max(division.slabCount, min(Int(count), maximumSlabCount))
  }

  var taskCount: Int { slab.count }

  func task(of cell: Int32, node: GlobalNode) -> Int {
    let first = firstTask[Int(cell)]
    let parts = firstTask[Int(cell) + 1] - first
    return parts == 1 ? first : first + Int(hash[node] % UInt64(parts))
  }

  /// The rank that compares a row with the members of a task.
  fileprivate func home(of node: GlobalNode, in task: Int, among rankCount: Int) -> Int {
    let ranks = ranks(of: task, among: rankCount)
    if ranks.count == 1 { return ranks.lowerBound }
    let place = start[task] + placeHash.place(of: node) * (end[task] - start[task])
    return min(Int(place), ranks.upperBound)
  }

  /// The ranks that have the members of a task.
  fileprivate func ranks(of task: Int, among rankCount: Int) -> ClosedRange<Int> {
    let first = min(Int(start[task]), rankCount - 1)
    return first...max(first, min(Int(end[task].rounded(.up)) - 1, rankCount - 1))
  }
}

/// A row that is in a cell, as a member or as a visitor.
private struct Visit: BitwiseCopyable {
  /// The place of the row among those that its rank sends, or keeps.
  var row: Int32
  let task: Int32
  let isMember: Bool
  /// Whether this rank compares the row with the members.
  let isAsking: Bool

  init(row: Int, task: Int, isMember: Bool, isAsking: Bool) {
    self.row = Int32(row)
    self.task = Int32(task)
    self.isMember = isMember
    self.isAsking = isAsking
  }

  /// All but the row.
  init(row: Int, word: Int32) {
    self.init(
      row: row, task: Int(word >> 2), isMember: word & 2 != 0, isAsking: word & 1 != 0)
  }

  var word: Int32 { task << 2 | (isMember ? 2 : 0) | (isAsking ? 1 : 0) }
}

/// What goes to each rank in a slab.
///
/// All about a row but its numbers is a sequence of words: its name, what its neighbours must reach to be
/// of use, how many cells it visits there, and which.
private struct Travel {
  /// For each rank the rows.
  var rows: [[Int]]
  /// For each rank the words.
  var words: [[Int32]]
  /// The visits of rows that stay.
  var here: [Visit] = []

  /// Words of a row before those of its visits.
  static let headLength = 4

  init(
    _ membership: CellMembership, _ tasks: CellTasks, inSlab slab: Int, named names: [GlobalNode],
    bounds: [Float], from own: Int, rankCount: Int
  ) {
    rows = Array(repeating: [], count: rankCount)
    words = Array(repeating: [], count: rankCount)
    var heads = Array(repeating: 0, count: rankCount)
    tasks.forEachVisit(membership, named: names, among: rankCount) { visit, visitSlab, rank in
      guard visitSlab == slab else { return }
      if rank == own {
        here.append(visit)
        return
      }
      let row = Int(visit.row)
      if rows[rank].last != row {
        rows[rank].append(row)
        heads[rank] = words[rank].count
        words[rank] += [
          Int32(truncatingIfNeeded: names[row].index),
          Int32(truncatingIfNeeded: names[row].index >> 32),
          Int32(bitPattern: bounds[row].bitPattern), 0,
        ]
      }
      words[rank][heads[rank] + 3] += 1
      words[rank].append(visit.word)
    }
  }
}

/// How many rows, and words about them, go from one rank to another.
private struct TravelCount: BitwiseCopyable {
  var rows = 0
  var words = 0
}

extension CellTasks {
  /// - Parameter body: Called with the visits of each row in turn, with their slab and rank.
  fileprivate func forEachVisit(
    _ membership: CellMembership, named names: [GlobalNode], among rankCount: Int,
    _ body: (_ visit: Visit, _ slab: Int, _ rank: Int) -> Void
  ) {
    for row in names.indices {
      let first = membership.offsets[row]
      for place in first..<membership.offsets[row + 1] {
        let task = task(of: membership.cells[place], node: names[row])
        // Copies of a point make cells with the same centre, and all are in the first.
        guard hasMembers[task] else { continue }
        let home = home(of: names[row], in: task, among: rankCount)
        let isMember = place == first
        for rank in isMember ? ranks(of: task, among: rankCount) : home...home {
          body(
            Visit(row: row, task: task, isMember: isMember, isAsking: rank == home),
            Int(slab[task]), rank)
        }
      }
    }
  }

  /// How much will go to each rank, in each of the slabs. Shape `[size × slabCount]`.
  fileprivate func travelCounts(
    _ membership: CellMembership, named names: [GlobalNode], rankCount: Int
  ) -> [TravelCount] {
    var counts = Array(repeating: TravelCount(), count: rankCount * slabCount)
    var last = Array(repeating: Int32(-1), count: rankCount * slabCount)
    forEachVisit(membership, named: names, among: rankCount) { visit, slab, rank in
      let place = rank * slabCount + slab
      if last[place] != visit.row {
        last[place] = visit.row
        counts[place].rows += 1
        counts[place].words += Travel.headLength
      }
      counts[place].words += 1
    }
    return counts
  }
}

/// The rows that came in a slab.
private struct Guests {
  var names: [GlobalNode] = []
  var bounds: [Float] = []
  var visits: [Visit] = []

  /// - Parameter firstRow: The place of their first row.
  init(words: [Int32], firstRow: Int) {
    var place = 0
    while place < words.count {
      names.append(
        GlobalNode(Int64(words[place + 1]) << 32 | Int64(UInt32(bitPattern: words[place]))))
      bounds.append(Float(bitPattern: UInt32(bitPattern: words[place + 2])))
      let first = place + Travel.headLength
      let end = first + Int(words[place + 3])
      for word in words[first..<end] {
        visits.append(Visit(row: firstRow + names.count - 1, word: word))
      }
      place = end
    }
  }
}

/// Finds neighbours within cells and adds them to the lists of the owned rows.
///
/// > Collective: over `communicator`. One round, and four per slab; none alone. Each row goes once to every
/// > rank that searches one of its cells in the slab, with 16 bytes and 4 for each of the cells, and what is
/// > found for it comes back, 12 bytes for each neighbour and 4.
///
/// - Complexity: Memory for the rows that come in a slab, and their lists.
/// - Returns: How many pairs this rank compared.
func searchCells(
  of rows: StoredRows, _ membership: CellMembership, _ tasks: CellTasks,
  named names: [GlobalNode], into lists: inout CandidateLists, using workers: Workers,
  on communicator: some Communicator,
  progress: (Double) throws -> Void
) throws -> Double {
  var pairCount = 0.0
  let own = communicator.rank.index
  let isAlone = communicator.size == 1
  let slabCounts = Array(repeating: tasks.slabCount, count: communicator.size)
  let coming =
    isAlone
    ? []
    : try communicator.exchange(
      Buckets(
        values: tasks.travelCounts(membership, named: names, rankCount: communicator.size),
        counts: slabCounts), receiving: slabCounts
    ).values
  for slab in 0..<tasks.slabCount {
    func progressOfSlab(_ share: Double) throws {
      try progress((Double(slab) + share) / Double(tasks.slabCount))
    }
    let travel = Travel(
      membership, tasks, inSlab: slab, named: names, bounds: lists.bound, from: own,
      rankCount: communicator.size)
    guard !isAlone else {
      var none = CandidateLists(capacity: lists.capacity, bounds: [])
      pairCount += try search(
        travel.here, taskCount: tasks.taskCount,
        of: CellRows(
          own: rows, guests: rows.stored(ofRows: []), ownNames: names, guestNames: []),
        into: &lists, &none, using: workers, progress: progressOfSlab)
      continue
    }
    let counts = travel.rows.map(\.count)
    let sent = travel.rows.flatMap { $0 }
    let from = communicator.ranks.map { coming[$0.index * tasks.slabCount + slab] }
    let received = from.enumerated().map { $0 == own ? 0 : $1.rows }
    let guests = Guests(
      words: try communicator.exchange(
        Buckets(values: travel.words.flatMap { $0 }, counts: travel.words.map(\.count)),
        receiving: from.enumerated().map { $0 == own ? 0 : $1.words }
      ).values, firstRow: rows.rowCount)
    let guestRows = try communicator.exchange(
      rows: rows.stored(ofRows: sent), counts: counts, receiving: received)
    var guestLists = CandidateLists(capacity: lists.capacity, bounds: guests.bounds)
    pairCount += try search(
      travel.here + guests.visits, taskCount: tasks.taskCount,
      of: CellRows(
        own: rows, guests: guestRows, ownNames: names, guestNames: guests.names),
      into: &lists, &guestLists, using: workers, progress: progressOfSlab)
    let returned = try guestLists.compacted.sent(
      counts: received, receiving: counts, on: communicator)
    lists.add(returned, to: sent, using: workers)
  }
  return pairCount
}

/// Compares the rows of all cells that are here: the members first, so that visitors meet lists that are
/// full already.
///
/// - Returns: How many pairs.
private func search(
  _ visits: [Visit], taskCount: Int, of rows: CellRows, into lists: inout CandidateLists,
  _ guestLists: inout CandidateLists, using workers: Workers, progress: (Double) throws -> Void
) throws -> Double {
  // Of each cell the members that ask, those that do not, then the visitors.
  let (ordered, starts) = sorted(
    visits.map(\.row),
    by: visits.map { 3 * Int($0.task) + ($0.isMember ? $0.isAsking ? 0 : 1 : 2) },
    keyCount: 3 * taskCount)
  func count(_ kinds: Range<Int>, of task: Int) -> Int {
    starts[3 * task + kinds.upperBound] - starts[3 * task + kinds.lowerBound]
  }
  let ownCount = lists.count
  try unsafe lists.withAccess { own in
    try unsafe guestLists.withAccess { guests in
      let lists = unsafe CellLists(own: own, ownCount: ownCount, guests: guests)
      func forEachCell(
        in half: Double, _ isChosen: (_ task: Int) -> Bool,
        _ body:
          @Sendable (
            inout CellProducts, _ members: ArraySlice<Int32>, _ visitors: ArraySlice<Int32>,
            _ askingCount: Int
          ) -> Void
      ) throws {
        let cells = (0..<taskCount).filter(isChosen)
        // A few hundred steps of progress; enough cells in each to keep all threads busy.
        for step in cells.indices.tiles(of: max(16 * workers.count, cells.count / 200)) {
          workers.forEach(step.count, scratch: { CellProducts(rows) }) { place, products in
            let first = 3 * cells[step.lowerBound + place]
            body(
              &products, ordered[starts[first]..<starts[first + 2]],
              ordered[starts[first + 2]..<starts[first + 3]], starts[first + 1] - starts[first])
          }
          try progress((half + Double(step.upperBound) / Double(cells.count)) / 2)
        }
      }
      try forEachCell(in: 0) {
        count(0..<2, of: $0) > 1 && count(0..<1, of: $0) > 0
      } _: {
        products, members, _, askingCount in
        if askingCount == members.count {
          unsafe products.compare(members, into: lists)
        } else {
          unsafe products.compare(first: askingCount, of: members, into: lists)
        }
      }
      try forEachCell(in: 1) {
        count(0..<2, of: $0) > 0 && count(2..<3, of: $0) > 0
      } _: {
        products, members, visitors, _ in
        unsafe products.compare(members, with: visitors, into: lists)
      }
    }
  }
  return (0..<taskCount).reduce(0) {
    $0 + Double(count(0..<2, of: $1)) * Double(count(0..<1, of: $1) + count(2..<3, of: $1))
  }
}

/// Neighbours that were found for some rows.
private struct FoundNeighbors: Sendable {
  /// Shape `[rows + 1]`, ascending from 0.
  var offsets: [Int]
  var similarities: [Float]
  var nodes: [Int64]

  /// Sent back to the ranks that the rows came from.
  ///
  /// > Collective: over `communicator`. Two rounds.
  func sent(
    counts: [Int], receiving: [Int], on communicator: some Communicator
  ) throws -> FoundNeighbors {
    let lengths = try communicator.exchange(
      Buckets(values: zip(offsets.dropFirst(), offsets).map { Int32($0 - $1) }, counts: counts),
      receiving: receiving)
    let rows = (counts + [0]).exclusivePrefixSums()
    let sent = counts.indices.map { offsets[rows[$0 + 1]] - offsets[rows[$0]] }
    let expected = communicator.ranks.map { lengths[$0].reduce(0) { $0 + Int($1) } }
    let found = try communicator.exchange(
      Buckets(values: zip(similarities, nodes).map { Entry($0, $1) }, counts: sent),
      receiving: expected
    ).values
    return FoundNeighbors(
      offsets: (lengths.values.map(Int.init) + [0]).exclusivePrefixSums(),
      similarities: found.map(\.similarity), nodes: found.map(\.node))
  }

  /// A neighbour in twelve bytes.
  private struct Entry: BitwiseCopyable {
    let similarity: Float
    private let low: UInt32
    private let high: Int32

    init(_ similarity: Float, _ node: Int64) {
      self.similarity = similarity
      low = UInt32(truncatingIfNeeded: node)
      high = Int32(truncatingIfNeeded: node >> 32)
    }

    var node: Int64 { Int64(high) << 32 | Int64(low) }
  }
}

extension CandidateLists {
  /// The entries alone.
  fileprivate var compacted: FoundNeighbors {
    let places = index.indices.filter { index[$0] >= 0 }
    var counts = Array(repeating: 0, count: count + 1)
    for place in places { counts[place / capacity] += 1 }
    return FoundNeighbors(
      offsets: counts.exclusivePrefixSums(), similarities: places.map { similarity[$0] },
      nodes: places.map { index[$0] })
  }

  /// Adds what was found to the lists of some rows, except what is in them.
  ///
  /// - Parameter rows: They need not be different or in order.
  fileprivate mutating func add(
    _ found: FoundNeighbors, to rows: [Int], using workers: Workers
  ) {
    guard !rows.isEmpty else { return }
    // A share of the lists to each task, so that none is touched by two.
    let taskCount = workers.count == 1 ? 1 : 4 * workers.count
    let listCount = count
    unsafe withAccess { lists in
      workers.forEach(taskCount) { task in
        let share = listCount * task / taskCount..<listCount * (task + 1) / taskCount
        unsafe found.similarities.withUnsafeBufferPointer { similarities in
          unsafe found.nodes.withUnsafeBufferPointer { nodes in
            for (place, row) in rows.enumerated() where share.contains(row) {
              let first = found.offsets[place]
              guard found.offsets[place + 1] > first else { continue }
              unsafe highland_offer_new(
                similarities.baseAddress! + first, nodes.baseAddress! + first,
                found.offsets[place + 1] - first, row, lists.handle(from: 0))
            }
          }
        }
      }
    }
  }
}
