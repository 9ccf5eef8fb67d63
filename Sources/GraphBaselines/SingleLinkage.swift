public import Communication
internal import DistributedGraphs

/// The tree by which points merge along the edges of a spanning forest, shortest first. Replicated.
///
/// Trees of the forest that no edge joins merge last, infinitely far from each other.
public struct SingleLinkage: Sendable {
  public let pointCount: Int
  /// The two children of every node of the tree: points 0 ..< n, then the merges in their order.
  let children: [(first: Int, second: Int)]
  /// The square of the distance of every merge.
  let squaredDistances: [Float]

  /// > Collective: over `communicator`. A round of 8 bytes per rank, and all edges to every rank.
  ///
  /// - Complexity: O(n log n); about 100 bytes per point of all ranks, on each.
  public init(of forest: ReachabilityForest, on communicator: some Communicator) throws {
    self.init(
      try communicator.allGather(forest.edges).values, pointCount: forest.points.nodeCount)
  }

  /// - Parameter edges: In any order; those that close a cycle are left out.
  init(_ edges: [ReachabilityEdge], pointCount: Int) {
    self.pointCount = pointCount
    var sets = DisjointSets(count: pointCount)
    var node = Array(0..<pointCount)  // of the set with this root
    var children: [(first: Int, second: Int)] = []
    var squaredDistances: [Float] = []
    func merge(_ a: Int, _ b: Int, at squaredDistance: Float) {
      let (a, b) = (sets.root(of: a), sets.root(of: b))
      guard a != b else { return }
      children.append((node[a], node[b]))
      squaredDistances.append(squaredDistance)
      node[sets.unite(a, b)] = pointCount + children.count - 1
    }
    for edge in edges.sorted() {
      merge(Int(edge.lower.index), Int(edge.upper.index), at: edge.squaredDistance)
    }
    for point in 0..<pointCount { merge(0, point, at: .infinity) }
    self.children = children
    self.squaredDistances = squaredDistances
  }
}
