public import Communication

extension NodePartition {
  /// Sends one row of values to the owner of each node.
  ///
  /// > Collective: over `communicator`. Three rounds: the counts, then 8 bytes and `width` values
  /// > per row.
  ///
  /// - Parameter rows: `width` values for each node of `nodes`, row after row.
  /// - Returns: The rows that arrived for owned nodes, by the rank that sent them, in that rank's order.
  @inlinable
  public func deliver<T: Message>(
    _ rows: [T], width: Int, to nodes: [GlobalNode], on communicator: some Communicator
  ) throws -> (nodes: [GlobalNode], rows: [T]) {
    try communicator.assertReplicated((width: width, nodes: firstNode), from: .all)
    precondition(rows.count == nodes.count * width, "\(rows.count) values for \(nodes.count) rows")
    let (targets, places) = Buckets.sorting(nodes, into: communicator.size) { owner(of: $0) }
    var sorted = rows
    for (row, place) in places.enumerated() where row != place {
      for column in 0..<width { sorted[place * width + column] = rows[row * width + column] }
    }
    let arrivedNodes = try communicator.allToAll(targets)
    let arrivedRows = try communicator.exchange(
      Buckets(values: sorted, counts: targets.counts.map { $0 * width }),
      receiving: arrivedNodes.counts.map { $0 * width })
    return (arrivedNodes.values, arrivedRows.values)
  }

  /// Rows of the same nodes in the same order, at their owners of another partition.
  ///
  /// > Collective: over `communicator`. One round, `width` values for each node that gets another owner.
  ///
  /// - Parameter rows: Owned. Shape `[ownedCount × width]`.
  /// - Returns: Owned, in `other`. Shape `[ownedCount × width]`.
  @inlinable
  public func hand<T: Message>(
    _ rows: [T], width: Int = 1, to other: NodePartition, on communicator: some Communicator
  ) throws -> [T] {
    try communicator.assertReplicated(
      (width: width, nodes: firstNode, other: other.firstNode), from: .all)
    precondition(other.nodeCount == nodeCount, "\(other.nodeCount) nodes in place of \(nodeCount)")
    func counts(
      _ own: NodePartition, _ theirs: NodePartition
    ) -> [Int] {
      let owned = own.owned(by: communicator.rank)
      return communicator.ranks.map { theirs.owned(by: $0).clamped(to: owned).count * width }
    }
    return try communicator.exchange(
      Buckets(values: rows, counts: counts(self, other)), receiving: counts(other, self)
    ).values
  }

  /// Rows in the order of these nodes, at their owners.
  ///
  /// > Collective: over `communicator`, as ``deliver(_:width:to:on:)``.
  ///
  /// - Parameters:
  ///   - rows: `width` values for each node of `places`, row after row.
  ///   - places: The node that each row is of. Over all ranks every node occurs once.
  /// - Returns: Owned. Shape `[ownedCount × width]`.
  @inlinable
  public func arrange<T: Message>(
    _ rows: [T], width: Int = 1, at places: [GlobalNode], on communicator: some Communicator
  ) throws -> [T] {
    let owned = owned(by: communicator.rank)
    let arrived = try deliver(rows, width: width, to: places, on: communicator)
    precondition(
      arrived.nodes.count == owned.count, "\(arrived.nodes.count) rows for \(owned.count) nodes")
    var arranged = arrived.rows
    for (row, node) in arrived.nodes.enumerated() {
      let place = Int(node.index) - owned.lowerBound
      for column in 0..<width {
        arranged[place * width + column] = arrived.rows[row * width + column]
      }
    }
    return arranged
  }
}
