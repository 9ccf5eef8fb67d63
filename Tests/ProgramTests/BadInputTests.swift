import Datasets
import Foundation
import LinearAlgebra
import RandomInputs
import Testing

/// Arguments that cannot work, and what the one line on stderr says after `error: `.
struct BadInput: CustomTestStringConvertible, Sendable {
  var testDescription: String
  /// Writes what the case needs; returns the arguments and the message.
  var make: @Sendable (Scratch) throws -> (arguments: [String], message: String)

  init(
    _ name: String,
    _ make: @escaping @Sendable (Scratch) throws -> (arguments: [String], message: String)
  ) {
    testDescription = name
    self.make = make
  }

  /// A features file that `cluster` cannot take.
  static func features(
    _ name: String, _ make: @escaping @Sendable (Scratch) throws -> (path: String, problem: String)
  ) -> BadInput {
    BadInput(name) { scratch in
      let (path, problem) = try make(scratch)
      return (cluster(scratch, features: path), "\(path): \(problem)")
    }
  }

  /// Arguments of `cluster` beside good features.
  static func cluster(
    _ scratch: Scratch, _ more: [String] = [], features: String = Fixture.features,
    model: String = Fixture.model, output: String? = nil
  ) -> [String] {
    ["cluster", features, "--model", model, "--output", output ?? scratch("out.npy")]
      + Fixture.options + more
  }
}

private func header(_ shape: String) -> String {
  "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
}

private let badFeatures: [BadInput] = [
  .features("a missing file") {
    ($0("none.npy"), "cannot open: No such file or directory")
  },
  .features("a directory") {
    ($0.path + "/", "is a directory; expected a file, or files of features in it")
  },
  .features("a missing file without an extension") {
    ($0("none"), "cannot open: No such file or directory")
  },
  .features("a truncated file") {
    let whole = try $0.write(Fixture.rows(0..<40), as: "whole.npy")
    let path = try $0.write(bytes(of: whole).dropLast(100), as: "short.npy")
    return (
      path,
      "too short: 2588 bytes; a header of 128 bytes and float32 of shape (40, 16) make 2688"
    )
  },
  .features("a truncated header") {
    let whole = try $0.write(Fixture.rows(0..<40), as: "whole.npy")
    let path = try $0.write(Array(bytes(of: whole)[..<50]), as: "short.npy")
    return (path, "ends inside the .npy header: 50 bytes; the header alone has 128")
  },
  .features("an empty file") {
    (try $0.write("", as: "empty.npy"), "does not begin as a .npy file does; it is empty")
  },
  .features("a wrong magic") {
    let whole = try $0.write(Fixture.rows(0..<40), as: "whole.npy")
    let path = try $0.write([0x94] + bytes(of: whole).dropFirst(), as: "magic.npy")
    return (path, "does not begin as a .npy file does")
  },
  .features("a header that promises more rows") {
    let whole = try $0.write(Fixture.rows(0..<40), as: "whole.npy")
    return (
      try $0.write(header: header("(41, 16)"), like: whole, as: "lie.npy"),
      "too short: 2688 bytes; a header of 128 bytes and float32 of shape (41, 16) make 2752"
    )
  },
  .features("a header that promises fewer rows") {
    let whole = try $0.write(Fixture.rows(0..<40), as: "whole.npy")
    return (
      try $0.write(header: header("(39, 16)"), like: whole, as: "lie.npy"),
      "too long: 2688 bytes; a header of 128 bytes and float32 of shape (39, 16) make 2624"
    )
  },
  .features("a header that promises too much") {
    let whole = try $0.write(Fixture.rows(0..<40), as: "whole.npy")
    return (
      try $0.write(header: header("(4611686018427387904, 16)"), like: whole, as: "lie.npy"),
      "the shape (4611686018427387904, 16) is too large"
    )
  },
  .features("one dimension") {
    (
      try $0.write([Int64](repeating: 1, count: 32), shape: [32], as: "integers.npy"),
      "int64 of shape (32,); expected numbers of two dimensions"
    )
  },
  .features("rows of no columns") {
    (
      try $0.write([Float](), shape: [5, 0], as: "flat.npy"),
      "rows of 0 columns; expected at least 1"
    )
  },
  .features("NaN, infinite and zero rows") {
    var rows = try Fixture.rows(0..<40)
    rows[5, 3] = .nan
    rows[17, 15] = .infinity
    for column in 0..<16 { rows[39, column] = 0 }
    return (
      try $0.write(rows, as: "invalid.npy"),
      "3 of 40 rows have no direction (all zeros, or NaN or infinite values): row 5, 17, 39; "
        + "--invalid-rows singleton keeps each as a cluster of its own"
    )
  },
  .features("a NaN in the last row") {
    var rows = try Fixture.rows(0..<40)
    rows[39, 0] = .nan
    return (
      try $0.write(rows, as: "invalid.npy"),
      "1 of 40 rows have no direction (all zeros, or NaN or infinite values): row 39; "
        + "--invalid-rows singleton keeps each as a cluster of its own"
    )
  },
  .features("more invalid rows than one wants to read") {
    (
      try $0.write(Matrix(rows: 40, columns: 16), as: "zeros.npy"),
      "40 of 40 rows have no direction (all zeros, or NaN or infinite values): "
        + "row 0, 1, 2, 3, 4, …; --invalid-rows singleton keeps each as a cluster of its own"
    )
  },
  .features("a record of another length in the last rows") {
    var records: [UInt8] = []
    for row in 0..<40 {
      let length = row == 38 ? 15 : 16
      records += [UInt8(length), 0, 0, 0] + Array(repeating: 0, count: 64)
    }
    return (
      try $0.write(records, as: "odd.fvecs"), "record 38 has 15 columns; expected 16 as in record 0"
    )
  },
]

private let badModels: [BadInput] = [
  BadInput("a missing model") {
    (
      BadInput.cluster($0, model: $0("none.safetensors")),
      "\($0("none.safetensors")): cannot open: No such file or directory"
    )
  },
  BadInput("a model without a tensor") {
    let file = try TensorFile(path: Fixture.model)
    let tensors = try file.names.filter { $0 != "src_mlp.bias" }.map { try file.tensor($0) }
    let path = $0("model.safetensors")
    try TensorFile.write(tensors, metadata: file.metadata, to: path, overwrite: false)
    return (BadInput.cluster($0, model: path), "\(path): no tensor 'src_mlp.bias'; there are ")
  },
  BadInput("a model that is none") {
    let path = try $0.write("not a model, but a text", as: "model.safetensors")
    return (BadInput.cluster($0, model: path), "\(path): is a text; expected a .safetensors file")
  },
  BadInput("features of other dimensions than the model's") {
    let path = try $0.write(randomMatrix(40, 12, seed: 1), as: "narrow.npy")
    return (
      BadInput.cluster($0, features: path),
      "\(Fixture.model): takes 32 dimensions, or 16 and their averages, but the features "
    )
  },
]

private let badOutputs: [BadInput] = [
  BadInput("an output in a missing directory") {
    (
      BadInput.cluster($0, output: $0("none/out.npy")),
      "\($0("none/out.npy")): there is no directory '\($0("none"))'"
    )
  },
  BadInput("an output that is a directory") {
    try FileManager.default.createDirectory(
      atPath: $0("out.npy"), withIntermediateDirectories: false)
    return (
      BadInput.cluster($0), "\($0("out.npy")): is a directory; expected a name for a file"
    )
  },
  BadInput("an output that is a device") {
    (
      BadInput.cluster($0, output: "/dev/null"),
      "/dev/null: is not an ordinary file, and is not replaced"
    )
  },
  BadInput("a hierarchy in a missing directory") {
    (
      BadInput.cluster($0, ["--hierarchy", $0("none/levels")]),
      "\($0("none/levels")): there is no directory '\($0("none"))'"
    )
  },
  BadInput("a directory to generate that has files") {
    try FileManager.default.createDirectory(atPath: $0("kept"), withIntermediateDirectories: false)
    try $0.write("precious", as: "kept/file")
    return (
      ["generate", "--points", "10", "-o", $0("kept")],
      "\($0("kept")): is not empty, and is not replaced unless that is asked for (--overwrite)"
    )
  },
  BadInput("an output that exists") {
    try $0.write("precious", as: "out.npy")
    return (
      BadInput.cluster($0),
      "\($0("out.npy")): exists already, and is not overwritten unless that is asked for (--overwrite)"
    )
  },
  BadInput("a report that exists") {
    try $0.write("precious", as: "report.json")
    return (
      BadInput.cluster($0, ["--report", $0("report.json")]),
      "\($0("report.json")): exists already, and is not overwritten unless that is asked for (--overwrite)"
    )
  },
  BadInput("one name for two outputs") {
    (
      BadInput.cluster($0, ["--report", $0("out.npy")]),
      "\($0("out.npy")): named for two outputs"
    )
  },
  BadInput("one file by two names for two outputs") {
    (
      BadInput.cluster($0, ["--report", "\($0.path)/./none/..//out.npy"]),
      "\($0.path)/./none/..//out.npy: named for two outputs"
    )
  },
  BadInput("one file for two outputs, relative and absolute") {
    let directory = FileManager.default.currentDirectoryPath
    return (
      BadInput.cluster($0, ["--report", "\(directory)/none.npy"], output: "./none.npy"),
      "\(directory)/none.npy: named for two outputs"
    )
  },
  BadInput("an output that is the hierarchy") {
    (
      BadInput.cluster($0, ["--hierarchy", $0("./out.npy") + "/"]),
      "\($0("out.npy")): named for two outputs"
    )
  },
  BadInput("an output in the hierarchy") {
    (
      BadInput.cluster(
        $0, ["--hierarchy", $0("levels"), "--overwrite"], output: $0("levels/out.npy")),
      "\($0("levels/out.npy")): lies in the directory '\($0("levels"))', which is another output"
    )
  },
  BadInput("a report in the hierarchy") {
    (
      BadInput.cluster($0, ["--hierarchy", $0("levels"), "--report", $0("x/../levels/a/r.json")]),
      "\($0("x/../levels/a/r.json")): lies in the directory '\($0("levels"))', "
        + "which is another output"
    )
  },
  BadInput("a hierarchy where there are files") {
    try FileManager.default.createDirectory(atPath: $0("kept"), withIntermediateDirectories: false)
    try $0.write("precious", as: "kept/file")
    return (
      BadInput.cluster($0, ["--hierarchy", $0("kept")]),
      "\($0("kept")): is not empty, and is not replaced unless that is asked for (--overwrite)"
    )
  },
  BadInput("a directory of somebody else's as the hierarchy, with --overwrite") {
    try FileManager.default.createDirectory(atPath: $0("kept"), withIntermediateDirectories: false)
    try $0.write("precious", as: "kept/file")
    return (
      BadInput.cluster($0, ["--hierarchy", $0("kept"), "--overwrite"]),
      "\($0("kept")): is not replaced: it holds files, but no hierarchy.json"
    )
  },
  BadInput("neighbours of rows without direction") {
    var rows = try Fixture.rows(0..<40)
    rows[39, 0] = .nan
    let path = try $0.write(rows, as: "invalid.npy")
    return (
      [
        "knn", path, "--neighbors", $0("knn.npy"), "--similarities", $0("sim.npy"),
        "--progress", "none",
      ],
      "\(path): 1 of 40 rows have no direction (all zeros, or NaN or infinite values): row 39; "
    )
  },
  BadInput("neighbours to a file that exists") {
    try $0.write("precious", as: "knn.npy")
    return (
      [
        "knn", Fixture.features, "--neighbors", $0("knn.npy"), "--similarities", $0("sim.npy"),
        "--progress", "none",
      ],
      "\($0("knn.npy")): exists already, and is not overwritten unless that is asked for (--overwrite)"
    )
  },
]

/// Files of four neighbours for each point of the fixture, and what is changed in them.
private func neighborFiles(
  _ name: String, shape: [Int] = [300, 4], similarityShape: [Int]? = nil,
  _ change: @escaping @Sendable (inout [Int64], inout [Float]) -> Void = { _, _ in },
  problem: String, isAboutSimilarities: Bool = false
) -> BadInput {
  BadInput(name) { scratch in
    var neighbors = (0..<shape.reduce(1, *)).map { Int64($0 * 7919 % 300) }
    var similarities = (0..<(similarityShape ?? shape).reduce(1, *)).map { _ in Float(0.5) }
    change(&neighbors, &similarities)
    let paths = (
      try scratch.write(neighbors, shape: shape, as: "knn.npy"),
      try scratch.write(similarities, shape: similarityShape ?? shape, as: "sim.npy")
    )
    return (
      BadInput.cluster(scratch, ["--neighbors", paths.0, "--similarities", paths.1]),
      "\(isAboutSimilarities ? paths.1 : paths.0): "
        + problem.replacing("KNN", with: paths.0)
    )
  }
}

private let badNeighbors: [BadInput] = [
  neighborFiles(
    "similarities of another shape", similarityShape: [300, 5],
    problem: "shape [300, 5]; expected [300, 4] as in KNN", isAboutSimilarities: true),
  neighborFiles(
    "neighbours of other points", shape: [299, 4],
    problem: "299 rows; expected 300, one per point"),
  neighborFiles(
    "lists of no length", shape: [300, 0], problem: "rows of 0 columns; expected at least 1"),
  neighborFiles(
    "an index past the end", { neighbors, _ in neighbors[4 * 299 + 2] = 300 },
    problem: "row 299, place 2: index 300; expected 0 ..< 300, or -1 for none"),
  neighborFiles(
    "an index below -1", { neighbors, _ in neighbors[4] = -2 },
    problem: "row 1, place 0: index -2; expected 0 ..< 300, or -1 for none"),
  neighborFiles(
    "a similarity that is no number", { _, similarities in similarities[4 * 250] = .nan },
    problem: "row 250, place 0: nan; expected a cosine similarity, -1 ... 1",
    isAboutSimilarities: true),
  BadInput("indices that are no integers") {
    let path = try $0.write([Float](repeating: 1, count: 1200), shape: [300, 4], as: "knn.npy")
    return (
      BadInput.cluster($0, ["--neighbors", path, "--similarities", path]),
      "\(path): elements of type float32; expected integers"
    )
  },
  BadInput("a truncated file of neighbours") {
    let whole = try $0.write([Int64](repeating: 1, count: 1200), shape: [300, 4], as: "whole.npy")
    let path = try $0.write(bytes(of: whole).dropLast(8), as: "knn.npy")
    return (
      BadInput.cluster($0, ["--neighbors", path, "--similarities", whole]),
      "\(path): too short: 9720 bytes; a header of 128 bytes and int64 of shape (300, 4) make 9728"
    )
  },
]

private let badOthers: [BadInput] = [
  BadInput("true labels of another length") {
    let path = try $0.write([Int64](0..<299), shape: [299], as: "truth.npy")
    return (
      BadInput.cluster($0, ["--truth", path]), "\(path): 299 labels; expected 300, one per point"
    )
  },
  BadInput("a true label that is none") {
    let path = try $0.write(
      (0..<300).map { $0 == 288 ? "" : "\($0)" }.joined(separator: "\n"), as: "truth.txt")
    return (
      BadInput.cluster($0, ["--truth", path]),
      "\(path): line 289: expected a label, an integer or a name, found ''"
    )
  },
  BadInput("labels of different lengths to evaluate") {
    let path = try $0.write([Int64](0..<299), shape: [299], as: "predicted.npy")
    return (
      ["evaluate", "--truth", Fixture.truth, "--predicted", path],
      "\(path): 299 labels; expected 300, as in \(Fixture.truth)"
    )
  },
  BadInput("edges of three ends") {
    let path = try $0.write([Int64](0..<15), shape: [5, 3], as: "edges.npy")
    return (
      ["components", path, "-o", $0("out.npy")], "\(path): shape [5, 3]; expected [edges, 2]"
    )
  },
  BadInput("an edge to a negative node") {
    let path = try $0.write([0, 1, 1, 2, 3, -4] as [Int64], shape: [3, 2], as: "edges.npy")
    return (
      ["components", path, "-o", $0("out.npy")], "\(path): edge 2: index -4; expected 0 or more"
    )
  },
  BadInput("an edge past the points") {
    let path = try $0.write([0, 1, 1, 2, 3, 4] as [Int64], shape: [3, 2], as: "edges.npy")
    return (
      ["components", path, "--points", "4", "-o", $0("out.npy")],
      "\(path): edge 2: index 4; expected 0 ..< 4"
    )
  },
  BadInput("an edge to a node beyond all memory") {
    let path = try $0.write([0, 1, 1, .max] as [Int64], shape: [2, 2], as: "edges.npy")
    return (
      ["components", path, "-o", $0("out.npy")],
      "\(path): edge 1: index 9223372036854775807; expected 0 ..< "
    )
  },
  BadInput("an unknown format to convert to") {
    (
      ["convert", Fixture.features, $0("out.xyz")],
      "\($0("out.xyz")): unknown extension '.xyz'; "
    )
  },
  BadInput("no such file to describe") {
    (["info", $0("none.npy")], "\($0("none.npy")): cannot open: No such file or directory")
  },
]

private let badInputs = badFeatures + badModels + badOutputs + badNeighbors + badOthers

extension Inputs {
  /// One line says what is wrong, the job ends, and nothing is left behind.
  @Suite struct BadInputs {
    @Test(arguments: badInputs)
    func areErrorsOfOneRank(input: BadInput) async throws {
      try await check(input, ranks: nil)
    }

    @Test(arguments: badInputs)
    func areErrorsOfOneRankAmongThree(input: BadInput) async throws {
      try await check(input, ranks: 3)
    }

    @Test(.enabled(if: geteuid() != 0, "the superuser may write everywhere"))
    func includeADirectoryThatMayNotBeWritten() async throws {
      let scratch = try Scratch()
      try FileManager.default.createDirectory(
        atPath: scratch("closed"), withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o555])
      let outcome = try await run(
        "highland", BadInput.cluster(scratch, output: scratch("closed/out.npy")), ranks: 2)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errorLines.first?.hasPrefix("error: \(scratch("closed/out.npy")): cannot create")
          == true, "\(outcome)")
      #expect(outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(outcome)")
    }

    private func check(_ input: BadInput, ranks: Int?) async throws {
      let scratch = try Scratch()
      let (arguments, message) = try input.make(scratch)
      let before = try scratch.names
      let outcome: Outcome
      if let ranks {
        outcome = try await run("highland", arguments, ranks: ranks)
      } else {
        outcome = try await run("highland", arguments)
      }
      #expect(outcome.exitCode == 1, "\(outcome)")
      let lines = outcome.errorLines
      #expect(lines.count == 1 && lines.first?.hasPrefix("error: \(message)") == true, "\(outcome)")
      #expect(outcome.output.isEmpty, "\(outcome)")
      #expect(try scratch.names == before, "\(outcome)")
      for name in before where name.hasSuffix("file") || name == "out.npy" || name == "report.json"
      {
        if let found = try? bytes(of: scratch(name)) { #expect(found == Array("precious".utf8)) }
      }
    }
  }
}
