import Communication
import GraphClassification
import GraphCollections
import HierarchicalClustering

/// Memory that is surely needed, against what the host has: asked before it is allocated.
enum GraphMemory {
  /// - Parameter what: What needs it, in the plural.
  /// - Throws: If the host has less.
  static func require(_ bytes: Double, for what: String) throws {
    guard let free = AvailableMemory.bytes(), bytes > Double(free) else { return }
    throw AgreedFailure(
      reason: "\(what) need \(gigabytes(bytes)) GB on each rank; the host has "
        + "\(gigabytes(Double(free))) GB")
  }

  private static func gigabytes(_ bytes: Double) -> String {
    let value = bytes / 1e9
    return value < 10
      ? "\((value * 10).rounded(.up) / 10)" : "\(Int64(min(value.rounded(.up), 1e15)))"
  }

  /// For the rows of all nodes.
  static func require(rowsOf collection: GraphCollection, width: Int) throws {
    try require(
      4 * Double(collection.nodeCount) * Double(width),
      for: "rows of \(width) columns for \(collection.nodeCount) nodes")
  }

  /// For what training holds at least: parameters, their gradients and Adam's moments, the sums of the
  /// largest layer, and the weighted graphs of pooled clusters.
  static func require(
    trainingOf architecture: GraphArchitecture, graphsPerRank: Int, ranks: Int
  ) throws {
    let largestLayer = architecture.largestParameterCount
    try require(
      24 * Double(architecture.parameterCount) + 64 * Double(largestLayer) / Double(ranks),
      for: "\(architecture.parameterCount) parameters")
    if architecture.clusterCounts.count > 1,
      let clusters = architecture.clusterCounts.dropLast().max()
    {
      try require(
        4 * Double(clusters) * Double(clusters) * Double(graphsPerRank),
        for: "\(clusters) clusters in each of \(graphsPerRank) graphs")
    }
  }
}
