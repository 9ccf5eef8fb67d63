import Communication
import Datasets
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

/// A rank with an argument of its own is told, on all ranks and by the function that it was for, in
/// place of a hang or of an answer that is half of each.
@Suite(.enabled(if: AssertionLevel.current >= .light, "HIGHLAND_ASSERTIONS is none"))
struct ArgumentsThatAreNotReplicated {
  /// What three ranks throw, of which the last is different.
  private func reason(
    _ program: @escaping @Sendable (_ isLast: Bool, ThreadCommunicator) throws -> Void
  ) throws -> String {
    let reasons = try ThreadCommunicator.run(ranks: 3) { communicator in
      do {
        try program(communicator.rank == Rank(2), communicator)
        return "nothing thrown"
      } catch let failure as AgreedFailure {
        return failure.reason
      }
    }
    #expect(Set(reasons).count == 1, "\(reasons)")
    return reasons[0]
  }

  private func rows(_ nodes: NodePartition, _ communicator: some Communicator) -> Matrix {
    var rows = randomMatrix(nodes.nodeCount, 4, seed: 5)
    _ = rows.normalizeRows()
    return rows.slice(nodes.owned(by: communicator.rank))
  }

  @Test func areToldByTheSearch() throws {
    let reason = try reason { isLast, communicator in
      let nodes = NodePartition(sharing: 30, among: 3)
      _ = try nearestNeighbors(
        of: rows(nodes, communicator), listLength: isLast ? 4 : 5, in: nodes, on: communicator)
    }
    #expect(reason.contains("nearestNeighbors(of:listLength:"), "\(reason)")
    #expect(
      reason.contains("(listLength: 5, ") && reason.contains("(listLength: 4, "), "\(reason)")
  }

  @Test func areToldByComponents() throws {
    let reason = try reason { isLast, communicator in
      let nodes = isLast ? NodePartition(firstNode: [0, 9, 20, 30]) : .init(sharing: 30, among: 3)
      _ = try connectedComponents([], in: nodes, on: communicator)
    }
    #expect(reason.contains("[0, 10, 20, 30]") && reason.contains("[0, 9, 20, 30]"), "\(reason)")
  }

  @Test func areToldByClustering() throws {
    let golden = try GoldenCase.tiny("sage_cf_k5_tau05")
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    let reason = try reason { isLast, communicator in
      _ = try cluster(
        features, with: .coordinates(model),
        options: ClusteringOptions(neighborCount: 5, threshold: isLast ? 0.6 : 0.5),
        on: communicator)
    }
    #expect(reason.contains("first: 0.5") && reason.contains("first: 0.6"), "\(reason)")
  }

  private struct Measuring: ClusteringObserver {
    let truth: PointTruth?

    func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
  }

  @Test func areToldWhereOnlySomeRanksHaveATruth() throws {
    let golden = try GoldenCase.tiny("sage_cf_k5_tau05")
    let features = try golden.features
    let model = try golden.model(dimensions: features.columnCount)
    let reason = try reason { isLast, communicator in
      _ = try cluster(
        features, with: .coordinates(model), options: golden.options(),
        observer: Measuring(truth: isLast ? nil : PointTruth([0, 1])), on: communicator)
    }
    #expect(reason.contains("measure(by:on:)"), "\(reason)")
  }

  @Test(.enabled(if: AssertionLevel.current >= .all, "HIGHLAND_ASSERTIONS is not all"))
  func areToldByAFetch() throws {
    let reason = try reason { isLast, communicator in
      let nodes = isLast ? NodePartition(firstNode: [0, 9, 20, 30]) : .init(sharing: 30, among: 3)
      let values = Array(nodes.owned(by: communicator.rank))
      _ = try nodes.fetch(values, at: [GlobalNode(9)], on: communicator)
    }
    #expect(reason.contains("fetch(_:at:on:)"), "\(reason)")
  }
}
