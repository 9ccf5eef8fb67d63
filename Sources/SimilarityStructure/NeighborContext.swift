internal import Communication
internal import DistributedGraphs

/// One place of a list of nearest neighbours.
struct ListEntry: BitwiseCopyable, Equatable, Sendable {
  var node: GlobalNode
  /// z of the neighbour.
  var closeness: Float
  /// 0 for the nearest.
  var place: Int32

  /// What fills a list that is too short: behind all nodes.
  static let none = ListEntry(node: GlobalNode(Int64.max), closeness: 0, place: .max)
}

/// The lists of all local nodes, sorted so that two of them are compared in one pass.
///
/// Memory: 16 bytes per local node and place of a list.
struct NeighborContext: Sendable {
  /// Replicated. K: places of a list.
  let length: Int
  /// Replicated. m: the first places, those that make edges.
  let nearLength: Int
  /// Local. Every list by ascending node, then ``ListEntry/none``. Shape `[localCount × length]`.
  let entries: [ListEntry]
  /// Local. Neighbours in every list. Shape `[localCount]`.
  private let counts: [Int32]
  /// Local. z_K: z of the last neighbour of every list; 0 for an empty one. Shape `[localCount]`.
  private let farthest: [Float]

  /// Sorts the own lists and receives those of the ghosts.
  ///
  /// > Collective: over `communicator`. One round, `16 · length` bytes per ghost.
  ///
  /// - Parameters:
  ///   - lists: Owned. Places of no positive similarity count as empty.
  ///   - graph: Whose ghosts are wanted: that of the first `nearLength` places.
  init(
    _ lists: NeighborLists, nearLength: Int, scale: ClosenessScale, over graph: NeighborGraph,
    on communicator: some Communicator
  ) throws {
    length = lists.listLength
    self.nearLength = nearLength
    var own = Array(repeating: ListEntry.none, count: graph.ownedCount * length)
    for list in 0..<(length == 0 ? 0 : graph.ownedCount) {
      let first = list * length
      let count = lists.edgeCount(of: list)
      for place in 0..<count {
        own[first + place] = ListEntry(
          node: lists.neighbors[first + place],
          closeness: scale.closeness(lists.similarities[first + place]), place: Int32(place))
      }
      own[first..<first + count].sort { $0.node < $1.node }
    }
    let entries = try graph.halo.extend(own, width: length, on: communicator)
    self.entries = entries
    let length = length
    let last = (0..<graph.halo.localCount).map { node in
      entries[node * length..<(node + 1) * length].lazy.filter { $0.place < length }
        .max { $0.place < $1.place }
    }
    counts = last.map { ($0?.place ?? -1) + 1 }
    farthest = last.map { $0?.closeness ?? 0 }
  }

  /// How many neighbours the list of a local node has.
  func count(of node: Int) -> Int { Int(counts[node]) }

  /// The list of a local node, nearest first: z of its neighbours.
  func closeness(of node: Int) -> [Float] {
    let list = entries[node * length..<(node + 1) * length]
    var values = Array(repeating: Float(0), count: count(of: node))
    for entry in list where entry.place < length { values[Int(entry.place)] = entry.closeness }
    return values
  }
}

/// What two lists have in common.
struct ListOverlap: Equatable, Sendable {
  /// Nodes that are in both lists.
  var sharedCount = 0
  /// Nodes that are among the near ones of both.
  var nearSharedCount = 0
  /// Σ zᵢₗ zⱼₗ over the nodes l that are near in both.
  var nearProduct: Float = 0
  /// Σ wᵢₗ wⱼₗ over the nodes l of both lists, w as in ``listWeight(_:farthest:)``.
  var weightProduct: Float = 0
  /// The place of i in the list of j; −1 if it is not there.
  var placeAtSource = -1
}

extension NeighborContext {
  /// What the lists of an edge's two ends have in common.
  ///
  /// Sums are of integers, so they do not depend on how nodes are named.
  ///
  /// - Parameters:
  ///   - target: i, an owned node.
  ///   - name: That of i in the whole graph.
  ///   - source: j, a local node.
  /// - Complexity: O(length).
  func overlap(
    ofTarget target: Int, named name: GlobalNode, withSource source: Int
  ) -> ListOverlap {
    let list = entries.span
    var overlap = ListOverlap()
    var (near, weighted) = (Int64(0), Int64(0))
    var (a, b) = (target * length, source * length)
    let (aEnd, bEnd) = (a + length, b + length)
    while a < aEnd, b < bEnd {
      let (x, y) = (list[a], list[b])
      if x.node == y.node {
        if x.place == .max { break }  // the empty places of both
        overlap.sharedCount += 1
        if x.place < nearLength, y.place < nearLength {
          overlap.nearSharedCount += 1
          near += fixedPoint(x.closeness * y.closeness)
        }
        weighted += fixedPoint(
          listWeight(x.closeness, farthest: farthest[target])
            * listWeight(y.closeness, farthest: farthest[source]))
        a += 1
        b += 1
      } else if x.node < y.node {
        a += 1
      } else {
        if y.node == name { overlap.placeAtSource = Int(y.place) }
        b += 1
      }
    }
    while b < bEnd, overlap.placeAtSource < 0 {
      if list[b].node == name { overlap.placeAtSource = Int(list[b].place) }
      b += 1
    }
    overlap.nearProduct = Float(Double(near) / fixedPointScale)
    overlap.weightProduct = Float(Double(weighted) / fixedPointScale)
    return overlap
  }
}

/// w = max(z − z_K, 0) + 0.02: what a neighbour of a list weighs; even the last one weighs something.
func listWeight(_ closeness: Float, farthest: Float) -> Float {
  max(closeness - farthest, 0) + 0.02
}

private let fixedPointScale = 0x1p40

/// Products of z as integers; z of cosines is in −8 … 1. Clipped to ±2¹⁰ whatever similarities
/// were handed in, and NaN taken as 0, so that the sums over lists of 2¹³ places do not overflow.
private func fixedPoint(_ value: Float) -> Int64 {
  guard !value.isNaN else { return 0 }
  return Int64(Double(min(max(value, -0x1p10), 0x1p10)) * fixedPointScale)
}
