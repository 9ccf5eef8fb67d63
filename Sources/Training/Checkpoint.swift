public import Communication
internal import Datasets
public import Differentiation
internal import FoundationEssentials
internal import LinearAlgebra
public import Optimization
internal import RandomNumbers

/// A directory of checkpoints: the newest two, each written whole or not at all.
///
/// A checkpoint is a `.safetensors` file, `checkpoint-` and the number of steps, with parameters, moments
/// and the best parameters as tensors, and progress, settings and a checksum in its metadata
/// (`Docs/Formats.md`).
public struct CheckpointDirectory: Sendable {
  public let path: String
  /// What a run must have in common with a checkpoint to go on from it, by name.
  public let settings: [String: String]

  public init(_ path: String, settings: [String: String]) {
    self.path = path
    self.settings = settings
  }

  /// Makes the directory if it is not there.
  ///
  /// - Throws: ``DataError`` if it cannot be made.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw DataError(path: path, problem: "cannot create the directory") }
  }

  /// The names of the checkpoints in it, the newest first.
  public func names() throws -> [String] {
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return []
    }
    return entries.filter { Self.step(ofName: $0) != nil }
      .sorted { Self.step(ofName: $0)! > Self.step(ofName: $1)! }
  }

  /// Writes a state by rank 0, and removes all but the newest two.
  ///
  /// > Collective: over `communicator`. One round of a byte per rank.
  public func save(_ state: TrainingState, on communicator: some Communicator) throws {
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let name = Self.name(ofStep: state.optimizer.stepCount)
      let tensors = state.tensors
      let progress = try JSONEncoder().encode(state.progress)
      let saved = try JSONEncoder().encode(settings)
      try TensorFile.write(
        tensors,
        metadata: [
          "format": Self.format, "step": "\(state.optimizer.stepCount)",
          "progress": String(decoding: progress, as: UTF8.self),
          "settings": String(decoding: saved, as: UTF8.self),
          "checksum": checksum(tensors, progress),
        ], to: "\(path)/\(name)", overwrite: true)
      for old in try names().dropFirst(2) {
        try? FileManager.default.removeItem(atPath: "\(path)/\(old)")
      }
    }
  }

  /// The state of the newest checkpoint; nil where there is none.
  ///
  /// Every rank reads it.
  ///
  /// > Collective: over `communicator`. One round of a byte per rank.
  ///
  /// - Parameters:
  ///   - rule: The optimizer of this run.
  ///   - template: Parameters of the shapes of this run.
  /// - Throws: ``AgreedFailure`` on every rank: the file is damaged, and which one is before it; or it is
  ///   of a run with other settings, and which.
  public func load(
    _ rule: OptimizerRule, like template: Parameters<Float>, on communicator: some Communicator
  ) throws -> TrainingState? {
    try communicator.agree { () -> TrainingState? in
      let names = try names()
      guard let newest = names.first else { return nil }
      do {
        return try load(newest, rule, like: template)
      } catch let error as DataError where !error.problem.hasPrefix(Self.otherRun) {
        let way =
          names.count > 1
          ? "remove it to go on from \(names[1])" : "remove it to start anew; there is no other"
        throw DataError(path: error.path, problem: "\(error.problem); \(way)")
      }
    }
  }

  private func load(
    _ name: String, _ rule: OptimizerRule, like template: Parameters<Float>
  ) throws -> TrainingState {
    let file = try TensorFile(path: "\(path)/\(name)")
    func error(_ problem: String) -> DataError { DataError(path: file.path, problem: problem) }
    guard file.metadata["format"] == Self.format, let progress = file.metadata["progress"],
      let saved = file.metadata["settings"], let sum = file.metadata["checksum"]
    else { throw error("damaged: not a checkpoint of this version") }
    let tensors = try file.names.map { try file.tensor($0) }
    guard checksum(tensors, Data(progress.utf8)) == sum else {
      throw error("damaged: its contents do not have its checksum")
    }
    guard let settings = try? JSONDecoder().decode([String: String].self, from: Data(saved.utf8)),
      let decoded = try? JSONDecoder().decode(TrainingProgress.self, from: Data(progress.utf8))
    else { throw error("damaged: its metadata cannot be read") }
    let differing = Set(settings.keys).union(self.settings.keys).sorted()
      .filter { settings[$0] != self.settings[$0] }
    guard differing.isEmpty else {
      let list = differing.map { name in
        "\(name) was \(settings[name] ?? "not set"), is \(self.settings[name] ?? "not set")"
      }.joined(separator: "; ")
      throw error("\(Self.otherRun): \(list)")
    }
    return try TrainingState(
      file, step: Int(file.metadata["step"] ?? "") ?? 0, rule: rule, like: template,
      progress: decoded)
  }

  private static let format = "highland checkpoint 1"
  private static let otherRun = "of a run with other settings"

  private static func name(ofStep step: Int) -> String {
    let digits = "\(step)"
    return "checkpoint-" + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
      + ".safetensors"
  }

  private static func step(ofName name: String) -> Int? {
    guard name.hasPrefix("checkpoint-"), name.hasSuffix(".safetensors") else { return nil }
    return Int(name.dropFirst("checkpoint-".count).dropLast(".safetensors".count))
  }
}

extension TrainingState {
  /// Parameters, moments and best parameters under their prefixes.
  fileprivate var tensors: [Tensor] {
    func named(_ prefix: String, _ parameters: Parameters<Float>) -> [Tensor] {
      parameters.tensors.map {
        Tensor(name: "\(prefix)/\($0.name)", shape: $0.shape, elements: $0.elements)
      }
    }
    var tensors = named("parameter", parameters)
    for (parameter, moments) in zip(parameters.all, optimizer.moments) {
      for (index, moment) in moments.enumerated() {
        tensors.append(
          Tensor(
            name: "moment\(index)/\(parameter.name)", shape: parameter.shape,
            elements: moment.elements))
      }
    }
    return tensors + (bestParameters.map { named("best", $0) } ?? [])
  }

  /// From a file of what ``tensors`` made.
  ///
  /// - Throws: ``DataError`` if it does not fit the template.
  fileprivate init(
    _ file: TensorFile, step: Int, rule: OptimizerRule, like template: Parameters<Float>,
    progress: TrainingProgress
  ) throws {
    let current = try Parameters(file, prefix: "parameter/", like: template)
    let moments = try (0..<rule.momentCount).map {
      try Parameters(file, prefix: "moment\($0)/", like: template)
    }
    self.init(
      parameters: current,
      optimizer: Optimizer(
        rule, for: current, stepCount: step,
        moments: template.all.indices.map { index in moments.map { $0.all[index].value } }),
      bestParameters: file.names.contains { $0.hasPrefix("best/") }
        ? try Parameters(file, prefix: "best/", like: template) : nil,
      progress: progress)
  }
}

/// 64 bits of everything that a checkpoint says, in hexadecimal digits.
private func checksum(_ tensors: [Tensor], _ progress: Data) -> String {
  var sum: UInt64 = 0
  func add(_ bits: UInt64) { sum = mixed(sum &+ 0x9E37_79B9_7F4A_7C15 ^ bits) }
  for tensor in tensors {
    for byte in tensor.name.utf8 { add(UInt64(byte)) }
    for length in tensor.shape { add(UInt64(length)) }
    for element in tensor.elements { add(UInt64(element.bitPattern)) }
  }
  for byte in progress { add(UInt64(byte)) }
  return String(sum, radix: 16)
}
