import Communication
import Datasets
import Evaluation
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

/// Stops after some steps, or in the middle of a validation, and saves.
final class Stopping: TrainingObserver, StructureTrainingObserver {
  private let stop: Int
  /// When a validation asks for the so manieth time.
  private let validationStop: Int
  private let directory: CheckpointDirectory
  private var asked = 0

  init(stop: Int = -1, validationStop: Int = -1, directory: CheckpointDirectory) {
    self.stop = stop
    self.validationStop = validationStop
    self.directory = directory
  }

  func request(after step: Int, on communicator: some Communicator) throws -> TrainingRequest {
    step == stop ? .saveAndStop : .save
  }

  func endsValidation(on communicator: some Communicator) throws -> Bool {
    asked += 1
    return asked == validationStop
  }

  func save(_ state: RunState<some Any>, on communicator: some Communicator) throws {
    try directory.save(state, on: communicator)
  }
}

/// Every fourth identity is held out.
private func validator(
  on communicator: some Communicator
) throws -> Validator<EmbeddingSubset<EmbeddingsInMemory>> {
  let heldOut = points.labels.indices.filter { points.labels[$0] % 4 == 0 }
  return try Validator(
    EmbeddingSubset(points.source, heldOut), labels: heldOut.map { points.labels[$0] },
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
      let state: TrainingState? = try directory.load(
        options.optimizer, like: template, note: { _ in }, on: communicator)
      return (state?.optimizer.stepCount, try run(from: state, on: communicator))
    }
    for (rank, (step, state)) in resumed.enumerated() {
      #expect(step == stop)
      #expect(state == whole[rank])
    }
    try FileManager.default.removeItem(atPath: path)
  }

  /// The first validation is after step 4 of 12; the third, and the last with its own τ, after step 12.
  @Test("Does a validation again that it was stopped in", arguments: [1, 2, 9, 99])
  func goesOnFromTheMiddleOfAValidation(asked: Int) throws {
    let directory = directory
    let whole = try run(on: SingleRank())
    let template = template
    let states = try ThreadCommunicator.run(ranks: 1) { communicator in
      let stopped = try run(
        observer: Stopping(validationStop: asked, directory: directory), on: communicator)
      let saved: TrainingState? = try directory.load(
        options.optimizer, like: template, note: { _ in }, on: communicator)
      return (stopped, saved, try run(from: saved, on: communicator))
    }[0]
    let (stopped, saved, goneOn) = states
    #expect((stopped.progress.stopReason == .interrupted) == (asked < 99))
    // The epoch whose validation was stopped is not finished.
    if asked < 3 { #expect(saved?.progress.history.count == 1 && saved?.optimizer.stepCount == 4) }
    #expect(goneOn == whole)
    try FileManager.default.removeItem(atPath: path)
  }

  /// Damage apart, a network of structure is not one of coordinates.
  @Test func refusesTheOtherKind() throws {
    func directory(_ kind: String) -> CheckpointDirectory {
      CheckpointDirectory(path, settings: ["kind": kind, "--of \(kind)": "1"])
    }
    try directory("coordinates").save(TrainingState(options), on: SingleRank())
    let shape = StructureShape(width: 8)
    let error = #expect(throws: AgreedFailure.self) {
      let _: StructureTrainingState? = try directory("structure").load(
        .adam(), like: shape.initialParameters(seed: 1), note: { _ in }, on: SingleRank())
    }
    #expect(
      error?.reason.hasSuffix(
        "checkpoint-000000000.safetensors: of a run with other settings: "
          + "kind was coordinates, is structure") == true, "\(error as Any)")
  }

  @Test func namesTheFileThatChanged() throws {
    func directory(_ contents: String) -> CheckpointDirectory {
      CheckpointDirectory(
        path, settings: ["features": contents, "--seed": "1"], files: ["features": "a.npy"])
    }
    try directory("3 × 2, hash 1").save(TrainingState(options), on: SingleRank())
    let error = #expect(throws: AgreedFailure.self) {
      let _: TrainingState? = try directory("3 × 2, hash 2").load(
        options.optimizer, like: template, note: { _ in }, on: SingleRank())
    }
    #expect(
      error?.reason.hasSuffix(
        "of a run with other data: a.npy (features) was 3 × 2, hash 1, is 3 × 2, hash 2") == true,
      "\(error as Any)")
  }

  @Test func keepsTheNewestTwo() throws {
    _ = try run(observer: Stopping(stop: 7, directory: directory), on: SingleRank())
    #expect(
      try directory.names() == [
        "checkpoint-000000007.safetensors", "checkpoint-000000006.safetensors",
      ])
  }

  private func damage(_ step: Int, _ kind: Int) throws {
    let file = URL(filePath: "\(path)/checkpoint-00000000\(step).safetensors")
    var bytes = try Data(contentsOf: file)
    switch kind {
    case 0: bytes.removeLast(1000)
    case 1: bytes[bytes.count - 9] ^= 4  // a bit of a parameter
    default: bytes.removeAll()
    }
    try bytes.write(to: file)
  }

  @Test("Goes on from the one before a damaged file, and says so", arguments: [0, 1, 2])
  func goesOnBeforeDamage(kind: Int) throws {
    _ = try run(observer: Stopping(stop: 4, directory: directory), on: SingleRank())
    try damage(4, kind)
    var notes: [String] = []
    let state: TrainingState? = try directory.load(
      options.optimizer, like: template, note: { notes.append($0) }, on: SingleRank())
    #expect(state?.optimizer.stepCount == 3)
    #expect(notes.count == 1 && notes[0].contains("checkpoint-000000004.safetensors"), "\(notes)")
    let error = #expect(throws: AgreedFailure.self) {
      let _: TrainingState? = try directory.load(
        options.optimizer, like: template, resuming: .newest, note: { _ in }, on: SingleRank())
    }
    #expect(
      error?.reason.contains("checkpoint-000000004.safetensors: ") == true
        && error?.reason.hasSuffix("; --resume whole passes over it") == true, "\(error as Any)")
    // What is damaged is no generation.
    try directory.save(#require(state), on: SingleRank())
    #expect(try directory.names() == ["checkpoint-000000003.safetensors"])
  }

  @Test func refusesWhereAllAreDamaged() throws {
    _ = try run(observer: Stopping(stop: 4, directory: directory), on: SingleRank())
    for step in [3, 4] { try damage(step, 1) }
    let error = #expect(throws: AgreedFailure.self) {
      let _: TrainingState? = try directory.load(
        options.optimizer, like: template, note: { _ in }, on: SingleRank())
    }
    #expect(error?.reason.contains("there is none that is whole") == true, "\(error as Any)")
  }

  @Test func removesWhatAKilledRunHasLeft() throws {
    try directory.create()
    let left = "\(path)/checkpoint-000000004.safetensors.tmp-1a2b3c4d"
    try Data([1]).write(to: URL(filePath: left))
    try directory.create()
    #expect(!FileManager.default.fileExists(atPath: left))
  }

  @Test func refusesOtherSettings() throws {
    _ = try run(observer: Stopping(stop: 2, directory: directory), on: SingleRank())
    let other = CheckpointDirectory(path, settings: ["--seed": "9", "--hidden": "16"])
    do {
      let _: TrainingState? = try other.load(
        options.optimizer, like: template, note: { _ in }, on: SingleRank())
      Issue.record("a checkpoint of another run was read")
    } catch let failure as AgreedFailure {
      #expect(failure.reason.contains("--hidden was 8, is 16"))
      #expect(!failure.reason.contains("remove"))
    }
  }

  @Test func startsAnewWithoutOne() throws {
    let state: TrainingState? = try directory.load(
      options.optimizer, like: template, note: { _ in }, on: SingleRank())
    #expect(state == nil)
  }
}

@Suite struct Validation {
  @Test("Chooses the largest τ whose score is within 5 % of the best")
  func choosesTheLargestOfTheBest() {
    func curve(_ scores: [Double]) -> [ValidationResult.Point] {
      scores.enumerated().map {
        ValidationResult.Point(
          tau: Double($0) / 10, pairwiseF: $1, bcubedF: $1, nmi: 0, clusterCount: 1)
      }
    }
    func choice(_ scores: [Double]) -> Int { ValidationResult.choice(from: curve(scores)) }
    #expect(choice([0.1, 1, 0.96, 0.94]) == 2)
    #expect(choice([0.1, 1, 0.94, 0.951]) == 3)
    #expect(choice([1, 0.2, 0.1]) == 0)
    // A plateau where nothing merges, or all is alike: the safest.
    #expect(choice([0, 0, 0]) == 2)
  }

  @Test func refusesANetworkOfNaN() throws {
    var parameters = options.shape.initialParameters(seed: 1)
    parameters.all[0].value[0, 0] = .nan
    let validator = try validator(on: SingleRank())
    #expect(throws: AgreedFailure.self) {
      try validator.validate(
        parameters, shape: options.shape, taus: [0.5], on: SingleRank())
    }
  }

  /// Level 0 is judged once, but every τ has the clusters that clustering with it would have.
  @Test(arguments: [true, false])
  func hasTheScoresOfClustering(usesAverageFeature: Bool) throws {
    let heldOut = points.labels.indices.filter { points.labels[$0] % 4 == 0 }
    let labels = heldOut.map { points.labels[$0] }
    let shape = LanderShape(
      dimensions: 6, hidden: 8, usesAverageFeature: usesAverageFeature)
    let parameters = shape.initialParameters(seed: 5, startsFromDistance: true)
    let taus = [0.2, 0.4, 0.5, 0.6, 0.8]
    let result = try validator(on: SingleRank()).validate(
      parameters, shape: shape, taus: taus, on: SingleRank())
    #expect(Set(result.curve.map(\.clusterCount)).count > 2, "\(result.curve)")
    for (tau, point) in zip(taus, result.curve) {
      let clustering = try cluster(
        EmbeddingSubset(points.source, heldOut), with: .coordinates(shape.network(parameters)),
        options: ClusteringOptions(neighborCount: 5, threshold: tau), on: SingleRank())
      let metrics = try compareLabels(
        truth: labels, predicted: clustering.labels, on: SingleRank())
      #expect(point.clusterCount == clustering.clusterCount)
      #expect(point.bcubedF == metrics.bcubed.f && point.nmi == metrics.nmi)
    }
  }

  @Test("Is the same on any number of ranks", arguments: [1, 2, 4])
  func agreesOverRanks(ranks: Int) throws {
    let states = try ThreadCommunicator.run(ranks: ranks) { try run(on: $0) }
    let records = states[0].progress.history.compactMap(\.validation)
    #expect(records.count == 3)
    for record in records {
      #expect(record.curve.map(\.tau) == [0.4, 0.6])
      #expect(record.score == record.curve.map(\.score).max())
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
