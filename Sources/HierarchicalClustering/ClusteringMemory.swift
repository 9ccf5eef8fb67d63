internal import GraphNetworks
public import LinearAlgebra
public import NeighborSearch
internal import SimilarityStructure

/// The memory that a clustering needs on the rank with the most points, as far as it grows with the points: at
/// level 0, which is the largest. Ghosts are taken to be as many as there can be.
///
/// Docs/Running.md has the formula.
public struct ClusteringMemory: Sendable {
  public let search: SearchMemory
  /// Places of a list that make edges.
  private let nearLength: Int
  private let keepsLists: Bool
  private let model: LinkageModel
  private let coarseShare: Double

  /// - Parameters:
  ///   - keepsLists: Whether the lists of a level are written.
  ///   - coarseShare: How many of the nodes of a level, as a share, are taken to stay apart: merges leave less
  ///     than half of most data, and nearly all of some.
  public init(
    rowCount: Int, pointCount: Int, columnCount: Int, element: StoredElement, rankCount: Int,
    neighborCount: Int, keepsLists: Bool, model: LinkageModel, coarseShare: Double = 0.5
  ) {
    search = SearchMemory(
      rowCount: rowCount, nodeCount: pointCount, columnCount: columnCount, element: element,
      listLength: model.listLength(neighborCount: neighborCount), rankCount: rankCount)
    nearLength = min(neighborCount - 1, max(pointCount - 1, 0))
    self.keepsLists = keepsLists
    self.model = model
    self.coarseShare = coarseShare
  }

  /// The largest of the phases.
  public func bytes(by options: SearchOptions) -> Double {
    max(search.bytes(by: options), partition, network) + points
  }

  /// With several ranks: the lists as a graph with weights, then rows and lists that travel.
  private var partition: Double {
    guard search.rankCount > 1 else { return 0 }
    let (rows, lists) = (n * search.bytesPerRow, 12 * n * Double(search.listLength))
    return rows + lists + max(60 * edges, rows + lists)
  }

  private var n: Double { Double(search.rowCount) }
  private var edges: Double { n * Double(nearLength) }
  private var ghosts: Double { min(edges, Double(search.nodeCount - search.rowCount)) }

  /// What is known of every point and node all the time.
  private var points: Double { 25 * n }

  /// The edges, and what is kept of the lists.
  private var graph: Double { 8 * n + 8 * edges + 12 * ghosts + (keepsLists ? 12 * edges : 0) }

  private var network: Double {
    let (rows, lists) = (n * search.bytesPerRow, Double(search.listLength))
    let width = Double(search.columnCount)
    switch model {
    case .structure(let network):
      let structures = 20 * edges + 84 * (n + ghosts)
      let listing = 14 * lists * n + (ghosts > 0 ? 32 * lists * ghosts : 0)
      let judging =
        50 * edges + 8 * edges + 4 * n * Double(network.width + 2 * StructureFeatures.nodeWidth)
      // Means and directions of the next level; beside them means and directions of the one after it and sums of
      // some columns, or both ends of the edges between nodes.
      let coarse = coarseShare * n
      let sums = min(
        8 * coarseShare * coarse * width, max(Double(64 << 20), 128 * coarseShare * coarse))
      let coarsening =
        4 * edges + 48 * n + coarse * 8 * width + coarseShare * coarse * 8 * width + sums
        + 64 * coarseShare * edges
      return rows + graph + max(structures + max(listing, judging), coarsening)
    case .coordinates(let network):
      let ends =
        2 * Double(network.decoder.width) * 4 * n + 4 * Double(network.decoder.width) * ghosts
      return graph + 8 * edges + max(8 * n * width + 128 * ghosts, ends)
    }
  }
}
