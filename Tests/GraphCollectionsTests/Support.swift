import Datasets
import Foundation
import GraphCollections

/// A directory of one test, removed with its contents at the end.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/graph-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, as name: String) throws {
    try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
  }

  /// Writes the files of the small collection, some of them replaced; nil leaves one out.
  func collection(replacing files: [String: String?] = [:]) throws -> String {
    for (name, text) in Self.small.merging(files, uniquingKeysWith: { $1 }) {
      if let text { try write(text, as: "small_\(name).txt") }
    }
    return path
  }

  /// A triangle with a tail, an edge, and a lone node.
  static let small: [String: String?] = [
    "A": "1, 2\n2, 1\n2, 3\n3, 2\n1, 3\n3, 1\n3, 4\n4, 3\n5, 6\n6, 5\n",
    "graph_indicator": "1\n1\n1\n1\n2\n2\n3\n",
    "graph_labels": "5\n-1\n5\n",
    "node_labels": "0\n3\n3\n0\n9\n9\n3\n",
    "node_attributes": "1.5, 2\n 0.0, -1\n1,1\n2,2\n3,3\n4,4\n5,5\n",
    "edge_labels": "1\n1\n2\n2\n3\n3\n4\n4\n5\n5\n",
    "edge_attributes": "0.5\n0.5\n1\n1\n2\n2\n3\n3\n4\n4\n",
  ]
}

/// What the error says without the directory; nil if there is none.
func problem(_ directory: String, _ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)".replacingOccurrences(of: directory, with: "DIR")
  }
}

/// Where the collections are that may not be in the repository, unpacked.
enum Material {
  static let directory: URL? = {
    let environment = ProcessInfo.processInfo.environment["HIGHLAND_SHARED"]
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let shared =
      environment.map { URL(fileURLWithPath: $0) }
      ?? root.deletingLastPathComponent().appendingPathComponent("shared")
    let folder = shared.appendingPathComponent("data/tu")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// Unpacks one of them; the directory has the name of the collection.
  static func unpack(_ name: String, into scratch: Scratch) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let archive = directory!.appendingPathComponent("\(name).zip").path
    process.arguments = ["python3", "-m", "zipfile", "-e", archive, scratch.path]
    try process.run()
    process.waitUntilExit()
    return "\(scratch.path)/\(name)"
  }
}
