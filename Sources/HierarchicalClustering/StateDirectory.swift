internal import Communication
internal import Datasets
internal import FoundationEssentials

/// What a state says of itself, in the text that is written last.
protocol StateDescription: Codable {
  /// What the answer depends on, by name.
  var settings: [String: String] { get }
  /// Of the arrays, by name.
  var checksums: [String: String] { get }
}

/// States of the same work in a directory that others may share: what is finished, as a later run can go on from.
///
/// Each state is a directory of its own, which appears when it is complete: a generation. The newest two stay. Their
/// names begin with a hash of the settings.
struct StateDirectory {
  private let directory: String
  /// What the answer depends on, by name.
  let settings: [String: String]
  /// How the names begin; a number follows.
  private let prefix: String
  /// The file that is written last.
  private let marker: String
  private let format: String
  private let rule: ResumeRule
  private let note: (String) -> Void
  private let unused = UnusedStates()

  /// - Parameters:
  ///   - directory: It is there.
  ///   - kind: The first word of the names.
  ///   - format: Of the descriptions.
  ///   - note: Tells of what was found, and of what could not be written.
  init(
    _ directory: String, kind: String, settings: [String: String], format: String,
    resuming rule: ResumeRule, note: @escaping (String) -> Void
  ) {
    self.directory = directory
    self.settings = settings
    prefix = "\(kind)-\(digest(of: settings))-"
    marker = "\(kind).json"
    self.format = format
    self.rule = rule
    self.note = note
  }

  /// The newest state that is as it was written; nil if there is none. Others are named.
  ///
  /// > Collective: over `communicator`. A few rounds for each state that is looked at, and what `read` sends.
  ///
  /// - Parameter read: Makes a state of its description and its arrays, which are not read yet; and an account of it.
  /// - Throws: ``AgreedFailure`` on every rank if the newest is not as it was written, and none before it may be used.
  func newest<Description: StateDescription, State>(
    on communicator: some Communicator,
    _ read: (Description, CheckedArrays) throws -> (State, account: String)
  ) throws -> State? {
    for number in try generations(on: communicator).reversed() {
      do {
        let (description, arrays): (Description, _) = try description(number, on: communicator)
        let (state, account) = try read(description, arrays)
        note("checkpoint: goes on \(account), from \(path(number))")
        return state
      } catch let failure as AgreedFailure {
        guard rule == .whole else {
          throw AgreedFailure(reason: ResumeRule.refusal(of: failure.reason))
        }
        note("checkpoint: \(failure.reason); not used")
        unused.numbers.insert(number)
      }
    }
    return nil
  }

  /// Keeps a state. If it cannot be written, as the disk is full, the run goes on without.
  ///
  /// > Collective: over `communicator`. Some ten rounds of a few bytes per rank, and what `write` sends.
  ///
  /// - Parameter write: Writes the arrays; returns what describes them.
  func keep(
    on communicator: some Communicator,
    _ write: (inout CheckedArrays) throws -> some StateDescription
  ) throws {
    do {
      let number = (try generations(on: communicator).last ?? 0) + 1
      try writeDirectory(
        to: path(number), marker: marker, overwrite: false, on: communicator
      ) { temporary in
        var arrays = CheckedArrays(at: "\(temporary)/")
        let description = try write(&arrays)
        try communicator.agree {
          guard communicator.rank == Rank(0) else { return }
          try writeText(
            sealedText(description, format: format), to: "\(temporary)/\(marker)", overwrite: false)
        }
      }
      try removeOld(on: communicator)
    } catch let failure as AgreedFailure {
      note("checkpoint: \(failure.reason); this state is not kept")
    }
  }

  /// Removes all states, as what they led to is kept elsewhere. If one stays, that is said.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  func removeAll(on communicator: some Communicator) throws {
    do { try remove(generations(on: communicator), on: communicator) } catch let failure
      as AgreedFailure
    {
      note("checkpoint: \(failure.reason)")
    }
  }

  /// Removes all but the newest two states, of those that are as they were written, and what a killed run has left
  /// unfinished.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func removeOld(on communicator: some Communicator) throws {
    let all = try generations(on: communicator)
    let stay = all.filter { !unused.numbers.contains($0) }.suffix(2)
    // Until there are two of them, others stay to be looked at.
    try remove(stay.count == 2 ? all.filter { !stay.contains($0) } : [], on: communicator)
  }

  private func remove(_ numbers: [Int], on communicator: some Communicator) throws {
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try removeUnfinished(prefix, in: directory)
      for path in numbers.map({ path($0) }) {
        do { try FileManager.default.removeItem(atPath: path) } catch {
          throw DataError(path: path, problem: "cannot remove it: an old checkpoint")
        }
      }
    }
  }

  /// The numbers of the states that are there, ascending.
  ///
  /// > Collective: over `communicator`. Rounds of some bytes per rank.
  private func generations(on communicator: some Communicator) throws -> [Int] {
    let numbers = try communicator.agree { () -> [Int] in
      guard communicator.rank == Rank(0) else { return [] }
      return try (namesInDirectory(directory) ?? []).compactMap { name in
        name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil
      }.filter { (1...Self.lastGeneration).contains($0) }
    }
    return try communicator.broadcast(numbers.sorted())
  }

  /// More than any run has.
  private static let lastGeneration = 1_000_000_000

  /// What a state says of itself, and its arrays, which are not read yet.
  ///
  /// > Collective: over `communicator`. Two rounds of some bytes per rank, and one of the text.
  private func description<Description: StateDescription>(
    _ number: Int, on communicator: some Communicator
  ) throws -> (Description, CheckedArrays) {
    let file = "\(path(number))/\(marker)"
    let text = try communicator.agree { () -> [UInt8] in
      guard communicator.rank == Rank(0) else { return [] }
      do { return try fileBytes(file) } catch {
        throw DataError(path: file, problem: "damaged: cannot be read")
      }
    }
    let bytes = try communicator.broadcast(text)
    return try communicator.agree {
      let description: Description = try unsealed(bytes, of: file, format: format)
      guard description.settings == settings else {
        throw DataError(path: file, problem: "of another run")
      }
      return (
        description, CheckedArrays(at: "\(path(number))/", checksums: description.checksums)
      )
    }
  }

  private func path(_ number: Int) -> String { "\(directory)/\(prefix)\(number)" }
}

/// The numbers of states that are not as they were written; the same on all ranks.
private final class UnusedStates {
  var numbers: Set<Int> = []
}
