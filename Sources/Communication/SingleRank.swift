/// The communicator of a program that runs alone: one rank, no messages.
public struct SingleRank: Communicator {
  public init() {}

  public var rank: Rank { Rank(0) }
  public var size: Int { 1 }

  public func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    destinations.checkLayout(of: outgoing.byteCount, size: 1)
    sources.checkLayout(of: incoming.byteCount, size: 1)
    precondition(
      outgoing.byteCount == incoming.byteCount, "a lone rank receives what it sends")
    copyBytes(of: outgoing, into: &incoming, at: 0)
  }

  public func transpose(_ counts: [Int]) throws -> [Int] {
    precondition(counts.count == 1, "one count per rank")
    return counts
  }

  public func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    copyBytes(of: contribution, into: &gathered, at: 0)
  }

  public func withGroup<R>(_ group: Int, _ body: (SingleRank) throws -> R) throws -> R {
    precondition(group >= 0, "group \(group)")
    return try body(self)
  }
}

/// Writes all of `source` into `destination` from the given byte on.
///
/// - Precondition: It fits.
public func copyBytes(
  of source: RawSpan, into destination: inout MutableRawSpan, at offset: Int
) {
  precondition(
    offset >= 0 && offset + source.byteCount <= destination.byteCount,
    "\(source.byteCount) bytes at \(offset) of \(destination.byteCount)")
  unsafe destination.withUnsafeMutableBytes { destination in
    unsafe source.withUnsafeBytes { source in
      guard let base = source.baseAddress, source.count > 0 else { return }
      unsafe (destination.baseAddress! + offset).copyMemory(from: base, byteCount: source.count)
    }
  }
}
