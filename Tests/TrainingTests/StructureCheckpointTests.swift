import Communication
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Optimization
import Testing
import Training

private let points = LabelledPoints(
  identities: 20, pointsEach: 10, dimensions: 8, spread: 0.6, seed: 41)

private let options = StructureTrainingOptions(
  shape: StructureShape(width: 8), settings: .init(neighborCount: 6, contextLength: 10),
  graphCount: 2, pointLimit: 400, levelCount: 2, epochCount: 3,
  stepEdgeCount: 400, seed: 3)

private func run(
  from state: StructureTrainingState? = nil, validatingOn validation: LabelledEmbeddings? = nil,
  observer: some StructureTrainingObserver = NoStructureObserver(),
  on communicator: some Communicator
) throws -> StructureTraining {
  try trainStructureNetwork(
    on: [LabelledEmbeddings(points.source, labels: points.labels)], validatingOn: validation,
    options: options, goingOnFrom: state, observer: observer, over: communicator)
}

@Suite struct ARunOfStructureFromACheckpoint {
  private let path = FileManager.default.temporaryDirectory
    .appending(path: "checkpoints-\(UUID().uuidString)").path

  /// Runs, is stopped, and goes on; on every rank the step it went on at, and what came out.
  private func stoppedAndGoneOn(
    stop: Int = -1, validationStop: Int = -1, ranks: Int
  ) throws -> [(step: Int?, training: StructureTraining)] {
    let directory = CheckpointDirectory(path, settings: ["--seed": "3"])
    try directory.create()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      do {
        _ = try run(
          observer: Stopping(stop: stop, validationStop: validationStop, directory: directory),
          on: communicator)
        return (nil, try run(on: communicator))
      } catch is TrainingInterrupted {}  // on every rank
      let state: StructureTrainingState? = try directory.load(
        options.optimizer, like: options.shape.initialParameters(seed: 0), note: { _ in },
        on: communicator)
      return (state?.optimizer.stepCount, try run(from: state, on: communicator))
    }
  }

  @Test("Ends with the same bits as one that was never stopped", arguments: [1, 3], [1, 7])
  func hasTheSameBits(ranks: Int, stop: Int) throws {
    let whole = try ThreadCommunicator.run(ranks: ranks) { try run(on: $0) }
    #expect(whole[0].stepCount == 12)  // of 4 levels
    for (step, training) in try stoppedAndGoneOn(stop: stop, ranks: ranks) {
      #expect(step == stop)
      #expect(training.network.tensors == whole[0].network.tensors)
      #expect(training.epochs == whole[0].epochs && training.trials == whole[0].trials)
    }
  }

  @Test("Also after the last step, and in the middle of the thresholds", arguments: [1, 4])
  func chooseThresholdsAgain(trial: Int) throws {
    let whole = try run(on: SingleRank())
    for (stop, trial) in [(whole.stepCount, -1), (-1, trial)] {
      let (step, training) = try stoppedAndGoneOn(stop: stop, validationStop: trial, ranks: 1)[0]
      #expect(step == whole.stepCount)
      #expect(training.network.tensors == whole.network.tensors)
      #expect(training.trials == whole.trials)
    }
  }

  /// What is learned is the same, as all identities are trained on in either case.
  @Test(arguments: [1, 2])
  func thresholdsCanBeChosenOnOtherPoints(ranks: Int) throws {
    let others = LabelledPoints(
      identities: 12, pointsEach: 8, dimensions: 5, spread: 0.6, seed: 51)
    let validation = LabelledEmbeddings(others.source, labels: others.labels)
    let trainings = try ThreadCommunicator.run(ranks: ranks) {
      try run(validatingOn: validation, on: $0)
    }
    let plain = try run(on: SingleRank())
    if ranks == 1 { #expect(trainings[0].network.tensors == plain.network.tensors) }
    #expect(trainings[0].trials != plain.trials)
    let chosen = try #require(trainings[0].chosen)
    // The trials are about the other points: clustering them gives the scores.
    let clusters = try FirstLevel(
      others.source,
      by: ClusteringPlan(ClusteringOptions(), with: TrainedModel(.structure(trainings[0].network))),
      on: SingleRank()
    ).run(
      above: Thresholds(
        chosen.threshold, later: chosen.laterThreshold, resolution: chosen.resolution),
      on: SingleRank())
    let scores = scoresAmongAll(
      truth: others.labels, predicted: try clusters.labels(on: SingleRank()).labels,
      isJudged: others.labels.map { _ in true })
    #expect(abs(scores.pairwise - chosen.pairwiseF) < 1e-12)
    #expect(abs(scores.bcubed - chosen.bcubedF) < 1e-12)
    #expect(abs(scores.identity - chosen.identityF) < 1e-12)
  }
}

@Suite struct Fingerprints {
  private static let rows = points.source

  @Test(arguments: [1, 2, 3, 7])
  func areEqualOnAnyNumberOfRanks(ranks: Int) throws {
    let all = try ThreadCommunicator.run(ranks: ranks) {
      try Fingerprint(of: Self.rows, on: $0)
    }
    let alone = try Fingerprint(of: Self.rows, on: SingleRank())
    #expect(all.allSatisfy { $0 == alone })
    #expect(alone.description.hasPrefix("200 × 8, hash "))
  }

  @Test func tellABitAndAnOrder() throws {
    func print(_ change: (inout [[Float]]) -> Void) throws -> Fingerprint {
      let matrix = try Self.rows.rows(0..<200)
      var rows = (0..<200).map { matrix.row($0) }
      change(&rows)
      return try Fingerprint(
        of: EmbeddingsInMemory(.init(rows: 200, columns: 8, elements: rows.flatMap { $0 })),
        on: SingleRank())
    }
    let plain = try print { _ in }
    #expect(try plain == Fingerprint(of: Self.rows, on: SingleRank()))
    #expect(try print { $0[7][3] = $0[7][3].nextUp } != plain)
    #expect(try print { $0.swapAt(3, 150) } != plain)
    #expect(Fingerprint(of: [1, 2, 3]) != Fingerprint(of: [1, 3, 2]))
  }
}
