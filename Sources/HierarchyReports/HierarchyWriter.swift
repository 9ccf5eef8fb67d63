package import Communication
internal import Datasets
internal import DistributedGraphs
internal import FoundationEssentials
internal import GraphNetworks
package import HierarchicalClustering

/// Keeps every level in a directory of `.npy` files; `Docs/Formats.md` describes it.
package final class HierarchyWriter {
  /// The directory being filled.
  private let directory: String
  /// Owned points. The labels after each level.
  private var labels: [[Int64]] = []

  /// - Parameter directory: An empty one, such as ``writeDirectory(to:marker:overwrite:on:_:)`` makes.
  package init(in directory: String) { self.directory = directory }

  /// Writes a level.
  ///
  /// > Collective: over `communicator`. Six files.
  ///
  /// - Parameter labels: Owned. The number of every point's cluster after the level.
  /// - Throws: ``AgreedFailure`` on every rank if there is the level already, or writing fails.
  package func write(
    _ record: LevelRecord, labels: [Int64], on communicator: some Communicator
  ) throws {
    let folder = "\(directory)/level-\(record.level)"
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: false)
    }
    let owned = record.nodes.owned(by: communicator.rank)
    let nodeCount = record.nodes.nodeCount
    let listLength = record.neighbors.listLength
    func write<Element: ArrayElement>(_ slice: [Element], _ name: String, columns: Int? = nil)
      throws
    {
      try writeArray(
        slice, shape: [nodeCount] + (columns.map { [$0] } ?? []), firstRow: owned.lowerBound,
        to: "\(folder)/\(name).npy", overwrite: false, on: communicator)
    }
    try write(record.inputPoint.map(\.index), "nodes")
    try write(record.neighbors.neighbors.map(\.index), "neighbors", columns: listLength)
    try write(record.neighbors.similarities, "similarity", columns: listLength)
    try write(linkageByPlace(record), "linkage", columns: listLength)
    try write(record.linkage.density, "density")
    try write(record.parent.map(\.index), "parent")
    self.labels.append(labels)
  }

  /// The JSON of a hierarchy: what was asked for and what came out, without what it cost, so that
  /// the directory is the same on any number of ranks.
  private struct Summary: Encodable {
    struct Level: Encodable {
      var level, nodeCount, edgeCount, keptEdgeCount, mergedCount, clusterCount: Int
    }

    var highland: String
    var parameters: ClusteringAccount
    var pointCount, dimensions, clusterCount, singletonCount: Int
    var stopReason: StopReason
    var levels: [Level]

    init(
      _ clustering: Clustering, _ parameters: ClusteringAccount, dimensions: Int, version: String
    ) {
      highland = version
      self.parameters = parameters
      pointCount = clustering.points.nodeCount
      self.dimensions = dimensions
      clusterCount = clustering.clusterCount
      singletonCount = clustering.singletonCount
      stopReason = clustering.stopReason
      levels = clustering.levels.map {
        Level(
          level: $0.level, nodeCount: $0.nodeCount, edgeCount: $0.edgeCount,
          keptEdgeCount: $0.keptEdgeCount, mergedCount: $0.mergedCount,
          clusterCount: $0.clusterCount)
      }
    }
  }

  /// Writes the labels of all levels and the summary. Where there was no level, the labels are those of the answer, as
  /// copies of a point share a cluster before anything is judged.
  ///
  /// > Collective: over `communicator`. Two files.
  ///
  /// - Parameters:
  ///   - parameters: Replicated. With the name of the features, and of the model.
  ///   - version: Of Highland.
  /// - Throws: ``AgreedFailure`` on every rank if writing fails.
  package func finish(
    _ clustering: Clustering, _ parameters: ClusteringAccount, dimensions: Int, version: String,
    on communicator: some Communicator
  ) throws {
    let points = clustering.points
    try writeArray(
      columns: labels.isEmpty ? [clustering.labels] : labels, columnCount: points.nodeCount,
      firstColumn: points.owned(by: communicator.rank).lowerBound,
      to: "\(directory)/labels.npy", overwrite: false, on: communicator)
    try writeJSON(
      Summary(clustering, parameters, dimensions: dimensions, version: version),
      to: "\(directory)/\(StoredHierarchy.marker)", overwrite: false, on: communicator)
  }

  /// p in the places of the neighbour lists; 0 where there is no edge.
  private func linkageByPlace(_ record: LevelRecord) -> [Float] {
    let listLength = record.neighbors.listLength
    let probability = record.linkage.probability
    var linkage = Array(repeating: Float(0), count: record.neighbors.neighbors.count)
    for node in 0..<record.graph.ownedCount {
      for (place, edge) in record.graph.edges(into: node).enumerated() {
        linkage[node * listLength + place] = probability[edge]
      }
    }
    return linkage
  }
}
