// Runs one check of `checks` on all ranks: mpirun -n 4 MPIChecks laws
internal import Communication
internal import MPICommunication

let name = CommandLine.arguments.dropFirst().first ?? ""
let check = checks.first { $0.name == name }

MPICommunicator.run(transport: check?.transport ?? .init(), ending: ending) { communicator in
  guard let check else { throw UnknownCheck(name: name) }
  try check.body(communicator)
  try communicator.barrier()
  if communicator.rank == Rank(0) { print("ok \(check.name) on \(communicator.size) ranks") }
}
