internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// Finds neighbours within cells and adds them to the lists of the owned rows.
///
/// > Collective: over `communicator`. One round, and four per slab; none alone. Each row goes once to every
/// > rank that searches one of its cells in the slab, with 16 bytes and 4 for each of the cells, and what is
/// > found for it comes back, 12 bytes for each neighbour and 4.
///
/// - Parameter keep: Called on every rank between slabs, with the lists so far and how many tasks they come of: the
///   first ones.
/// - Complexity: Memory for the rows that come in a slab, and their lists.
/// - Returns: How many pairs this rank compared.
func searchCells(
  of rows: StoredRows, _ membership: CellMembership, _ tasks: CellTasks,
  named names: [GlobalNode], into lists: inout CandidateLists, using workers: Workers,
  on communicator: some Communicator,
  keep: (_ lists: CandidateLists, _ taskCount: Int) throws -> Void,
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
  var keptCount = tasks.finishedCount
  for slab in 0..<tasks.slabCount {
    let finished = tasks.taskCount(beforeSlab: slab)
    if finished > keptCount { try keep(lists, finished) }
    keptCount = max(keptCount, finished)
    func progressOfSlab(_ share: Double) throws {
      try progress((Double(slab) + share) / Double(tasks.slabCount))
    }
    let travel = Travel(
      membership, tasks, inSlab: slab, named: names, bounds: lists.bound, from: own,
      rankCount: communicator.size)
    if isAlone {
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
        unsafe products.compare(first: askingCount, of: members, into: lists)
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
