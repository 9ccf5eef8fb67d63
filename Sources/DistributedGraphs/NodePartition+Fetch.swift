public import Communication

extension NodePartition {
  /// Reads `values[node]` from the owner of each requested node.
  ///
  /// > Collective: over `communicator`. Three rounds: the counts, then 8 bytes out and one value
  /// > back per request to another rank.
  ///
  /// - Parameters:
  ///   - values: Owned. One value per owned node.
  ///   - nodes: Any nodes, repetition allowed.
  /// - Returns: The values in the order of the requests.
  @inlinable
  public func fetch<T: Message>(
    _ values: [T], at nodes: [GlobalNode], on communicator: some Communicator
  ) throws -> [T] {
    try communicator.assertReplicated(firstNode, from: .all)
    let owned = owned(by: communicator.rank)
    precondition(values.count == owned.count, "\(values.count) values for \(owned.count) nodes")
    let away = nodes.filter { !owned.contains(Int($0.index)) }
    let (requests, places) = Buckets.sorting(away, into: communicator.size) { owner(of: $0) }
    let asked = try communicator.allToAll(requests)
    let answers = try communicator.exchange(
      asked.map { values[Int($0.index) - owned.lowerBound] }, receiving: requests.counts)
    var nextAway = 0
    return nodes.map { node in
      if owned.contains(Int(node.index)) { return values[Int(node.index) - owned.lowerBound] }
      defer { nextAway += 1 }
      return answers.values[places[nextAway]]
    }
  }

  /// Combines contributions into `values[node]` at the owner of each node.
  ///
  /// Contributions are combined in rank order, and each rank's in its own order. `combine` must not
  /// depend on that order, or the answer depends on the number of ranks.
  ///
  /// > Collective: over `communicator`. Three rounds: the counts, then 8 bytes and one value per
  /// > contribution to a node of another rank.
  ///
  /// - Parameter values: Owned. One value per owned node.
  @inlinable
  public func scatter<T: Message>(
    _ contributions: [T], to nodes: [GlobalNode], into values: inout [T],
    on communicator: some Communicator, combining combine: (inout T, T) -> Void
  ) throws {
    try communicator.assertReplicated(firstNode, from: .all)
    let owned = owned(by: communicator.rank)
    precondition(values.count == owned.count, "\(values.count) values for \(owned.count) nodes")
    precondition(contributions.count == nodes.count, "one node per contribution")
    let away = nodes.indices.filter { !owned.contains(Int(nodes[$0].index)) }
    let (targets, places) = Buckets.sorting(away.map { nodes[$0] }, into: communicator.size) {
      owner(of: $0)
    }
    var sorted = away.map { contributions[$0] }
    for (index, place) in zip(away, places) { sorted[place] = contributions[index] }
    let arrivedTargets = try communicator.allToAll(targets)
    let arrived = try communicator.exchange(
      Buckets(values: sorted, counts: targets.counts), receiving: arrivedTargets.counts)
    // By places: `zip` of a type that is not known here looks that up for every element.
    for rank in communicator.ranks {
      if rank == communicator.rank {
        for place in nodes.indices where owned.contains(Int(nodes[place].index)) {
          combine(&values[Int(nodes[place].index) - owned.lowerBound], contributions[place])
        }
      }
      for place in arrivedTargets[rank].indices {
        let target = Int(arrivedTargets.values[place].index)
        combine(&values[target - owned.lowerBound], arrived.values[place])
      }
    }
  }
}
