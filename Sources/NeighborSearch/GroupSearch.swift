internal import Communication
public import DistributedGraphs
public import LinearAlgebra
public import Parallelism

/// The nearest other rows within groups of consecutive rows, on one rank.
///
/// Groups of up to 2048 rows are each one product of a matrix with itself, and are shared among the threads.
/// A larger one is searched as if there were no other, by all threads, exactly or approximately. So a list
/// does not depend on which other groups there are.
///
/// - Parameters:
///   - rows: Unit rows, or zero rows, which take no part.
///   - groups: Ascending and without overlap. Rows of no group have empty lists.
///   - first: Row r has the name `first + r`. Of equally similar rows the one of lower name is first.
///   - progress: Called with the share of the work that is done, in 0 ... 1. Where it throws the search ends.
/// - Returns: Lists of `listLength` places for all rows, with empty places if there are fewer others.
/// - Complexity: O(Σ members² · columns) flops for exact groups.
public func nearestNeighbors(
  of rows: StoredRows, listLength: Int, by options: SearchOptions, within groups: [Range<Int>],
  namedFrom first: Int, using workers: Workers = Workers(),
  progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: SearchSummary) {
  precondition(
    zip(groups, groups.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }
      && (groups.last?.upperBound ?? 0) <= rows.rowCount, "groups overlap, or have no rows")
  let searched = groups.filter { $0.count > 1 && listLength > 0 }
  let pairs = searched.reduce(0.0) { $0 + Double($1.count) * Double($1.count - 1) / 2 }
  var pairsDone = 0.0
  func count(_ groups: ArraySlice<Range<Int>>) throws {
    for group in groups { pairsDone += Double(group.count) * Double(group.count - 1) / 2 }
    try progress(pairsDone / max(pairs, 1))
  }

  var lists = CandidateLists(
    count: rows.rowCount, capacity: min(listLength, max(rows.rowCount - 1, 0)))
  try search(
    rows, within: searched.filter { $0.count <= smallGroupLimit }, namedFrom: first, into: &lists,
    using: workers, progress: count)
  var summary = SearchSummary(method: .exact, reason: GroupSearch.reason, comparedPairs: pairs)
  var (neighbors, similarities) = lists.neighborLists(listLength: listLength, using: workers)
    .takeArrays()
  for (place, group) in searched.enumerated() where group.count > smallGroupLimit {
    let found = try nearestNeighbors(
      of: rows.stored(ofRows: Array(group)), listLength: listLength, by: options,
      in: NodePartition(sharing: group.count, among: 1), using: workers, on: SingleRank())
    let start = group.lowerBound * listLength
    for (offset, neighbor) in found.lists.neighbors.enumerated() {
      neighbors[start + offset] =
        neighbor == NeighborLists.none
        ? neighbor : GlobalNode(Int(neighbor.index) + first + group.lowerBound)
      similarities[start + offset] = found.lists.similarities[offset]
    }
    if found.summary.method == .approximate {
      summary.reason = GroupSearch.reasonInPart
      summary.comparedPairs +=
        found.summary.comparedPairs - Double(group.count) * Double(group.count - 1) / 2
    }
    try count(searched[place...place])
  }
  try progress(1)
  return (
    NeighborLists(listLength: listLength, neighbors: neighbors, similarities: similarities), summary
  )
}

/// What a summary says of the search within groups.
package enum GroupSearch {
  package static let reason = "all pairs of each group"
  package static let reasonInPart = "all pairs of each group, but large groups in part"

  /// - Parameter isInPart: Whether some groups were searched approximately.
  package static func summary(comparedPairs: Double, isInPart: Bool) -> SearchSummary {
    SearchSummary(
      method: .exact, reason: isInPart ? reasonInPart : reason, comparedPairs: comparedPairs)
  }
}

/// Rows of the largest group that is one product. Its scores and packed rows are some megabytes per thread.
private let smallGroupLimit = 2048

/// Compares all pairs of rows within each of some groups.
private func search(
  _ rows: StoredRows, within groups: [Range<Int>], namedFrom first: Int,
  into lists: inout CandidateLists, using workers: Workers,
  progress: (ArraySlice<Range<Int>>) throws -> Void
) throws {
  let all = CellRows(
    own: rows, guests: rows.stored(ofRows: []),
    ownNames: (first..<first + rows.rowCount).map { GlobalNode($0) }, guestNames: [])
  let count = lists.count
  var none = CandidateLists(capacity: lists.capacity, bounds: [])
  try unsafe lists.withAccess { own in
    try unsafe none.withAccess { guests in
      let lists = unsafe CellLists(own: own, ownCount: count, guests: guests)
      // A few hundred steps of progress; enough groups in each to keep all threads busy.
      for step in groups.indices.tiles(of: max(256 * workers.count, groups.count / 200)) {
        let tasks = step.tiles(of: 16)
        workers.forEach(tasks.count, scratch: { CellProducts(all) }) { task, products in
          for group in tasks[task] {
            let members = groups[group].filter { !rows.isZero($0) }.map { Int32($0) }
            if members.count > 1 { unsafe products.compare(members[...], into: lists) }
          }
        }
        try progress(groups[step])
      }
    }
  }
}
