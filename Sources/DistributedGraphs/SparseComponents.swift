public import Communication

/// The connected components of nodes of which few have edges, as when nodes are ids of documents rather
/// than rows.
///
/// Memory and time depend on the edges. A node without edges is a component by itself, and costs nothing
/// until its label is requested.
public struct SparseComponents: Sendable {
  /// Which rank is responsible for the labels of which nodes.
  public let points: NodePartition
  /// Replicated. The number of components, including those of one node.
  public let componentCount: Int
  /// Owned. The nodes of this rank's range that have edges, ascending.
  private let ids: [Int64]
  /// Owned. The label of each.
  private let labels: [Int64]
  /// Owned. For each of ``ids``, and for the end of the range: the number of earlier nodes that are not
  /// the first of their component. Shape `[ids.count + 1]`.
  private let laterBefore: [Int64]

  /// - Parameters:
  ///   - edges: Any rank may hold any edge. The ids are those of nodes.
  ///   - nodeCount: Replicated. The nodes are `0 ..< nodeCount`.
  ///
  /// > Collective: over `communicator`. As ``CompactNodes`` and ``connectedComponents(_:in:on:)``; then
  /// > three fetches and one delivery of at most 24 bytes per node that has an edge.
  ///
  /// - Complexity: O(edges · log(edges)) locally, whatever the ids are.
  public init(
    _ edges: [(GlobalNode, GlobalNode)], of nodeCount: Int, on communicator: some Communicator
  ) throws {
    let ends = edges.map(\.0.index) + edges.map(\.1.index)
    let compact = try CompactNodes(ends, on: communicator)
    let places = try compact.places(of: ends, on: communicator)
    let roots = try connectedComponents(
      edges.indices.map { (places[$0], places[edges.count + $0]) }, in: compact.nodes,
      on: communicator)

    // Labels count the nodes that are the first of their component. So the first one has as its label
    // its id less the nodes before it that are not, all of which have edges.
    let firstPlace = compact.nodes.owned(by: communicator.rank).lowerBound
    let isFirst = roots.indices.map { roots[$0] == GlobalNode(firstPlace + $0) }
    let laterCount = isFirst.count { !$0 }
    var later = Int64(try communicator.exclusivePrefixSum(laterCount))
    var numbers = Array(repeating: Int64(-1), count: roots.count)
    for place in roots.indices {
      if isFirst[place] { numbers[place] = compact.ids[place] - later } else { later += 1 }
    }
    numbers = try compact.nodes.fetch(numbers, at: roots, on: communicator)
    componentCount = nodeCount - (try communicator.sum(laterCount))

    // From who owns the place among ids to who owns the node: both ascend, and so does what arrives.
    points = NodePartition(sharing: nodeCount, among: communicator.size)
    let arrived = try points.deliver(
      numbers.indices.flatMap { [numbers[$0], isFirst[$0] ? 0 : 1] }, width: 2,
      to: compact.ids.map { GlobalNode($0) }, on: communicator)
    ids = arrived.nodes.map(\.index)
    labels = ids.indices.map { arrived.rows[2 * $0] }
    let ownLater = ids.indices.reduce(0) { $0 + Int(arrived.rows[2 * $1 + 1]) }
    var before = Int64(try communicator.exclusivePrefixSum(ownLater))
    var laterBefore = [before]
    for place in ids.indices {
      before += arrived.rows[2 * place + 1]
      laterBefore.append(before)
    }
    self.laterBefore = laterBefore
  }

  /// The components of some nodes, numbered 0, 1, 2, … in the order in which they first appear among
  /// all nodes.
  ///
  /// - Precondition: This rank is responsible for the nodes.
  /// - Complexity: O(range.count + log(ids)).
  public func labels(_ range: Range<Int>) -> [Int64] {
    var (low, high) = (0, ids.count)
    while low < high {
      let middle = (low + high) / 2
      if ids[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
    }
    var place = low
    return range.map { node in
      guard place < ids.count, ids[place] == node else { return Int64(node) - laterBefore[place] }
      defer { place += 1 }
      return labels[place]
    }
  }
}
