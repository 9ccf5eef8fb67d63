import Communication
import CommunicationTesting
import Datasets
import Differentiation
import Foundation
import GraphClassification
import GraphCollections
import LinearAlgebra
import Parallelism
import TestTags
import Testing

@Suite struct TrainingTests {
  private func plan(
    _ kind: GraphArchitecture.Kind, clusters: [Int] = [6], epochs: Int = 4, dropout: Double = 0
  ) -> GraphTrialPlan {
    var training = GraphTrainingOptions()
    training.epochCount = epochs
    training.batchSize = 16
    return GraphTrialPlan(
      kind: kind, hidden: 16, clusterCounts: kind == .gcn ? [] : clusters, dropout: dropout,
      columns: [.degree], training: training, looksAtSmoothing: true)
  }

  private func run(
    _ plan: GraphTrialPlan, ranks: Int, threads: Int = 1
  ) throws -> [GraphTrial] {
    let collection = smallCollection()
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      let (test, others) = stratifiedShare(
        of: Array(0..<collection.graphCount), classes: collection.classes, share: 0.2, seed: 1)
      let (validation, train) = stratifiedShare(
        of: others, classes: collection.classes, share: 0.2, seed: 2)
      return try plan.run(
        GraphTrialTask(
          fold: 0, seed: 3, split: GraphSplit(train: train, validation: validation, test: test)),
        on: collection, workers: Workers(threads), on: communicator)
    }
  }

  @Test(arguments: [GraphArchitecture.Kind.gcn, .diffpool], [[6], [6, 3]])
  func theLossCurveDoesNotDependOnTheNumberOfRanks(
    kind: GraphArchitecture.Kind, clusters: [Int]
  ) throws {
    let plan = plan(kind, clusters: clusters, dropout: 0.25)
    let one = try run(plan, ranks: 1)[0]
    for ranks in [2, 4] {
      let trials = try run(plan, ranks: ranks)
      for (found, expected) in zip(trials[0].result.epochs, one.result.epochs) {
        #expect(found.loss == expected.loss, "epoch \(found.epoch)")
        #expect(found.validationLoss == expected.validationLoss)
      }
      #expect(trials[0].result.epochs.count == one.result.epochs.count)
      // Every rank ends with the same bits, and with those of one rank.
      #expect(trials[0].model.network.parameters == one.model.network.parameters)
      for trial in trials {
        #expect(
          trial.model.network.parameters == trials[0].model.network.parameters)
        #expect(trial.result.test == trials[0].result.test)
        #expect(trial.result.smoothing == trials[0].result.smoothing)
      }
    }
  }

  @Test(.tags(.threads), arguments: [GraphArchitecture.Kind.gcn, .diffpool])
  func threadsChangeNothingAndTheSeedEverything(kind: GraphArchitecture.Kind) throws {
    let plan = plan(kind, epochs: 2)
    let one = try run(plan, ranks: 1)[0]
    let three = try run(plan, ranks: 1, threads: 3)[0]
    #expect(one.model.network.parameters == three.model.network.parameters)
    let other = GraphNetwork<Float>(one.model.network.architecture, seed: 99)
    #expect(other.parameters != GraphNetwork<Float>(other.architecture, seed: 98).parameters)
  }

  @Test(arguments: [1, 2, 4, 5], [1, 2, 3])
  func foldsOnGroupsOfRanksGiveTheResultsOfOneAfterTheOther(ranks: Int, groups: Int) throws {
    let collection = smallCollection()
    let plan = plan(.gcn, epochs: 2)
    let tasks = try (0...1).flatMap { seed in
      try crossValidation(
        of: collection.classes, labels: collection.classLabels, foldCount: 3,
        validationShare: 0.1, seed: seed
      ).enumerated().map { GraphTrialTask(fold: $0, seed: seed, split: $1) }
    }
    let expected = try tasks.map { try plan.run($0, on: collection, on: SingleRank()) }
    let groupCount = min(groups, ranks)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try plan.run(tasks, inGroups: groupCount, on: collection, on: communicator)
    }
    for (rank, own) in found.enumerated() {
      // The same bits, except for times.
      for (result, trial) in zip(own.results, expected) {
        #expect(result.test?.confusion == trial.result.test?.confusion)
        #expect(result.selectedEpoch == trial.result.selectedEpoch)
        #expect(result.test == trial.result.test)
        for (a, b) in zip(result.epochs, trial.result.epochs) {
          #expect(a.loss == b.loss)
        }
      }
      #expect(own.results.count == 6)
      #expect((own.firstModel != nil) == (rank * groupCount / ranks == 0))
    }
    #expect(
      found[0].firstModel?.network.parameters == expected[0].model.network.parameters)
  }

  @Test func trainingLearnsWhatCanBeLearned() throws {
    // The class is in the rows of the nodes: any network must learn it.
    let collection = smallCollection()
    let rows = Matrix(
      rows: collection.nodeCount, columns: 2,
      elements: (0..<collection.graphCount).flatMap { graph in
        collection.nodes(of: graph).flatMap { _ in
          collection.classes[graph] == 0 ? [1, 0] : [0, 1] as [Float]
        }
      })
    let split = GraphSplit(train: Array(0..<40), validation: [], test: Array(40..<60))
    var options = GraphTrainingOptions()
    options.epochCount = 20
    options.batchSize = 8
    for clusters in [[], [5], [6, 3]] {
      let architecture = GraphArchitecture(
        kind: clusters.isEmpty ? .gcn : .diffpool, inputWidth: 2, hidden: 16,
        clusterCounts: clusters, classCount: 2)
      let trained = try train(
        GraphNetwork(architecture, seed: 1), on: collection, rows: rows, split: split,
        options: options, on: SingleRank())
      let judged = try evaluate(
        trained.network, on: split.test, of: collection, rows: rows, on: SingleRank())
      #expect(judged.accuracy == 1, "\(clusters): \(judged)")
      #expect(judged.confusion == [[10, 0], [0, 10]])
      #expect(trained.selectedEpoch == 20)
    }
  }

  @Test func theNetworkOfTheBestValidationIsKeptAndPatienceEndsTraining() throws {
    var plan = plan(.gcn, epochs: 200)
    plan.training.patience = 3
    plan.training.learningRate = 0.3
    let trial = try run(plan, ranks: 1)[0]
    let losses = trial.result.epochs.map { $0.validationLoss! }
    #expect(trial.result.selectedEpoch == losses.indices.min { losses[$0] < losses[$1] }! + 1)
    #expect(trial.result.epochs.count == trial.result.selectedEpoch + 3)
    #expect(abs(trial.result.validation!.loss - losses[trial.result.selectedEpoch - 1]) < 1e-12)
  }

  @Test func aRankWithoutGraphsTakesPart() throws {
    var plan = plan(.diffpool, clusters: [4, 2], epochs: 1)
    plan.training.batchSize = 2
    let one = try run(plan, ranks: 1)[0]
    let five = try run(plan, ranks: 5)[0]
    #expect(one.result.epochs[0].loss == five.result.epochs[0].loss)
  }

  @Test(arguments: 1...4)
  func predictionsHaveTheSameBitsOnAnyNumberOfRanks(ranks: Int) throws {
    let collection = smallCollection()
    let encoder = NodeEncoder([.degree], of: collection, fittedTo: [])
    let rows = try encoder.rows(of: collection)
    let network = GraphNetwork<Float>(
      GraphArchitecture(
        kind: .diffpool, inputWidth: 1, hidden: 16, clusterCounts: [7, 3], classCount: 2), seed: 4)
    func logarithms(_ ranks: Int) throws -> [[Float]] {
      try ThreadCommunicator.run(ranks: ranks) {
        try classify(
          Array(0..<60), of: collection, rows: rows, with: network, on: $0
        ).elements
      }
    }
    let expected = try logarithms(1)[0]
    for found in try logarithms(ranks) { #expect(found == expected) }
  }
}
