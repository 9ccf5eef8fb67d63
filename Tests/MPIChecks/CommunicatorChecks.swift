internal import Communication
internal import CommunicationTesting
internal import MPICommunication

let communicatorChecks = [
  Check(name: "laws") { try checkLaws($0) },
  // As with messages of more than 2³¹ bytes: every message and gathering is cut.
  Check(
    name: "laws-small-pieces",
    transport: .init(
      maximumPieceByteCount: 7, maximumGatherByteCount: 7, maximumRequestCount: 3)
  ) { try checkLaws($0, largeByteCount: 5000) },
  Check(name: "laws-one-request", transport: .init(maximumRequestCount: 1)) {
    try checkLaws($0)
  },
  Check(name: "laws-counting") { try checkLaws(CountingCommunicator($0)) },
  Check(name: "laws-of-groups") { communicator in
    let broken = try brokenLawsOfGroups(communicator)
    try communicator.agree {
      if !broken.isEmpty { throw CheckFailure(description: broken.joined(separator: "\n")) }
    }
  },
  // More than MPI has room for, unless they are freed.
  Check(name: "many-groups") { communicator in
    for round in 0..<70_000 {
      let sum = try communicator.withGroup(round % 2) { $0.size }
      guard sum == communicator.size else { throw CheckFailure(description: "\(sum) ranks") }
    }
  },
  Check(name: "hosts") { communicator in
    let names = communicator.hostNames
    let count = try communicator.rankCountOnHost()
    let own = names[communicator.rank.index]
    guard !own.isEmpty, names.filter({ $0 == own }).count == count else {
      throw CheckFailure(description: "\(count) ranks share memory here, of \(names)")
    }
  },
]

private func checkLaws(
  _ communicator: some Communicator, largeByteCount: Int = 3 << 20
) throws {
  let broken = try brokenLaws(communicator, largeByteCount: largeByteCount)
  try communicator.agree {
    if !broken.isEmpty { throw CheckFailure(description: broken.joined(separator: "\n")) }
  }
}
