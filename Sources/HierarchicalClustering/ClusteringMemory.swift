internal import DistributedGraphs
internal import GraphNetworks
public import LinearAlgebra
public import NeighborSearch
internal import SimilarityStructure

/// The memory that a clustering needs on the rank with the most points, as far as it grows with the points.
/// Ghosts are taken to be as many as there can be, and of the nodes of a level a share to stay apart.
///
/// Docs/Running.md has the formula.
public struct ClusteringMemory: Sendable {
  /// Of level 0.
  public let search: SearchMemory
  private let neighborCount: Int
  private let keepsLists: Bool
  private let model: LinkageModel
  private let coarseShare: Double
  private let expectation: Expectation?

  /// What is expected of the data, for a prediction in place of a bound.
  package struct Expectation: Sendable {
    /// Of every level.
    package var ghostsPerNode: [Double]
    /// Whether level 0 is searched as diffuse data are.
    package var isDiffuse: Bool

    package init(ghostsPerNode: [Double], isDiffuse: Bool) {
      self.ghostsPerNode = ghostsPerNode
      self.isDiffuse = isDiffuse
    }
  }

  /// - Parameters:
  ///   - keepsLists: Whether the lists of a level are written.
  ///   - coarseShare: How many of the nodes of a level, as a share, are taken to stay apart: merges leave less
  ///     than half of most data, and nearly all of some.
  public init(
    rowCount: Int, pointCount: Int, columnCount: Int, element: StoredElement, rankCount: Int,
    neighborCount: Int, keepsLists: Bool, model: LinkageModel, coarseShare: Double = 0.5
  ) {
    self.init(
      rowCount: rowCount, pointCount: pointCount, columnCount: columnCount, element: element,
      rankCount: rankCount, neighborCount: neighborCount, keepsLists: keepsLists, model: model,
      coarseShare: coarseShare, expecting: nil)
  }

  /// - Parameter expectation: Nil for as many ghosts as there can be, of data as diffuse as they may be.
  package init(
    rowCount: Int, pointCount: Int, columnCount: Int, element: StoredElement, rankCount: Int,
    neighborCount: Int, keepsLists: Bool, model: LinkageModel, coarseShare: Double = 0.5,
    expecting expectation: Expectation?
  ) {
    search = SearchMemory(
      rowCount: rowCount, nodeCount: pointCount, columnCount: columnCount, element: element,
      listLength: model.listLength(neighborCount: neighborCount), rankCount: rankCount)
    self.neighborCount = neighborCount
    self.keepsLists = keepsLists
    self.model = model
    self.coarseShare = coarseShare
    self.expectation = expectation
  }

  /// The largest of the phases.
  public func bytes(by options: SearchOptions) -> Double {
    let first = level(search, by: options)
    let level0 = max(first.searching, first.partitioning, first.building, first.judging)
    let coarse = coarseShare * first.n
    return bytesOfPoints
      + max(
        level0, first.judged + bytesOfModules(first), first.judged + coarsening(first, to: coarse),
        bytes(
          ofLevelAfter: first, nodes: coarse, pairs: 2 * coarseShare * first.edges, by: options,
          coarseShare: coarseShare))
  }

  /// While the edges of level 0 are found and judged where its nodes are.
  func bytesOfJudging(by options: SearchOptions) -> Double {
    let first = level(search, by: options)
    return bytesOfPoints + max(first.searching, first.building, first.judging)
  }

  /// While level 0 becomes a level of so many nodes.
  func bytes(ofFirstContractionTo nodeCount: Int, by options: SearchOptions) -> Double {
    let first = level(search, by: options)
    return bytesOfPoints + first.judged + coarsening(first, to: share(of: nodeCount))
  }

  /// While a later level of so many nodes is judged and becomes the next, which has as many at most.
  ///
  /// - Parameter pairs: Of nodes that edges of level 0 connect, on the rank that has most.
  func bytes(ofLevelOf nodeCount: Int, pairs: Int, by options: SearchOptions) -> Double {
    let first = level(search, by: options)
    return bytesOfPoints
      + bytes(
        ofLevelAfter: first, nodes: share(of: nodeCount), pairs: Double(pairs), by: options,
        coarseShare: 1)
  }

  /// What is known of points in all phases.
  package var bytesOfPoints: Double { 25 * Double(search.rowCount) }

  /// What a phase takes, if no other run's levels are kept beside it.
  ///
  /// - Parameters:
  ///   - level: Its number, and its nodes on all ranks.
  ///   - nextCount: Nodes of the level after it.
  ///   - pairs: Of nodes of this level that edges of level 0 connect, on a rank, and of those of the next level.
  package func bytes(
    of phase: Phase, atLevel level: (number: Int, nodeCount: Int), next nextCount: Int,
    pairs: (ofLevel: Double, ofNext: Double), by options: SearchOptions
  ) -> Double {
    let search =
      level.number == 0 ? self.search : searchOfLater(nodes: share(of: level.nodeCount))
    let memory = self.level(search, number: level.number, by: options)
    let evidence = level.number == 0 ? 0 : Self.pairByteCount * pairs.ofLevel
    let rows = memory.n * search.bytesPerRow
    let ofPhase =
      switch phase {
      case .read: rows
      case .copies: rows + 60 * memory.n
      case .neighbors: memory.searching
      case .partition: memory.partitioning
      case .graph: memory.building
      case .network: memory.judging
      case .decode:
        memory.judged + max(24 * memory.n, level.number == 0 ? bytesOfModules(memory) : 0)
      case .thresholds, .flow: memory.judged + 24 * memory.n
      case .coarsen:
        memory.judged
          + coarsening(
            memory, to: share(of: nextCount),
            evidence: evidence + Self.pairByteCount * pairs.ofNext)
      case .hand, .label, .record: 0.0
      }
    return bytesOfPoints + evidence + ofPhase
  }

  /// What level 0 takes while later levels are tried.
  package func bytesKeptForTrials(by options: SearchOptions) -> Double {
    level(search, by: options).judged
  }

  /// What the largest rank has of the nodes of a later level.
  private func share(of nodeCount: Int) -> Double {
    Double((nodeCount + search.rankCount - 1) / search.rankCount)
  }

  /// What a later level takes, beside what is known of points, while level 0 is kept for further trials.
  private func bytes(
    ofLevelAfter first: LevelMemory, nodes: Double, pairs: Double, by options: SearchOptions,
    coarseShare: Double
  ) -> Double {
    let level = level(searchOfLater(nodes: nodes), by: options)
    // A network of structure keeps what level 0 says of pairs, and one of coordinates two rows of every node.
    let evidence = isOfStructure ? Self.pairByteCount * pairs : 0
    let row = isOfStructure ? 0 : 4 * Double(search.columnCount) * nodes
    return first.judged + evidence
      + max(
        level.searching + row, level.building + row, level.judging + 2 * row,
        level.judged + 2 * row
          + coarsening(level, to: coarseShare * nodes, evidence: evidence))
  }

  /// While level 0 merges by modules, if the network says so.
  private func bytesOfModules(_ level: LevelMemory) -> Double {
    guard case .structure(let network) = model, network.settings.resolution != nil else { return 0 }
    return FlowMemory.edgeByteCount * level.edges
  }

  private var isOfStructure: Bool { if case .structure = model { true } else { false } }

  /// The search of a later level of so many nodes on the largest rank.
  private func searchOfLater(nodes: Double) -> SearchMemory {
    SearchMemory(
      rowCount: Int(nodes), nodeCount: Int(nodes) * search.rankCount,
      columnCount: search.columnCount, element: .float32WithNorm, listLength: search.listLength,
      rankCount: search.rankCount)
  }

  /// Names, counts and rows of coarse nodes, while the evidence of their members is added up.
  private func coarsening(
    _ level: LevelMemory, to coarse: Double, evidence: Double? = nil
  ) -> Double {
    let width = Double(search.columnCount)
    // Rows of coordinates are read again: with all columns, of which there are directions, means and sums.
    guard isOfStructure else { return 48 * level.n + 16 * coarse * width }
    let sums = min(8 * coarse * width, max(Double(ClusteringRun.usualSumBytes), 128 * coarse))
    return 48 * level.n + coarse * 4 * (width + 1)
      + max(sums, evidence ?? Self.pairByteCount * 2 * level.edges)
  }

  /// Of the edges of level 0 between two nodes, at either end.
  private static let pairByteCount = 32.0

  private func level(
    _ search: SearchMemory, number: Int = 0, by options: SearchOptions
  ) -> LevelMemory {
    let n = Double(search.rowCount)
    let edges = n * Double(min(neighborCount - 1, max(search.nodeCount - 1, 0)))
    let ghosts =
      expectation.map { $0.ghostsPerNode[number] * n }
      ?? min(edges, Double(search.nodeCount - search.rowCount))
    let lists = Double(search.listLength) * n
    let rows = n * search.bytesPerRow
    let graph = 8 * n + 8 * edges + 12 * ghosts + (keepsLists ? 12 * edges : 0)
    // The lists, a graph with weights, and what travels; then rows and lists at both owners.
    let partitioning =
      search.rankCount == 1 || search.element == .float32WithNorm
      ? 0 : rows + 12 * lists + max(46 * edges, 12 * lists + rows / 8)
    let judging =
      switch model {
      case .structure(let network):
        rows + graph + ofStructure(network, n, ghosts, edges, lists)
      case .coordinates(let network):
        graph + 8 * edges
          + max(
            8 * n * Double(search.columnCount) + 256 * ghosts,
            4 * Double(network.decoder.width) * (2 * n + ghosts))
      }
    // Lists, those of the edges if they are shorter, and edges with the nodes they come from, of any rank.
    let building =
      rows + 12 * lists + (lists > edges ? 12 * edges : 0) + 8 * n + 16 * edges
      + (search.rankCount == 1 ? 0 : 16 * (expectation == nil ? edges : ghosts))
    // A network of coordinates takes the rows.
    let judged = (isOfStructure ? rows : 0) + graph + 4 * edges + 4 * n
    return LevelMemory(
      n: n, edges: edges,
      searching: search.bytes(by: options, isDiffuse: number > 0 ? nil : expectation?.isDiffuse),
      partitioning: partitioning, building: building, judging: judging, judged: judged)
  }

  /// Lists and features of nodes and edges, and the network's rows of them.
  private func ofStructure(
    _ network: StructureNetwork, _ n: Double, _ ghosts: Double, _ edges: Double, _ lists: Double
  ) -> Double {
    let (overlaps, structures) = (24 * edges, 80 * (n + ghosts))
    let (features, width) = (4 * Double(StructureFeatures.nodeWidth), Double(network.width))
    let pieces = ghosts / Double(Halo.largestPieceCount)
    let listing = 14 * lists + 88 * n + 32 * Double(search.listLength) * pieces
    let assembling = 80 * n + structures
    let nodes = max(
      2 * features * (n + ghosts), features * (2 * n + ghosts) + 4 * edges)
    let hidden = 4 * width * n + 8 * width * pieces + 4 * edges
    return overlaps + max(listing, assembling, structures + max(nodes, hidden))
  }
}

/// What the phases of a level take on the rank with the most nodes, in bytes.
private struct LevelMemory {
  let n: Double
  let edges: Double
  let searching: Double
  let partitioning: Double
  /// While the graph is built beside the lists.
  let building: Double
  let judging: Double
  /// What is left when its edges are judged.
  let judged: Double
}
