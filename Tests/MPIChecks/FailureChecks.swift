internal import Communication
internal import MPICommunication

/// Programs that fail, each in its way; how the job ends is the test's business.
let failureChecks = [
  Check(name: "throw-on-last") { communicator in
    if communicator.isLast { throw CheckFailure(description: "thrown on one rank") }
    try communicator.barrier()
  },
  Check(name: "agree-on-last") { communicator in
    try communicator.agree {
      if communicator.isLast { throw CheckFailure(description: "agreed on by all") }
    }
  },
  Check(name: "group-agrees") { communicator in
    // The last group fails in its first task, while the others do all of theirs.
    _ = try communicator.perform(9, inGroups: min(3, communicator.size)) { task, group in
      try group.agree {
        if task == min(3, communicator.size) - 1 {
          throw CheckFailure(description: "agreed on by a group")
        }
      }
      return []
    }
  },
  Check(name: "throw-in-group") { communicator in
    // The others wait in their groups and for them.
    _ = try communicator.perform(9, inGroups: min(2, communicator.size)) { _, group in
      if communicator.isLast { throw CheckFailure(description: "thrown in a group") }
      try group.barrier()
      return []
    }
  },
  Check(name: "not-replicated") { communicator in
    try communicator.assertReplicated((count: communicator.isLast ? 4 : 5, of: "all"))
  },
  Check(name: "mpi-error") { communicator in
    // The last rank makes room for less than it is sent.
    let next = (communicator.rank.index + 1) % communicator.size
    var counts = Array(repeating: 0, count: communicator.size)
    counts[next] = 8
    let outgoing = Buckets(values: Array(repeating: UInt8(1), count: 8), counts: counts)
    counts = Array(repeating: 0, count: communicator.size)
    counts[(communicator.rank.index + communicator.size - 1) % communicator.size] =
      communicator.isLast ? 4 : 8
    _ = try communicator.exchange(outgoing, receiving: counts)
    try communicator.barrier()
  },
  Check(name: "trap-on-last") { communicator in
    if communicator.isLast { fatalError("trapped on one rank") }
    try communicator.barrier()
  },
]

extension MPICommunicator {
  fileprivate var isLast: Bool { rank.index == size - 1 }
}
