/// An error between ranks of one process.
public enum ThreadCommunicationError: Error, Equatable {
  /// The ranks entered different collectives.
  case mismatch(rank: Int, called: String, others: String)
  /// A rank returned or threw while others wait in a collective.
  case peerLeft(rank: Int, during: String)
  /// One rank expects a different number of bytes than another sends it.
  case unmatchedSegment(from: Int, to: Int)
  /// No progress within the deadline.
  case timedOut(rank: Int, during: String)
}

/// A communicator whose ranks are threads of this process: for tests and debuggers.
///
/// Messages are copied, as between processes. If a rank throws, leaves early or calls another
/// collective, every rank gets a named error, where MPI would hang.
public struct ThreadCommunicator: Communicator {
  public let rank: Rank
  public let size: Int
  private let rendezvous: Rendezvous

  /// Runs `program` once per rank, each on its own thread.
  ///
  /// - Parameter deadline: Seconds that a rank waits in a collective before it gives up.
  /// - Returns: The results in rank order.
  /// - Throws: The error of the rank that failed first.
  public static func run<R: Sendable>(
    ranks size: Int, deadline: Double = 60,
    _ program: @escaping @Sendable (ThreadCommunicator) throws -> R
  ) throws -> [R] {
    precondition(size > 0, "no ranks")
    let rendezvous = Rendezvous(size: size, deadline: deadline)
    for index in 0..<size {
      startThread(stackByteCount: 8 << 20) {
        let communicator = ThreadCommunicator(
          rank: Rank(index), size: size, rendezvous: rendezvous)
        rendezvous.leave(index, Result { try program(communicator) }.map { $0 as any Sendable })
      }
    }
    return try rendezvous.results().map { $0 as! R }
  }

  public func withGroup<R>(_ group: Int, _ body: (ThreadCommunicator) throws -> R) throws -> R {
    precondition(group >= 0, "group \(group)")
    let groups = try rendezvous.meet(group, rank.index, "withGroup")
    let members = groups.indices.filter { groups[$0] == group }
    let place = members.firstIndex(of: rank.index)!
    // The first member makes the meeting point of all.
    let made = place == 0 ? rendezvous.inner(size: members.count) : nil
    let point = try rendezvous.meet(made, rank.index, "withGroup")[members[0]]!
    let result = Result {
      try body(ThreadCommunicator(rank: Rank(place), size: members.count, rendezvous: point))
    }
    point.leave(place, result.map { _ in true })
    return try result.get()
  }

  /// A rank's part in an exchange: a copy of its bytes, their destinations, and what it expects.
  private struct Parcel: Sendable {
    var bytes: [UInt8]
    var destinations: [Segment]
    var sources: [Segment]

    func bytes(for rank: Rank) -> ArraySlice<UInt8> {
      var offset = 0
      for segment in destinations {
        if segment.rank == rank { return bytes[offset..<offset + segment.byteCount] }
        offset += segment.byteCount
      }
      return []
    }

    func expectedByteCount(from rank: Rank) -> Int {
      sources.first { $0.rank == rank }?.byteCount ?? 0
    }
  }

  public func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    destinations.checkLayout(of: outgoing.byteCount, size: size)
    sources.checkLayout(of: incoming.byteCount, size: size)
    let parcels = try rendezvous.meet(
      Parcel(bytes: outgoing.bytes, destinations: destinations, sources: sources), rank.index,
      "exchange")
    for destination in destinations {
      let expected = parcels[destination.rank.index].expectedByteCount(from: rank)
      guard expected == destination.byteCount else {
        throw ThreadCommunicationError.unmatchedSegment(
          from: rank.index, to: destination.rank.index)
      }
    }
    var offset = 0
    for source in sources {
      let bytes = parcels[source.rank.index].bytes(for: rank)
      guard bytes.count == source.byteCount else {
        throw ThreadCommunicationError.unmatchedSegment(from: source.rank.index, to: rank.index)
      }
      unsafe copyBytes(of: bytes.span.bytes, into: &incoming, at: offset)
      offset += source.byteCount
    }
  }

  public func transpose(_ counts: [Int]) throws -> [Int] {
    precondition(counts.count == size, "one count per rank")
    return try rendezvous.meet(counts, rank.index, "transpose").map { $0[rank.index] }
  }

  public func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    let name = "allGather\(byteCounts)"
    let contributions = try rendezvous.meet(contribution.bytes, rank.index, name)
    var offset = 0
    for bytes in contributions {
      unsafe copyBytes(of: bytes.span.bytes, into: &gathered, at: offset)
      offset += bytes.count
    }
  }
}

extension RawSpan {
  fileprivate var bytes: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}

/// The meeting point of the ranks: each deposits a value, all take all values.
// @unchecked: every stored `var` is only touched while `condition` is locked.
private final class Rendezvous: @unchecked Sendable {
  private let size: Int
  private let deadline: Double
  private let condition = Condition()
  private var generation = 0
  private var deposits: [(any Sendable)?]
  private var arrived = 0
  private var call = ""
  private var outcome: [any Sendable] = []
  private var failure: (any Error)?
  private var finished: [Int: Result<any Sendable, any Error>] = [:]
  private var firstFailure: (any Error)?
  /// The meeting points of groups, which must not wait for a rank that has failed here.
  private var inner: [Rendezvous] = []

  init(size: Int, deadline: Double) {
    self.size = size
    self.deadline = deadline
    self.deposits = Array(repeating: nil, count: size)
  }

  func meet<T: Sendable>(_ deposit: T, _ rank: Int, _ name: String) throws -> [T] {
    condition.lock()
    defer { condition.unlock() }
    if let failure { throw failure }
    if let gone = finished.keys.min() {
      throw fail(firstFailure ?? ThreadCommunicationError.peerLeft(rank: gone, during: name))
    }
    if arrived > 0, call != name {
      throw fail(ThreadCommunicationError.mismatch(rank: rank, called: name, others: call))
    }
    call = name
    deposits[rank] = deposit
    arrived += 1
    let mine = generation
    if arrived == size {
      outcome = deposits.map { $0! }
      deposits = Array(repeating: nil, count: size)
      arrived = 0
      generation += 1
      condition.broadcast()
    } else {
      let limit = Condition.time(inSeconds: deadline)
      while generation == mine, failure == nil {
        if !condition.wait(until: limit), generation == mine {
          throw fail(ThreadCommunicationError.timedOut(rank: rank, during: name))
        }
      }
      if generation == mine, let failure { throw failure }
    }
    return outcome.map { $0 as! T }
  }

  private func fail(_ error: any Error) -> any Error {
    if failure == nil { failure = error }
    condition.broadcast()
    for point in inner { point.abandon(error) }
    return failure!
  }

  /// A meeting point for some of the ranks.
  func inner(size: Int) -> Rendezvous {
    let point = Rendezvous(size: size, deadline: deadline)
    condition.lock()
    defer { condition.unlock() }
    inner.removeAll { $0.isOver }
    inner.append(point)
    if let failure = failure ?? firstFailure { point.abandon(failure) }
    return point
  }

  private var isOver: Bool {
    condition.lock()
    defer { condition.unlock() }
    return finished.count == size
  }

  /// Lets no rank wait here any more.
  private func abandon(_ error: any Error) {
    condition.lock()
    defer { condition.unlock() }
    _ = fail(error)
  }

  func leave(_ rank: Int, _ result: Result<any Sendable, any Error>) {
    condition.lock()
    defer { condition.unlock() }
    finished[rank] = result
    if case .failure(let error) = result, firstFailure == nil {
      firstFailure = error
      for point in inner { point.abandon(error) }
    }
    if arrived > 0 {
      _ = fail(firstFailure ?? ThreadCommunicationError.peerLeft(rank: rank, during: call))
    }
    condition.broadcast()
  }

  func results() throws -> [any Sendable] {
    condition.lock()
    defer { condition.unlock() }
    while finished.count < size { condition.wait() }
    if let firstFailure { throw firstFailure }
    return try (0..<size).map { try finished[$0]!.get() }
  }
}
