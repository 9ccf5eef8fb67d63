public import Communication
public import DistributedGraphs
public import LinearAlgebra
internal import NeighborSearch
public import Parallelism

/// A spanning forest of least mutual reachability, of which HDBSCAN makes its hierarchy.
///
/// The mutual reachability of two points is the largest of their Euclidean distance as unit rows and the distances of
/// both to their m-th neighbours. In every round each tree takes its shortest edge to another (Borůvka). Edges come from
/// the neighbour lists. If rows are given, points whose lists cannot tell, as another tree may be nearer than
/// their shortest known edge, search among all; then the forest is a minimum spanning tree of all pairs. Without
/// rows it has as many trees as the neighbour graph has components.
/// [Campello, Moulavi and Sander 2013]
public struct ReachabilityForest: Sendable {
  /// Edges that rank after rank has; one that two trees took at once may be there twice.
  public let edges: [ReachabilityEdge]
  /// Which rank owns which points.
  public let points: NodePartition

  /// > Collective: over `communicator`. As ``ReachabilityGraph``; then per round, of which there are at most log₂ n, a
  /// > word per ghost, seven fetches and scatters of up to 24 bytes per point, those of ``connectedComponents(_:in:on:)``,
  /// > and with rows what ``bestPartners(of:asking:among:named:by:using:on:)`` sends for points that search.
  ///
  /// - Parameters:
  ///   - rows: Owned. Unit rows, to span all points; given on all ranks or on none. Shape `[ownedCount × columns]`.
  ///   - lists: Owned. Of `minimumSamples` places at least, or of all other points.
  ///   - minimumSamples: Replicated. m, without the point itself.
  /// - Complexity: O(edges · log(edges)) and, with rows, in practice a small multiple of n² · columns flops.
  public init(
    of rows: StoredRows?, along lists: NeighborLists, minimumSamples: Int,
    in points: NodePartition, using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated(
      (minimumSamples: minimumSamples, listLength: lists.listLength, isExact: rows != nil))
    let graph = try ReachabilityGraph(
      lists, minimumSamples: minimumSamples, in: points, on: communicator)
    let matrix = rows?.unitRows()
    var trees = GrowingTrees(graph, in: points, on: communicator)
    var edges: [ReachabilityEdge] = []
    var isGrowing = true
    while isGrowing {
      var shortest = try trees.shortestEdges(on: communicator)
      if let matrix {
        try trees.searchBeyondLists(
          shorterThan: &shortest, among: matrix, using: workers, on: communicator)
      }
      let taken = try trees.grow(by: shortest, on: communicator)
      edges += taken
      isGrowing = try communicator.any(!taken.isEmpty)
    }
    self.edges = edges
    self.points = points
  }
}

/// The trees of a round.
private struct GrowingTrees {
  private let graph: ReachabilityGraph
  private let points: NodePartition
  /// The first owned point.
  private let first: Int
  /// Owned. The first point of the tree of every point.
  private var tree: [GlobalNode]
  /// Owned. The first edge of every row that may leave the tree.
  private var next: [Int]
  /// Owned. The shortest edge of each point that a search found, if it leaves the tree.
  private var found: [ReachabilityEdge]
  /// Owned. No other edge that leaves the tree, but those of the row and ``found``, is shorter; squared.
  private var bound: [Float]

  init(
    _ graph: ReachabilityGraph, in points: NodePartition, on communicator: some Communicator
  ) {
    self.graph = graph
    self.points = points
    let owned = points.owned(by: communicator.rank)
    first = owned.lowerBound
    tree = owned.map { GlobalNode($0) }
    next = Array(graph.rowOffsets.dropLast())
    found = Array(repeating: .none, count: owned.count)
    bound = graph.bound
  }

  /// The shortest known edge that leaves each tree, at the owner of its first point.
  ///
  /// > Collective: over `communicator`. A word per ghost, one per edge that a search found, and a scatter.
  mutating func shortestEdges(on communicator: some Communicator) throws -> [ReachabilityEdge] {
    let treeOfAll = try graph.halo.extend(tree, on: communicator)
    let searched = found.indices.filter { found[$0] != .none }
    let treesFound = try points.fetch(
      tree, at: searched.map { found[$0].other(than: GlobalNode(first + $0)) }, on: communicator)
    for (place, treeFound) in zip(searched, treesFound) where treeFound == tree[place] {
      found[place] = .none
    }
    var edges = found
    for place in tree.indices {
      let end = graph.rowOffsets[place + 1]
      while next[place] < end, treeOfAll[Int(graph.columns[next[place]].index)] == tree[place] {
        next[place] += 1
      }
      guard next[place] < end else { continue }
      edges[place] = min(
        edges[place],
        ReachabilityEdge(
          graph.squaredLengths[next[place]], GlobalNode(first + place), graph.others[next[place]]))
    }
    var shortest = Array(repeating: ReachabilityEdge.none, count: tree.count)
    try offer(edges, of: Array(tree.indices), to: &shortest, on: communicator)
    return shortest
  }

  /// Searches among all points for those whose lists may lack an edge shorter than the shortest that is known.
  ///
  /// > Collective: over `communicator`. A fetch of 4 bytes per point, what the search sends, and a scatter.
  ///
  /// - Parameter shortest: Owned. The shortest edge of the tree whose first point it is.
  mutating func searchBeyondLists(
    shorterThan shortest: inout [ReachabilityEdge], among rows: Matrix, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    let limit = try points.fetch(shortest.map(\.squaredDistance), at: tree, on: communicator)
    let asking = bound.indices.filter { bound[$0] < limit[$0] }
    guard try communicator.any(!asking.isEmpty) else { return }
    let rule = NearestOfOtherTrees(squaredCore: graph.squaredCore, tree: tree)
    let partners = try bestPartners(
      of: rows.copy(ofRows: asking),
      asking: asking.map { NearestOfOtherTrees.Query(core: graph.squaredCore[$0], tree: tree[$0]) },
      among: rows, named: tree.indices.map { GlobalNode(first + $0) }, by: rule, using: workers,
      on: communicator)
    for (place, partner) in zip(asking, partners) {
      bound[place] = -partner.value
      guard partner != .none else { continue }
      found[place] = ReachabilityEdge(-partner.value, GlobalNode(first + place), partner.node)
    }
    try offer(asking.map { found[$0] }, of: asking, to: &shortest, on: communicator)
  }

  /// Joins every tree with the one at the other end of its shortest edge.
  ///
  /// > Collective: over `communicator`. Three fetches of a word per tree or point, and those of
  /// > ``connectedComponents(_:in:on:)``.
  ///
  /// - Returns: The edges that this rank's trees took.
  mutating func grow(
    by shortest: [ReachabilityEdge], on communicator: some Communicator
  ) throws -> [ReachabilityEdge] {
    let taken = shortest.filter { $0 != .none }
    let ends = try points.fetch(
      tree, at: taken.map(\.lower) + taken.map(\.upper), on: communicator)
    let joined = try connectedComponents(
      taken.indices.map { (ends[$0], ends[taken.count + $0]) }, in: points, on: communicator)
    tree = try points.fetch(joined, at: tree, on: communicator)
    return taken
  }

  /// Keeps the shortest edge of every tree at the owner of its first point.
  private func offer(
    _ edges: [ReachabilityEdge], of places: [Int], to shortest: inout [ReachabilityEdge],
    on communicator: some Communicator
  ) throws {
    var own: [GlobalNode: ReachabilityEdge] = [:]
    for (edge, place) in zip(edges, places) where edge != .none {
      own[tree[place]] = min(own[tree[place]] ?? .none, edge)
    }
    try points.scatter(
      Array(own.values), to: Array(own.keys), into: &shortest, on: communicator
    ) { $0 = min($0, $1) }
  }
}

extension ReachabilityEdge {
  fileprivate func other(than end: GlobalNode) -> GlobalNode { end == lower ? upper : lower }
}

/// The nearest in mutual reachability of the points of other trees.
private struct NearestOfOtherTrees: PartnerRule {
  struct Query: Message {
    var core: Float
    var tree: GlobalNode
  }

  /// Those of the rows of this rank.
  let squaredCore: [Float]
  let tree: [GlobalNode]

  func value(of query: Query, with row: Int, similarity: Float) -> Float {
    tree[row] == query.tree
      ? -.infinity
      : -max(query.core, squaredCore[row], squaredDistance(ofSimilarity: similarity))
  }
}
