public import Communication
public import DistributedGraphs

/// Which part every node of a graph belongs to, and an order of its nodes.
public struct GraphPartition: Equatable, Sendable {
  /// Owned. The part of every node.
  public let parts: [Int]
  /// Owned. The place of every node in an order in which connected nodes are near each other: over all
  /// ranks each of `0 ..< nodeCount` once.
  public let places: [Int]

  public init(parts: [Int], places: [Int]) {
    precondition(parts.count == places.count, "\(parts.count) parts, \(places.count) places")
    self.parts = parts
    self.places = places
  }

  /// Gives every rank the nodes of the part with its number.
  ///
  /// > Collective: over `communicator`. Five rounds, 16 bytes per node that moves.
  ///
  /// - Returns: The new index of every owned node, and which rank owns which of these. A rank's nodes are in
  ///   the order of their places.
  /// - Precondition: Parts are ranks.
  public func dealt(
    on communicator: some Communicator
  ) throws -> (place: [GlobalNode], nodes: NodePartition) {
    precondition(
      parts.allSatisfy { (0..<communicator.size).contains($0) },
      "parts of \(communicator.size) ranks")
    var counts = Array(repeating: Int64(0), count: communicator.size)
    for part in parts { counts[part] += 1 }
    let sizes = try communicator.integerSums(counts).map { Int($0) }
    let nodes = NodePartition(firstNode: sizes.exclusivePrefixSums() + [sizes.reduce(0, +)])
    let first = nodes.owned(by: communicator.rank).lowerBound
    let place = try communicator.answers(
      to: places, at: parts.map { Rank($0) }
    ) { asked in
      var answers = Array(repeating: GlobalNode(0), count: asked.count)
      for (index, ticket) in asked.indices.sorted(by: { asked[$0] < asked[$1] })
        .enumerated()
      {
        answers[ticket] = GlobalNode(first + index)
      }
      return answers
    }
    return (place, nodes)
  }
}

/// Divides a graph into parts of nearly equal weight with few edges between them.
///
/// Coarsens the graph by bounded label propagation until it is small, bisects the small graph again and
/// again on every rank alike, and goes back, moving nodes between parts at every level. All in
/// integers: the answer does not depend on how nodes are spread over ranks, and ties go to the lower node.
/// [Karypis and Kumar 1998; with label propagation, Meyerhenke et al. 2014; Gottesbüren et al. 2021]
///
/// > Collective: over `communicator`. At most 146 calls per level of some ten times fewer nodes, of what
/// > `propagate` sends; and the smallest graph to every rank.
///
/// - Parameters:
///   - partCount: Replicated. At least 1.
///   - imbalance: Replicated. How much heavier than the mean a part may be, as a share of it. At level 0
///     no part is heavier, rounded up to a node.
///   - progress: Told what share is done, about.
/// - Precondition: The nodes weigh 1, as those of neighbour lists do.
public func partition(
  _ graph: WeightedGraph, into partCount: Int, imbalance: Double = 0.03,
  on communicator: some Communicator, progress: (Double) throws -> Void = { _ in }
) throws -> GraphPartition {
  precondition(partCount > 0 && imbalance >= 0, "\(partCount) parts, imbalance \(imbalance)")
  try communicator.assertReplicated((partCount: partCount, imbalance: imbalance))
  let total = graph.nodes.nodeCount
  // Steps look at all nodes of a level, of which there are some ten times fewer each: three rounds of two steps on the
  // way down, six on the way up.
  var seen = 0.0
  func show(_ nodeCount: Int) throws {
    seen += Double(nodeCount)
    try progress(min(0.99, seen / (20 * Double(max(total, 1)))))
  }
  let limit = Int64((Double(total) / Double(partCount) * (1 + imbalance)).rounded(.up))
  // Coarse nodes are far below a part's weight, so that parts can be of nearly equal weight.
  let coarseLimit = max(1, Int64(total / (coarseNodesPerPart / 2 * max(partCount, 8))))

  var levels: [(graph: WeightedGraph, coarse: [GlobalNode])] = []
  var current = graph
  while current.nodes.nodeCount > max(coarseNodesPerPart * partCount, 2000) {
    var labels = current.nodes.owned(by: communicator.rank).map { GlobalNode($0) }
    try current.propagate(
      &labels, .nodes, upTo: coarseLimit, rounds: 3, on: communicator, afterStep: show)
    try current.groupLeftovers(&labels, upTo: coarseLimit, on: communicator)
    let (next, coarse) = try current.contracted(by: labels, on: communicator)
    guard Double(next.nodes.nodeCount) < 0.9 * Double(current.nodes.nodeCount) else { break }
    levels.append((current, coarse))
    current = next
  }

  let whole = try SmallGraph(gathering: current, on: communicator)
  let wholeParts = whole.parts(partCount, limit: limit)
  let owned = current.nodes.owned(by: communicator.rank)
  var parts = wholeParts[owned].map { GlobalNode($0) }
  var starts = whole.starts(inOrder: whole.order(within: wholeParts))[owned].map { $0 }
  try current.refine(&parts, partCount, limit, on: communicator, afterStep: show)
  for (finer, coarse) in levels.reversed() {
    parts = try current.nodes.fetch(parts, at: coarse, on: communicator)
    starts = try finer.starts(within: starts, of: current.nodes, coarse, on: communicator)
    current = finer
    try current.refine(&parts, partCount, limit, on: communicator, afterStep: show)
  }
  return GraphPartition(parts: parts.map { Int($0.index) }, places: starts.map { Int($0) })
}

/// How many nodes the smallest graph has for each part, at least.
private let coarseNodesPerPart = 64

extension SmallGraph {
  /// Where each node's share begins if shares as long as the weights follow each other in an order.
  fileprivate func starts(inOrder order: [Int]) -> [Int64] {
    var starts = Array(repeating: Int64(0), count: count)
    var next: Int64 = 0
    for node in order {
      starts[node] = next
      next += nodeWeights[node]
    }
    return starts
  }
}

extension WeightedGraph {
  /// Divides the shares of coarse nodes among their members, in order of their names.
  ///
  /// > Collective: over `communicator`. Three rounds, 32 bytes per node.
  fileprivate func starts(
    within coarseStarts: [Int64], of coarseNodes: NodePartition, _ coarse: [GlobalNode],
    on communicator: some Communicator
  ) throws -> [Int64] {
    var next = coarseStarts
    let first = coarseNodes.owned(by: communicator.rank).lowerBound
    // Questions come from ranks in ascending order, and from each in order: that of the names.
    return try communicator.answers(
      to: zip(coarse, nodeWeights).map { WeighedLabel(label: $0, weight: $1) },
      at: coarse.map { coarseNodes.owner(of: $0) }
    ) { asked in
      asked.map { member in
        let place = Int(member.label.index) - first
        defer { next[place] += member.weight }
        return next[place]
      }
    }
  }

  /// Improves parts.
  ///
  /// > Collective: over `communicator`.
  fileprivate func refine(
    _ parts: inout [GlobalNode], _ partCount: Int, _ limit: Int64,
    on communicator: some Communicator, afterStep: (Int) throws -> Void
  ) throws {
    try propagate(
      &parts, .parts(partCount), upTo: limit, rounds: 6, on: communicator, afterStep: afterStep)
    try balance(&parts, partCount, upTo: limit, on: communicator)
  }
}
