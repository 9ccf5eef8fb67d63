public import Communication

/// Which rank owns which nodes: rank r owns `firstNode[r] ..< firstNode[r + 1]`.
public struct NodePartition: Hashable, Sendable {
  /// Replicated. Shape `[size + 1]`, ascending from 0.
  public let firstNode: [Int]

  /// - Precondition: Ascending from 0.
  public init(firstNode: [Int]) {
    precondition(
      firstNode.first == 0 && firstNode.count > 1
        && zip(firstNode, firstNode.dropFirst()).allSatisfy { $0 <= $1 },
      "owned ranges \(firstNode)")
    self.firstNode = firstNode
  }

  /// Equal shares of the nodes: two ranks differ by at most one node.
  public init(sharing nodeCount: Int, among size: Int) {
    let share = nodeCount / size
    let extra = nodeCount % size
    self.init(firstNode: (0...size).map { share * $0 + min($0, extra) })
  }

  /// Equal shares of the nodes for the first ranks, nothing for the others.
  public init(sharing nodeCount: Int, amongFirst count: Int, of size: Int) {
    precondition((1...size).contains(count), "\(count) of \(size) ranks")
    let shares = NodePartition(sharing: nodeCount, among: count).firstNode
    self.init(firstNode: shares + Array(repeating: nodeCount, count: size - count))
  }

  /// The same, as the first ranks see it in a group of their own.
  ///
  /// - Precondition: The others own nothing.
  public func ofFirst(_ count: Int) -> NodePartition {
    precondition(firstNode[count] == nodeCount, "\(count) ranks do not own all nodes")
    return NodePartition(firstNode: Array(firstNode[...count]))
  }

  /// The number of nodes that all ranks own together.
  public var nodeCount: Int { firstNode[firstNode.count - 1] }

  /// The global indices that a rank owns.
  public func owned(by rank: Rank) -> Range<Int> {
    firstNode[rank.index]..<firstNode[rank.index + 1]
  }

  /// - Complexity: O(log size).
  public func owner(of node: GlobalNode) -> Rank {
    var low = 0
    var high = firstNode.count - 1
    while high - low > 1 {
      let middle = (low + high) / 2
      if firstNode[middle] <= Int(node.index) { low = middle } else { high = middle }
    }
    return Rank(low)
  }
}
