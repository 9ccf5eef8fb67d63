internal import Communication
internal import CommunicationTesting
internal import MPICommunication

/// Programs that have initialised MPI before, as a caller of the library has: `run` did.
let adoptionChecks = [
  // Two duplicates of the caller's communicator, one within the other, and the caller's own: what is sent
  // in one does not arrive in another.
  Check(name: "adopted") { communicator in
    for _ in 0..<2 {
      let ranks = try MPICommunicator.withDuplicate { outer in
        try requireLaws(outer)
        let inner = try MPICommunicator.withDuplicate { inner in
          try requireLaws(inner)
          return inner.rank
        }
        try requireLaws(outer)
        return [inner, outer.rank]
      }
      try requireLaws(communicator)
      try communicator.require(ranks.allSatisfy { $0 == communicator.rank }, "another rank")
    }
  },
  // Nobody finalises what somebody else has initialised.
  Check(name: "all-ranks") { communicator in
    for _ in 0..<2 {
      let size = try MPICommunicator.withAllRanks { try $0.sum(1) }
      try communicator.require(size == communicator.size, "\(size) ranks")
    }
  },
  // More than MPI has room for, unless they are freed, after failures as well.
  Check(name: "many-duplicates") { communicator in
    for round in 0..<5_000 {
      do {
        try MPICommunicator.withDuplicate { _ in
          if round % 2 == 0 { throw AgreedFailure(reason: "as all ranks do") }
        }
      } catch is AgreedFailure {}
    }
  },
]

private func requireLaws(_ communicator: some Communicator) throws {
  let broken = try brokenLaws(communicator, largeByteCount: 5000)
  try communicator.require(broken.isEmpty, broken.joined(separator: "\n"))
}
