import Communication
import Datasets
import Foundation

/// Eight points, of which 7 is a copy of 0, in three clusters after two levels: {0, 1, 2, 7},
/// {3, 4, 5}, {6}. What it holds was drawn on paper; every field can be made wrong before writing.
///
///     level 0   0 → 1 ← 2    4 → 3    5    6        τ = 0.6
///     level 1   1    3 → 5    6                     τ = 0.5
struct SmallHierarchy {
  struct Level {
    var nodes: [Int64]
    /// Lists of two.
    var neighbors: [Int64]
    var similarity, linkage, density: [Float]
    var parent: [Int64]
  }

  var levels = [
    Level(
      nodes: [0, 1, 2, 3, 4, 5, 6],
      neighbors: [1, 2, 0, 2, 1, 3, 4, 2, 3, 5, 4, 3, 3, -1],
      similarity: [0.9, 0.8, 0.9, 0.85, 0.85, 0.6, 0.7, 0.6, 0.7, 0.65, 0.65, 0.5, 0.1, 0],
      linkage: [0.95, 0.5, 0.95, 0.85, 0.9, 0.31, 0.8, 0.31, 0.75, 0.71, 0.71, 0.21, 0.05, 0],
      density: [0.2, 0.6, 0.4, 0.5, 0.1, 0.3, -0.5], parent: [1, 1, 1, 3, 3, 5, 6]),
    Level(
      nodes: [1, 3, 5, 6], neighbors: [1, 2, 0, 2, 1, 0, 0, -1],
      similarity: [0.6, 0.4, 0.6, 0.5, 0.5, 0.4, -0.1, 0],
      linkage: [0.55, 0.31, 0.55, 0.65, 0.61, 0.21, 0, 0],
      density: [0.3, 0.2, 0.4, -0.2], parent: [0, 2, 2, 3]),
  ]
  var labels: [[Int64]] = [[0, 0, 0, 1, 1, 2, 3, 0], [0, 0, 0, 1, 1, 1, 2, 0]]
  var json = """
    {"highland": "0.1.0", "pointCount": 8, "dimensions": 2, "clusterCount": 3, "singletonCount": 1,
     "stopReason": "nothingMerged",
     "parameters": {"features": "x.npy", "model": "m", "k": 3, "tau": 0.6, "tauLater": 0.5},
     "levels": [
       {"level": 0, "nodeCount": 7, "edgeCount": 13, "keptEdgeCount": 4, "mergedCount": 3,
        "clusterCount": 4},
       {"level": 1, "nodeCount": 4, "edgeCount": 6, "keptEdgeCount": 2, "mergedCount": 1,
        "clusterCount": 3}]}
    """

  static let truth: [Int64] = [5, 5, 5, 5, 9, 9, 7, 5]

  /// Writes the directory; returns its path.
  func write(in scratch: Scratch) throws -> String {
    let path = scratch("h")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try json.write(toFile: "\(path)/hierarchy.json", atomically: false, encoding: .utf8)
    try array(
      labels.flatMap { $0 }, [labels.count, labels.first?.count ?? 0], "\(path)/labels.npy")
    for (number, level) in levels.enumerated() {
      let folder = "\(path)/level-\(number)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      try array(level.nodes, [level.nodes.count], "\(folder)/nodes.npy")
      try array(level.parent, [level.parent.count], "\(folder)/parent.npy")
      try array(level.density, [level.density.count], "\(folder)/density.npy")
      try array(level.neighbors, [level.neighbors.count / 2, 2], "\(folder)/neighbors.npy")
      try array(level.similarity, [level.similarity.count / 2, 2], "\(folder)/similarity.npy")
      try array(level.linkage, [level.linkage.count / 2, 2], "\(folder)/linkage.npy")
    }
    return path
  }

  private func array<Element: ArrayElement>(_ elements: [Element], _ shape: [Int], _ path: String)
    throws
  {
    try writeArray(
      elements, shape: shape, firstRow: 0, to: path, overwrite: true, on: SingleRank())
  }
}

/// A directory of one test, removed with its contents at the end.
final class Scratch: Sendable {
  let path = NSTemporaryDirectory() + "/report-tests-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}
