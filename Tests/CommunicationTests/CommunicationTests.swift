import Communication
import CommunicationTesting
import TestTags
import Testing

@Suite(.tags(.threads)) struct LawsOfCommunicators {
  @Test(arguments: 1...8)
  func holdForThreads(ranks: Int) throws {
    let broken = try ThreadCommunicator.run(ranks: ranks) {
      try brokenLaws($0, largeByteCount: 5000)
    }
    #expect(broken.flatMap { $0 } == [])
  }

  @Test func holdForASingleRank() throws {
    #expect(try brokenLaws(SingleRank(), largeByteCount: 5000) == [])
  }

  @Test(arguments: [1, 2, 5])
  func holdWhileCounting(ranks: Int) throws {
    let broken = try ThreadCommunicator.run(ranks: ranks) {
      try brokenLaws(CountingCommunicator($0), largeByteCount: 1000)
    }
    #expect(broken.flatMap { $0 } == [])
  }

  /// The laws are worth something only if a wrong communicator breaks them, or is caught.
  @Test(arguments: Fault.allCases)
  func areBrokenBy(fault: Fault) {
    let broken = Result {
      try ThreadCommunicator.run(ranks: 3) {
        try brokenLaws(FaultyCommunicator(base: $0, fault: fault), largeByteCount: 1000)
      }
    }
    switch broken {
    case .success(let broken): #expect(!broken.flatMap { $0 }.isEmpty)
    case .failure(let error): #expect(error is ThreadCommunicationError)
    }
  }
}

enum Fault: CaseIterable {
  case losesLastByte, reversesGathering, transposesNothing
}

/// A communicator that makes one mistake.
struct FaultyCommunicator: Communicator {
  var base: ThreadCommunicator
  var fault: Fault

  var rank: Rank { base.rank }
  var size: Int { base.size }

  func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    try base.exchange(outgoing, to: destinations, into: &incoming, from: sources)
    if fault == .losesLastByte, incoming.byteCount > 0 {
      incoming.storeBytes(of: 0, toByteOffset: incoming.byteCount - 1, as: UInt8.self)
    }
  }

  func withGroup<R>(_ group: Int, _ body: (FaultyCommunicator) throws -> R) throws -> R {
    try base.withGroup(group) { try body(FaultyCommunicator(base: $0, fault: fault)) }
  }

  func transpose(_ counts: [Int]) throws -> [Int] {
    let result = try base.transpose(counts)
    return fault == .transposesNothing ? counts : result
  }

  func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    try base.allGather(contribution, byteCounts: byteCounts, into: &gathered)
    if fault == .reversesGathering, Set(byteCounts) == [8] {
      let words = (0..<size).map {
        unsafe gathered.unsafeLoad(fromByteOffset: 8 * $0, as: Int.self)
      }
      for (index, word) in words.reversed().enumerated() {
        gathered.storeBytes(of: word, toByteOffset: 8 * index, as: Int.self)
      }
    }
  }
}

@Suite struct SumsOverRanks {
  @Test(arguments: 1...5, [0, 1, 3, 100])
  func areTheSameOnEveryRank(ranks: Int, count: Int) throws {
    @Sendable func value(_ rank: Int, _ place: Int) -> Int64 {
      Int64(rank + 1) << 40 - Int64(place * place)
    }
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let own = (0..<count).map { value(communicator.rank.index, $0) }
      return (try communicator.sums(own), try communicator.sums(own.map { Double($0) }))
    }
    let expected = (0..<count).map { place in (0..<ranks).reduce(0) { $0 + value($1, place) } }
    for (integers, numbers) in found {
      #expect(integers == expected)
      #expect(numbers == expected.map { Double($0) })
    }
  }
}
