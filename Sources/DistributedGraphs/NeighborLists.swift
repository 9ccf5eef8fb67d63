/// The nearest other nodes of every owned node, nearest first: a kNN graph as the search returns it.
public struct NeighborLists: Equatable, Sendable {
  /// Replicated. Places in a list: k − 1, since k counts the node itself.
  public let listLength: Int
  /// Owned. Global index of each neighbour, −1 for none, ordered by (similarity descending, index
  /// ascending). Shape `[ownedCount × listLength]`.
  public private(set) var neighbors: [GlobalNode]
  /// Owned. Cosine similarity to each neighbour, 0 for none. Shape `[ownedCount × listLength]`.
  public private(set) var similarities: [Float]

  /// The place of a missing neighbour.
  public static let none = GlobalNode(-1)

  public init(listLength: Int, neighbors: [GlobalNode], similarities: [Float]) {
    precondition(
      neighbors.count == similarities.count
        && (listLength == 0 ? neighbors.isEmpty : neighbors.count.isMultiple(of: listLength)),
      "\(neighbors.count) neighbours, \(similarities.count) similarities, lists of \(listLength)")
    self.listLength = listLength
    self.neighbors = neighbors
    self.similarities = similarities
  }

  /// The two arrays, which are nobody else's if the lists were not.
  package consuming func takeArrays() -> (neighbors: [GlobalNode], similarities: [Float]) {
    (neighbors, similarities)
  }

  /// How many lists there are.
  public var count: Int { listLength == 0 ? 0 : neighbors.count / listLength }

  /// How many places of a list make an edge: those with positive similarity, which come first.
  public func edgeCount(of list: Int) -> Int {
    let first = list * listLength
    var count = 0
    while count < listLength, neighbors[first + count] != Self.none,
      similarities[first + count] > 0
    { count += 1 }
    return count
  }

  /// The first `length` places of every list; the lists themselves if they are not longer.
  public func prefix(_ length: Int) -> NeighborLists {
    guard length < listLength else { return self }
    func firstPlaces<T>(_ values: [T]) -> [T] {
      (0..<count).flatMap { values[$0 * listLength..<$0 * listLength + length] }
    }
    return NeighborLists(
      listLength: length, neighbors: firstPlaces(neighbors),
      similarities: firstPlaces(similarities))
  }

  /// Lists of any origin, in the order and of the length that the method needs.
  ///
  /// Drops empty places and the node itself, keeps the best of repeated neighbours, orders by
  /// (similarity descending, index ascending) and keeps the first `listLength`.
  ///
  /// - Parameter firstNode: Global index of the first list's node.
  public func canonical(listLength newLength: Int, firstNode: Int) -> NeighborLists {
    var neighbors = Array(repeating: Self.none, count: count * newLength)
    var similarities = Array(repeating: Float(0), count: count * newLength)
    for list in 0..<count {
      let node = GlobalNode(firstNode + list)
      let places = (list * listLength..<(list + 1) * listLength).filter {
        self.neighbors[$0] != Self.none && self.neighbors[$0] != node
      }.sorted {
        (-self.similarities[$0], self.neighbors[$0]) < (-self.similarities[$1], self.neighbors[$1])
      }
      var seen = Set<GlobalNode>()
      var next = list * newLength
      for place in places where next < (list + 1) * newLength {
        guard seen.insert(self.neighbors[place]).inserted else { continue }
        neighbors[next] = self.neighbors[place]
        similarities[next] = self.similarities[place]
        next += 1
      }
    }
    return NeighborLists(
      listLength: newLength, neighbors: neighbors, similarities: similarities)
  }
}
