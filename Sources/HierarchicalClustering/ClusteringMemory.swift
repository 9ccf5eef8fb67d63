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

  /// - Parameter keepsLists: Whether the lists of a level are written.
  public init(
    rowCount: Int, pointCount: Int, columnCount: Int, element: StoredElement, rankCount: Int,
    neighborCount: Int, keepsLists: Bool, model: LinkageModel
  ) {
    search = SearchMemory(
      rowCount: rowCount, nodeCount: pointCount, columnCount: columnCount, element: element,
      listLength: model.listLength(neighborCount: neighborCount), rankCount: rankCount)
    nearLength = min(neighborCount - 1, max(pointCount - 1, 0))
    self.keepsLists = keepsLists
    self.model = model
  }

  /// The largest of the phases.
  public func bytes(by options: SearchOptions) -> Double {
    max(search.bytes(by: options), network) + points
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
      // Two ends of every edge, and with other ranks a copy of those that differ.
      let evidence = (ghosts > 0 ? 128 : 64) * edges + 48 * n
      let judging =
        50 * edges + 8 * edges + 4 * n * Double(network.width + 2 * StructureFeatures.nodeWidth)
      return rows + graph + structures + max(listing, evidence, judging)
    case .coordinates(let network):
      let ends =
        2 * Double(network.decoder.width) * 4 * n + 4 * Double(network.decoder.width) * ghosts
      return graph + 8 * edges + max(8 * n * width + 128 * ghosts, ends)
    }
  }
}
