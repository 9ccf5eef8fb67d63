import Communication
import CommunicationTesting
import Glibc
import Parallelism
import Synchronization
import TestTags
import Testing

private struct Trouble: Error, Equatable {
  var rank: Int
}

@Suite(.tags(.threads)) struct RanksAsThreads {
  @Test func returnTheirResultsInRankOrder() throws {
    #expect(try ThreadCommunicator.run(ranks: 5) { 10 * $0.rank.index } == [0, 10, 20, 30, 40])
  }

  @Test(arguments: 0..<4)
  func areReleasedWhenOneThrows(failing: Int) {
    #expect(throws: Trouble(rank: failing)) {
      try ThreadCommunicator.run(ranks: 4) { communicator in
        try communicator.barrier()
        if communicator.rank.index == failing { throw Trouble(rank: failing) }
        try communicator.barrier()
      }
    }
  }

  @Test func areReleasedWhenOneLeaves() {
    #expect(throws: ThreadCommunicationError.self) {
      try ThreadCommunicator.run(ranks: 3) { communicator in
        if communicator.rank.index != 1 { try communicator.barrier() }
      }
    }
  }

  @Test(arguments: 1...7)
  func keepTheLawsInGroups(ranks: Int) throws {
    let broken = try ThreadCommunicator.run(ranks: ranks) {
      try brokenLawsOfGroups($0, largeByteCount: 5000)
    }
    #expect(broken.flatMap { $0 } == [])
  }

  @Test(arguments: 1...6, [1, 2, 3])
  func throwTheFailureOfAGroupOnAllRanks(ranks: Int, groups: Int) throws {
    let groups = min(ranks, groups)
    let errors = try ThreadCommunicator.run(ranks: ranks) { communicator in
      do {
        _ = try communicator.perform(5, inGroups: groups) { task, group in
          try group.agree { if task == 1 { throw Trouble(rank: 0) } }
          return [UInt8(task)]
        }
        return AgreedFailure(reason: "none")
      } catch let failure as AgreedFailure {
        // They can go on together.
        try communicator.barrier()
        return failure
      }
    }
    #expect(Set(errors.map(\.reason)) == ["\(Trouble(rank: 0))"])
  }

  @Test(arguments: 0..<4)
  func areReleasedWhenOneThrowsInAGroup(failing: Int) {
    #expect(throws: Trouble(rank: failing)) {
      try ThreadCommunicator.run(ranks: 4) { communicator in
        try communicator.withGroup(communicator.rank.index / 2) { group in
          try group.barrier()
          if communicator.rank.index == failing { throw Trouble(rank: failing) }
          for _ in 0..<1000 { try group.barrier() }
        }
        try communicator.barrier()
      }
    }
  }

  @Test func areReleasedWhenOneLeavesItsGroup() {
    #expect(throws: ThreadCommunicationError.self) {
      try ThreadCommunicator.run(ranks: 3) { communicator in
        try communicator.withGroup(0) { group in
          if communicator.rank.index != 1 { try group.barrier() }
        }
      }
    }
  }

  @Test func noticeDifferentCollectives() {
    let error = #expect(throws: ThreadCommunicationError.self) {
      try ThreadCommunicator.run(ranks: 2) { communicator in
        if communicator.rank.index == 0 {
          _ = try communicator.transpose([0, 0])
        } else {
          try communicator.barrier()
        }
      }
    }
    guard case .mismatch = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func noticeContributionsOfOtherLengths() {
    #expect(throws: ThreadCommunicationError.self) {
      try ThreadCommunicator.run(ranks: 2) { communicator in
        if communicator.rank.index == 0 {
          _ = try communicator.gatherOne(Int32(0))
        } else {
          _ = try communicator.gatherOne(Int64(0))
        }
      }
    }
  }

  /// MPI would wait for the bytes that nobody sends, or keep those that nobody expects for the
  /// next exchange.
  @Test(arguments: [(8, 0), (0, 8), (8, 4), (4, 8)])
  func noticeUnmatchedSegments(sent: Int, expected: Int) {
    #expect(throws: ThreadCommunicationError.unmatchedSegment(from: 0, to: 1)) {
      try ThreadCommunicator.run(ranks: 2) { communicator in
        let isSender = communicator.rank.index == 0
        _ = try communicator.exchange(
          Buckets(
            values: Array(repeating: UInt8(1), count: isSender ? sent : 0),
            counts: [0, isSender ? sent : 0]),
          receiving: [isSender ? 0 : expected, 0])
      }
    }
  }

  /// The other rank leaves only when the first has given up, however late either of them begins.
  @Test(.timeLimit(.minutes(1))) func giveUpAtTheDeadline() {
    let hasGivenUp = Atomic(false)
    #expect(throws: ThreadCommunicationError.timedOut(rank: 0, during: "transpose")) {
      try ThreadCommunicator.run(ranks: 2, deadline: 0.05) { communicator in
        if communicator.rank.index == 0 {
          defer { hasGivenUp.store(true, ordering: .releasing) }
          _ = try communicator.transpose([0, 0])
        } else {
          while !hasGivenUp.load(ordering: .acquiring) { usleep(1000) }
        }
      }
    }
  }
}
