import Foundation
import LinearAlgebra
import Synchronization

/// What the commands of ``OptionTable`` read; made once.
final class OptionInputs: Sendable {
  private let scratch: Scratch
  private let paths: [String: String]
  let known = Mutex<[PlannedRun: Traces]>([:])

  static let shared = Task { try await OptionInputs() }

  private init() async throws {
    let scratch = try Scratch()
    var paths = [
      "features": Fixture.features, "truth": Fixture.truth, "coordinates": Fixture.model,
      "other-coordinates": Fixture.model.replacingOccurrences(
        of: "sage_cf_k5_tau05", with: "gat2_cf_conv2"),
      "structure": URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/DefaultModel/default.safetensors")
        .path,
    ]
    func go(_ arguments: [String]) async throws {
      let outcome = try await run("highland", arguments)
      guard outcome.exitCode == 0 else { throw Failure(arguments, outcome) }
    }
    // Rows with and without direction, with a header and raw.
    let all = try Fixture.rows(0..<300)
    var invalid = all
    for column in 0..<16 { invalid[7, column] = 0 }
    for (name, rows) in [("features", all), ("features-invalid", invalid)] {
      paths[name] = try scratch.write(rows, as: "\(name).npy")
    }
    for (name, rows) in [("turned-features", all), ("turned-features-invalid", invalid)] {
      let order = Array((0..<300).reversed())
      paths[name] = try scratch.write(
        Matrix(rows: 300, columns: 16, elements: order.flatMap { rows.row($0) }),
        as: "\(name).npy")
    }
    for (from, to) in [
      ("features", "features-bin"), ("features-invalid", "features-bin-invalid"),
      ("turned-features", "turned-features-bin"),
    ] {
      paths[to] = scratch("\(to).bin")
      try await go(["convert", paths[from]!, paths[to]!])
    }
    // A part, and another with its truth.
    let truth = try labels(of: Fixture.truth)
    for (name, range) in [("few", 0..<120), ("others", 120..<260)] {
      paths[name] = try scratch.write(Fixture.rows(range), as: "\(name).npy")
      paths["\(name)-truth"] = try scratch.write(
        Array(truth[range]), shape: [range.count], as: "\(name)-truth.npy")
    }
    for (name, count) in [("groups", 300), ("few-groups", 120)] {
      paths[name] = try scratch.write(
        (0..<count).map { Int64($0 / 40) }, shape: [count], as: "\(name).npy")
    }
    // Windows of the features in recordings, and who speaks in some.
    paths["windows"] = try scratch.write(
      (0..<300).map { "r\($0 / 40)\t\(0.75 * Double($0 % 40))\t\(0.75 * Double($0 % 40) + 1.5)\n" }
        .joined(), as: "windows.tsv")
    paths["overlaps"] = try scratch.write("r0\t3\t6\nr1\t2\t4\n", as: "overlaps.tsv")
    for (name, turns) in [
      ("turns", [("A", 0, 11), ("B", 8, 13), ("A", 20, 8)]),
      ("found-turns", [("1", 0, 12), ("2", 12, 8), ("3", 21, 9)]),
      ("other-turns", [("C", 1, 9), ("D", 7, 20)]),
    ] {
      paths[name] = try scratch.write(
        turns.map { "SPEAKER r0 1 \($0.1) \($0.2) <NA> <NA> \($0.0) <NA> <NA>\n" }.joined(),
        as: "\(name).rttm")
    }
    paths["scored-times"] = try scratch.write("r0 1 2 15\n", as: "scored.uem")
    paths["few-bin"] = scratch("few-bin.bin")
    try await go(["convert", paths["few"]!, paths["few-bin"]!])
    paths["lines"] = try scratch.write(
      truth.map { "\($0)\n" }.joined(), as: "lines.txt")
    paths["answer"] = try scratch.write(truth.map { $0 / 2 }, shape: [300], as: "answer.npy")
    paths["names"] = try scratch.write(
      (0..<300).map { "name \($0)\n" }.joined(), as: "names.txt")
    paths["images"] = try scratch.write(
      (0..<300 * 6).map { UInt8($0 % 251) }, shape: [300, 2, 3], as: "images.npy")
    paths["map"] = try scratch.write(
      (0..<600).map { Float($0 % 47) }, shape: [300, 2], as: "map.npy")
    // The nearest neighbours, those that follow upon the nearest, and similarities that are not theirs.
    let (lists, similarities) = (scratch("all-lists.npy"), scratch("all-similarities.npy"))
    try await go([
      "knn", Fixture.features, "-k", "26", "--neighbors", lists, "--similarities", similarities,
    ])
    let all25 = try (integers(of: lists), floats(of: similarities))
    for (name, first) in [("", 0), ("next-", 3)] {
      let kept = (0..<300).flatMap { row in (first..<first + 22).map { 25 * row + $0 } }
      paths["\(name)lists"] = try scratch.write(
        kept.map { all25.0[$0] }, shape: [300, 22], as: "\(name)lists.npy")
      paths["\(name)similarities"] = try scratch.write(
        kept.map { all25.1[$0] }, shape: [300, 22], as: "\(name)similarities.npy")
      paths["\(name)lower"] = try scratch.write(
        kept.map { all25.1[$0] * Float(1 + $0 / 25 % 3) / 3 }, shape: [300, 22],
        as: "\(name)lower.npy")
    }
    paths["rates"] = try scratch.write(planRates(unitsPerSecond: 1e7), as: "rates.json")
    paths["edges"] = try scratch.write(
      (0..<250 as Range<Int64>).flatMap { [$0, $0 / 3] }, shape: [250, 2], as: "edges.npy")
    paths["edge-text"] = try scratch.write(
      (0..<250).map { "\($0)\t\($0 / 3)\t\(Double($0 % 10) / 10)\n" }.joined(), as: "edges.tsv")
    paths["levels"] = scratch("levels")
    try await go(["cluster", Fixture.features, "--hierarchy", paths["levels"]!])
    // Transforms, and how much rows count.
    paths["weights"] = try scratch.write(
      (0..<300).map { Float($0 % 4) / 3 }, shape: [300], as: "weights.npy")
    for (name, options) in [("transform", []), ("other-transform", ["--columns", "9"])] {
      paths[name] = scratch("\(name).safetensors")
      try await go(
        ["transform", "fit", Fixture.features, Fixture.truth, "--output", paths[name]!] + options)
    }
    paths["few-as-well"] = try scratch.write(Fixture.rows(0..<120), as: "few-as-well.npy")
    for (name, rows) in [
      ("saved", "few"), ("saved-as-well", "few-as-well"), ("other-saved", "others"),
    ] {
      paths[name] = scratch(name)
      try await go(["cluster", paths[rows]!, "-k", "8", "--save", paths[name]!])
    }
    for name in ["saved-by-groups", "also-saved-by-groups"] {
      paths[name] = scratch(name)
      try await go([
        "cluster", Fixture.features, "--groups", paths["groups"]!, "--save", paths[name]!,
      ])
    }
    // Whole graphs, and networks of both kinds.
    paths["graphs"] = scratch("motifs")
    try await go([
      "graphs", "generate", "--graphs", "16", "--smallest-motif", "4", "--largest-motif", "5",
      "--fewest-motifs", "2", "--most-motifs", "2", "--output", paths["graphs"]!,
    ])
    let folds = [0, 8].map { first in
      let others = (0..<16).filter { !(first..<first + 8).contains($0) }
      return #"{"test": \#(Array(first..<first + 8)), "model_selection": "#
        + #"[{"train": \#(Array(others.dropLast())), "validation": [\#(others.last!)]}]}"#
    }
    paths["splits"] = try scratch.write(
      "[\(folds.joined(separator: ", "))]", as: "splits.json")
    for (name, network) in [("flat", "gcn"), ("pooling", "diffpool")] {
      paths[name] = scratch("\(name).safetensors")
      try await go([
        "graphs", "train", paths["graphs"]!, "--network", network, "--hidden", "4", "--epochs", "1",
        "--output", paths[name]!,
      ])
    }
    self.scratch = scratch
    self.paths = paths
  }

  /// The path of `{name}` in the variant that a run needs; any other word as it is.
  func path(of word: String, _ variants: Set<String>) -> String {
    guard word.hasPrefix("{"), word.hasSuffix("}") else { return word }
    let name = String(word.dropFirst().dropLast())
    let variant = ([name] + variants.sorted()).joined(separator: "-")
    return paths[variant] ?? paths[name]!
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ arguments: [String], _ outcome: Outcome) {
      description = "highland \(arguments.joined(separator: " ")): \(outcome)"
    }
  }
}
