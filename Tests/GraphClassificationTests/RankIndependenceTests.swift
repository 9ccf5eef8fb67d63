import Communication
import CommunicationTesting
import Differentiation
import GraphClassification
import GraphCollections
import LinearAlgebra
import Parallelism
import Testing

/// Training gives the same bits on any number of ranks and threads.
@Suite struct RankIndependenceTests {
  /// Graphs of very different sizes, so that parts differ in rows and some are empty in the last batch.
  private let collection = MotifTask(
    graphCount: 75, motifSizes: 4...9, motifsPerKind: 2...6, seed: 8
  ).collection(name: "motifs")

  private func trial(
    _ plan: GraphTrialPlan, ranks: Int, threads: Int
  ) throws -> [GraphTrial] {
    let splits = try crossValidation(
      of: collection.classes, labels: collection.classLabels, foldCount: 5, validationShare: 0.2,
      seed: 1)
    return try ThreadCommunicator.run(ranks: ranks) { [collection] communicator in
      try plan.run(
        GraphTrialTask(fold: 2, seed: 3, split: splits[2]), on: collection,
        workers: Workers(threads), on: communicator)
    }
  }

  @Test(arguments: [
    (GraphArchitecture.Kind.gcn, [Int]()), (.baseline, []), (.gin, []), (.sage, []),
    (.diffpool, [6]), (.diffpool, [6, 3]),
  ])
  func networksCurvesAndResultsAreThoseOfOneRank(
    kind: GraphArchitecture.Kind, clusters: [Int]
  ) throws {
    var training = GraphTrainingOptions()
    training.epochCount = 4
    training.batchSize = 20
    let plan = GraphTrialPlan(
      kind: kind, hidden: 16, clusterCounts: clusters, dropout: 0.25, columns: [.degree],
      training: training, looksAtSmoothing: true)
    let one = try trial(plan, ranks: 1, threads: 1)[0]
    func curve(_ trial: GraphTrial) -> [EpochRecord] {
      trial.result.epochs.map {
        var record = $0
        record.elapsedSeconds = 0
        return record
      }
    }
    for (ranks, threads) in [(1, 2), (2, 1), (3, 2), (4, 1), (5, 1), (8, 1), (17, 1)] {
      for found in try trial(plan, ranks: ranks, threads: threads) {
        let place = Comment("\(ranks) ranks of \(threads) threads")
        #expect(found.model.network.parameters == one.model.network.parameters, place)
        for (name, statistics) in one.model.network.running {
          let other = found.model.network.running[name]!
          #expect(other.mean == statistics.mean && other.variance == statistics.variance, place)
        }
        #expect(curve(found) == curve(one), place)
        #expect(found.result.selectedEpoch == one.result.selectedEpoch, place)
        #expect(found.result.validation == one.result.validation, place)
        #expect(found.result.test == one.result.test, place)
        #expect(found.result.smoothing == one.result.smoothing, place)
      }
    }
  }
}
