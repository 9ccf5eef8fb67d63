internal import ClusteringChecks

let clusteringChecks = [
  // The same body as that of a test on ranks as threads.
  Check(name: "clustering") { communicator in
    let differences = try differencesFromOneRank(communicator)
    try communicator.require(differences.isEmpty, differences.joined(separator: "\n"))
  }
]
