internal import Communication
internal import Datasets
internal import DefaultModel
internal import Foundation
internal import GraphCollections
internal import HierarchicalClustering

/// What was changed was taken for whole: a fault of the reader, and no refusal.
public struct DamageTaken: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A reader of files, which throws for what it does not take: it never traps, hangs, or asks for much more memory
/// than the file has bytes.
public struct FuzzedReader: Sendable {
  public let name: String
  /// What it takes.
  public let seeds: [[UInt8]]
  private let body: @Sendable (_ input: [UInt8], _ directory: String) throws -> Void

  /// Reads a file of these bytes, written into a directory that is there.
  ///
  /// - Throws: ``DamageTaken`` if that shows a fault; any other error is a refusal.
  public func read(_ input: [UInt8], in directory: String) throws { try body(input, directory) }

  /// A reader of one file.
  private init(
    _ name: String, file: String, seeds: [[UInt8]],
    _ read: @escaping @Sendable (_ path: String) throws -> Void
  ) {
    self.name = name
    self.seeds = seeds
    body = { input, directory in
      let path = "\(directory)/\(file)"
      try write(input, to: path)
      try read(path)
    }
  }

  /// A reader of a directory, one of whose files is changed: the first byte of the input says which.
  ///
  /// - Parameter files: By name.
  init(
    _ name: String, files: [(name: String, bytes: [UInt8])],
    _ read: @escaping @Sendable (_ directory: String) throws -> Void
  ) {
    self.name = name
    seeds = files.indices.map { [UInt8($0)] + files[$0].bytes }
    body = { input, directory in
      let changed = input.first.map { Int($0) % files.count }
      for (index, file) in files.enumerated() {
        try write(
          index == changed ? Array(input.dropFirst()) : file.bytes, to: "\(directory)/\(file.name)")
      }
      try read(directory)
    }
  }
}

private func write(_ bytes: [UInt8], to path: String) throws {
  let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
  try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

// The readers.

extension FuzzedReader {
  /// - Throws: If a file of their own cannot be made.
  public static func all() throws -> [FuzzedReader] {
    try features + labels + texts + [
      model, collection, keptLists(), keptSearch(), keptLevels(), savedRun(), trainingState(),
    ]
  }

  private static let features = [
    features(
      "x.npy",
      [
        npy("<f4", "(2, 3)", floats(6)),
        npy("<f8", "(3, 2)", (0..<6).flatMap { _ in [0, 0, 0, 0, 0, 0, 240, 63] }),
        npy("|i1", "(2, 2)", [1, 2, 3, 4]), npy("<f2", "(1, 2)", [0, 60, 0, 60]),
      ]),
    features("x.fvecs", [words([3]) + floats(3) + words([3]) + floats(3)]),
    features("x.fbin", [words([2, 3]) + floats(6)]),
    features("x.u8bin", [words([2, 4]) + [1, 2, 3, 4, 5, 6, 7, 8]]),
    features("x.i8bin", [words([1, 3]) + [255, 2, 127]]),
    features("x.bvecs", [words([3]) + [1, 2, 3] + words([3]) + [4, 5, 6]]),
    features("x.ivecs", [words([2, 1, -2]) + words([2, 3, 4])]),
    features("x.npz", [archive("x.npy", npy("<f4", "(2, 3)", floats(6)))]),
    features("x.bin", [floats(8)], dimensions: 4),
    features(
      "x.safetensors",
      [
        tensors(#"{"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#, floats(6)),
        tensors(#"{"x":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}"#, [0, 63, 0, 63]),
      ]),
  ]

  private static func features(
    _ file: String, _ seeds: [[UInt8]], dimensions: Int? = nil
  ) -> FuzzedReader {
    FuzzedReader("features in \(file)", file: file, seeds: seeds) { path in
      let features = try FeatureFile(path: path, dimensions: dimensions)
      let rows = 0..<min(features.rowCount, 64)
      _ = try features.rows(rows)
      _ = try features.directions(rows)
      _ = try features.storedRows(rows)
    }
  }

  private static let labels = [
    FuzzedReader(
      "labels in .npy", file: "l.npy",
      seeds: [
        npy("<i8", "(3,)", Array(repeating: 0, count: 24)), npy("|u1", "(3, 1)", [0, 1, 1]),
      ], readLabels),
    FuzzedReader(
      "labels in .txt", file: "l.txt",
      seeds: [bytes("0\n1\n1\n-1\n"), bytes("+4\r\n4\r\n"), bytes("Ada\nGrace\nAda\n7\n")],
      readLabels),
  ]

  @Sendable private static func readLabels(_ path: String) throws {
    let labels = try LabelFile(path: path)
    _ = try labels.labels(0..<labels.count)
  }

  private static let texts = [
    FuzzedReader(
      "segments", file: "segments",
      seeds: [bytes("a-1 a 0 1.5\na-2 a 1.5 3\nb-1 b 0 2\n"), bytes("a 0 1\nb 1 2\n")]
    ) { _ = try RecordingWindows(GroupFile(path: $0)) },
    FuzzedReader(
      "groups", file: "groups.txt", seeds: [bytes("one\none\ntwo\n"), bytes("1\n2\n2\n")]
    ) {
      let groups = try GroupFile(path: $0)
      _ = try groups.firstRows(0..<groups.count)
    },
    FuzzedReader(
      "turns", file: "x.rttm",
      seeds: [bytes("SPEAKER a 1 0.00 1.50 <NA> <NA> s1 <NA> <NA>\n;; note\n")]
    ) { _ = try TurnFile.turns(path: $0) },
    FuzzedReader("scored times", file: "x.uem", seeds: [bytes("a 1 0.0 10.0\nb NA 5 6\n")]) {
      _ = try TurnFile.scoredTimes(path: $0)
    },
    FuzzedReader(
      "edges", file: "edges.txt",
      seeds: [bytes("# edges\na b\nb c\n"), bytes("0,1,0.5\n2,1,1e-3\n")]
    ) { path in
      let edges = try EdgeList(path: path)
      _ = try edges.ends(0..<edges.lineCount, above: edges.hasWeights ? 0.1 : nil)
    },
    FuzzedReader(
      "edges between numbers", file: "edges.txt", seeds: [bytes("0 1\n1 2\n"), bytes("0,1\n2,1\n")]
    ) { path in
      let edges = try EdgeList(path: path)
      _ = try edges.ends(0..<edges.lineCount, above: nil, pointCount: 3)
    },
    FuzzedReader("names", file: "names.txt", seeds: [bytes("Ada\nGrace\n\n")]) {
      let names = try NameFile(path: $0)
      _ = try names.names(of: 0..<min(names.count, 100))
    },
    FuzzedReader(
      "images in .npy", file: "i.npy",
      seeds: [
        npy("|u1", "(2, 2, 3)", Array(0..<12)), npy("|u1", "(2, 1, 2, 3)", Array(0..<12)),
      ]
    ) { _ = try ImageList(path: $0, pointCount: 2).images(of: 0..<2) },
  ]

  private static let model = FuzzedReader(
    "model", file: "m.safetensors", seeds: [DefaultModel.contents]
  ) { _ = try TrainedModel(path: $0, dimensions: 8) }

  private static let collection = FuzzedReader(
    "collection of graphs",
    files: [
      ("T_A.txt", bytes("1, 2\n2, 1\n3, 4\n4, 3\n")),
      ("T_graph_indicator.txt", bytes("1\n1\n2\n2\n")),
      ("T_graph_labels.txt", bytes("1\n-1\n")), ("T_node_labels.txt", bytes("0\n1\n0\n2\n")),
      ("T_node_attributes.txt", bytes("0.5, 1\n1, 2\n0, 0\n1e3, -1\n")),
    ].map { (name: $0.0, bytes: $0.1) }
  ) { _ = try GraphCollection(directory: $0) }
}

// Bytes.

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func words(_ numbers: [Int32]) -> [UInt8] {
  numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
}

private func floats(_ count: Int) -> [UInt8] {
  words((0..<count).map { Int32(bitPattern: (Float($0) - 2.5).bitPattern) })
}

private func npy(_ type: String, _ shape: String, _ elements: [UInt8]) -> [UInt8] {
  var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
  header += String(repeating: " ", count: 63 - (header.utf8.count + 10) % 64) + "\n"
  return [0x93] + bytes("NUMPY") + [1, 0, UInt8(header.utf8.count), 0] + bytes(header) + elements
}

/// A zip archive of one stored file.
private func archive(_ name: String, _ contents: [UInt8]) -> [UInt8] {
  let (size, length) = (Int32(contents.count), UInt8(name.utf8.count))
  let zeros = { Array(repeating: UInt8(0), count: $0) }
  let header =
    bytes("PK\u{3}\u{4}") + zeros(14) + words([size, size]) + [length, 0, 0, 0] + bytes(name)
  let directory =
    bytes("PK\u{1}\u{2}") + zeros(16) + words([size, size]) + [length, 0] + zeros(12) + words([0])
    + bytes(name)
  return header + contents + directory + bytes("PK\u{5}\u{6}") + zeros(4) + [1, 0, 1, 0]
    + words([Int32(directory.count), Int32(header.count + contents.count)]) + [0, 0]
}

private func tensors(_ header: String, _ elements: [UInt8]) -> [UInt8] {
  words([Int32(header.utf8.count), 0]) + bytes(header) + elements
}
