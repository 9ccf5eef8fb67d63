import Communication
import Datasets
import Foundation
import HierarchicalClustering
import LinearAlgebra
import Optimization
import Synchronization
import Testing
import Training

private let points = LabelledPoints(identities: 16, pointsEach: 10, dimensions: 6, seed: 31)

private let options = TrainingOptions(
  shape: LanderShape(dimensions: 6, hidden: 8),
  chains: [TrainingChain(neighborCount: 5, levelCount: 2)], loss: LinkageLoss(isBalanced: true),
  optimizer: .adam(), learningRate: 0.01, epochCount: 6, dropout: 0.1, rotates: true, seed: 9)

/// Stops after some steps, and saves.
private struct Stopping: TrainingObserver {
  let stop: Int
  let directory: CheckpointDirectory

  func request(after step: Int, on communicator: some Communicator) throws -> TrainingRequest {
    step == stop ? .saveAndStop : .save
  }

  func save(_ state: TrainingState, on communicator: some Communicator) throws {
    try directory.save(state, on: communicator)
  }
}

/// Every fourth identity is held out.
private func validator(
  on communicator: some Communicator
) throws -> Validator<EmbeddingsInMemory> {
  try Validator(
    points.source, labels: points.labels, isHeldOut: points.labels.map { $0 % 4 == 0 },
    neighborCount: 5, using: options.workers, on: communicator)
}

private func run(
  from state: TrainingState? = nil, observer: some TrainingObserver = NoTrainingObserver(),
  on communicator: some Communicator
) throws -> TrainingState {
  let validator = try validator(on: communicator)
  return try train(
    points.graphs(on: communicator), options: options, from: state ?? TrainingState(options),
    validator: validator, plan: ValidationPlan(interval: 2, taus: [0.4, 0.6], finalTaus: [0.5]),
    observer: observer, on: communicator)
}

@Suite struct ARunFromACheckpoint {
  private let path = FileManager.default.temporaryDirectory
    .appending(path: "checkpoints-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  private var directory: CheckpointDirectory {
    CheckpointDirectory(path, settings: ["--seed": "9", "--hidden": "8"])
  }

  private var template: Parameters<Float> { options.shape.initialParameters(seed: 0) }

  @Test("Ends with the same bits as one that was never stopped", arguments: [1, 3], [1, 5, 8])
  func hasTheSameBits(ranks: Int, stop: Int) throws {
    let directory = directory
    let whole = try ThreadCommunicator.run(ranks: ranks) { try run(on: $0) }
    _ = try ThreadCommunicator.run(ranks: ranks) {
      try run(observer: Stopping(stop: stop, directory: directory), on: $0)
    }
    let template = template
    let resumed = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let state = try directory.load(options.optimizer, like: template, on: communicator)
      return (state?.optimizer.stepCount, try run(from: state, on: communicator))
    }
    for (rank, (step, state)) in resumed.enumerated() {
      #expect(step == stop)
      #expect(state == whole[rank])
    }
    try FileManager.default.removeItem(atPath: path)
  }

  @Test func keepsTheNewestTwo() throws {
    _ = try run(observer: Stopping(stop: 7, directory: directory), on: SingleRank())
    #expect(
      try directory.names() == [
        "checkpoint-000000007.safetensors", "checkpoint-000000006.safetensors",
      ])
  }

  @Test("Refuses a damaged file, and says which is before it", arguments: [0, 1, 2])
  func refusesDamage(kind: Int) throws {
    _ = try run(observer: Stopping(stop: 4, directory: directory), on: SingleRank())
    let file = "\(path)/checkpoint-000000004.safetensors"
    var bytes = try Data(contentsOf: URL(filePath: file))
    switch kind {
    case 0: bytes.removeLast(1000)
    case 1: bytes[bytes.count - 9] ^= 4  // a bit of a parameter
    default: bytes.removeAll()
    }
    try bytes.write(to: URL(filePath: file))
    do {
      _ = try directory.load(options.optimizer, like: template, on: SingleRank())
      Issue.record("a damaged checkpoint was read")
    } catch let failure as AgreedFailure {
      #expect(failure.reason.contains("checkpoint-000000004.safetensors"))
      #expect(failure.reason.contains("to go on from checkpoint-000000003.safetensors"))
    }
    try FileManager.default.removeItem(atPath: file)
    let state = try directory.load(options.optimizer, like: template, on: SingleRank())
    #expect(state?.optimizer.stepCount == 3)
  }

  @Test func refusesOtherSettings() throws {
    _ = try run(observer: Stopping(stop: 2, directory: directory), on: SingleRank())
    let other = CheckpointDirectory(path, settings: ["--seed": "9", "--hidden": "16"])
    do {
      _ = try other.load(options.optimizer, like: template, on: SingleRank())
      Issue.record("a checkpoint of another run was read")
    } catch let failure as AgreedFailure {
      #expect(failure.reason.contains("--hidden was 8, is 16"))
      #expect(!failure.reason.contains("remove"))
    }
  }

  @Test func startsAnewWithoutOne() throws {
    #expect(try directory.load(options.optimizer, like: template, on: SingleRank()) == nil)
  }
}

@Suite struct Validation {
  @Test("Chooses the best τ, and is the same on any number of ranks", arguments: [1, 2, 4])
  func agreesOverRanks(ranks: Int) throws {
    let states = try ThreadCommunicator.run(ranks: ranks) { try run(on: $0) }
    let records = states[0].progress.history.compactMap(\.validation)
    #expect(records.count == 3)
    for record in records {
      #expect(record.curve.map(\.tau) == [0.4, 0.6])
      #expect(record.chosen.score == record.curve.map(\.score).max())
      #expect((0...1).contains(record.edgeAUC ?? 0.5))
    }
    #expect(states[0].progress.best?.result.curve.map(\.tau) == [0.5])
    #expect(states.allSatisfy { $0 == states[0] })
  }

  @Test func endsEarlyWithoutImprovement() throws {
    let validator = try validator(on: SingleRank())
    var options = options
    options.learningRate = 1e-12
    options.epochCount = 50
    let state = try train(
      points.graphs(on: SingleRank()), options: options, from: TrainingState(options),
      validator: validator, plan: ValidationPlan(interval: 1, patience: 3, taus: [0.5]),
      on: SingleRank())
    #expect(state.progress.stopReason == .earlyStop)
    #expect(state.progress.history.count == 4 && state.progress.best?.epoch == 1)
  }
}
