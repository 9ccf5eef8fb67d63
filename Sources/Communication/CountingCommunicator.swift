/// What this rank has sent to others.
public struct Traffic: Equatable, Sendable, BitwiseCopyable {
  /// Collective calls, local ones included.
  public var rounds = 0
  /// Messages to other ranks, as if every pair had its own wire.
  public var messages = 0
  /// Payload sent to other ranks, in bytes.
  public var bytesSent = 0
  /// Of these, what went to ranks on other hosts.
  public var messagesToOtherHosts = 0
  public var bytesToOtherHosts = 0

  public init() {}

  public static func - (a: Self, b: Self) -> Self {
    var difference = a
    difference.rounds -= b.rounds
    difference.messages -= b.messages
    difference.bytesSent -= b.bytesSent
    difference.messagesToOtherHosts -= b.messagesToOtherHosts
    difference.bytesToOtherHosts -= b.bytesToOtherHosts
    return difference
  }

  public static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.rounds += b.rounds
    sum.messages += b.messages
    sum.bytesSent += b.bytesSent
    sum.messagesToOtherHosts += b.messagesToOtherHosts
    sum.bytesToOtherHosts += b.bytesToOtherHosts
    return sum
  }
}

/// A communicator that counts the calls, messages and bytes that this rank sends to others.
///
/// Wrap any backend in it to test or report an algorithm's communication.
public final class CountingCommunicator<Base: Communicator>: Communicator {
  public let base: Base
  public private(set) var traffic = Traffic()
  /// How many ranks run on other hosts.
  private let awayCount: Int

  public init(_ base: Base) {
    self.base = base
    awayCount = base.ranks.count { !base.isOnThisHost($0) }
  }

  public var rank: Rank { base.rank }
  public var size: Int { base.size }

  public func isOnThisHost(_ rank: Rank) -> Bool { base.isOnThisHost(rank) }

  public func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    count(destinations)
    try base.exchange(outgoing, to: destinations, into: &incoming, from: sources)
  }

  public func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment],
    during work: (_ moveOn: () throws -> Void) throws -> Void
  ) throws {
    count(destinations)
    try base.exchange(
      outgoing, to: destinations, into: &incoming, from: sources, during: work)
  }

  public func transpose(_ counts: [Int]) throws -> [Int] {
    countToAll(MemoryLayout<Int>.size)
    return try base.transpose(counts)
  }

  public func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    countToAll(contribution.byteCount)
    try base.allGather(contribution, byteCounts: byteCounts, into: &gathered)
  }

  /// What a group sends counts here, too, once it has ended.
  public func withGroup<R>(
    _ group: Int, _ body: (CountingCommunicator) throws -> R
  ) throws -> R {
    for _ in 0..<2 { countToAll(MemoryLayout<Int>.size) }
    return try base.withGroup(group) { base in
      let group = CountingCommunicator(base)
      defer { traffic = traffic + group.traffic }
      return try body(group)
    }
  }

  public func waitForFirstRank() throws {
    count(rank == Rank(0) ? ranks.map { Segment(rank: $0, byteCount: 0) } : [])
    try base.waitForFirstRank()
  }

  /// Not counted, because an algorithm's traffic must not depend on assertions.
  public func gatherForAssertion(_ number: UInt64) throws -> [UInt64] {
    try base.gatherForAssertion(number)
  }

  private func count(_ destinations: [Segment]) {
    traffic.rounds += 1
    for segment in destinations where segment.rank != rank {
      traffic.messages += 1
      traffic.bytesSent += segment.byteCount
      if awayCount > 0, !base.isOnThisHost(segment.rank) {
        traffic.messagesToOtherHosts += 1
        traffic.bytesToOtherHosts += segment.byteCount
      }
    }
  }

  /// - Parameter byteCount: What every other rank is sent.
  private func countToAll(_ byteCount: Int) {
    traffic.rounds += 1
    traffic.messages += size - 1
    traffic.bytesSent += (size - 1) * byteCount
    traffic.messagesToOtherHosts += awayCount
    traffic.bytesToOtherHosts += awayCount * byteCount
  }
}
