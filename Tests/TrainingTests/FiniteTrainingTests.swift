import Communication
import Datasets
import Foundation
import GraphNetworks
import LinearAlgebra
import Optimization
import Testing
import Training

private let points = LabelledPoints(
  identities: 12, pointsEach: 8, dimensions: 8, spread: 0.6, seed: 61)

extension Parameters<Float> {
  /// Multiplies all elements of one parameter.
  fileprivate mutating func scale(_ name: String, by factor: Float, adding offset: Float = 0) {
    let index = all.firstIndex { $0.name == name }!
    let value = all[index].value
    all[index].value = Matrix(
      rows: value.rowCount, columns: value.columnCount,
      elements: value.elements.map { factor * $0 + offset })
  }
}

@Suite struct TrainingOfStructure {
  private static let options = StructureTrainingOptions(
    shape: StructureShape(width: 8), settings: .init(neighborCount: 6, contextLength: 10),
    graphCount: 1, pointLimit: 400, levelCount: 1, epochCount: 2, seed: 3)

  /// Hidden rows are of ordinary size, but what leads to them is not: the loss is finite, and the
  /// gradients of the first layer are not.
  @Test(
    "Stops at gradients that are not finite, on every rank, and saves nothing", arguments: [1, 3])
  func stopsAtInfiniteGradients(ranks: Int) throws {
    var state = StructureTrainingState(Self.options)
    state.parameters.scale("node.hidden.weight", by: 0)
    state.parameters.scale("node.hidden.bias", by: 0, adding: 1e-36)
    state.parameters.scale("node.output.weight", by: 1e36)
    state.parameters.scale("edge.output.weight", by: 1e6)
    let planted = state
    let path = FileManager.default.temporaryDirectory
      .appending(path: "checkpoints-\(UUID().uuidString)").path
    let directory = CheckpointDirectory(path, settings: [:])
    try directory.create()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let failures = try ThreadCommunicator.run(ranks: ranks) { communicator in
      do {
        _ = try trainStructureNetwork(
          on: [LabelledEmbeddings(points.source, labels: points.labels)], options: Self.options,
          goingOnFrom: planted, observer: Stopping(directory: directory), over: communicator)
        return ""
      } catch let failure as AgreedFailure { return failure.reason }
    }
    for failure in failures {
      #expect(
        failure.hasPrefix(
          "training stopped at step 1, in epoch 1: gradients are not finite numbers"), "\(failure)")
      #expect(failure.contains("--seed"))
    }
    #expect(try directory.names() == [])
  }
}

@Suite struct ACheckpointDirectory {
  private static let options = TrainingOptions(
    shape: LanderShape(dimensions: 6, hidden: 8), optimizer: .adam(), epochCount: 1)

  /// Calls `body` with a directory that is removed afterwards.
  private func withDirectory(_ body: (CheckpointDirectory) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "checkpoints-\(UUID().uuidString)").path
    let directory = CheckpointDirectory(path, settings: [:])
    try directory.create()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(directory)
  }

  @Test("Never holds numbers that are not finite", arguments: [1, 3], [0, 1, 2])
  func refusesNumbersThatAreNotFinite(ranks: Int, place: Int) throws {
    var state = TrainingState(Self.options)
    state.bestParameters = state.parameters
    let name = state.parameters.all[1].name
    switch place {
    case 0: state.parameters.scale(name, by: 1, adding: .infinity)
    case 1: state.bestParameters!.scale(name, by: .nan)
    default:
      state.optimizer.update(
        &state.parameters,
        by: state.parameters.all.map {
          Matrix(
            rows: $0.value.rowCount, columns: $0.value.columnCount,
            elements: $0.value.elements.map { _ in 1e30 })
        }, learningRate: 0.1)
    }
    let planted = state
    try withDirectory { directory in
      let failures = try ThreadCommunicator.run(ranks: ranks) { communicator in
        do {
          try directory.save(planted, on: communicator)
          return ""
        } catch let failure as AgreedFailure { return failure.reason }
      }
      for failure in failures { #expect(failure.contains("not finite"), "\(failure)") }
      #expect(try directory.names() == [])
    }
  }

  @Test(
    "That cannot be listed is an error on every rank, and not an empty one", arguments: [1, 3])
  func isNotEmptyWhereItCannotBeListed(ranks: Int) throws {
    let state = TrainingState(Self.options)
    try withDirectory { outer in
      // A file, and a link to itself: neither is "there is none", and root is refused them too.
      try Data().write(to: URL(filePath: "\(outer.path)/file"))
      try FileManager.default.createSymbolicLink(
        atPath: "\(outer.path)/loop", withDestinationPath: "\(outer.path)/loop")
      for name in ["file", "loop"] {
        let directory = CheckpointDirectory("\(outer.path)/\(name)", settings: [:])
        #expect(throws: DataError.self) { try directory.names() }
        let failures = try ThreadCommunicator.run(ranks: ranks) { communicator in
          do {
            let _: TrainingState? = try directory.load(
              Self.options.optimizer, like: state.parameters, note: { _ in }, on: communicator)
            return ""
          } catch let failure as AgreedFailure { return failure.reason }
        }
        for failure in failures {
          #expect(
            failure.hasPrefix("\(directory.path): cannot read the directory: "), "\(failure)")
          #expect(failure.hasSuffix("it may hold checkpoints to go on from"))
        }
      }
      let missing = CheckpointDirectory("\(outer.path)/missing", settings: [:])
      #expect(try missing.names() == [])
    }
  }

  /// A run does not go on from others than the newest whole one, so those of more steps were damaged.
  @Test func keepsTheCheckpointJustWrittenAndNoneOfMoreSteps() throws {
    let state = TrainingState(Self.options)
    try withDirectory { directory in
      for step in [900, 901, 902] {
        try Data().write(
          to: URL(filePath: "\(directory.path)/checkpoint-000000\(step).safetensors"))
      }
      try directory.save(state, on: SingleRank())
      #expect(try directory.names() == ["checkpoint-000000000.safetensors"])
    }
  }
}
