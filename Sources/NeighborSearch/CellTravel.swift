internal import DistributedGraphs

/// A row that is in a cell, as a member or as a visitor.
struct Visit: BitwiseCopyable {
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
struct Travel {
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
struct TravelCount: BitwiseCopyable {
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
      let asks = row < membership.askingCount
      let first = membership.offsets[row]
      for place in first..<membership.offsets[row + 1] {
        let task = task(of: membership.cells[place], node: names[row])
        // Copies of a point make cells with the same centre, and all are in the first.
        guard isOpen[task] else { continue }
        let home = home(of: names[row], in: task, among: rankCount)
        let isMember = place == first
        for rank in isMember ? ranks(of: task, among: rankCount) : home...home {
          body(
            Visit(row: row, task: task, isMember: isMember, isAsking: asks && rank == home),
            Int(slab[task]), rank)
        }
      }
    }
  }

  /// How much will go to each rank, in each of the slabs. Shape `[size × slabCount]`.
  func travelCounts(
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
struct Guests {
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
