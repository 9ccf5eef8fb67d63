import Foundation
import Testing

/// What a run of the program left behind.
struct Traces: Sendable {
  let exitCode: Int?
  let output: String
  let errors: String
  /// By their names in the directory in which it ran.
  let files: [String: [UInt8]]

  /// The complaint names one of these options, as a word of its own.
  func refuses(_ names: [String]) -> Bool {
    guard exitCode == 64 || exitCode == 1 else { return false }
    let complaint = errors.split(separator: "\n").first { $0.lowercased().hasPrefix("error: ") }
    let words = (complaint ?? "").split { !($0.isLetter || $0.isNumber || $0 == "-") }
    return names.contains { words.contains(Substring($0)) }
  }
}

/// What of the traces an option is seen by: with it they differ from those without.
struct Trace: Sendable {
  let of: @Sendable (Traces) -> String

  static let success = Trace { "\($0.exitCode == 0)" }
  static let output = Trace(of: \.output)
  /// Nothing but how many points a label leaves out, which is no progress.
  static let silence = Trace { traces in
    let lines = traces.errors.split(separator: "\n")
    return "\(traces.exitCode == 0 && lines.allSatisfy { $0.contains("have the label '1'") })"
  }

  /// There is such a file, other than one that was there before.
  static func file(_ name: String) -> Trace {
    Trace { "\($0.files[name].map { $0 != OptionUse.oldContents } ?? false)" }
  }

  static func content(_ name: String) -> Trace {
    Trace { Data($0.files[name] ?? []).base64EncodedString() }
  }

  /// The lines of standard output or standard error in which a text stands.
  static func line(_ text: String) -> Trace {
    Trace {
      ($0.output + $0.errors).split(separator: "\n").filter { $0.contains(text) }
        .joined(separator: "\n")
    }
  }

  /// How often a text stands in a file.
  static func count(of text: String, in name: String) -> Trace {
    Trace {
      let content = String(decoding: $0.files[name] ?? [], as: UTF8.self)
      return "\(content.components(separatedBy: text).count - 1)"
    }
  }

  /// The names of files in a directory.
  static func names(in directory: String) -> Trace {
    Trace { $0.files.keys.filter { $0.hasPrefix("\(directory)/") }.sorted().joined(separator: " ") }
  }

  /// The levels that `highland cluster` prints without seconds and bytes, and why it stopped.
  static let levels = Trace { traces in
    traces.output.split(separator: "\n").compactMap { line -> String? in
      if line.contains(" points in ") { return String(line) }
      let words = line.split(separator: " ")
      guard words.count > 6, Int(words[0]) != nil, Int(words[5]) != nil else { return nil }
      return words.prefix(6).joined(separator: " ")
    }.joined(separator: "\n")
  }

  /// The numbers of the model that was written, without its account of itself.
  static let parameters = Trace { traces in
    guard let file = traces.model, file.count >= 8 else { return "" }
    let headerLength = file.prefix(8).enumerated().reduce(0) {
      $0 + Int($1.element) << (8 * $1.offset)
    }
    return Data(file.dropFirst(8 + headerLength)).base64EncodedString()
  }

  /// Something that the model says of itself.
  static func metadata(_ name: String) -> Trace {
    Trace { traces in
      guard let file = traces.model, file.count >= 8 else { return "" }
      let length = file.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
      let header = try? JSONSerialization.jsonObject(with: Data(file.dropFirst(8).prefix(length)))
      let metadata = (header as? [String: Any])?["__metadata__"] as? [String: String]
      return metadata?[name] ?? ""
    }
  }

  /// Losses and validations of a log of training.
  static func curves(in file: String) -> Trace {
    Trace { traces in
      String(decoding: traces.files[file] ?? [], as: UTF8.self).split(separator: "\n").compactMap {
        let line = try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        guard let line, ["epoch", "validation"].contains(line["event"] as? String),
          let kept = withoutCosts(line),
          let data = try? JSONSerialization.data(withJSONObject: kept, options: .sortedKeys)
        else { return nil }
        return String(decoding: data, as: UTF8.self)
      }.joined(separator: "\n")
    }
  }

  /// A value in a file of JSON by the names that lead to it, without what is measured in seconds or bytes.
  static func json(_ file: String, _ names: String...) -> Trace { json(file, names) }

  static func json(_ file: String, _ names: [String]) -> Trace {
    Trace { traces in
      var value = try? JSONSerialization.jsonObject(
        with: Data(traces.files[file] ?? []), options: .fragmentsAllowed)
      for name in names { value = (value as? [String: Any])?[name] }
      guard let value = withoutCosts(value),
        let data = try? JSONSerialization.data(
          withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
      else { return "" }
      return String(decoding: data, as: UTF8.self)
    }
  }
}

private func withoutCosts(_ value: Any?) -> Any? {
  switch value {
  case let object as [String: Any]:
    object.filter { !$0.key.lowercased().contains("seconds") }.compactMapValues(withoutCosts)
  case let list as [Any]: list.compactMap(withoutCosts)
  default: value
  }
}

extension Traces {
  fileprivate var model: [UInt8]? {
    files.first {
      $0.key.hasSuffix(".safetensors") && !$0.key.contains("/") && $0.value != OptionUse.oldContents
    }?.value
  }
}

/// A use of an option, or of some that go together, and what it is seen by.
struct OptionUse: Sendable {
  /// As they stand on the command line; `{name}` is an input.
  let words: [String]
  /// What stands there in runs without it, where an option must be given.
  let replaced: [String]
  /// What it needs beside it, with and without it.
  let companions: [String]
  /// Which input it needs: `bin` has raw features, `invalid` rows without direction.
  let variant: String?
  /// Outputs that are there before.
  let existing: [String]
  /// Nil: it is refused.
  let trace: Trace?

  static let oldContents = Array("old".utf8)

  init(
    _ words: String, _ trace: Trace?, replacing replaced: String = "",
    with companions: String = "", variant: String? = nil, existing: [String] = []
  ) {
    self.words = words.split(separator: " ").map(String.init)
    self.replaced = replaced.split(separator: " ").map(String.init)
    self.companions = companions.split(separator: " ").map(String.init)
    self.variant = variant
    self.existing = existing
    self.trace = trace
  }

  static func refused(_ words: String...) -> [OptionUse] { words.map { OptionUse($0, nil) } }

  var names: [String] { optionNames(of: words) }
  var text: String { words.joined(separator: " ") }
}

private func optionNames(of words: [String]) -> [String] {
  words.filter { $0.hasPrefix("-") && Double($0) == nil }
}

/// Options with their values.
private func groups(of words: [String]) -> [[String]] {
  words.reduce(into: []) { groups, word in
    if word.hasPrefix("-"), Double(word) == nil {
      groups.append([word])
    } else {
      groups[groups.count - 1].append(word)
    }
  }
}

/// A command with an input, and a use of each of its options.
struct OptionTable: Sendable {
  let title: String
  /// The command, its operands, and options that are in all runs.
  let base: [String]
  /// Options with the values that they have in runs that do not look at them.
  let defaults: [[String]]
  let uses: [OptionUse]
  /// Pairs of which one rules the other out.
  let refused: [Set<String>]
  /// Pairs of which the first says what holds anyway beside the second.
  let alike: [Set<String>]
  /// Pairs that are seen to act together only beside further options.
  let helped: [Set<String>: [[String]]]
  /// Options, perhaps with companions, that say what holds without them.
  let asByDefault: [String]

  init(
    _ title: String, _ base: String, defaults: String = "", _ uses: [OptionUse],
    refused: [[String]] = [], alike: [[String]] = [], helped: [Set<String>: String] = [:],
    asByDefault: [String] = []
  ) {
    self.title = title
    self.base = base.split(separator: " ").map(String.init)
    self.defaults = groups(of: defaults.split(separator: " ").map(String.init))
    self.uses = uses
    self.refused = refused.map { Set($0) }
    self.alike = alike.map { Set($0) }
    self.helped = helped.mapValues { groups(of: $0.split(separator: " ").map(String.init)) }
    self.asByDefault = asByDefault
  }

  /// The names of the command: the words before operands and options.
  var command: [String] { base.prefix { !$0.hasPrefix("{") && !$0.hasPrefix("-") } }

  var names: Set<String> {
    Set(
      uses.flatMap(\.names) + asByDefault.flatMap { OptionUse($0, nil).names }
        + optionNames(of: base))
  }
}

/// One run: words of the command line, what is there before, which inputs.
struct PlannedRun: Hashable, Sendable {
  let words: [String]
  let existing: Set<String>
  let variants: Set<String>
}

extension OptionTable {
  /// The run with some uses, in the surroundings that all of `present` need.
  func run(with given: [OptionUse], among present: [OptionUse]) -> PlannedRun {
    var words: [String] = []
    var names = Set(present.flatMap(\.names))
    for use in given { words += use.words }
    for use in present where !given.contains(where: { $0.words == use.words }) {
      words += use.replaced
      words += defaults.filter { use.words.contains($0[0]) }.joined()
    }
    // Companions of both, once, and never beside an option that is itself looked at.
    let help = helped.filter { $0.key.isSubset(of: present.flatMap(\.names)) }.flatMap(\.value)
    for group in help + present.flatMap({ groups(of: $0.companions) }) + defaults
    where names.insert(group[0]).inserted {
      words += group
    }
    return PlannedRun(
      words: base + words, existing: Set(present.flatMap(\.existing)),
      variants: Set(present.compactMap(\.variant)))
  }

  /// Pairs that can stand on one command line.
  var pairs: [(OptionUse, OptionUse)] {
    let acting = uses.filter { $0.trace != nil }
    return acting.indices.flatMap { first in
      acting[(first + 1)...].compactMap { second in
        let names = acting[first].names
        return names.contains(where: second.names.contains) ? nil : (acting[first], second)
      }
    }
  }

  /// The uses alone, then the pairs, some at a time.
  var parts: [OptionTablePart] {
    let pairs = pairs
    return [OptionTablePart(table: self, number: 0, pairs: [])]
      + stride(from: 0, to: pairs.count, by: OptionTablePart.size).enumerated().map {
        OptionTablePart(
          table: self, number: $0 + 1, pairs: Array(pairs[$1...].prefix(OptionTablePart.size)))
      }
  }
}

/// As many pairs as one test takes.
struct OptionTablePart: Sendable, CustomTestStringConvertible {
  static let size = 25

  let table: OptionTable
  /// 0 for the uses alone.
  let number: Int
  let pairs: [(OptionUse, OptionUse)]

  var testDescription: String {
    "\(table.title), \(number == 0 ? "alone" : "pairs from \(Self.size * (number - 1))")"
  }

  var runs: Set<PlannedRun> {
    guard number > 0 else {
      let asByDefault = table.asByDefault.map { OptionUse($0, nil) }
      return Set(
        (table.uses + asByDefault).flatMap {
          [table.run(with: [$0], among: [$0]), table.run(with: [], among: [$0])]
        })
    }
    return Set(
      pairs.flatMap { a, b in
        [[a, b], [a], [b]].map { table.run(with: $0, among: [a, b]) }
      })
  }

  /// What is wrong: options that do nothing, beside which others, and refusals that nobody expects.
  func faults(in traces: [PlannedRun: Traces]) -> [String] {
    func found(_ given: [OptionUse], _ present: [OptionUse]) -> Traces {
      traces[table.run(with: given, among: present)]!
    }
    return number > 0
      ? pairs.compactMap { a, b in
        fault(of: a, b, found([a, b], [a, b]), [found([b], [a, b]), found([a], [a, b])])
      }
      : table.uses.compactMap { fault(of: $0, found([$0], [$0]), found([], [$0])) }
        + table.asByDefault.map { OptionUse($0, nil) }.compactMap {
          let traces = found([$0], [$0])
          return traces.exitCode == 0 ? nil : described("\($0.text) fails", traces)
        }
  }

  private func fault(of use: OptionUse, _ with: Traces, _ without: Traces) -> String? {
    guard let trace = use.trace else {
      return with.refuses(use.names) ? nil : described("\(use.text) is not refused", with)
    }
    guard with.exitCode == 0 else { return described("\(use.text) fails", with) }
    return trace.of(with) != trace.of(without) ? nil : "\(use.text) does nothing"
  }

  private func fault(
    of a: OptionUse, _ b: OptionUse, _ both: Traces, _ without: [Traces]
  ) -> String? {
    let names = a.names + b.names
    if table.refused.contains(where: { $0.isSubset(of: names) }) {
      return both.refuses(names)
        ? nil : described("\(a.text) and \(b.text) are not refused", both)
    }
    guard both.exitCode == 0 else { return described("\(a.text) and \(b.text) fail", both) }
    if table.alike.contains(where: { $0.isSubset(of: names) }) { return nil }
    let idle = zip([a, b], without).filter { use, without in
      use.trace!.of(both) == use.trace!.of(without)
    }
    return idle.isEmpty
      ? nil
      : "\(idle.map(\.0.text).joined(separator: " and ")) of \(a.text) and \(b.text): does nothing"
  }

  private func described(_ fault: String, _ traces: Traces) -> String {
    let lines = traces.errors.split(separator: "\n")
    let complaint = lines.first { $0.lowercased().hasPrefix("error: ") }
    return "\(fault): exit code \(traces.exitCode.map(String.init) ?? "none"). "
      + (complaint.map(String.init) ?? lines.suffix(3).joined(separator: " "))
  }
}
