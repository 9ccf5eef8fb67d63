internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra

/// The ranks in a ring: blocks go from each rank to the one before it.
struct Ring {
  private let rank: Rank
  private let size: Int

  init(_ communicator: some Communicator) {
    rank = communicator.rank
    size = communicator.size
  }

  /// The rank some places further round.
  func rank(after steps: Int) -> Rank { Rank(((rank.index + steps) % size + size) % size) }

  /// Hands rows to the rank before this one and takes the next rank's, while this rank works.
  ///
  /// > Collective: over `communicator`. One round of one message per rank.
  ///
  /// - Parameters:
  ///   - count: How many rows come.
  ///   - work: As that of ``Communicator/exchange(_:to:into:from:during:)``.
  func pass(
    _ rows: SearchRows, receiving count: Int, on communicator: some Communicator,
    during work: (_ moveOn: () throws -> Void) throws -> Void
  ) throws -> SearchRows {
    SearchRows(
      try communicator.exchange(
        rows: rows.stored, counts: counts(rank(after: -1), rows.rowCount),
        receiving: counts(rank(after: 1), count), during: work))
  }

  /// Hands the rest of a block to the rank before this one and takes that of the next rank's, whose rows are here.
  ///
  /// > Collective: over `communicator`. Three rounds of one message per rank, the lists' three arrays. One more
  /// > for names that do not follow from the partition.
  ///
  /// - Parameters:
  ///   - rows: Those that came.
  ///   - passesNames: Replicated. Whether rows have other names than their indices.
  ///   - owned: The indices of `rows`.
  func pass(
    _ block: SearchBlock, takingRows rows: SearchRows, passingNames passesNames: Bool,
    at owned: Range<Int>, on communicator: some Communicator
  ) throws -> SearchBlock {
    let lists = try move(
      block.lists, to: rank(after: -1), from: rank(after: 1), count: owned.count,
      on: communicator)
    let names =
      passesNames
      ? try move(
        block.names, to: rank(after: -1), from: rank(after: 1), receiving: owned.count,
        on: communicator)
      : owned.map { GlobalNode($0) }
    return SearchBlock(rows: rows, lists: lists, names: names)
  }

  /// Sends lists to one rank and receives those of `count` nodes from another: along with a block,
  /// or home to the rank that owns their nodes.
  ///
  /// > Collective: over `communicator`. Three rounds of one message per rank.
  func move(
    _ lists: CandidateLists, to destination: Rank, from source: Rank, count: Int,
    on communicator: some Communicator
  ) throws -> CandidateLists {
    func move<T: Message>(_ values: [T], receiving count: Int) throws -> [T] {
      try self.move(values, to: destination, from: source, receiving: count, on: communicator)
    }
    let places = count * lists.capacity
    return CandidateLists(
      capacity: lists.capacity, similarity: try move(lists.similarity, receiving: places),
      names: try move(lists.names, receiving: places),
      bound: try move(lists.bound, receiving: count))
  }

  private func move<T: Message>(
    _ values: [T], to destination: Rank, from source: Rank, receiving count: Int,
    on communicator: some Communicator
  ) throws -> [T] {
    try communicator.exchange(
      Buckets(values: values, counts: counts(destination, values.count)),
      receiving: counts(source, count)
    ).values
  }

  /// What goes to or comes from each rank, if it is all from one.
  private func counts(_ rank: Rank, _ count: Int) -> [Int] {
    (0..<size).map { $0 == rank.index ? count : 0 }
  }
}
