// Checks of what callers promise. Off, they cost a comparison.

extension Communicator {
  /// Checks that all ranks pass the same values, if ``AssertionLevel/current`` asks for it; throws
  /// the same ``AgreedFailure`` on every rank if they do not.
  ///
  ///     try communicator.assertReplicated((listLength: listLength, nodes: nodes.nodeCount))
  ///
  /// It compares the values as they print: all members of a structure, and numbers to the last bit. Do
  /// not pass sets and dictionaries, which print in a different order each time.
  ///
  /// > Collective: one round, 8 bytes per rank to every rank, that no ``CountingCommunicator`` counts;
  /// > two more with the texts after a failure. None if it is not asked for.
  ///
  /// - Parameters:
  ///   - values: One value, or several as a tuple with labels, which appear in the message. They are
  ///     evaluated only if they are checked.
  ///   - level: The lowest level that checks them.
  ///   - function: The function that checks, for the message.
  public func assertReplicated<T>(
    _ values: @autoclosure () -> T, from level: AssertionLevel = .light,
    in function: StaticString = #function
  ) throws {
    guard AssertionLevel.current >= level else { return }
    try requireReplicated(values(), in: function)
  }

  /// Throws the same ``AgreedFailure`` on every rank unless all ranks pass the same values.
  ///
  /// > Collective: as ``assertReplicated(_:from:in:)`` where that checks.
  public func requireReplicated(_ values: some Any, in function: StaticString = #function) throws {
    let text = "\(function): \(values)"
    let all = try gatherForAssertion(text.fingerprint)
    guard let other = ranks.first(where: { all[$0.index] != all[0] }) else { return }
    let texts = try allGather(Array(text.utf8))
    let first = String(decoding: texts[Rank(0)], as: UTF8.self)
    let second = String(decoding: texts[other], as: UTF8.self)
    let start = zip(first, second).prefix { $0 == $1 }.count
    throw AgreedFailure(
      reason: "not the same on all ranks: \(first.excerpt(around: start)) on rank 0, "
        + "\(second.excerpt(around: start)) on rank \(other.index)",
      rank: other, failureCount: all.count { $0 != all[0] }, code: AgreedFailure.notReplicated)
  }
}

extension AgreedFailure {
  /// The ``code`` of a failure of ``Communicator/requireReplicated(_:in:)``.
  public static let notReplicated = "not replicated"
}

extension String {
  /// FNV-1a: the same in every process, unlike `hashValue`.
  fileprivate var fingerprint: UInt64 {
    utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// Enough of a long text to see what differs at a place in it.
  fileprivate func excerpt(around place: Int) -> String {
    let (before, after) = (150, 50)
    let head = place > before ? "…" + dropFirst(place - before) : self
    let limit = Swift.min(place, before) + after
    return head.count > limit ? head.prefix(limit) + "…" : head
  }
}
