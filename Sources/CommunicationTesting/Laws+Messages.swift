internal import Communication

/// How many values each rank has for each: one column of cases.
struct Pattern: Sendable {
  var name: String
  /// The number of values from `source` to `destination` among `size` ranks.
  var count: @Sendable (_ source: Int, _ destination: Int, _ size: Int) -> Int

  static let all: [Pattern] = [
    Pattern(name: "nothing") { _, _, _ in 0 },
    Pattern(name: "one to each") { _, _, _ in 1 },
    Pattern(name: "only to itself") { source, destination, _ in source == destination ? 9 : 0 },
    Pattern(name: "never to itself") { source, destination, _ in source == destination ? 0 : 8 },
    Pattern(name: "to the next in a ring") { source, destination, size in
      (source + 1) % size == destination ? 7 : 0
    },
    Pattern(name: "from rank 0 to all") { source, destination, _ in
      source == 0 ? destination + 1 : 0
    },
    Pattern(name: "from all to the last") { source, destination, size in
      destination == size - 1 ? source + 1 : 0
    },
    Pattern(name: "odd ranks have nothing") { source, destination, _ in
      source % 2 == 0 && destination % 2 == 0 ? 3 : 0
    },
    Pattern(name: "0, 1, 7, 8 and 9") { source, destination, _ in
      [0, 1, 7, 8, 9][(3 * source + destination) % 5]
    },
    Pattern(name: "different both ways") { source, destination, _ in
      source < destination ? 100 * source : destination
    },
  ]
}

/// What work throws.
private struct Stopped: Error {}

extension Laws {
  private func outgoing<T: Sample>(
    _ pattern: Pattern, of type: T.Type = T.self, round: Int = 0
  ) -> Buckets<T> {
    let counts = communicator.ranks.map { pattern.count(rank.index, $0.index, size) }
    return Buckets(
      values: communicator.ranks.flatMap { destination in
        (0..<counts[destination.index]).map {
          sample(from: rank, to: destination, at: $0, round: round)
        }
      },
      counts: counts)
  }

  private func expected<T: Sample>(
    _ pattern: Pattern, of type: T.Type = T.self, round: Int = 0
  ) -> Buckets<T> {
    let counts = communicator.ranks.map { pattern.count($0.index, rank.index, size) }
    return Buckets(
      values: communicator.ranks.flatMap { source in
        (0..<counts[source.index]).map { sample(from: source, to: rank, at: $0, round: round) }
      },
      counts: counts)
  }

  /// The requirement itself, with segments of no bytes among the others.
  mutating func exchangeOfBytes() throws {
    for byteCount in [0, 1, 7, 8, 9, 4096] {
      let segments = communicator.ranks.map {
        Segment(
          rank: $0, byteCount: $0 == rank ? byteCount : byteCount * ((rank.index + $0.index) % 2))
      }
      let outgoing: [UInt8] = segments.flatMap { segment in
        (0..<segment.byteCount).map { sample(from: rank, to: segment.rank, at: $0) }
      }
      let expected: [UInt8] = segments.flatMap { segment in
        (0..<segment.byteCount).map { sample(from: segment.rank, to: rank, at: $0) }
      }
      var incoming = Array(repeating: UInt8(0), count: expected.count)
      var bytes = incoming.mutableSpan
      var rawBytes = unsafe bytes.mutableBytes
      try unsafe communicator.exchange(
        outgoing.span.bytes, to: segments, into: &rawBytes, from: segments)
      expect(incoming == expected, "exchange moves segments of \(byteCount) bytes")
    }
  }

  /// The work runs once, and an error of it is thrown when all bytes are there.
  mutating func exchangeDuringWork() throws {
    for (byteCount, stops) in [(0, false), (9, false), (4096, false), (9, true)] {
      let segments = communicator.ranks.map { Segment(rank: $0, byteCount: byteCount) }
      let outgoing = communicator.ranks.flatMap {
        bytes(byteCount, from: rank.index, to: $0.index)
      }
      let expected = communicator.ranks.flatMap {
        bytes(byteCount, from: $0.index, to: rank.index)
      }
      var incoming = Array(repeating: UInt8(0), count: expected.count)
      var workCount = 0
      var hasStopped = false
      do {
        var bytes = incoming.mutableSpan
        var rawBytes = unsafe bytes.mutableBytes
        try unsafe communicator.exchange(
          outgoing.span.bytes, to: segments, into: &rawBytes, from: segments
        ) { moveOn in
          workCount += 1
          for _ in 0..<3 { try moveOn() }
          if stops { throw Stopped() }
        }
      } catch is Stopped {
        hasStopped = true
      }
      expect(
        incoming == expected && workCount == 1 && hasStopped == stops,
        "exchange of \(byteCount) bytes during work\(stops ? " that throws" : "")")
    }
  }

  mutating func typedMessages<T: Sample>(of type: T.Type) throws {
    for pattern in Pattern.all {
      let expected = expected(pattern, of: T.self)
      let exchanged = try communicator.exchange(
        outgoing(pattern, of: T.self), receiving: expected.counts)
      expect(exchanged == expected, "exchange of \(T.self), \(pattern.name)")
      let received = try communicator.allToAll(outgoing(pattern, of: T.self))
      expect(received == expected, "allToAll of \(T.self), \(pattern.name)")
      let back = try communicator.exchange(
        received, receiving: outgoing(pattern, of: T.self).counts)
      expect(
        back == outgoing(pattern, of: T.self),
        "an exchange with the roles reversed undoes it: \(T.self), \(pattern.name)")
    }
  }

  /// What is sent in one call is received in that call, though ranks run ahead of others.
  mutating func successiveExchanges() throws {
    let patterns = Pattern.all
    for round in 1...50 {
      let pattern = patterns[round % patterns.count]
      let expected = expected(pattern, of: Int.self, round: round)
      let received = try communicator.exchange(
        outgoing(pattern, of: Int.self, round: round), receiving: expected.counts)
      expect(received == expected, "exchange \(round) of a series receives what is sent in it")
    }
  }

  /// Each rank has a large message for itself and one for the next in a ring, of other lengths.
  mutating func largeMessages(byteCount: Int) throws {
    let next = (rank.index + 1) % size
    let previous = (rank.index + size - 1) % size
    for extra in [-1, 0, 1] {
      func length(_ source: Int) -> Int { byteCount + extra + source }
      func counts(_ source: Int, neighbor: Int) -> [Int] {
        communicator.ranks.map { other in
          other.index == rank.index
            ? length(rank.index) : other.index == neighbor ? length(source) : 0
        }
      }
      let sent = counts(rank.index, neighbor: next)
      let received = try communicator.exchange(
        Buckets(
          values: communicator.ranks.flatMap {
            bytes(sent[$0.index], from: rank.index, to: $0.index)
          },
          counts: sent),
        receiving: counts(previous, neighbor: previous))
      expect(
        Array(received[rank]) == bytes(length(rank.index), from: rank.index, to: rank.index)
          && Array(received[Rank(previous)])
            == bytes(length(previous), from: previous, to: rank.index),
        "exchange of \(length(previous)) bytes")
    }
    let gathered = try communicator.allGather(
      bytes(byteCount / (rank.index + 1), from: rank.index, to: 0))
    for source in communicator.ranks {
      expect(
        Array(gathered[source])
          == bytes(byteCount / (source.index + 1), from: source.index, to: 0),
        "allGather of \(byteCount) bytes")
    }
  }

  mutating func transposition() throws {
    let sent = communicator.ranks.map {
      sample(Int.self, from: rank, to: $0, at: 0)
    }
    let expected = communicator.ranks.map { sample(Int.self, from: $0, to: rank, at: 0) }
    expect(try communicator.transpose(sent) == expected, "transpose delivers by source, in order")
    expect(try communicator.transpose(expected) == sent, "transpose is its own inverse")
  }
}

/// Bytes that do not repeat: pieces in the wrong place are seen.
private func bytes(_ count: Int, from source: Int, to destination: Int) -> [UInt8] {
  let start = UInt64(source) << 48 | UInt64(destination) << 40
  var bytes = Array(repeating: UInt8(0), count: count)
  // In a debug build all threads that map ranges wait for one lock.
  var place = 0
  while place < count {
    let product = (start | UInt64(place)) &* 0x9e37_79b9_7f4a_7c15
    bytes[place] = UInt8(truncatingIfNeeded: product >> 56)
    place += 1
  }
  return bytes
}
