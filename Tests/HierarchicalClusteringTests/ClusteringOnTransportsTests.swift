import ClusteringChecks
import Communication
import TestTags
import Testing

/// The same body runs on processes: `MPIChecks clustering`.
@Suite struct ClusteringOnTransports {
  @Test(.tags(.threads), arguments: [1, 2, 4])
  func isThatOfOneRank(ranks: Int) throws {
    let differences = try ThreadCommunicator.run(ranks: ranks) { try differencesFromOneRank($0) }
    #expect(differences.flatMap(\.self) == [])
  }
}
