/// A communicator whose ranks can work in groups, each with a communicator of its own.
public protocol GroupingCommunicator: Communicator {
  /// Runs `body` with the communicator of this rank's group, which has all ranks that gave the same number,
  /// in the order of their ranks here.
  ///
  /// Groups do not wait for each other. A group's communicator ends with `body`, and `body` may not use this
  /// one. If all ranks of a group throw an ``AgreedFailure``, the group ends properly; after any other error
  /// of `body` the job is over.
  ///
  /// > Collective: over this communicator, which forms the groups in two rounds of 8 bytes per rank. What
  /// > `body` does is over the group's.
  ///
  /// - Parameter group: At least 0.
  func withGroup<R>(_ group: Int, _ body: (_ group: Self) throws -> R) throws -> R
}

extension SingleRank: GroupingCommunicator {
  public func withGroup<R>(_ group: Int, _ body: (SingleRank) throws -> R) throws -> R {
    precondition(group >= 0, "group \(group)")
    return try body(self)
  }
}

extension GroupingCommunicator {
  /// Runs tasks on groups of ranks, side by side, and gives every rank all results.
  ///
  /// A group has neighbouring ranks, and all groups have about the same number of ranks. Group g runs the
  /// tasks g, g + `groupCount`, … one after the other. If a result does not depend on the number of ranks
  /// that compute it, as it must not, nothing here depends on the number of groups.
  ///
  /// If all ranks of a group throw an ``AgreedFailure``, all ranks throw it once the other groups have done
  /// their tasks. Any other error is thrown at once, on its rank.
  ///
  /// > Collective: over this communicator; the groups, then four rounds and every result to every rank.
  ///
  /// - Parameters:
  ///   - taskCount: Replicated.
  ///   - groupCount: Replicated. From 1 to ``Communicator/size``.
  ///   - body: Collective over `group`. The result of the group's rank 0 counts.
  /// - Returns: Replicated. A result per task.
  public func perform(
    _ taskCount: Int, inGroups groupCount: Int,
    _ body: (_ task: Int, _ group: Self) throws -> [UInt8]
  ) throws -> [[UInt8]] {
    try assertReplicated((taskCount: taskCount, groupCount: groupCount))
    precondition((1...size).contains(groupCount), "\(groupCount) groups of \(size) ranks")
    func tasks(of group: Int) -> [Int] {
      Array(stride(from: group, to: taskCount, by: groupCount))
    }
    func group(of rank: Rank) -> Int { rank.index * groupCount / size }
    let own = group(of: rank)
    let outcome = Result {
      try withGroup(own) { group in
        try tasks(of: own).map { task in
          let result = try body(task, group)
          return group.rank == Rank(0) ? result : []
        }
      }
    }
    if case .failure(let error) = outcome, !(error is AgreedFailure) { throw error }
    let results = try agree { try outcome.get() }
    let lengths = try allGather(results.map(\.count))
    let bytes = try allGather(results.flatMap(\.self))
    var all = Array(repeating: [UInt8](), count: taskCount)
    // The first rank of each group has its results.
    for first in ranks
    where first.index == 0 || group(of: Rank(first.index - 1)) != group(of: first) {
      var rest = Array(bytes[first])[...]
      for (task, length) in zip(tasks(of: group(of: first)), lengths[first]) {
        all[task] = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
      }
    }
    return all
  }
}
