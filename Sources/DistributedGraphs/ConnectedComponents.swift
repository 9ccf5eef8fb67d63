public import Communication

/// The name of the connected component of every owned node: its smallest global index.
///
/// Edges count in both directions. First every rank unites nodes along its own edges. Of the remaining
/// edges only a spanning forest takes part in the rounds. In each round, ranks ask for the roots of both
/// ends, hook the larger root below the smaller, and compress paths.
///
/// > Collective: over `communicator`. Each round two ``NodePartition/fetch(_:at:on:)`` and one
/// > scatter of at most one entry per forest edge, and the rounds of ``compressPaths(_:in:on:)``.
/// > A path cut into pieces by p ranks takes O(log p) rounds in practice; the smallest index
/// > always wins, so the number of rounds is at most the number of components that meet.
///
/// - Parameters:
///   - edges: Any rank may hold any edge.
///   - nodes: Which rank owns which nodes.
/// - Returns: One entry per owned node.
/// - Complexity: O(edges · α) locally.
public func connectedComponents(
  _ edges: [(GlobalNode, GlobalNode)], in nodes: NodePartition, on communicator: some Communicator
) throws -> [GlobalNode] {
  try communicator.assertReplicated(nodes.firstNode)
  let owned = nodes.owned(by: communicator.rank)
  func isInside(_ edge: (GlobalNode, GlobalNode)) -> Bool {
    owned.contains(Int(edge.0.index)) && owned.contains(Int(edge.1.index))
  }
  var forest = SpanningForest(owned: owned)
  for edge in edges where isInside(edge) { _ = forest.unite(edge.0, edge.1) }
  // Trees of height one: every owned node points at the smallest that it reaches inside.
  var parent = forest.rootsOfOwned()
  var crossing = edges.filter { !isInside($0) && forest.unite($0.0, $0.1) }

  var isMerging = true
  while isMerging {
    let ends = try nodes.fetch(
      parent, at: crossing.map(\.0) + crossing.map(\.1), on: communicator)
    var hooked: [GlobalNode] = []
    var below: [GlobalNode] = []
    var open: [(GlobalNode, GlobalNode)] = []
    for (place, edge) in crossing.enumerated() {
      let (a, b) = (ends[place], ends[crossing.count + place])
      guard a != b else { continue }
      hooked.append(max(a, b))
      below.append(min(a, b))
      open.append(edge)
    }
    isMerging = try communicator.any(!open.isEmpty)
    try nodes.scatter(below, to: hooked, into: &parent, on: communicator) { root, smaller in
      root = min(root, smaller)
    }
    try compressPaths(&parent, in: nodes, on: communicator)
    crossing = open
  }
  return parent
}

/// Disjoint sets over the owned nodes and all other nodes that edges mention.
struct SpanningForest {
  private let owned: Range<Int>
  private var sets: DisjointSets
  /// Places of nodes that this rank does not own, behind the owned ones.
  private var places: [GlobalNode: Int] = [:]

  init(owned: Range<Int>) {
    self.owned = owned
    sets = DisjointSets(count: owned.count)
  }

  /// Unites the sets of two nodes; returns whether they were separate.
  mutating func unite(_ a: GlobalNode, _ b: GlobalNode) -> Bool {
    let (x, y) = (sets.root(of: place(of: a)), sets.root(of: place(of: b)))
    guard x != y else { return false }
    sets.unite(x, y)
    return true
  }

  /// The smallest node of the set of every owned node, before any other node joins.
  mutating func rootsOfOwned() -> [GlobalNode] {
    owned.map { GlobalNode(owned.lowerBound + sets.root(of: $0 - owned.lowerBound)) }
  }

  private mutating func place(of node: GlobalNode) -> Int {
    if owned.contains(Int(node.index)) { return Int(node.index) - owned.lowerBound }
    if let place = places[node] { return place }
    places[node] = sets.count
    sets.append()
    return sets.count - 1
  }
}
