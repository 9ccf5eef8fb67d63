public import Communication
public import DistributedGraphs
public import LinearAlgebra
public import Parallelism

/// The features of the nodes and edges of a level, which a network of structure sees.
///
/// None of them is a coordinate. All follow from the similarities of the neighbour lists, from which
/// lists contain which nodes, and from the members' counts. Features of edges are computed on request, a
/// tile of nodes at a time; only 6 numbers per edge and a ``NodeStructure`` per local node are kept.
public struct StructureFeatures: Sendable {
  /// The edges: the near places of the lists.
  public let graph: NeighborGraph
  /// Replicated. m and K.
  public let nearLength: Int
  public let contextLength: Int
  private let level: StructureLevel

  /// Replicated. From 0.
  public var levelNumber: Int { level.level }
  /// Local.
  private let nodes: [NodeStructure]
  /// Owned. ``ListOverlap`` of every edge and its Jaccard index, six numbers for each of the m near
  /// places. Shape `[ownedCount × 6 m]`.
  private let overlaps: Matrix

  public static let nodeWidth = NodeFeature.allCases.count
  public static let edgeWidth = EdgeFeature.allCases.count
  /// What travels of a ghost beside its list, in bytes.
  package static let structureByteCount = MemoryLayout<NodeStructure>.stride

  /// > Collective: over `communicator`. Six rounds or more: per ghost its list, 16 bytes a place, in pieces, then a
  /// > count, 16 bytes, then a ``NodeStructure``, 80 bytes.
  ///
  /// - Parameters:
  ///   - lists: Owned. Nearest neighbours; K places each.
  ///   - graph: Of the first `nearLength` places of the lists.
  /// - Complexity: O(edges · K).
  public init(
    _ lists: consuming NeighborLists, graph: NeighborGraph, of level: StructureLevel,
    nearLength: Int, using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    try self.init(
      ListFeatures(
        lists, over: graph, nearLength: nearLength, scales: level.scales, using: workers,
        on: communicator), graph: graph, of: level, using: workers, on: communicator)
  }

  /// The features, of which those that follow from the lists are there already.
  ///
  /// > Collective: over `communicator`. Four rounds: a count, 16 bytes, then a ``NodeStructure``, 80 bytes,
  /// > per ghost.
  package init(
    _ lists: consuming ListFeatures, graph: NeighborGraph, of level: StructureLevel,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated((level: level.level, scale: level.scales.ofAll))
    precondition(
      level.memberCounts.count == graph.ownedCount, "\(level.memberCounts.count) counts")
    self.graph = graph
    nearLength = lists.nearLength
    self.level = level
    contextLength = lists.contextLength
    let popularity = try graph.popularity(on: communicator).map { Float($0) }

    let (overlaps, nearLength) = (lists.overlaps, lists.nearLength)
    self.overlaps = overlaps
    var owned = (consume lists).structures
    let tiles = (0..<owned.count).tiles(of: 256)
    owned.forEachTile(tiles, using: workers) { tile, structures in
      for node in tiles[tile] {
        let place = node - tiles[tile].lowerBound
        structures[place].describeMembers(
          count: level.memberCounts[node], meanLength: level.meanLengths[node],
          pointEdges: level.pointEdges, node: node, named: graph.halo.global(LocalNode(node)),
          scale: level.scales[node])
        structures[place].popularity = popularity[node]
        structures[place].describeSurroundings(
          (0..<graph.edges(into: node).count).map { EdgeOverlap(overlaps, node, $0) },
          nearLength: nearLength)
      }
    }
    nodes = try graph.halo.extend(owned, on: communicator)
  }

  /// The features of all local nodes. Shape `[localCount × nodeWidth]`.
  public var nodeFeatures: Matrix { nodeFeatures(0..<nodes.count) }

  /// The features of all local nodes, after some function of a matrix of them.
  ///
  /// It needs no exchange, because the data of the ghosts are already here.
  public func localNodeFeatures(_ transform: (Matrix) -> Matrix) -> LocalRows {
    LocalRows(
      owned: transform(nodeFeatures(0..<graph.ownedCount)),
      computedForGhosts: transform(nodeFeatures(graph.ownedCount..<nodes.count)))
  }

  /// The features of some local nodes. Shape `[range.count × nodeWidth]`.
  public func nodeFeatures(_ range: Range<Int>) -> Matrix {
    let width = Self.nodeWidth
    var features = Matrix(rows: range.count, columns: width)
    features.forEachTile(ofRows: max(1, range.count), using: Workers()) { rows, tile in
      for row in rows {
        nodes[range.lowerBound + row].writeFeatures(
          level: level.level, nearLength: nearLength, into: &tile, at: row * width)
      }
    }
    return features
  }

  /// The features of all edges, in CSR order. Shape `[edgeCount × edgeWidth]`.
  ///
  /// For training; inference requests a tile at a time.
  public var edgeFeatures: Matrix {
    var features = Matrix(rows: graph.edgeCount, columns: Self.edgeWidth)
    features.forEachTile(ofRows: max(1, graph.edgeCount), using: Workers()) { _, tile in
      for target in 0..<graph.ownedCount {
        for (place, edge) in graph.edges(into: target).enumerated() {
          writeFeatures(
            ofEdge: edge, at: place, into: target, to: &tile, at: edge * Self.edgeWidth)
        }
      }
    }
    return features
  }

  /// Writes the features of an edge.
  ///
  /// - Parameters:
  ///   - place: Of the edge among those into its target.
  ///   - target: An owned node.
  ///   - first: Where the features begin in `row`.
  public func writeFeatures(
    ofEdge edge: Int, at place: Int, into target: Int, to row: inout MutableSpan<Float>,
    at first: Int
  ) {
    let (i, j) = (nodes[target], nodes[Int(graph.columns[edge].index)])
    let scale = level.scales[target]
    let overlap = EdgeOverlap(overlaps, target, place)
    let closeness = scale.closeness(graph.affinities[edge])
    let (pointEdges, bestPointEdge) =
      level.pointEdges.areOfPoints
      ? overlap.lists.pointEdges(nearLength: nearLength, closeness: closeness)
      : level.pointEdges.tally(of: target, and: graph.source(of: edge)).map {
        ($0, scale.closeness($0.largest))
      } ?? (PointEdgeTally(), 0)
    let structure = EdgeStructure(
      closeness: closeness, place: place, overlap: overlap.lists, pointEdges: pointEdges,
      // a = U·U′ / (|U| |U′|), so U·U′ / (s s′) = a |u| |u′|.
      averageLinkage: scale.closeness(graph.affinities[edge] * i.meanLength * j.meanLength),
      bestPointEdge: bestPointEdge)
    structure.writeFeatures(
      target: i, source: j, jaccard: overlap.jaccard, nearLength: nearLength,
      contextLength: contextLength, into: &row, at: first)
  }
}

/// What follows from the neighbour lists alone: when it is known, the lists are no longer needed.
package struct ListFeatures: Sendable {
  /// Replicated. m and K.
  fileprivate let nearLength: Int
  fileprivate let contextLength: Int
  /// Owned. As in ``StructureFeatures``.
  fileprivate let overlaps: Matrix
  /// Owned. What the list of each node says.
  fileprivate let structures: [NodeStructure]

  /// > Collective: over `communicator`. A round to agree on the number of pieces of the ghosts, and one for each:
  /// > per ghost its list, 16 bytes a place.
  ///
  /// - Parameters:
  ///   - lists: Owned. Nearest neighbours; K places each. Consumed.
  ///   - graph: Of the first `nearLength` places of the lists.
  /// - Complexity: O(edges · K).
  package init(
    _ lists: consuming NeighborLists, over graph: NeighborGraph, nearLength: Int,
    scales: ClosenessScales, using workers: Workers, on communicator: some Communicator
  ) throws {
    try communicator.assertReplicated(
      (nearLength: nearLength, contextLength: lists.listLength, scale: scales.ofAll))
    self.nearLength = nearLength
    contextLength = lists.listLength
    let context = NeighborContext(
      consume lists, nearLength: nearLength, scales: scales, using: workers)
    structures = [NodeStructure](
      count: graph.ownedCount, tilesOf: 256, using: workers, filledWith: NodeStructure()
    ) { owned, structures in
      for node in owned {
        structures[node - owned.lowerBound] = NodeStructure(
          closeness: context.closeness(of: node), nearLength: nearLength)
      }
    }
    let halo = graph.halo
    var overlaps = Matrix(rows: graph.ownedCount, columns: EdgeOverlap.width * nearLength)
    overlaps.fill(context, over: graph, using: workers, with: context.owned) {
      $0 < halo.ownedCount ? $0 : nil
    }
    for piece in try halo.pieces(rowByteCount: context.listByteCount, on: communicator) {
      let lists = try context.lists(of: piece, using: workers, on: communicator)
      let places = halo.places(in: piece)
      overlaps.fill(context, over: graph, using: workers, with: lists) {
        $0 < halo.ownedCount || places[$0 - halo.ownedCount] < 0
          ? nil : Int(places[$0 - halo.ownedCount])
      }
    }
    self.overlaps = overlaps
  }
}

/// The overlap of an edge, as ``StructureFeatures`` keeps it.
private struct EdgeOverlap {
  var lists: ListOverlap
  var jaccard: Float

  static let width = 6

  init(_ overlaps: Matrix, _ node: Int, _ place: Int) {
    let first = place * Self.width
    lists = ListOverlap(
      nearSharedCount: Int(overlaps[node, first]), nearProduct: overlaps[node, first + 1],
      weightProduct: overlaps[node, first + 2], placeAtSource: Int(overlaps[node, first + 3]),
      closenessAtSource: overlaps[node, first + 4])
    jaccard = overlaps[node, first + 5]
  }
}

extension Matrix {
  /// Writes the overlaps of the edges whose sources have lists among some.
  ///
  /// - Parameter listOfNode: The list of a local node; nil if it is not among `lists`.
  fileprivate mutating func fill(
    _ context: NeighborContext, over graph: NeighborGraph, using workers: Workers,
    with lists: SortedLists, of listOfNode: @Sendable (_ node: Int) -> Int?
  ) {
    let width = columnCount
    forEachTile(ofRows: 256, using: workers) { rows, tile in
      for row in rows {
        let name = graph.halo.global(LocalNode(row))
        for (place, edge) in graph.edges(into: row).enumerated() {
          guard let source = listOfNode(Int(graph.columns[edge].index)) else { continue }
          let overlap = context.overlap(ofTarget: row, named: name, with: source, of: lists)
          let union =
            Int(context.owned.counts[row]) + Int(lists.counts[source]) - overlap.sharedCount
          let first = (row - rows.lowerBound) * width + place * EdgeOverlap.width
          tile[first] = Float(overlap.nearSharedCount)
          tile[first + 1] = overlap.nearProduct
          tile[first + 2] = overlap.weightProduct
          tile[first + 3] = Float(overlap.placeAtSource)
          tile[first + 4] = overlap.closenessAtSource
          tile[first + 5] = Float(overlap.sharedCount) / Float(max(union, 1))
        }
      }
    }
  }
}

extension ListOverlap {
  /// What an edge j → i of level 0 and the lists of both ends say of the edges between them: it, and the one
  /// back if i is near in the list of j; and the larger z of both.
  ///
  /// - Parameter closeness: z of the edge.
  fileprivate func pointEdges(
    nearLength: Int, closeness: Float
  ) -> (tally: PointEdgeTally, closeness: Float) {
    (0..<nearLength).contains(placeAtSource)
      ? (PointEdgeTally(incoming: 1, outgoing: 1), max(closeness, closenessAtSource))
      : (PointEdgeTally(incoming: 1), closeness)
  }
}

extension NodeStructure {
  /// Adds what follows from the overlap of its list with those of its near neighbours.
  fileprivate mutating func describeSurroundings(_ edges: [EdgeOverlap], nearLength: Int) {
    guard !edges.isEmpty else { return }
    let count = Float(edges.count)
    mutualShare =
      Float(edges.count { (0..<nearLength).contains($0.lists.placeAtSource) }) / count
    // A list of m places and another share n: n of 2m − n.
    nearJaccard =
      edges.reduce(Float(0)) {
        $0 + Float($1.lists.nearSharedCount) / Float(2 * nearLength - $1.lists.nearSharedCount)
      } / count
    jaccard = edges.reduce(Float(0)) { $0 + $1.jaccard } / count
    largestJaccard = edges.reduce(0) { max($0, $1.jaccard) }
  }
}
