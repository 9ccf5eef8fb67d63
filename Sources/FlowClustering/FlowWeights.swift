package import Communication
package import DistributedGraphs
internal import Glibc
package import Parallelism

/// How strongly the ends of each edge belong together, by the steps of a random walk that both ends take.
///
/// A walk goes from a point to one of the k points of its list, which contains the point itself:
///
///     Pᵢ(c) = exp(−(2 − 2 aᵢ) / s) / Σ,   a the cosine similarity of i and c
///     w(i, j) = Σ (Pᵢ(c) + Pⱼ(c)) / 2  over the common places c of both lists
///
/// A point keeps the edges to its nearest neighbours up to the first whose weight is below θ: beyond it, the
/// list has left the point's own surroundings.      [FC-ES, arXiv:2408.13431]
///
/// In clusters that are much larger than k even nearest neighbours have little in common. With m the weight between points
/// and their nearest neighbours that nine tenths of the points do not exceed,
///
///     θ = 0.4 · min(1, m / 0.75)²
///
/// P is in whole units of 2⁻²², so weights are sums of integers: they do not depend on the order in which places
/// are visited, and w(i, j) = w(j, i) bit for bit.
package struct FlowWeights: Sendable {
  /// The edges: k − 1 places of each list.
  package let graph: NeighborGraph
  /// Owned. Twice w of every edge, in units of ``unit``; 0 for edges that are not kept. Shape
  /// `[edgeCount]`.
  package let doubled: [UInt32]
  /// θ: the weight below which a point's edges end. Replicated.
  package let threshold: Double

  /// What makes 1.
  package static let unit = 1 << 22
  /// s: the scale of squared distances between unit rows. Published.
  package static let scale = 0.5
  /// θ where nearest neighbours have much in common. Published is 0.22, with which long lists leave small clusters.
  package static let usualThreshold = 0.4
  /// The least m at which θ is the usual. On the real sets m is 0.79 and more; of blobs larger than lists, 0.53 and less.
  static let usualNearness = 0.75

  /// > Collective: over `communicator`. Four rounds: the counts, 8 bytes per ghost, then 12 bytes for each
  /// > place of its list. A sum of 8 KB more for θ.
  ///
  /// - Parameters:
  ///   - lists: Owned. Nearest neighbours, k − 1 places each.
  ///   - nodes: Replicated. Who owns which nodes.
  ///   - weighedCount: Owned. Only so many nodes, the first, have edges into them; nil for all.
  ///   - endsLists: Whether a list ends at the first weight below θ. If not, every edge of θ or more is kept.
  ///   - threshold: Replicated. θ; nil to choose it by these lists.
  /// - Complexity: O(edges · k), and 12 bytes for each place of the lists of local nodes.
  package init(
    _ lists: NeighborLists, in nodes: NodePartition, weighingFirst weighedCount: Int? = nil,
    endingLists endsLists: Bool = true, threshold: Double? = nil,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    let graph = try NeighborGraph(
      lists, usingFirst: weighedCount, in: nodes, on: communicator)
    self.graph = graph
    let steps = try WalkSteps(lists, over: graph, using: workers, on: communicator)
    let threshold =
      try threshold
      ?? Self.threshold(steps.weightsOfNearest(over: graph, using: workers), on: communicator)
    self.threshold = threshold
    let limit = max(1, UInt32((2 * threshold * Double(Self.unit)).rounded(.up)))
    let tiles = (0..<graph.ownedCount).tiles(of: 64)
    var doubled = Array(repeating: UInt32(0), count: graph.edgeCount)
    doubled.forEachTile(
      tiles.map { graph.rowOffsets[$0.lowerBound]..<graph.rowOffsets[$0.upperBound] },
      using: workers
    ) { tile, doubled in
      var own = FlowTable(capacity: steps.width)
      let first = graph.rowOffsets[tiles[tile].lowerBound]
      for node in tiles[tile] {
        steps.collect(node, into: &own)
        for edge in graph.edges(into: node) {
          let weight = steps.commonFlow(of: own, with: Int(graph.columns[edge].index))
          if weight >= limit {
            doubled[edge - first] = weight
          } else if endsLists {
            break
          }
        }
        own.removeAll()
      }
    }
    self.doubled = doubled
  }

  /// θ by m, which is right to a thousandth of ``usualNearness``. Not by a median: that would be of noise where most points
  /// are.
  ///
  /// > Collective: over `communicator`. One sum of 8 KB.
  ///
  /// - Parameter doubled: Owned. Twice w of the first edge of every node that has one.
  private static func threshold(
    _ doubled: [UInt32], on communicator: some Communicator
  ) throws -> Double {
    let binCount = 1024
    let end = Int(2 * usualNearness * Double(unit))
    // The last is for all weights from the usual m on.
    var counts = [Int64](repeating: 0, count: binCount + 1)
    for weight in doubled { counts[min(Int(weight) * binCount / end, binCount)] += 1 }
    counts = try communicator.sums(counts)
    let all = counts.reduce(0, +)
    var count: Int64 = 0
    let nearness = counts.firstIndex {
      count += $0
      return count > all - (all + 9) / 10
    }
    let share = Double(nearness ?? binCount) / Double(binCount)
    return usualThreshold * share * share
  }

  /// How many edges are kept.
  package var keptCount: Int { doubled.count { $0 > 0 } }

  /// The kept edges, to where lists are from where they point.
  var edges: [FlowEdge] {
    (0..<graph.ownedCount).flatMap { node in
      graph.edges(into: node).lazy.filter { doubled[$0] > 0 }.map {
        FlowEdge(
          target: graph.halo.global(LocalNode(node)), source: graph.source(of: $0),
          flow: Int64(doubled[$0]))
      }
    }
  }
}

/// P of all local nodes.
private struct WalkSteps: Sendable {
  /// Places: the node itself and those of its list.
  let width: Int
  /// Local. Indices; −1 for no node. Shape `[localCount × width]`.
  private let nodes: [Int64]
  /// Local. In units of ``FlowWeights/unit``. Shape `[localCount × width]`.
  private let flows: [UInt32]

  init(
    _ lists: NeighborLists, over graph: NeighborGraph, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    let width = lists.listLength + 1
    self.width = width
    var nodes: [Int64] = []
    nodes.reserveCapacity(graph.ownedCount * width)
    for node in 0..<graph.ownedCount {
      nodes.append(graph.halo.global(LocalNode(node)).index)
      let count = lists.edgeCount(of: node)
      for place in 0..<lists.listLength {
        nodes.append(
          place < count
            ? lists.neighbors[node * lists.listLength + place].index : NeighborLists.none.index)
      }
    }
    let flows = [UInt32](
      count: graph.ownedCount * width, tilesOf: 64 * width, using: workers, filledWith: 0
    ) { places, flows in
      for first in stride(from: 0, to: places.count, by: width) {
        let node = (places.lowerBound + first) / width
        let edges = node * lists.listLength..<node * lists.listLength + lists.edgeCount(of: node)
        // The node itself, at distance 0, first.
        let steps =
          [1] + lists.similarities[edges].map { exp(-(2 - 2 * Double($0)) / FlowWeights.scale) }
        let sum = steps.reduce(0, +)
        for (place, step) in steps.enumerated() {
          flows[first + place] = max(
            1, UInt32((step / sum * Double(FlowWeights.unit)).rounded()))
        }
      }
    }
    self.nodes = try graph.halo.extend(nodes, width: width, on: communicator)
    self.flows = try graph.halo.extend(flows, width: width, on: communicator)
  }

  /// Puts the steps of one node into an empty table.
  func collect(_ node: Int, into table: inout FlowTable) {
    for place in node * width..<(node + 1) * width where nodes[place] >= 0 {
      table.add(Int64(flows[place]), to: nodes[place])
    }
  }

  /// Twice w of the first edge of every node that has one.
  func weightsOfNearest(over graph: NeighborGraph, using workers: Workers) -> [UInt32] {
    let nodes = (0..<graph.ownedCount).filter { !graph.edges(into: $0).isEmpty }
    return [UInt32](count: nodes.count, tilesOf: 64, using: workers, filledWith: 0) {
      places, doubled in
      var own = FlowTable(capacity: width)
      for (place, node) in zip(doubled.indices, nodes[places]) {
        collect(node, into: &own)
        let nearest = graph.columns[graph.edges(into: node).lowerBound]
        doubled[place] = commonFlow(of: own, with: Int(nearest.index))
        own.removeAll()
      }
    }
  }

  /// Pᵢ(c) + Pⱼ(c), added up over common c.
  @inline(__always)
  func commonFlow(of own: FlowTable, with node: Int) -> UInt32 {
    UInt32(own.sum(of: nodes.span, with: flows.span, in: node * width..<(node + 1) * width))
  }
}
