internal import CKernels
internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// The cells as tasks: where each is searched, and in which slab of them.
struct CellTasks: Sendable {
  /// Replicated. The number of each cell's first task. Shape `[cells + 1]`.
  private let firstTask: [Int]
  /// Replicated. About how many rows each task has.
  let sizes: [Double]
  let deal: Deal
  let slabCount: Int
  private let hash: NodeHash

  /// A cell of more rows than this is cut by hashes of nodes before its rows travel, lest one rank gets
  /// what half of all points are copies of.
  private static let sizeLimit = 16 * Double(CellProducts.rowLimit)

  /// > Collective: over `communicator`. Three rounds, 16 bytes per cell; none alone.
  init(
    _ membership: CellMembership, cellCount: Int, slabCount: Int, seed: UInt64,
    on communicator: some Communicator
  ) throws {
    var counts = Array(repeating: 0.0, count: cellCount)
    for cell in membership.cells { counts[Int(cell)] += 1 }
    counts = try communicator.sums(counts)
    let parts = counts.map { max(1, Int(($0 / Self.sizeLimit).rounded(.up))) }
    firstTask = (parts + [0]).exclusivePrefixSums()
    sizes = zip(counts, parts).flatMap { count, parts in
      Array(repeating: count / Double(parts), count: parts)
    }
    deal = Deal(
      costs: sizes.map { $0 * min($0, Double(CellProducts.rowLimit)) },
      rankCount: communicator.size, partCount: slabCount)
    self.slabCount = slabCount
    hash = NodeHash(seed: seed)
  }

  func task(of cell: Int32, node: Int) -> Int {
    let first = firstTask[Int(cell)]
    let parts = firstTask[Int(cell) + 1] - first
    return parts == 1 ? first : first + Int(hash[node] % UInt64(parts))
  }

  /// Pairs of rows that are compared.
  var pairCount: Double {
    sizes.reduce(0) { $0 + $1 * min($1, Double(CellProducts.rowLimit)) / 2 }
  }
}

/// A row that visits a cell.
private struct Visit: BitwiseCopyable {
  let node: Int64
  let task: Int32
  /// What its neighbours must reach to be of use.
  let bound: Float
}

/// Finds neighbours within cells and adds them to the lists of the owned rows.
///
/// > Collective: over `communicator`. Per slab ten rounds. For each row and each of its cells: the row and
/// > 16 bytes to the rank that searches the cell, and back 12 for each neighbour that may be of use, and
/// > 4.
///
/// - Complexity: Memory for the rows of a slab twice, and its lists.
func searchCells(
  of rows: Matrix, _ membership: CellMembership, _ tasks: CellTasks, in nodes: NodePartition,
  into lists: inout CandidateLists, seed: UInt64, using workers: Workers,
  on communicator: some Communicator, progress: (Double) -> Void
) throws {
  let owned = nodes.owned(by: communicator.rank)
  let own = communicator.rank.index
  for slab in 0..<tasks.slabCount {
    // Who goes where, in the order of the nodes for each rank.
    var visits = Array(repeating: [Visit](), count: communicator.size)
    for row in 0..<rows.rowCount {
      for place in membership.offsets[row]..<membership.offsets[row + 1] {
        let task = tasks.task(of: membership.cells[place], node: owned.lowerBound + row)
        guard tasks.deal.part[task] == slab else { continue }
        visits[tasks.deal.rank[task]].append(
          Visit(
            node: Int64(owned.lowerBound + row), task: Int32(task), bound: lists.bound[row]))
      }
    }
    // Rows that stay do not travel.
    let counts = visits.indices.map { $0 == own ? 0 : visits[$0].count }
    let away = visits.indices.filter { $0 != own }.flatMap { visits[$0] }
    let arrived = try communicator.allToAll(Buckets(values: away, counts: counts))
    let guests = try communicator.exchange(
      rows: rows.copy(ofRows: away.map { Int($0.node) - owned.lowerBound }), counts: counts,
      receiving: arrived.counts)

    // All that are here, in the order of their nodes.
    let before = arrived.offsets[own]
    let stayed = before..<before + visits[own].count
    let here = arrived.values[..<before] + visits[own] + arrived.values[before...]
    let found = neighborsInCells(
      Array(here),
      at: here.indices.map {
        stayed.contains($0)
          ? Int(here[$0].node) - owned.lowerBound
          : rows.rowCount + ($0 < before ? $0 : $0 - stayed.count)
      },
      of: CellRows(own: rows, guests: guests), listLength: lists.capacity, seed: seed, using: workers)

    // And home.
    lists.add(found, at: stayed, to: visits[own].map { Int($0.node) - owned.lowerBound }, using: workers)
    let returned = try found.sent(
      from: Array(0..<before) + Array(stayed.upperBound..<here.count), counts: arrived.counts,
      receiving: counts, on: communicator)
    lists.add(
      returned, at: 0..<away.count, to: away.map { Int($0.node) - owned.lowerBound }, using: workers)
    progress(Double(slab + 1) / Double(tasks.slabCount))
  }
}

/// Neighbours that were found for some visits.
private struct FoundNeighbors: Sendable {
  /// Shape `[visits + 1]`, ascending from 0.
  var offsets: [Int]
  var similarities: [Float]
  var nodes: [Int64]

  /// Those of some visits, sent back to the ranks they came from.
  ///
  /// > Collective: over `communicator`. Three rounds.
  func sent(
    from visits: [Int], counts: [Int], receiving: [Int], on communicator: some Communicator
  ) throws -> FoundNeighbors {
    let lengths = try communicator.exchange(
      Buckets(values: visits.map { Int32(offsets[$0 + 1] - offsets[$0]) }, counts: counts),
      receiving: receiving)
    var sent = Array(repeating: 0, count: counts.count)
    var next = 0
    for rank in counts.indices {
      for visit in visits[next..<next + counts[rank]] {
        sent[rank] += offsets[visit + 1] - offsets[visit]
      }
      next += counts[rank]
    }
    let expected = communicator.ranks.map { lengths[$0].reduce(0) { $0 + Int($1) } }
    let places = visits.flatMap { offsets[$0]..<offsets[$0 + 1] }
    return FoundNeighbors(
      offsets: (lengths.values.map(Int.init) + [0]).exclusivePrefixSums(),
      similarities: try communicator.exchange(
        Buckets(values: places.map { similarities[$0] }, counts: sent), receiving: expected
      ).values,
      nodes: try communicator.exchange(
        Buckets(values: places.map { nodes[$0] }, counts: sent), receiving: expected
      ).values)
  }
}

extension CandidateLists {
  /// Adds what was found for visits to the lists of their rows, except what is in them.
  ///
  /// - Parameters:
  ///   - rows: Of each of the visits. They need not be different or in order.
  fileprivate mutating func add(
    _ found: FoundNeighbors, at visits: Range<Int>, to rows: [Int], using workers: Workers
  ) {
    // A share of the rows to each task, so that none is touched by two.
    let taskCount = workers.count == 1 ? 1 : 4 * workers.count
    let rowCount = count
    unsafe withAccess { lists in
      workers.forEach(taskCount) { task in
        let share = rowCount * task / taskCount..<rowCount * (task + 1) / taskCount
        unsafe found.similarities.withUnsafeBufferPointer { similarities in
          unsafe found.nodes.withUnsafeBufferPointer { nodes in
            for (row, visit) in zip(rows, visits) where share.contains(row) {
              let first = found.offsets[visit]
              guard found.offsets[visit + 1] > first else { continue }
              unsafe highland_offer_new(
                similarities.baseAddress! + first, nodes.baseAddress! + first,
                found.offsets[visit + 1] - first, row, lists.handle(from: 0))
            }
          }
        }
      }
    }
  }
}

/// The nearest others in the same cell of every visit.
///
/// - Parameters:
///   - visits: In the order of their nodes.
///   - places: Where each visit's row is.
private func neighborsInCells(
  _ visits: [Visit], at places: [Int], of rows: CellRows, listLength: Int, seed: UInt64,
  using workers: Workers
) -> FoundNeighbors {
  let hash = NodeHash(seed: seed)
  let tasks = Set(visits.map(\.task)).sorted()
  let numberOf = Dictionary(uniqueKeysWithValues: zip(tasks, 0...))
  let (order, starts) = sorted(
    visits.indices, by: visits.map { numberOf[$0.task]! }, keyCount: tasks.count)
  // The largest first, so that no thread begins it when the others are done.
  let cells = tasks.indices.map { order[starts[$0]..<starts[$0 + 1]] }
    .sorted { $0.count > $1.count }
  var found = CandidateLists(count: visits.count, capacity: listLength)
  unsafe found.withAccess { found in
    workers.forEach(cells.count) {
      CellProducts()
    } _: { task, products in
      let cell = Array(cells[task])
      let members = cell.map { places[$0] }
      let parts =
        cell.count <= CellProducts.rowLimit
        ? [Array(cell.indices)]
        : CellProducts.parts(of: members, of: rows, hashes: cell.map { hash[Int(visits[$0].node)] })
      for part in parts {
        let lists = products.neighbors(
          among: part.map { members[$0] }, of: rows, listLength: listLength,
          reaching: part.map { visits[cell[$0]].bound })
        for (member, place) in part.enumerated() {
          let (from, to) = (member * listLength, cell[place] * listLength)
          for slot in 0..<listLength where lists.index[from + slot] >= 0 {
            unsafe found.similarity[to + slot] = lists.similarity[from + slot]
            unsafe found.index[to + slot] = visits[cell[part[Int(lists.index[from + slot])]]].node
          }
        }
      }
    }
  }
  return found.compacted
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
}
