internal import Communication
internal import DistributedGraphs

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
  /// Replicated. Of each task, whether there is anything to do: its cell has members, and was not searched before.
  let isOpen: [Bool]
  /// Replicated. How many of the first tasks an earlier run has finished.
  let finishedCount: Int
  /// Pairs of rows that are compared.
  let pairCount: Double
  /// Visits of cells by rows that ask, members and others.
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
  /// A task and two flags are a word of 32 bits: enough for some 10¹⁰ points.
  private static let mostTasks = 1 << 29

  /// > Collective: over `communicator`. Two rounds, 32 bytes per cell; none alone.
  ///
  /// - Parameters:
  ///   - rowByteCount: Replicated. Of the rows as they are stored.
  ///   - listLength: Replicated. Places of their lists.
  ///   - finishedCount: Replicated. So many of the first tasks are finished.
  init(
    _ membership: CellMembership, cellCount: Int, rowByteCount: Int, listLength: Int, seed: UInt64,
    dividedBy division: SearchDivision = SearchDivision(), after finishedCount: Int = 0,
    on communicator: some Communicator
  ) throws {
    var members = Array(repeating: 0.0, count: cellCount)
    var visits = members
    for row in membership.offsets.indices.dropLast() {
      let cells = membership.cells[membership.offsets[row]..<membership.offsets[row + 1]]
      guard let home = cells.first else { continue }
      members[Int(home)] += 1
      if row < membership.askingCount { for cell in cells { visits[Int(cell)] += 1 } }
    }
    let sums = try communicator.sums(members + visits)
    members = Array(sums[..<cellCount])
    visits = Array(sums[cellCount...])
    visitCount = visits.reduce(0, +)
    let memberCount = members.reduce(0, +)
    slabCount = Self.slabCount(
      members: memberCount / Double(communicator.size),
      visits: max(visitCount, memberCount) / Double(communicator.size),
      rowByteCount: Double(rowByteCount),
      listByteCount: Double(12 * listLength), isAlone: communicator.size == 1, division)
    let parts = members.map { max(1, Int(($0 / Self.memberLimit).rounded(.up))) }
    firstTask = (parts + [0]).exclusivePrefixSums()
    if firstTask[cellCount] > Self.mostTasks {  // on every rank
      throw AgreedFailure(
        reason: "\(firstTask[cellCount]) cells of points; expected at most \(Self.mostTasks)")
    }
    hash = NodeHash(seed: seed)
    placeHash = NodeHash(seed: seed &+ 0x91AC_E000)
    var costs = parts.indices.flatMap { cell in
      let parts = parts[cell]
      let (members, visits) = (members[cell] / Double(parts), visits[cell] / Double(parts))
      // Each visit costs, beside its pairs, about as much as some; of a cell without members or without visits there are none.
      return Array(repeating: members > 0 ? visits * (members + 100) : 0, count: parts)
    }
    self.finishedCount = finishedCount
    for task in costs.indices.prefix(finishedCount) { costs[task] = 0 }
    isOpen = costs.map { $0 > 0 }
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

  /// How many tasks are in earlier slabs: all before one of them.
  func taskCount(beforeSlab number: Int) -> Int {
    slab.firstIndex { $0 >= number } ?? taskCount
  }

  func task(of cell: Int32, node: GlobalNode) -> Int {
    let first = firstTask[Int(cell)]
    let parts = firstTask[Int(cell) + 1] - first
    return parts == 1 ? first : first + Int(hash[node] % UInt64(parts))
  }

  /// The rank that compares a row with the members of a task.
  func home(of node: GlobalNode, in task: Int, among rankCount: Int) -> Int {
    let ranks = ranks(of: task, among: rankCount)
    if ranks.count == 1 { return ranks.lowerBound }
    let place = start[task] + placeHash.place(of: node) * (end[task] - start[task])
    return min(Int(place), ranks.upperBound)
  }

  /// The ranks that have the members of a task.
  func ranks(of task: Int, among rankCount: Int) -> ClosedRange<Int> {
    let first = min(Int(start[task]), rankCount - 1)
    return first...max(first, min(Int(end[task].rounded(.up)) - 1, rankCount - 1))
  }
}
