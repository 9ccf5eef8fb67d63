/// A value that may travel between ranks: plain bits, no references.
public typealias Message = BitwiseCopyable & Sendable

/// One rank's end of a group of ranks that run the same program.
///
/// Every requirement is collective, unless it says otherwise: each rank must call it, in the same order, or no
/// rank returns. A backend implements them on bytes; extensions build the typed operations and the patterns on
/// them. A communicator is deliberately not `Sendable`, because a rank is one thread of control.
public protocol Communicator {
  var rank: Rank { get }
  var size: Int { get }

  /// Moves bytes between pairs of ranks that both know their number.
  ///
  /// `outgoing` is the concatenation of the segments for `destinations`, `incoming` that of the
  /// segments from `sources`; both lists ascend by rank, without repetition. A rank may send to
  /// itself. Ranks that are in no list only keep the order of calls.
  ///
  /// > Collective: one message per segment; nothing is sent between other pairs.
  ///
  /// - Precondition: If r lists s with n bytes, s lists r with n bytes.
  func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]) throws

  /// Moves bytes as ``exchange(_:to:into:from:)`` does, while this rank works.
  ///
  /// The buffers are borrowed until it returns, so that no rank can read what has not arrived, or write to what
  /// has not left.
  ///
  /// > Collective: as ``exchange(_:to:into:from:)``.
  ///
  /// - Parameter work: Called once. It may not communicate. Most messages move on only while their ranks are
  ///   inside the communicator, so it calls its argument now and then. What it throws is thrown once the exchange
  ///   is over.
  func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment],
    during work: (_ moveOn: () throws -> Void) throws -> Void) throws

  /// Sends `counts[r]` to rank `r`; returns what every rank sent here. Shape `[size]`.
  ///
  /// > Collective: one round, 8 bytes per pair of ranks.
  func transpose(_ counts: [Int]) throws -> [Int]

  /// Concatenates the contribution of every rank, in rank order, on every rank.
  ///
  /// > Collective: one round, `gathered.byteCount` bytes to every rank.
  ///
  /// - Parameter byteCounts: Replicated. Length of every rank's contribution. Shape `[size]`.
  func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan) throws

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

  /// Returns once rank 0 has called it. A rank that waits long leaves its processor to others.
  ///
  /// A backend need not implement it, if its ranks sleep while they wait.
  ///
  /// > Collective: one round; an empty message from rank 0 to every other.
  func waitForFirstRank() throws

  /// Whether a rank runs on the same machine as this one, so that no network is between them. Not collective.
  ///
  /// A backend need not implement it, if its ranks do.
  func isOnThisHost(_ rank: Rank) -> Bool

  /// The number of every rank, in rank order, for assertions.
  ///
  /// A backend need not implement it. A wrapper that observes an algorithm's traffic leaves it out.
  ///
  /// > Collective: as ``gatherOne(_:)``.
  func gatherForAssertion(_ number: UInt64) throws -> [UInt64]
}

extension Communicator {
  public func isOnThisHost(_ rank: Rank) -> Bool { true }

  public var ranks: [Rank] { (0..<size).map(Rank.init) }

  /// For backends whose ranks have everything at once.
  public func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment],
    during work: (_ moveOn: () throws -> Void) throws -> Void
  ) throws {
    try exchange(outgoing, to: destinations, into: &incoming, from: sources)
    try work {}
  }

  public func waitForFirstRank() throws { try barrier() }

  public func gatherForAssertion(_ number: UInt64) throws -> [UInt64] { try gatherOne(number) }
}
