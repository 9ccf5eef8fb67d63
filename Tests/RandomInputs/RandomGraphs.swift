public import DistributedGraphs

extension NodePartition {
  /// Shares of any size, empty ones among them.
  public static func random(nodeCount: Int, ranks: Int, seed: Int) -> NodePartition {
    var generator = SeededGenerator(seed: seed)
    let cuts = (1..<ranks).map { _ in Int.random(in: 0...nodeCount, using: &generator) }.sorted()
    return NodePartition(firstNode: [0] + cuts + [nodeCount])
  }
}

extension NeighborLists {
  /// Lists of some random neighbours, nearest first, with places left empty and some neighbours of
  /// negative similarity at the end.
  ///
  /// - Parameter isAllowed: Whether an edge may run between two nodes.
  public static func random(
    nodeCount: Int, listLength: Int, seed: Int,
    where isAllowed: (Int, Int) -> Bool = { _, _ in true }
  ) -> NeighborLists {
    var generator = SeededGenerator(seed: seed)
    var neighbors: [GlobalNode] = []
    var similarities: [Float] = []
    for node in 0..<nodeCount {
      let others = (0..<nodeCount).filter { $0 != node && isAllowed(node, $0) }
        .shuffled(using: &generator).prefix(Int.random(in: 0...listLength, using: &generator))
      let values = others.map { _ in Float.random(in: -0.2...1, using: &generator) }.sorted(by: >)
      let empty = listLength - others.count
      neighbors += others.map { GlobalNode($0) } + Array(repeating: none, count: empty)
      similarities += values + Array(repeating: 0, count: empty)
    }
    return NeighborLists(listLength: listLength, neighbors: neighbors, similarities: similarities)
  }

  /// The lists of some nodes.
  public func slice(_ nodes: Range<Int>) -> NeighborLists {
    let places = nodes.lowerBound * listLength..<nodes.upperBound * listLength
    return NeighborLists(
      listLength: listLength, neighbors: Array(neighbors[places]),
      similarities: Array(similarities[places]))
  }
}

/// A parent for every node, itself for a root, in no particular order of indices.
///
/// - Parameter rootShare: How many of the nodes are roots.
public func randomForest(nodeCount: Int, rootShare: Double = 0.1, seed: Int) -> [GlobalNode] {
  var generator = SeededGenerator(seed: seed)
  let order = (0..<nodeCount).shuffled(using: &generator)
  var parent = (0..<nodeCount).map { GlobalNode($0) }
  for place in order.indices.dropFirst()
  where Double.random(in: 0..<1, using: &generator) >= rootShare {
    parent[order[place]] = GlobalNode(order[Int.random(in: 0..<place, using: &generator)])
  }
  return parent
}
