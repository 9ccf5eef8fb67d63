package import Communication
package import DistributedGraphs
package import Parallelism

/// One place of a list of nearest neighbours.
struct ListEntry: BitwiseCopyable, Equatable, Sendable {
  var node: GlobalNode
  /// z of the neighbour.
  var closeness: Float
  /// 0 for the nearest.
  var place: Int32

  /// The entry that fills short lists. It sorts after all nodes.
  static let none = ListEntry(node: GlobalNode(Int64.max), closeness: 0, place: .max)
}

/// The lists of all local nodes, sorted so that two of them are compared in one pass.
///
/// Memory: 16 bytes per local node and place of a list.
package struct NeighborContext: Sendable {
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

  /// Sorts this rank's lists and receives those of the ghosts.
  ///
  /// > Collective: over `communicator`. One round, `16 · length` bytes per ghost.
  ///
  /// - Parameters:
  ///   - lists: Owned. Places of no positive similarity count as empty.
  ///   - graph: The graph of the first `nearLength` places, whose ghosts are needed.
  package init(
    _ lists: NeighborLists, nearLength: Int, scale: ClosenessScale, over graph: NeighborGraph,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    let length = lists.listLength
    self.length = length
    self.nearLength = nearLength
    let own = [ListEntry](
      count: graph.ownedCount * length, tilesOf: max(256 * length, 1), using: workers,
      filledWith: ListEntry.none
    ) { places, own in
      for first in stride(from: 0, to: places.count, by: length) {
        let list = (places.lowerBound + first) / length
        let count = lists.edgeCount(of: list)
        for place in 0..<count {
          own[first + place] = ListEntry(
            node: lists.neighbors[list * length + place],
            closeness: scale.closeness(lists.similarities[list * length + place]),
            place: Int32(place))
        }
        own.sort(first..<first + count) { $0.node < $1.node }
      }
    }
    let entries = try graph.halo.extend(own, width: length, on: communicator)
    self.entries = entries
    let last = [ListEntry](
      count: graph.halo.localCount, tilesOf: 256, using: workers, filledWith: ListEntry.none
    ) { nodes, last in
      for node in nodes {
        var farthest = ListEntry(node: GlobalNode(-1), closeness: 0, place: -1)
        for entry in entries[node * length..<(node + 1) * length]
        where entry.place < length && entry.place > farthest.place { farthest = entry }
        last[node - nodes.lowerBound] = farthest
      }
    }
    counts = last.map { $0.place + 1 }
    farthest = last.map(\.closeness)
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

/// The overlap of two lists.
package struct ListOverlap: Equatable, Sendable {
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
  /// The overlap of the lists of an edge's two ends.
  ///
  /// Sums are of integers, so they do not depend on how nodes are named: of 64 bits for lists of up to
  /// ``shortLength`` places, of 128 for longer ones.
  ///
  /// - Parameters:
  ///   - target: i, an owned node.
  ///   - name: That of i in the whole graph.
  ///   - source: j, a local node.
  /// - Complexity: O(length).
  package func overlap(
    ofTarget target: Int, named name: GlobalNode, withSource source: Int
  ) -> ListOverlap {
    length <= Self.shortLength
      ? overlap(ofTarget: target, named: name, withSource: source, addingIn: Int64.self)
      : overlap(ofTarget: target, named: name, withSource: source, addingIn: Int128.self)
  }

  /// −8 ≤ z ≤ 2 and 0.02 ≤ w ≤ 10.02, so a product has at most 2⁴⁷ units, and 2¹⁵ of them 2⁶².
  package static let shortLength = 1 << 15

  @inline(__always)
  package func overlap<Sum: FixedWidthInteger>(
    ofTarget target: Int, named name: GlobalNode, withSource source: Int, addingIn: Sum.Type
  ) -> ListOverlap {
    let list = entries.span
    var overlap = ListOverlap()
    var (near, weighted) = (Sum(0), Sum(0))
    var (a, b) = (target * length, source * length)
    let (aEnd, bEnd) = (a + length, b + length)
    while a < aEnd, b < bEnd {
      let (x, y) = (list[a], list[b])
      if x.node == y.node {
        if x.place == .max { break }  // the empty places of both
        overlap.sharedCount += 1
        if x.place < nearLength, y.place < nearLength {
          overlap.nearSharedCount += 1
          near += Sum(fixedPoint(x.closeness * y.closeness))
        }
        weighted += Sum(
          fixedPoint(
            listWeight(x.closeness, farthest: farthest[target])
              * listWeight(y.closeness, farthest: farthest[source])))
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

/// w = max(z − z_K, 0) + 0.02: the weight of a neighbour in a list, above 0 even for the last one.
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
