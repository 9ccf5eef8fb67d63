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
    let owned = owned(by: communicator.rank)
    precondition(values.count == owned.count, "\(values.count) values for \(owned.count) nodes")
    let (requests, places) = Buckets.sorting(nodes, into: communicator.size) { owner(of: $0) }
    let asked = try communicator.allToAll(requests)
    let answers = try communicator.exchange(
      asked.map { values[Int($0.index) - owned.lowerBound] }, receiving: requests.counts)
    return places.map { answers.values[$0] }
  }

  /// Combines contributions into `values[node]` at the owner of each node.
  ///
  /// Contributions arrive in rank order, each rank's in its own order; `combine` must not depend
  /// on that order if the answer is not to depend on the number of ranks.
  ///
  /// > Collective: over `communicator`. Three rounds: the counts, then 8 bytes and one value per
  /// > contribution.
  ///
  /// - Parameter values: Owned. One value per owned node.
  @inlinable
  public func scatter<T: Message>(
    _ contributions: [T], to nodes: [GlobalNode], into values: inout [T],
    on communicator: some Communicator, combining combine: (inout T, T) -> Void
  ) throws {
    let owned = owned(by: communicator.rank)
    precondition(values.count == owned.count, "\(values.count) values for \(owned.count) nodes")
    precondition(contributions.count == nodes.count, "one node per contribution")
    let (targets, places) = Buckets.sorting(nodes, into: communicator.size) { owner(of: $0) }
    var sorted = contributions
    for (index, place) in places.enumerated() { sorted[place] = contributions[index] }
    let arrivedTargets = try communicator.allToAll(targets)
    let arrived = try communicator.exchange(
      Buckets(values: sorted, counts: targets.counts), receiving: arrivedTargets.counts)
    for (target, value) in zip(arrivedTargets.values, arrived.values) {
      combine(&values[Int(target.index) - owned.lowerBound], value)
    }
  }
}
