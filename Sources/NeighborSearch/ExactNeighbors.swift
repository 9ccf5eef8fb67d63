public import Communication
public import DistributedGraphs
public import LinearAlgebra
public import Parallelism

/// The nearest other nodes of every owned node by cosine similarity, exactly.
///
///     aᵢⱼ = xᵢ · xⱼ,  ordered by (a descending, name of j ascending)
///
/// Each product is one chain of fused multiply-adds over the columns or, close to ±1, follows from
/// the difference of the rows (``CloseSimilarities``). So aᵢⱼ = aⱼᵢ bit for bit, and neither blocking,
/// threads nor ranks change it. It is never beyond ±1, and 1 for copies. Every pair of nodes is
/// computed once and offered to the lists of both, with half the flops of a search by queries. Blocks of
/// rows travel around the ring of ranks, each with the lists that collect its neighbours. Halfway round
/// all pairs have met, and the lists go home.
///
/// > Collective: over `communicator`. 4 ⌊p/2⌋ + 3 rounds of one message per rank, none for p = 1:
/// > ⌊p/2⌋ times a block's rows and the three arrays of its lists, in all
/// > `ownedCount · (4 · columns + 12 · listLength + 4)` bytes; then the lists once more. Travelling
/// > lists have no more places than there are other nodes. With `names` they travel with the rows: ⌊p/2⌋
/// > rounds more, and 8 bytes per node. A block that is divided into pieces goes round piece by piece, in
/// > so many times the rounds.
///
/// - Parameters:
///   - rows: Owned. Unit rows, or zero rows, which are similar to nothing: they have no neighbours
///     and are in no other list. Shape `[ownedCount × columns]`.
///   - listLength: Replicated. The number of neighbours for each node, without the node itself.
///   - division: Replicated. How much is held at once.
///   - names: Owned. The name of every node, under which it stands in lists and by which ties break:
///     all different, and none below 0. Given on all ranks or on none; nil names nodes by their index.
///   - progress: Called on every rank with the share of its work that is done, in 0 ... 1. Where it throws the
///     search ends; on one rank alone it may only where there are no others.
/// - Returns: Lists of `listLength` places, with empty places if there are fewer other nodes.
/// - Complexity: n² · columns / p flops on each of p ranks; memory for up to three blocks. A place in a
///   list costs O(listLength) steps in short lists, O(log listLength) in long ones.
public func nearestNeighbors(
  of rows: StoredRows, listLength: Int, dividedBy division: SearchDivision = SearchDivision(),
  in nodes: NodePartition, named names: [GlobalNode]? = nil,
  using workers: Workers = Workers(), on communicator: some Communicator,
  progress: (Double) throws -> Void = { _ in }
) throws -> NeighborLists {
  try communicator.assertReplicated(
    (
      listLength: listLength, division: division, columns: rows.columnCount, nodes: nodes.firstNode,
      isNamed: names != nil
    ))
  let owned = nodes.owned(by: communicator.rank)
  let rowNames = owned.names(names, ofRows: rows.rowCount)
  // As floating-point numbers: 10¹² points on 1000 ranks have 10²¹ pairs each.
  let pairCount = max(1, Double(owned.count) * Double(nodes.nodeCount + owned.count) / 2)
  var pairsDone = 0.0
  func count(_ pairs: Int) throws {
    pairsDone += Double(pairs)
    try progress(min(1, pairsDone / pairCount))
  }
  guard listLength > 0 else {
    return NeighborLists(listLength: 0, neighbors: [], similarities: [])
  }
  var own = SearchBlock(
    rows: SearchRows(rows),
    lists: CandidateLists(
      count: owned.count, capacity: min(listLength, max(nodes.nodeCount - 1, 0))),
    names: rowNames)
  try own.offerAllPairs(
    in: nodes, dividedBy: division, passingNames: names != nil, using: workers, on: communicator,
    progress: count)
  try progress(1)
  return (consume own).lists.neighborLists(listLength: listLength, using: workers)
}

extension SearchBlock {
  /// Offers every pair of a node of this block and any other to the lists of both.
  ///
  /// > Collective: over `communicator`, as ``nearestNeighbors(of:listLength:dividedBy:in:named:using:on:progress:)``.
  ///
  /// - Parameters:
  ///   - passesNames: Replicated. Whether rows have other names than their indices.
  ///   - progress: Called with the number of pairs that are done.
  fileprivate mutating func offerAllPairs(
    in nodes: NodePartition, dividedBy division: SearchDivision, passingNames passesNames: Bool,
    using workers: Workers, on communicator: some Communicator, progress: (Int) throws -> Void
  ) throws {
    func offerOwnPairs(_ moveOn: () throws -> Void) throws {
      try NeighborSearch.offerPairs(within: &self, using: workers) {
        try progress($0)
        try moveOn()
      }
    }
    if communicator.size == 1 { try offerOwnPairs {} }

    /// The nodes of a rank that go round together, by their places in its block.
    func piece(_ piece: Int, of rank: Rank) -> Range<Int> {
      let count = nodes.owned(by: rank).count
      return count * piece / division.pieceCount..<count * (piece + 1) / division.pieceCount
    }
    let ring = Ring(communicator)
    let stepCount = communicator.size / 2
    for number in 0..<(communicator.size > 1 ? division.pieceCount : 0) {
      let ownPiece = piece(number, of: communicator.rank)
      /// The nodes that visit in a step.
      func visitors(_ step: Int) -> Range<Int> { piece(number, of: ring.rank(after: step + 1)) }

      // The rows of every step travel while the pairs of the step before it are computed; their lists follow.
      let ownRows = rows(ownPiece)
      var arriving = try ring.pass(
        ownRows, receiving: visitors(0).count, on: communicator
      ) { if number == 0 { try offerOwnPairs($0) } }
      var visitor = visiting(ownPiece, as: ownRows)
      for step in 0..<stepCount {
        let visitorRank = ring.rank(after: step + 1)
        let visiting = visitors(step)
        let first = nodes.owned(by: visitorRank).lowerBound
        visitor = try ring.pass(
          visitor, takingRows: arriving, passingNames: passesNames,
          at: first + visiting.lowerBound..<first + visiting.upperBound, on: communicator)
        // Halfway round an even ring two ranks meet in both directions: each takes half the pairs.
        let isShared = 2 * (step + 1) == communicator.size
        let half = (isShared ? min(visitorRank, communicator.rank) : visitorRank)
        let split = nodes.owned(by: half).count / 2
        let isLower = communicator.rank < visitorRank
        let from =
          isShared && !isLower
          ? min(max(split, visiting.lowerBound), visiting.upperBound) : visiting.lowerBound
        func offerPairs(_ moveOn: () throws -> Void) throws {
          try NeighborSearch.offerPairs(
            between: &self, 0..<(isShared && isLower ? split : rows.rowCount),
            and: &visitor, from - visiting.lowerBound..<visiting.count, using: workers
          ) {
            try progress($0)
            try moveOn()
          }
        }
        if step + 1 < stepCount {
          arriving = try ring.pass(
            visitor.rows, receiving: visitors(step + 1).count, on: communicator,
            during: offerPairs)
        } else {
          try offerPairs {}
        }
      }
      lists.merge(
        try ring.move(
          visitor.lists, to: ring.rank(after: stepCount), from: ring.rank(after: -stepCount),
          count: ownPiece.count, on: communicator), from: ownPiece.lowerBound)
    }
  }
}

extension Range<Int> {
  /// The names of these nodes: those that are given, or their indices.
  ///
  /// - Precondition: There is a row, and a name if there are any, for each of the nodes.
  func names(_ given: [GlobalNode]?, ofRows rowCount: Int) -> [GlobalNode] {
    precondition(rowCount == count, "\(rowCount) rows for \(count) nodes")
    let names = given ?? map { GlobalNode($0) }
    precondition(names.count == count, "\(names.count) names for \(count) nodes")
    return names
  }
}
