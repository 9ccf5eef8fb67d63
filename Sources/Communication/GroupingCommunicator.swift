/// A communicator whose ranks can work in groups: each group a communicator of its own.
public protocol GroupingCommunicator: Communicator {
  /// Runs `body` with the communicator of this rank's group: of all ranks that gave the same number, in the
  /// order of their ranks here.
  ///
  /// Groups do not wait for each other. A group's communicator is gone when `body` is; this one may not be
  /// used in it. A failure that all ranks of a group throw, an ``AgreedFailure``, leaves the group as it should
  /// be left; after any other error of `body` the job is over.
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
  /// Does tasks on groups of ranks, side by side, and gives every rank all results.
  ///
  /// Group g, of about as many ranks as the others and next to each other, does the tasks g,
  /// g + `groupCount`, … one after the other. A result must not depend on the number of ranks that come to
  /// it; then nothing here depends on the number of groups.
  ///
  /// Throws on all ranks what all ranks of a group have thrown (an ``AgreedFailure``), once the other groups
  /// have done their tasks. Any other error leaves at once, on its rank.
  ///
  /// > Collective: over this communicator; the groups, then four rounds and every result to every rank.
  ///
  /// - Parameters:
  ///   - taskCount: Replicated.
  ///   - groupCount: Replicated. From 1 to ``Communicator/size``.
  ///   - body: Collective over `group`. What it returns on the group's rank 0 counts.
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
