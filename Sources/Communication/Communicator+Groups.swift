// Ranks that work in groups, each with a communicator of its own.

extension Communicator {
  /// Runs `body` on the first ranks, for work that is too little for all of them. The others wait and leave
  /// their processors to them.
  ///
  /// If the first ranks throw an ``AgreedFailure``, all ranks throw it. Any other error is thrown at once, on its
  /// rank.
  ///
  /// > Collective: over this communicator; the group, a wait for rank 0, and a round of one byte per rank; two more
  /// > with the failure. What `body` does is over the group. Nothing of this if all ranks take part.
  ///
  /// - Parameters:
  ///   - count: Replicated. From 1 to ``size``.
  ///   - body: Collective over `few`.
  /// - Returns: What `body` returned; nil on a rank that has waited.
  public func withFirstRanks<R>(
    _ count: Int, _ body: (_ few: Self) throws -> R
  ) throws -> R? {
    try assertReplicated(count)
    precondition((1...size).contains(count), "\(count) of \(size) ranks")
    guard count < size else { return try body(self) }
    let isAmongThem = rank.index < count
    let outcome = try outcome(inGroup: isAmongThem ? 0 : 1) { few in
      isAmongThem ? try body(few) : nil
    }
    var failure: AgreedFailure?
    if case .failure(let agreed) = outcome { failure = agreed }
    try waitForFirstRank()
    guard try any(failure != nil) else { return try outcome.get() }
    throw try broadcast(failure)
  }

  /// What `body` returns, or on what failure all ranks of the group agree.
  ///
  /// > Collective: over this communicator, as ``withGroup(_:_:)``.
  private func outcome<R>(
    inGroup group: Int, _ body: (_ group: Self) throws -> R
  ) throws -> Result<R, AgreedFailure> {
    do { return .success(try withGroup(group, body)) } catch let failure as AgreedFailure {
      return .failure(failure)
    }
  }

  /// The failure of rank 0, on every rank.
  private func broadcast(_ failure: AgreedFailure?) throws -> AgreedFailure {
    let texts = try [failure?.reason, failure?.code].map { text in
      String(decoding: try broadcast(Array((text ?? "").utf8)), as: UTF8.self)
    }
    let numbers = try broadcast(failure.map { [$0.rank.index, $0.failureCount] } ?? [])
    return AgreedFailure(
      reason: texts[0], rank: Rank(numbers[0]), failureCount: numbers[1], code: texts[1])
  }

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
    let outcome = try outcome(inGroup: own) { group in
      try tasks(of: own).map { task in
        let result = try body(task, group)
        return group.rank == Rank(0) ? result : []
      }
    }
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
