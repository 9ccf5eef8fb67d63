internal import MPICommunication
internal import MPIPrograms

/// A program for all ranks that throws if something is wrong.
struct Check: Sendable {
  var name: String
  var transport = MPICommunicator.Transport()
  var body: @Sendable (MPICommunicator) throws -> Void
}

/// The checks that succeed. A new group gets a file `…Checks.swift` with an array, and a place here.
let succeedingChecks =
  communicatorChecks + graphChecks + searchChecks + clusteringChecks + adoptionChecks

let checks = succeedingChecks + failureChecks

struct UnknownCheck: Error {
  var name: String
}

/// All ranks have the same arguments; they leave together if they do not understand them.
func ending(after error: any Error) -> MPICommunicator.Ending {
  guard let error = error as? UnknownCheck else { return .init(after: error) }
  let names = checks.map(\.name).joined(separator: ", ")
  return .together("error: no check '\(error.name)'; there are \(names)", exitCode: 64)
}

/// What a check found wrong.
struct CheckFailure: Error, CustomStringConvertible {
  var description: String
}
