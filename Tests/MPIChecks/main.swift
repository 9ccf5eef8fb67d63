// Runs checks of `checks` on all ranks, one after the other: mpirun -n 4 MPIChecks laws halo
//
// `MPIChecks --list` names those that succeed; `MPIChecks --library NAME …` runs them as a program that does
// not end with them.
internal import Communication
internal import MPICommunication
internal import MPIPrograms

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments == ["--list"] {
  print(succeedingChecks.map(\.name).joined(separator: "\n"))
} else if arguments.first == "--library" {
  try MPICommunicator.withAllRanks { communicator in
    try runChecks(Array(arguments.dropFirst()), on: communicator)
  }
  // MPI is finalised by now.
  print("goes on")
} else {
  MPICommunicator.run(ending: ending) { try runChecks(arguments, on: $0) }
}

func runChecks(_ names: [String], on communicator: MPICommunicator) throws {
  let chosen = try names.map { name in
    guard let check = checks.first(where: { $0.name == name }) else {
      throw UnknownCheck(name: name)
    }
    return check
  }
  guard !chosen.isEmpty else { throw UnknownCheck(name: "") }
  for check in chosen {
    // Each with messages of its own, cut as it wants them.
    try MPICommunicator.withDuplicate(transport: check.transport) { try check.body($0) }
    try communicator.barrier()
    if communicator.rank == Rank(0) { print("ok \(check.name) on \(communicator.size) ranks") }
  }
}
