import Communication
import Datasets
import DistributedGraphs
import FoundationEssentials
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomNumbers
import Training

/// A directory that keeps the neighbour lists of runs, so that the same command, on any number of ranks, need not
/// search them again.
///
/// The lists of a run are two arrays, as of `highland knn`, and a text that says which run they are of and what
/// they must add up to. The text is written last. The names follow from the settings of the run, so that
/// different runs may share a directory.
struct NeighborCheckpoint: ListStore {
  private let directory: String
  /// What lists depend on, by name.
  private let settings: [String: String]
  private let reporter: ProgressReporter

  /// - Parameter settings: Replicated. All that lists depend on.
  ///
  /// > Collective: over `communicator`. A round of a byte per rank.
  init(
    _ directory: String, settings: [String: String], reporter: ProgressReporter,
    on communicator: some Communicator
  ) throws {
    self.directory = directory
    self.settings = settings
    self.reporter = reporter
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      do {
        try FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: true)
      } catch { throw DataError(path: directory, problem: "cannot create the directory") }
    }
  }

  /// Of a search among the rows of a file.
  ///
  /// > Collective: over `communicator`. As ``Fingerprint`` of the file, which is read once more.
  ///
  /// - Parameter mergesCopies: Whether lists are of different directions, not of rows.
  init(
    _ directory: String, of source: FeatureFile, _ options: SearchOptions, listLength: Int,
    invalid policy: InvalidRowPolicy, mergingCopies mergesCopies: Bool, reporter: ProgressReporter,
    on communicator: some Communicator
  ) throws {
    var settings = [
      "features": try Fingerprint(of: source, on: communicator).description,
      "places": "\(listLength)", "search": options.method.rawValue,
      "invalid rows": policy.rawValue, "copies": mergesCopies ? "merged" : "kept",
    ]
    if options.method != .exact { settings["recall"] = "\(options.recall)" }
    try self.init(directory, settings: settings, reporter: reporter, on: communicator)
  }

  /// The lists of an earlier run; nil where there are none, or none that are whole.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank, and of the text.
  func lists(
    length: Int, in nodes: NodePartition, on communicator: some Communicator
  ) throws -> (lists: NeighborLists, summary: SearchSummary)? {
    let name = path(".json")
    // Rank 0 looks, as all ranks must see the same.
    let text = try communicator.agree { () -> [UInt8] in
      guard communicator.rank == Rank(0), try exists(name) else { return [] }
      // A byte before the text tells an empty one from none.
      return [1] + ((try? Data(contentsOf: URL(filePath: name))).map { Array($0) } ?? [])
    }
    let bytes = Array(try communicator.broadcast(text).dropFirst())
    guard try communicator.any(!text.isEmpty) else { return nil }
    do {
      let kept = try communicator.agree { try Manifest(bytes, of: name) }.lists(
        of: self, length: length, in: nodes, on: communicator)
      reporter.note("checkpoint: the neighbours are those of \(name)")
      return kept
    } catch let failure as AgreedFailure {
      reporter.note("checkpoint: \(failure.reason); the neighbours are searched again")
      return nil
    }
  }

  /// If they cannot be written, as the disk is full, the run goes on without.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank; lists go from each rank to the files.
  func keep(
    _ lists: NeighborLists, _ summary: SearchSummary, in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    do {
      try write(lists, summary, in: nodes, on: communicator)
    } catch let failure as AgreedFailure {
      reporter.note("checkpoint: \(failure.reason); the neighbours are not kept")
    }
  }

  /// > Collective: over `communicator`.
  private func write(
    _ lists: NeighborLists, _ summary: SearchSummary, in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    let first = nodes.owned(by: communicator.rank).lowerBound
    let shape = [nodes.nodeCount, lists.listLength]
    try writeArray(
      lists.neighbors.map(\.index), shape: shape, firstRow: first, to: path(".neighbors.npy"),
      overwrite: true, on: communicator)
    try writeArray(
      lists.similarities, shape: shape, firstRow: first, to: path(".similarities.npy"),
      overwrite: true, on: communicator)
    let sum = try communicator.allReduce(lists.checksum(firstNode: first), &+)
    try writeText(
      try Manifest(
        settings: settings, nodeCount: nodes.nodeCount, listLength: lists.listLength,
        listChecksum: sum, summary: summary
      ).text,
      to: path(".json"), overwrite: true, on: communicator)
  }

  fileprivate func path(_ ending: String) -> String {
    let text = settings.sorted { $0.key < $1.key }.map { "\($0)=\($1);" }.joined()
    return "\(directory)/neighbors-\(digest(of: text.utf8))\(ending)"
  }

  /// What is known of the lists in two arrays.
  private struct Manifest: Codable {
    var format = Self.current
    var settings: [String: String]
    var nodeCount: Int
    var listLength: Int
    /// In hexadecimal digits: JSON has no integers of 64 bits.
    var listChecksum: String
    var summary: SearchSummary
    /// Of all the rest.
    var checksum = ""

    static let current = "highland neighbours 1"

    init(
      settings: [String: String], nodeCount: Int, listLength: Int, listChecksum: UInt64,
      summary: SearchSummary
    ) {
      self.settings = settings
      self.nodeCount = nodeCount
      self.listLength = listLength
      self.listChecksum = String(listChecksum, radix: 16)
      self.summary = summary
    }

    /// - Throws: ``DataError`` if it is none, or not as it was written.
    init(_ bytes: [UInt8], of path: String) throws {
      guard let manifest = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
        throw DataError(path: path, problem: "damaged: not the text of a checkpoint")
      }
      guard manifest.format == Self.current else {
        throw DataError(
          path: path,
          problem: "of another version, '\(manifest.format)'; expected '\(Self.current)'")
      }
      guard try manifest.ownChecksum == manifest.checksum else {
        throw DataError(path: path, problem: "damaged: it does not have its checksum")
      }
      self = manifest
    }

    var text: String {
      get throws {
        var manifest = self
        manifest.checksum = try ownChecksum
        return String(decoding: try Self.encoded(manifest), as: UTF8.self) + "\n"
      }
    }

    private var ownChecksum: String {
      get throws {
        var manifest = self
        manifest.checksum = ""
        return digest(of: try Self.encoded(manifest))
      }
    }

    private static func encoded(_ manifest: Manifest) throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(manifest)
    }

    /// > Collective: over `communicator`.
    ///
    /// - Throws: ``AgreedFailure`` on all ranks if the arrays are not those that were written.
    func lists(
      of checkpoint: NeighborCheckpoint, length: Int, in nodes: NodePartition,
      on communicator: some Communicator
    ) throws -> (lists: NeighborLists, summary: SearchSummary) {
      let owned = nodes.owned(by: communicator.rank)
      let (indices, values) = (
        checkpoint.path(".neighbors.npy"), checkpoint.path(".similarities.npy")
      )
      let lists = try communicator.agree { () -> NeighborLists in
        guard settings == checkpoint.settings, nodeCount == nodes.nodeCount, listLength == length
        else { throw DataError(path: checkpoint.path(".json"), problem: "of another run") }
        for path in [indices, values] {
          let file = try ArrayFile(path: path)
          guard file.shape == [nodeCount, listLength] else {
            throw DataError(
              path: path,
              problem: "damaged: shape \(file.shape); expected \([nodeCount, listLength])")
          }
        }
        return NeighborLists(
          listLength: length,
          neighbors: try ArrayFile(path: indices).integers(rows: owned).map { GlobalNode($0) },
          similarities: try ArrayFile(path: values).roundedFloats(rows: owned).elements)
      }
      let sum = try communicator.allReduce(lists.checksum(firstNode: owned.lowerBound), &+)
      guard String(sum, radix: 16) == listChecksum else {
        throw AgreedFailure(
          reason: "\(indices): damaged: it or \(values) does not have its checksum")
      }
      return (lists, summary)
    }
  }
}

extension NeighborLists {
  /// A sum over places that does not depend on who owns them.
  fileprivate func checksum(firstNode: Int) -> UInt64 {
    var sum: UInt64 = 0
    for place in neighbors.indices {
      let name = UInt64(firstNode * listLength + place)
      sum &+= mixed(
        mixed(name ^ UInt64(bitPattern: Int64(neighbors[place].index)))
          &+ UInt64(similarities[place].bitPattern))
    }
    return sum
  }
}

/// 64 bits of a text, in hexadecimal digits.
private func digest(of bytes: some Sequence<UInt8>) -> String {
  String(bytes.reduce(UInt64(0)) { mixed($0 &+ UInt64($1) &+ 1) }, radix: 16)
}
