internal import Communication
internal import DistributedGraphs
internal import GraphNetworks
internal import GraphPartitioning

/// Which rank owns which nodes. No label depends on it.
public enum NodeOwnership: Equatable, Sendable {
  /// Every rank owns consecutive points of the input, and the nodes that they become.
  case byInput
  /// Nodes near each other in the neighbour graph of level 0 have the same owner.
  case byLocality
  /// Owned points. The rank of every point; peaks keep theirs.
  case given([Int])

  /// As options and reports call it; nil for parts that are given.
  public var name: String? {
    switch self {
    case .byInput: "input"
    case .byLocality: "locality"
    case .given: nil
    }
  }
}

extension ClusteringRun {
  /// Deals the nodes of level 0 to ranks, and their lists with them.
  ///
  /// > Collective: over `communicator`. As ``partition(_:into:imbalance:on:)`` for nodes by locality, or a fetch
  /// > per node for given parts; then every node's row and list travel to its owner.
  ///
  /// - Parameters:
  ///   - lists: Owned. The neighbours of every node.
  ///   - edgeLength: Replicated. How many places of a list make edges.
  /// - Returns: The lists at the nodes' owners, with the new names of neighbours.
  mutating func deal(
    _ lists: NeighborLists, by ownership: NodeOwnership, edgeLength: Int,
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws -> NeighborLists {
    let old = level.nodes
    let partition: GraphPartition
    switch ownership {
    case .byInput: return lists
    case .byLocality:
      partition = try GraphPartitioning.partition(
        WeightedGraph(lists, places: edgeLength, in: old, on: communicator),
        into: communicator.size, on: communicator, progress: progress)
    case .given(let parts):
      partition = GraphPartition(
        parts: try points.fetch(parts, at: level.inputPoint, on: communicator),
        places: Array(old.owned(by: communicator.rank)))
    }
    let (place, nodes) = try partition.dealt(on: communicator)
    try reorder(to: place, in: nodes, on: communicator)
    return try lists.moved(to: place, in: nodes, renamingFrom: old, on: communicator)
  }
}

extension NodePartition {
  /// The place of each of some nodes among all that any rank names, ascending.
  ///
  /// > Collective: over `communicator`. Seven rounds: 9 bytes per node, 16 for its place, and 8 per rank.
  ///
  /// - Parameter some: Over all ranks no node occurs twice.
  func places(
    of some: [GlobalNode], on communicator: some Communicator
  ) throws -> [GlobalNode] {
    var isNamed = Array(repeating: false, count: owned(by: communicator.rank).count)
    try scatter(
      Array(repeating: true, count: some.count), to: some, into: &isNamed, on: communicator
    ) { $0 = $1 }
    var next = try communicator.exclusivePrefixSum(isNamed.count { $0 })
    let places = isNamed.map { isNamed in
      defer { next += isNamed ? 1 : 0 }
      return GlobalNode(next)
    }
    return try fetch(places, at: some, on: communicator)
  }
}

extension LevelRecord {
  /// The same level with its nodes in the order of their input points, equal shares on every rank.
  ///
  /// > Collective: over `communicator`. Some 120 rounds: a few words per node, and its list with the linkages.
  func inInputOrder(
    of points: NodePartition, on communicator: some Communicator
  ) throws -> LevelRecord {
    let place = try points.places(of: inputPoint, on: communicator)
    let ordered = NodePartition(sharing: nodes.nodeCount, among: communicator.size)
    let neighbors = try neighbors.moved(
      to: place, in: ordered, renamingFrom: nodes, on: communicator)
    let graph = try NeighborGraph(neighbors, in: ordered, on: communicator)
    // Rows of the graph are as long as a list, for the journey.
    let width = neighbors.listLength
    var distances = Array(repeating: Float(0), count: inputPoint.count * width)
    for node in inputPoint.indices {
      for (column, edge) in self.graph.edges(into: node).enumerated() {
        distances[node * width + column] = linkage.distance[edge]
      }
    }
    distances = try ordered.arrange(distances, width: width, at: place, on: communicator)
    return LevelRecord(
      level: level, nodes: ordered,
      inputPoint: try ordered.arrange(inputPoint, at: place, on: communicator),
      neighbors: neighbors, graph: graph,
      linkage: Linkage(
        distance: (0..<graph.ownedCount).flatMap { node in
          distances[node * width..<node * width + graph.edges(into: node).count]
        },
        density: try ordered.arrange(linkage.density, at: place, on: communicator)),
      parent: try ordered.arrange(
        nodes.fetch(place, at: parent, on: communicator), at: place, on: communicator))
  }
}
