/// What this rank has sent to others.
public struct Traffic: Equatable, Sendable, BitwiseCopyable {
  /// Collective calls, local ones included.
  public var rounds = 0
  /// Messages to other ranks, as if every pair had its own wire.
  public var messages = 0
  /// Payload sent to other ranks, in bytes.
  public var bytesSent = 0

  public init() {}

  public static func - (a: Self, b: Self) -> Self {
    var difference = a
    difference.rounds -= b.rounds
    difference.messages -= b.messages
    difference.bytesSent -= b.bytesSent
    return difference
  }

  public static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.rounds += b.rounds
    sum.messages += b.messages
    sum.bytesSent += b.bytesSent
    return sum
  }
}

/// A communicator that counts the calls, messages and bytes that this rank sends to others.
///
/// Wrap any backend in it to test or report an algorithm's communication.
public final class CountingCommunicator<Base: Communicator>: Communicator {
  public let base: Base
  public private(set) var traffic = Traffic()

  public init(_ base: Base) { self.base = base }

  public var rank: Rank { base.rank }
  public var size: Int { base.size }

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
    count(messages: size - 1, bytes: (size - 1) * MemoryLayout<Int>.size)
    return try base.transpose(counts)
  }

  public func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    count(messages: size - 1, bytes: (size - 1) * contribution.byteCount)
    try base.allGather(contribution, byteCounts: byteCounts, into: &gathered)
  }

  /// Not counted, because an algorithm's traffic must not depend on assertions.
  public func gatherForAssertion(_ number: UInt64) throws -> [UInt64] {
    try base.gatherForAssertion(number)
  }

  private func count(_ destinations: [Segment]) {
    let away = destinations.filter { $0.rank != rank }
    count(messages: away.count, bytes: away.reduce(0) { $0 + $1.byteCount })
  }

  private func count(messages: Int, bytes: Int) {
    traffic.rounds += 1
    traffic.messages += messages
    traffic.bytesSent += bytes
  }
}
