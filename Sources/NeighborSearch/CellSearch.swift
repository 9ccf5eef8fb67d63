internal import CKernels
internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// The cells as tasks: in which slab of them, and by which rank, each is searched.
///
/// Slabs are ranges of cells of about the same cost, and the share of a rank in a slab is a range, too: cells
/// that follow each other are near, and so a row that visits several goes to few ranks.
struct CellTasks: Sendable {
  /// Replicated. The number of each cell's first task. Shape `[cells + 1]`.
  private let firstTask: [Int]
  private let hash: NodeHash
  /// Replicated. Of each task.
  let slab: [UInt8]
  let rank: [Int32]
  /// Pairs of rows that are compared.
  let pairCount: Double
  /// Visits of cells, by members and others.
  let visitCount: Double

  let slabCount: Int

  /// A cell of more members than this is divided by hashes of nodes, lest what half of all points are
  /// copies of take one rank's time, or all.
  private static let memberLimit = 2048.0

  /// > Collective: over `communicator`. Six rounds, 32 bytes per cell; none alone.
  init(
    _ membership: CellMembership, cellCount: Int, seed: UInt64, slabCount: Int = 8,
    on communicator: some Communicator
  ) throws {
    self.slabCount = slabCount
    var members = Array(repeating: 0.0, count: cellCount)
    var visits = members
    for (first, end) in zip(membership.offsets, membership.offsets.dropFirst()) where first < end {
      members[Int(membership.cells[first])] += 1
      for place in first..<end { visits[Int(membership.cells[place])] += 1 }
    }
    members = try communicator.sums(members)
    visits = try communicator.sums(visits)
    let parts = members.map { max(1, Int(($0 / Self.memberLimit).rounded(.up))) }
    firstTask = (parts + [0]).exclusivePrefixSums()
    hash = NodeHash(seed: seed)
    let costs = parts.indices.flatMap { cell in
      let parts = parts[cell]
      let (members, visits) = (members[cell] / Double(parts), visits[cell] / Double(parts))
      // Each visit costs, beside its pairs, about as much as some.
      return Array(repeating: visits * (members + 100), count: parts)
    }
    let total = max(1, costs.reduce(0, +))
    let shareCount = slabCount * communicator.size
    var slab: [UInt8] = []
    var rank: [Int32] = []
    var before = 0.0
    for cost in costs {
      let middle = (before + cost / 2) / total
      let ofSlab = min(Int(Double(slabCount) * middle), slabCount - 1)
      let share = min(Int(Double(shareCount) * middle), shareCount - 1)
      slab.append(UInt8(ofSlab))
      rank.append(Int32(min(max(share - ofSlab * communicator.size, 0), communicator.size - 1)))
      before += cost
    }
    self.slab = slab
    self.rank = rank
    pairCount = parts.indices.reduce(0) { $0 + members[$1] / Double(parts[$1]) * visits[$1] }
    visitCount = visits.reduce(0, +)
  }

  var taskCount: Int { slab.count }

  func task(of cell: Int32, node: GlobalNode) -> Int {
    let first = firstTask[Int(cell)]
    let parts = firstTask[Int(cell) + 1] - first
    return parts == 1 ? first : first + Int(hash[node] % UInt64(parts))
  }
}

/// A row that is in a cell, as a member or as a visitor.
private struct Visit: BitwiseCopyable {
  /// The place of the row among those that its rank sends, or keeps.
  var row: Int32
  let task: Int32
  let isMember: Bool
}

/// A row that goes to another rank.
private struct Guest: BitwiseCopyable {
  let name: GlobalNode
  /// What its neighbours must reach to be of use.
  let bound: Float
}

/// Finds neighbours within cells and adds them to the lists of the owned rows.
///
/// > Collective: over `communicator`. Per slab 13 rounds. Each row goes once to every rank that searches
/// > one of its cells in the slab, with 12 bytes and 12 for each of the cells, and what is found for
/// > it comes back, 12 bytes for each neighbour and 4.
///
/// - Complexity: Memory for the rows that come in a slab, and their lists.
func searchCells(
  of rows: StoredRows, _ membership: CellMembership, _ tasks: CellTasks,
  named names: [GlobalNode], into lists: inout CandidateLists, using workers: Workers,
  on communicator: some Communicator,
  progress: (Double) -> Void
) throws {
  let own = communicator.rank.index
  for slab in 0..<tasks.slabCount {
    // Who goes where: for each rank the rows, and the visits of their places among them.
    var guests = Array(repeating: [Int](), count: communicator.size)
    var visits = Array(repeating: [Visit](), count: communicator.size)
    for row in 0..<rows.rowCount {
      let first = membership.offsets[row]
      for place in first..<membership.offsets[row + 1] {
        let task = tasks.task(of: membership.cells[place], node: names[row])
        guard tasks.slab[task] == slab else { continue }
        let rank = Int(tasks.rank[task])
        if rank != own, guests[rank].last != row { guests[rank].append(row) }
        visits[rank].append(
          Visit(
            row: Int32(rank == own ? row : guests[rank].count - 1), task: Int32(task),
            isMember: place == first))
      }
    }
    let counts = guests.map(\.count)
    let sent = guests.flatMap { $0 }
    let arrived = try communicator.allToAll(
      Buckets(
        values: sent.map { Guest(name: names[$0], bound: lists.bound[$0]) },
        counts: counts))
    let guestRows = try communicator.exchange(
      rows: rows.stored(ofRows: sent), counts: counts, receiving: arrived.counts)
    var here = visits[own]
    visits[own] = []
    let visiting = try communicator.allToAll(
      Buckets(values: visits.flatMap { $0 }, counts: visits.map(\.count)))
    for rank in communicator.ranks {
      let first = Int32(rows.rowCount + arrived.offsets[rank.index])
      here += visiting[rank].map {
        Visit(row: first + $0.row, task: $0.task, isMember: $0.isMember)
      }
    }

    // Compared, and home.
    var guestLists = CandidateLists(
      capacity: lists.capacity, bounds: arrived.values.map(\.bound))
    search(
      here, taskCount: tasks.taskCount,
      of: CellRows(
        own: rows, guests: guestRows, ownNames: names, guestNames: arrived.values.map(\.name)),
      into: &lists, &guestLists, using: workers)
    let returned = try guestLists.compacted.sent(
      counts: arrived.counts, receiving: counts, on: communicator)
    lists.add(returned, to: sent, using: workers)
    progress(Double(slab + 1) / Double(tasks.slabCount))
  }
}

/// Compares the rows of all cells that are here: the members first, so that visitors meet lists that are
/// full already.
private func search(
  _ visits: [Visit], taskCount: Int, of rows: CellRows, into lists: inout CandidateLists,
  _ guestLists: inout CandidateLists, using workers: Workers
) {
  // Of each cell the members, then the visitors.
  let (ordered, starts) = sorted(
    visits.map(\.row), by: visits.map { 2 * Int($0.task) + ($0.isMember ? 0 : 1) },
    keyCount: 2 * taskCount)
  let ownCount = lists.count
  unsafe lists.withAccess { own in
    unsafe guestLists.withAccess { guests in
      let lists = unsafe CellLists(own: own, ownCount: ownCount, guests: guests)
      func forEachCell(
        _ isChosen: (_ members: Int, _ visitors: Int) -> Bool,
        _ body:
          @Sendable (
            inout CellProducts, _ members: ArraySlice<Int32>, _ visitors: ArraySlice<Int32>
          ) -> Void
      ) {
        let cells = (0..<taskCount).filter {
          isChosen(
            starts[2 * $0 + 1] - starts[2 * $0], starts[2 * $0 + 2] - starts[2 * $0 + 1])
        }
        workers.forEach(cells.count, scratch: { CellProducts(rows) }) { task, products in
          let first = 2 * cells[task]
          body(
            &products, ordered[starts[first]..<starts[first + 1]],
            ordered[starts[first + 1]..<starts[first + 2]])
        }
      }
      forEachCell({ members, _ in members > 1 }) { products, members, _ in
        unsafe products.compare(members, into: lists)
      }
      forEachCell({ $0 > 0 && $1 > 0 }) { products, members, visitors in
        unsafe products.compare(members, with: visitors, into: lists)
      }
    }
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
  /// > Collective: over `communicator`. Three rounds.
  func sent(
    counts: [Int], receiving: [Int], on communicator: some Communicator
  ) throws -> FoundNeighbors {
    let lengths = try communicator.exchange(
      Buckets(values: zip(offsets.dropFirst(), offsets).map { Int32($0 - $1) }, counts: counts),
      receiving: receiving)
    let rows = (counts + [0]).exclusivePrefixSums()
    let sent = counts.indices.map { offsets[rows[$0 + 1]] - offsets[rows[$0]] }
    let expected = communicator.ranks.map { lengths[$0].reduce(0) { $0 + Int($1) } }
    return FoundNeighbors(
      offsets: (lengths.values.map(Int.init) + [0]).exclusivePrefixSums(),
      similarities: try communicator.exchange(
        Buckets(values: similarities, counts: sent), receiving: expected
      ).values,
      nodes: try communicator.exchange(Buckets(values: nodes, counts: sent), receiving: expected)
        .values)
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
