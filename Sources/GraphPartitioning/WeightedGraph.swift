public import Communication
public import DistributedGraphs

/// An undirected graph whose nodes and edges have weights, over ranks. Every edge is stored at both ends,
/// with the same weight.
public struct WeightedGraph: Sendable {
  /// Replicated.
  public let nodes: NodePartition
  /// Local.
  let halo: Halo
  /// Owned. The neighbours of node i are `rowOffsets[i] ..< rowOffsets[i + 1]`.
  let rowOffsets: [Int]
  /// Owned. Ascending within a row by global name, without the node itself.
  let neighbors: [LocalNode]
  /// Owned. One per neighbour, above 0.
  let edgeWeights: [Int64]
  /// Owned. How many nodes of the first graph each node stands for.
  let nodeWeights: [Int64]

  var ownedCount: Int { nodeWeights.count }

  /// The edges at an owned node.
  func edges(of node: Int) -> Range<Int> { rowOffsets[node]..<rowOffsets[node + 1] }

  /// One end of an edge.
  private struct HalfEdge: Message {
    var node: GlobalNode
    var neighbor: GlobalNode
    var weight: Int64
  }

  /// The graph of neighbour lists. An edge weighs 2 if both ends have each other in their list, 1 if only
  /// one has the other: as many values as travel along it.
  ///
  /// > Collective: over `communicator`. Four rounds: 24 bytes per place of a list whose node is another
  /// > rank's, and 8 bytes per ghost.
  ///
  /// - Parameter length: Replicated. How many places of a list make edges; all by default.
  public init(
    _ lists: NeighborLists, places length: Int? = nil, in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    let owned = nodes.owned(by: communicator.rank)
    precondition(
      lists.listLength == 0 || lists.count == owned.count,
      "\(lists.count) lists for \(owned.count) nodes")
    try self.init(
      nodeWeights: Array(repeating: 1, count: owned.count), in: nodes, on: communicator
    ) { visit in
      for list in 0..<lists.count {
        let start = list * lists.listLength
        for place in start..<start + min(lists.edgeCount(of: list), length ?? .max) {
          let (node, neighbor) = (GlobalNode(owned.lowerBound + list), lists.neighbors[place])
          visit(HalfEdge(node: node, neighbor: neighbor, weight: 1))
          visit(HalfEdge(node: neighbor, neighbor: node, weight: 1))
        }
      }
    }
  }

  /// The graph of half-edges from anywhere; parallel ones are added up, loops are dropped.
  ///
  /// > Collective: over `communicator`. Four rounds: 24 bytes per half-edge of another rank's node, and 8
  /// > bytes per ghost.
  ///
  /// - Parameter forEachHalf: Calls its argument with every half-edge that this rank knows of, whoever owns the
  ///   node. It is called twice, as storing them all would take more memory than the graph.
  private init(
    nodeWeights: [Int64], in nodes: NodePartition, on communicator: some Communicator,
    forEachHalf: (_ visit: (HalfEdge) -> Void) -> Void
  ) throws {
    let owned = nodes.owned(by: communicator.rank)
    func row(of half: HalfEdge) -> Int? {
      owned.contains(Int(half.node.index)) ? Int(half.node.index) - owned.lowerBound : nil
    }
    var ends = Array(repeating: 0, count: owned.count + 1)
    var away: [HalfEdge] = []
    forEachHalf { half in
      guard half.node != half.neighbor else { return }
      if let row = row(of: half) { ends[row + 1] += 1 } else { away.append(half) }
    }
    let (outgoing, _) = Buckets.sorting(away, into: communicator.size) {
      nodes.owner(of: $0.node)
    }
    away = []
    let arrived = try communicator.allToAll(outgoing).values
    for half in arrived { ends[row(of: half)! + 1] += 1 }
    for row in 0..<owned.count { ends[row + 1] += ends[row] }

    var next = ends
    var rows = Array(
      repeating: End(neighbor: GlobalNode(0), weight: 0), count: ends[owned.count])
    func place(_ half: HalfEdge) {
      guard half.node != half.neighbor, let row = row(of: half) else { return }
      rows[next[row]] = End(neighbor: half.neighbor, weight: half.weight)
      next[row] += 1
    }
    forEachHalf(place)
    for half in arrived { place(half) }
    var rowOffsets = [0]
    rowOffsets.reserveCapacity(owned.count + 1)
    var end = 0
    for row in 0..<owned.count {
      rows[ends[row]..<ends[row + 1]].sort { $0.neighbor < $1.neighbor }
      for place in ends[row]..<ends[row + 1] {
        if end > rowOffsets[row], rows[end - 1].neighbor == rows[place].neighbor {
          rows[end - 1].weight += rows[place].weight
        } else {
          rows[end] = rows[place]
          end += 1
        }
      }
      rowOffsets.append(end)
    }
    let names = rows[..<end].map(\.neighbor)
    edgeWeights = rows[..<end].map(\.weight)
    rows = []
    (halo, neighbors) = try Halo.localizing(names, in: nodes, on: communicator)
    self.nodes = nodes
    self.rowOffsets = rowOffsets
    self.nodeWeights = nodeWeights
  }

  /// An edge as its node sees it.
  private struct End {
    var neighbor: GlobalNode
    var weight: Int64
  }

  /// The graph in which all nodes of a label are one. Its nodes are in the order of the labels.
  ///
  /// > Collective: over `communicator`. Some 17 rounds: 24 bytes per edge between labels, and a few words
  /// > per node.
  ///
  /// - Parameter labels: Owned. Names of nodes.
  /// - Returns: The graph, and the node of it that every node of this one is part of.
  func contracted(
    by labels: [GlobalNode], on communicator: some Communicator
  ) throws -> (graph: WeightedGraph, place: [GlobalNode]) {
    var weights = Array(repeating: Int64(0), count: ownedCount)
    try nodes.scatter(nodeWeights, to: labels, into: &weights, on: communicator) { $0 += $1 }
    let present = weights.indices.filter { weights[$0] > 0 }
    let first = try communicator.exclusivePrefixSum(present.count)
    var coarseOfLabel = Array(repeating: GlobalNode(-1), count: ownedCount)
    for (place, label) in present.enumerated() { coarseOfLabel[label] = GlobalNode(first + place) }
    let place = try nodes.fetch(coarseOfLabel, at: labels, on: communicator)
    let coarseNodes = NodePartition(
      sharing: try communicator.sum(present.count), among: communicator.size)
    let coarseWeights = try coarseNodes.arrange(
      present.map { weights[$0] }, at: present.map { coarseOfLabel[$0] }, on: communicator)
    let ends = try halo.extend(place, on: communicator)
    let graph = try WeightedGraph(
      nodeWeights: coarseWeights, in: coarseNodes, on: communicator
    ) { visit in
      for node in 0..<ownedCount {
        for edge in edges(of: node) {
          visit(
            HalfEdge(
              node: place[node], neighbor: ends[Int(neighbors[edge].index)],
              weight: edgeWeights[edge]))
        }
      }
    }
    return (graph, place)
  }
}
