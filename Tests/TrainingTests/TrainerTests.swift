import Communication
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import Optimization
import Parallelism
import TestTags
import Testing
import Training

private let points = LabelledPoints(identities: 20, pointsEach: 12, dimensions: 8, seed: 21)
private let chains = [
  TrainingChain(neighborCount: 6, levelCount: 2), TrainingChain(neighborCount: 4, levelCount: 3),
]

private func options(
  hidden: Int = 16, batchSize: Int? = nil, threads: Int = 1, epochs: Int = 5,
  learningRate: Double = 0.05
) -> TrainingOptions {
  TrainingOptions(
    shape: LanderShape(dimensions: 8, hidden: hidden, layerCount: 2), chains: chains,
    loss: LinkageLoss(isBalanced: true), learningRate: learningRate, epochCount: epochs,
    batchSize: batchSize, dropout: 0.2, rotates: true, seed: 5, workers: Workers(threads))
}

/// The losses of the first steps.
private func losses(
  _ options: TrainingOptions, steps: Int = 20, on communicator: some Communicator
) throws -> [StepLoss] {
  var trainer = try Trainer(
    points.graphs(chains: chains, on: communicator), options: options,
    parameters: options.shape.initialParameters(seed: options.seed), on: communicator)
  return try (0..<steps).map { _ in try trainer.takeStep(on: communicator) }
}

@Suite struct ATrainer {
  @Test("Has the loss curve of one rank to 1e-5 on 2 and 4", arguments: [nil, 50], [2, 4])
  func agreesOverRanks(batchSize: Int?, ranks: Int) throws {
    let options = options(batchSize: batchSize)
    let one = try losses(options, on: SingleRank())
    let many = try ThreadCommunicator.run(ranks: ranks) { try losses(options, on: $0) }
    for rank in many {
      for (a, b) in zip(rank, one) {
        #expect(a.edgeCount == b.edgeCount)
        #expect(abs(a.linkage - b.linkage) <= 1e-5 * b.linkage)
        #expect(abs(a.density - b.density) <= 1e-5 * b.density)
      }
    }
  }

  @Test(
    "Has the same bits when it is run again, and with any number of threads", .tags(.threads),
    arguments: [1, 3])
  func isReproducible(ranks: Int) throws {
    let runs = try [1, 1, 2].map { threads in
      try ThreadCommunicator.run(ranks: ranks) {
        try losses(options(batchSize: 50, threads: threads), on: $0)
      }[0]
    }
    #expect(runs[1] == runs[0] && runs[2] == runs[0])
  }

  @Test func learns() throws {
    var options = options(epochs: 40)
    options.dropout = 0
    options.rotates = false
    options.optimizer = .adam()
    options.learningRate = 0.01
    let curve = try losses(options, steps: 200, on: SingleRank())
    // Of the first graph, at its first and at its last step.
    let (first, last) = (curve[0], curve[195])
    #expect(last.linkage + last.density < 0.5 * (first.linkage + first.density))
  }

  @Test func seesEveryNodeOnceInAPassOfBatches() throws {
    let trainer = try Trainer(
      points.graphs(chains: chains, on: SingleRank()), options: options(batchSize: 50),
      parameters: options().shape.initialParameters(seed: 0), on: SingleRank())
    // 240 points make five batches of the first graph; five graphs.
    #expect(trainer.stepsPerEpoch == 25 && trainer.stepCount == 125)
  }

  @Test func stopsAtALossThatIsNotANumber() throws {
    let options = options(epochs: 20, learningRate: 1e30)
    let failures = try ThreadCommunicator.run(ranks: 2) { communicator in
      do {
        _ = try losses(options, on: communicator)
        return ""
      } catch let failure as AgreedFailure { return failure.reason }
    }
    #expect(failures[0] == failures[1])
    #expect(failures[0].hasPrefix("training stopped at step "))
    #expect(failures[0].contains("not a finite number") || failures[0].contains("not be finite"))
  }

  @Test func refusesGraphsWithoutPositiveEdges() throws {
    let alone = try trainingGraphs(
      of: points.source, labels: points.labels.indices.map { Int64($0) }, chains: chains,
      needsAverages: true, on: SingleRank())
    #expect(throws: AgreedFailure(reason: "\(TrainingDataError.noPositiveEdges)")) {
      try Trainer(
        alone, options: options(), parameters: options().shape.initialParameters(seed: 0),
        on: SingleRank())
    }
  }
}

@Suite struct TrainingGraphsOfLabelledPoints {
  @Test("Are the same on any number of ranks", arguments: [2, 3, 7])
  func agreeOverRanks(ranks: Int) throws {
    let one = try points.graphs(chains: chains, on: SingleRank())
    let many = try ThreadCommunicator.run(ranks: ranks) {
      try points.graphs(chains: chains, on: $0)
    }
    for (index, graph) in one.enumerated() {
      #expect(many.flatMap { $0[index].truth.density } == graph.truth.density)
      #expect(many.flatMap { $0[index].truth.isSame } == graph.truth.isSame)
      #expect(many.flatMap { $0[index].truth.isKeepable } == graph.truth.isKeepable)
      #expect(many.flatMap { $0[index].identity.elements } == graph.identity.elements)
      #expect(
        many.flatMap { $0[index].average?.elements ?? [] } == graph.average?.elements ?? [])
    }
  }

  @Test func mergeOnlyWithinIdentitiesByTrueLinks() throws {
    let graphs = try LabelledPoints(
      identities: 10, pointsEach: 20, dimensions: 3, spread: 1.5, seed: 4
    ).graphs(usesTrueLinks: true, on: SingleRank())
    let loose = try LabelledPoints(
      identities: 10, pointsEach: 20, dimensions: 3, spread: 1.5, seed: 4
    ).graphs(on: SingleRank())
    // Without true links points of other identities are swallowed: fewer nodes are left.
    #expect(graphs[1].graph.nodes.nodeCount > loose[1].graph.nodes.nodeCount)
    #expect(graphs[0].truth == loose[0].truth)
  }
}

@Suite struct ASplitByIdentity {
  @Test func sharesNoIdentity() throws {
    let split = try IdentitySplit(of: points.labels, holdingOut: 0.25, seed: 3)
    let (a, b) = (
      Set(split.training.map { points.labels[$0] }), Set(split.validation.map { points.labels[$0] })
    )
    #expect(a.isDisjoint(with: b) && a.count == 15 && b.count == 5)
    #expect(Set(split.training + split.validation) == Set(points.labels.indices))
    let other = try IdentitySplit(of: points.labels, holdingOut: 0.25, seed: 4)
    #expect(other != split)
    let again = try IdentitySplit(of: points.labels, holdingOut: 0.25, seed: 3)
    #expect(again == split)
  }

  @Test func needsSomeIdentities() {
    #expect(throws: TrainingDataError.fewIdentities(count: 3, needed: 4)) {
      try IdentitySplit(of: [1, 2, 3, 1], holdingOut: 0.5, seed: 0)
    }
  }

  @Test func readsRunsOfRows() throws {
    let subset = EmbeddingSubset(points.source, [3, 4, 5, 9, 20, 21])
    let rows = try subset.rows(1..<5)
    let expected = try [4, 5, 9, 20].flatMap { try points.source.rows($0..<$0 + 1).elements }
    #expect(rows.elements == expected)
  }
}
