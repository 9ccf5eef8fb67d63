public import Communication
internal import Datasets
public import Differentiation
internal import FoundationEssentials
public import HierarchicalClustering
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
  /// The settings that a run must share with a checkpoint to resume from it, by name.
  public let settings: [String: String]
  /// The files whose contents some of the settings represent, by the setting's name.
  public let files: [String: String]

  public init(_ path: String, settings: [String: String], files: [String: String] = [:]) {
    self.path = path
    self.settings = settings
    self.files = files
  }

  /// Makes the directory if it is not there, and removes what a run has left that was killed as it wrote.
  ///
  /// - Throws: ``DataError`` if it cannot be made.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw DataError(path: path, problem: "cannot create the directory") }
    try removeUnfinished("checkpoint-", in: path)
  }

  /// The names of the checkpoints in it, the newest first; none if there is no such directory.
  ///
  /// - Throws: ``DataError`` if the directory cannot be listed: it may hold checkpoints.
  public func names() throws -> [String] {
    let entries: [String]
    do {
      entries = try namesInDirectory(path) ?? []
    } catch let error as DataError {
      throw DataError(
        path: path, problem: "\(error.problem); it may hold checkpoints to go on from")
    }
    return entries.compactMap { name in Self.step(ofName: name).map { ($0, name) } }
      .sorted { $0 > $1 }.map(\.1)
  }

  /// Writes a state on rank 0, and removes all but the newest two.
  ///
  /// > Collective: over `communicator`. One round of a byte per rank.
  public func save(_ state: RunState<some Any>, on communicator: some Communicator) throws {
    try communicator.assertReplicated((path: path, step: state.optimizer.stepCount))
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let name = Self.name(ofStep: state.optimizer.stepCount)
      if let problem = state.firstThatIsNotFinite {
        throw DataError(path: "\(path)/\(name)", problem: "not written: \(problem)")
      }
      let tensors = state.tensors
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      var metadata = [
        "format": Self.format, "step": "\(state.optimizer.stepCount)",
        "progress": String(decoding: try encoder.encode(state.progress), as: UTF8.self),
        "settings": String(decoding: try encoder.encode(settings), as: UTF8.self),
      ]
      metadata["checksum"] = checksum(tensors, metadata)
      try TensorFile.write(
        tensors, metadata: metadata, to: "\(path)/\(name)", overwrite: true)
      // The one just written stays, and the one before it. A later one was damaged: the run did not go on from it.
      let others = try names().filter { $0 != name }
      let before = others.first { Self.step(ofName: $0)! < state.optimizer.stepCount }
      for old in others where old != before {
        do {
          try FileManager.default.removeItem(atPath: "\(path)/\(old)")
        } catch {
          throw DataError(path: "\(path)/\(old)", problem: "cannot remove it: an old checkpoint")
        }
      }
    }
  }

  /// The state of the newest checkpoint that is as it was written; nil if there is none at all.
  ///
  /// Rank 0 says which file it is, and every rank reads it.
  ///
  /// > Collective: over `communicator`. Three rounds of a few bytes per rank, and one of the name.
  ///
  /// - Parameters:
  ///   - rule: The optimizer of this run.
  ///   - template: Parameters of the shapes of this run.
  ///   - resumeRule: Replicated.
  ///   - note: Told on rank 0 of each that is damaged.
  /// - Throws: ``AgreedFailure`` on every rank if all are damaged, or the newest is and none before it may be used; or if
  ///   the newest that is not belongs to a run with other settings, naming those.
  public func load<Progress>(
    _ rule: OptimizerRule, like template: Parameters<Float>,
    resuming resumeRule: ResumeRule = .whole, note: (String) -> Void,
    on communicator: some Communicator
  ) throws -> RunState<Progress>? {
    try communicator.assertReplicated((path: path, rule: rule))
    let chosen = try communicator.agree { () -> String in
      guard communicator.rank == Rank(0) else { return "" }
      let names = try self.names()
      var firstError: DataError?
      for name in names {
        do {
          let _: RunState<Progress> = try load(name, rule, like: template)
          return name
        } catch let error as DataError {
          guard resumeRule == .whole else {
            throw DataError(path: error.path, problem: ResumeRule.refusal(of: error.problem))
          }
          firstError = firstError ?? error
          if name != names.last { note("checkpoint: \(error); not used") }
        }
      }
      guard let firstError else { return "" }
      throw DataError(
        path: firstError.path,
        problem: "\(firstError.problem); remove it to start anew; there is none that is whole")
    }
    let name = String(
      decoding: try communicator.broadcast(Array(chosen.utf8)), as: UTF8.self)
    guard !name.isEmpty else { return nil }
    return try communicator.agree { try load(name, rule, like: template) }
  }

  private func load<Progress>(
    _ name: String, _ rule: OptimizerRule, like template: Parameters<Float>
  ) throws -> RunState<Progress> {
    let file = try TensorFile(path: "\(path)/\(name)")
    func error(_ problem: String) -> DataError { DataError(path: file.path, problem: problem) }
    var metadata = file.metadata
    guard metadata["format"] == Self.format,
      let sum = metadata.removeValue(forKey: "checksum")
    else { throw error("damaged: not a checkpoint of this version") }
    guard checksum(try file.names.map { try file.tensor($0) }, metadata) == sum else {
      throw error("damaged: its contents do not have its checksum")
    }
    func decoded<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
      guard let text = metadata[name],
        let value = try? JSONDecoder().decode(type, from: Data(text.utf8))
      else { throw error("damaged: '\(name)' in its metadata cannot be read") }
      return value
    }
    if let other = difference(from: try decoded([String: String].self, "settings")) {
      throw OtherRun(description: "\(file.path): of a run with \(other)")
    }
    let state = try RunState(
      file, step: decoded(Int.self, "step"), rule: rule, like: template,
      progress: decoded(Progress.self, "progress"))
    if let problem = state.firstThatIsNotFinite { throw error(problem) }
    return state
  }

  /// How the run of a checkpoint differs from this one; nil if it does not.
  private func difference(from settings: [String: String]) -> String? {
    let differing = Set(settings.keys).union(self.settings.keys).sorted()
      .filter { settings[$0] != self.settings[$0] }
    guard !differing.isEmpty else { return nil }
    func list(_ names: [String]) -> String {
      names.map { name in
        "\(name) was \(settings[name] ?? "not set"), is \(self.settings[name] ?? "not set")"
      }.joined(separator: "; ")
    }
    // Networks of another kind have other options altogether.
    if differing.contains(Self.family) { return "other settings: \(list([Self.family]))" }
    let options = differing.filter { files[$0] == nil }
    guard options.isEmpty else { return "other settings: \(list(options))" }
    let changed = differing.map { name in
      "\(files[name]!) (\(name)) was \(settings[name] ?? "not there"), is "
        + "\(self.settings[name] ?? "not there")"
    }
    return "other data: \(changed.joined(separator: "; "))"
  }

  /// The setting that says which kind of network is trained.
  private static let family = "kind"

  private static let format = "highland checkpoint 1"

  /// A valid checkpoint of another run.
  private struct OtherRun: Error, CustomStringConvertible { var description: String }

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

extension RunState {
  /// The part of the state that is not finite, for the error; nil if all of it is finite.
  fileprivate var firstThatIsNotFinite: String? {
    func problem(_ parameter: String?, _ use: String) -> String? {
      parameter.map { "\(use) '\($0)' holds numbers that are not finite" }
    }
    return problem(parameters.firstThatIsNotFinite, "the parameter")
      ?? problem(bestParameters?.firstThatIsNotFinite, "the best parameter")
      ?? (optimizer.isFinite ? nil : "the optimizer's moments hold numbers that are not finite")
  }

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
    progress: Progress
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

/// 64 bits of tensors and metadata, in hexadecimal digits.
private func checksum(_ tensors: [Tensor], _ metadata: [String: String]) -> String {
  var sum: UInt64 = 0
  func add(_ bits: UInt64) { sum = mixed(sum &+ 0x9E37_79B9_7F4A_7C15 ^ bits) }
  for tensor in tensors {
    for byte in tensor.name.utf8 { add(UInt64(byte)) }
    for length in tensor.shape { add(UInt64(length)) }
    for element in tensor.elements { add(UInt64(element.bitPattern)) }
  }
  for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
    for byte in name.utf8 { add(UInt64(byte)) }
    for byte in value.utf8 { add(UInt64(byte)) }
  }
  return String(sum, radix: 16)
}
