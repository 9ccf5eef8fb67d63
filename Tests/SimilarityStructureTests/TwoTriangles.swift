import Communication
import DistributedGraphs
import LinearAlgebra
import SimilarityStructure

/// Two triangles, 0 1 2 and 3 4 5, whose third neighbours lie across the bridge 2 – 3. All counts
/// can be made by hand, and z is a.
enum TwoTriangles {
  static let lists = NeighborLists(
    listLength: 3,
    neighbors: [1, 2, 3, 0, 2, 3, 0, 1, 3, 4, 5, 2, 3, 5, 2, 3, 4, 2].map { GlobalNode($0) },
    similarities: [
      0.9, 0.8, 0.2, 0.9, 0.7, 0.1, 0.8, 0.7, 0.5,
      0.9, 0.8, 0.5, 0.9, 0.7, 0.2, 0.8, 0.7, 0.1,
    ])
  static let nodes = NodePartition(sharing: 6, among: 1)
  static let scale = ClosenessScale(mean: 0)

  /// Two near places of three.
  static func features() throws -> StructureFeatures {
    let graph = try NeighborGraph(lists.prefix(2), in: nodes, on: SingleRank())
    return try StructureFeatures(
      lists, graph: graph,
      of: StructureLevel(
        level: 0, memberCounts: Array(repeating: 1, count: 6),
        meanLengths: Array(repeating: 1, count: 6),
        pointEdges: PointEdges(graph), scale: scale),
      nearLength: 2, on: SingleRank())
  }

  /// The triangles as two nodes of three points each; at level 0 all three places were near.
  static func coarseFeatures() throws -> StructureFeatures {
    let fine = try NeighborGraph(lists, in: nodes, on: SingleRank())
    let coarseNodes = NodePartition(sharing: 2, among: 1)
    let pointEdges = try PointEdges(fine).merged(
      into: [0, 0, 0, 1, 1, 1].map { GlobalNode($0) }, from: nodes, to: coarseNodes,
      on: SingleRank())
    let lists = NeighborLists(
      listLength: 1, neighbors: [GlobalNode(1), GlobalNode(0)], similarities: [0.5, 0.5])
    return try StructureFeatures(
      lists, graph: NeighborGraph(lists, in: coarseNodes, on: SingleRank()),
      of: StructureLevel(
        level: 1, memberCounts: [3, 3], meanLengths: [0.9, 0.95], pointEdges: pointEdges,
        scale: scale),
      nearLength: 1, on: SingleRank())
  }
}
