import Communication
import Datasets
import Foundation
import HierarchicalClustering
import Testing

/// What the phases of a level are said to cost.
@Suite struct PhaseCostTests {
  @Test(arguments: [1, 3])
  func everyPhaseReportsTimeOnTheWallAndOfTheProcessor(ranks: Int) throws {
    let golden = try GoldenCase.tiny("sage_cf")
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    let options = golden.options()
    let reports = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try cluster(features, with: .coordinates(model), options: options, on: communicator).levels
    }
    #expect(reports.allSatisfy { $0 == reports[0] }, "costs are replicated")
    for level in reports[0] {
      #expect(
        level.phases.keys.sorted()
          == (["neighbors", "graph", "network", "decode", "coarsen"]
          + (ranks > 1 && level.level == 0 ? ["partition"] : [])).sorted())
      let network = try #require(level.phases["network"])
      #expect(network.elapsedSeconds > 0)
      #expect(network.cpuSeconds > 0)
      #expect((network.bytesSent > 0) == (ranks > 1))
    }
  }
}
