package import Communication
package import DistributedGraphs
package import Parallelism

/// One place of a list of nearest neighbours, as it travels.
private struct ListEntry: BitwiseCopyable, Sendable {
  var node: GlobalNode
  /// z of the neighbour.
  var closeness: Float
  /// 0 for the nearest.
  var place: Int32
}

/// Lists sorted by node, so that two of them are compared in one pass.
///
/// Memory: 14 bytes per place, and 12 of these are those of the lists that they were made of.
private struct SortedLists: Sendable {
  private let length: Int
  /// Of every list ascending, then ``none``. Shape `[count × length]`.
  let nodes: [GlobalNode]
  /// z of each neighbour. Shape `[count × length]`.
  let closeness: [Float]
  /// The place of each neighbour before lists were sorted, 0 for the nearest: of short or of long lists.
  /// Shape `[count × length]`.
  private let shortPlaces: [UInt16]
  private let longPlaces: [Int32]
  /// Neighbours in every list. Shape `[count]`.
  let counts: [Int32]

  /// What fills short lists. It sorts after all nodes.
  static let none = GlobalNode(Int64.max)

  /// Sorts lists in their own memory, unless somebody else keeps them.
  ///
  /// - Parameter lists: Places of no positive similarity count as empty.
  init(_ lists: consuming NeighborLists, scales: ClosenessScales, using workers: Workers) {
    let (length, count) = (lists.listLength, lists.count)
    self.length = length
    let isShort = length <= Int(UInt16.max)
    counts = (0..<count).map { Int32(lists.edgeCount(of: $0)) }
    shortPlaces = isShort ? lists.placesByNode(counts, using: workers) : []
    longPlaces = isShort ? [] : lists.placesByNode(counts, using: workers)
    var (nodes, closeness) = (consume lists).takeArrays()
    let tiles = (0..<count).tiles(of: 256)
    let places = tiles.map { $0.lowerBound * length..<$0.upperBound * length }
    let (counts, short, long) = (counts, shortPlaces, longPlaces)
    @Sendable func source(_ place: Int) -> Int { isShort ? Int(short[place]) : Int(long[place]) }
    nodes.forEachTile(places, using: workers) { tile, nodes in
      for list in tiles[tile] {
        let first = (list - tiles[tile].lowerBound) * length
        let unsorted = (first..<first + length).map { nodes[$0] }
        for place in 0..<length {
          nodes[first + place] =
            place < counts[list] ? unsorted[source(list * length + place)] : Self.none
        }
      }
    }
    closeness.forEachTile(places, using: workers) { tile, closeness in
      for list in tiles[tile] {
        let first = (list - tiles[tile].lowerBound) * length
        let unsorted = (first..<first + length).map { closeness[$0] }
        for place in 0..<length {
          closeness[first + place] =
            place < counts[list]
            ? scales[list].closeness(unsorted[source(list * length + place)]) : 0
        }
      }
    }
    self.nodes = nodes
    self.closeness = closeness
  }

  /// Lists as they travelled.
  init(_ entries: [ListEntry], length: Int) {
    let count = length == 0 ? 0 : entries.count / length
    let isShort = length <= Int(UInt16.max)
    self.length = length
    nodes = entries.map(\.node)
    closeness = entries.map(\.closeness)
    shortPlaces = isShort ? entries.map { UInt16($0.place) } : []
    longPlaces = isShort ? [] : entries.map(\.place)
    counts = (0..<count).map { list in
      Int32(entries[list * length..<(list + 1) * length].count { $0.node != Self.none })
    }
  }

  func place(at index: Int) -> Int {
    longPlaces.isEmpty ? Int(shortPlaces[index]) : Int(longPlaces[index])
  }

  func entry(at index: Int) -> ListEntry {
    ListEntry(node: nodes[index], closeness: closeness[index], place: Int32(place(at: index)))
  }

  /// z of the neighbours of a list, nearest first.
  func closeness(of list: Int) -> [Float] {
    var values = Array(repeating: Float(0), count: Int(counts[list]))
    for index in list * length..<list * length + values.count {
      values[place(at: index)] = closeness[index]
    }
    return values
  }

  /// z_K: z of the last neighbour of a list; 0 for an empty one.
  func farthest(of list: Int) -> Float {
    let last = Int(counts[list]) - 1
    for index in list * length..<list * length + last + 1 where place(at: index) == last {
      return closeness[index]
    }
    return 0
  }
}

extension NeighborLists {
  /// For each place of a list that is sorted by node the place where its neighbour is now.
  ///
  /// - Parameter counts: Neighbours in every list; the places after them stay.
  fileprivate func placesByNode<Place: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ counts: [Int32], using workers: Workers
  ) -> [Place] {
    [Place](
      count: neighbors.count, tilesOf: max(256 * listLength, 1), using: workers, filledWith: 0
    ) { places, order in
      for first in stride(from: 0, to: places.count, by: listLength) {
        let list = (places.lowerBound + first) / listLength
        for place in 0..<listLength { order[first + place] = Place(place) }
        order.sort(first..<first + Int(counts[list])) {
          neighbors[list * listLength + Int($0)] < neighbors[list * listLength + Int($1)]
        }
      }
    }
  }
}

/// The lists of all local nodes, sorted so that two of them are compared in one pass.
///
/// Memory: 14 bytes per local node and place of a list.
package struct NeighborContext: Sendable {
  /// Replicated. K: places of a list.
  let length: Int
  /// Replicated. m: the first places, those that make edges.
  let nearLength: Int
  /// Owned, and of the ghosts.
  private let owned: SortedLists
  private let ghosts: SortedLists
  private let ownedCount: Int
  /// Local. z_K: z of the last neighbour of every list; 0 for an empty one. Shape `[localCount]`.
  private let farthest: [Float]

  /// Sorts this rank's lists and receives those of the ghosts.
  ///
  /// > Collective: over `communicator`. One round, `16 · length` bytes per ghost.
  ///
  /// - Parameters:
  ///   - lists: Owned. Places of no positive similarity count as empty. Consumed: sorted in their own
  ///     memory, unless somebody else keeps them.
  ///   - graph: The graph of the first `nearLength` places, whose ghosts are needed.
  package init(
    _ lists: consuming NeighborLists, nearLength: Int, scales: ClosenessScales,
    over graph: NeighborGraph, using workers: Workers = Workers(),
    on communicator: some Communicator
  ) throws {
    let length = lists.listLength
    try communicator.assertReplicated(length, from: .all)
    self.length = length
    self.nearLength = nearLength
    ownedCount = graph.ownedCount
    let owned = SortedLists(consume lists, scales: scales, using: workers)
    let boundary = graph.halo.boundary
    var leaving: [ListEntry] = []
    leaving.reserveCapacity(boundary.values.count * length)
    for node in boundary.values {
      for place in 0..<length { leaving.append(owned.entry(at: Int(node.index) * length + place)) }
    }
    let arrived = try communicator.exchange(
      Buckets(values: leaving, counts: boundary.counts.map { $0 * length }),
      receiving: graph.halo.ghostCounts.map { $0 * length })
    let ghosts = SortedLists(arrived.values, length: length)
    let ownedCount = graph.ownedCount
    farthest = [Float](
      count: length == 0 ? 0 : graph.halo.localCount, tilesOf: 256, using: workers, filledWith: 0
    ) { nodes, farthest in
      for node in nodes {
        farthest[node - nodes.lowerBound] =
          node < ownedCount ? owned.farthest(of: node) : ghosts.farthest(of: node - ownedCount)
      }
    }
    self.owned = owned
    self.ghosts = ghosts
  }

  /// How many neighbours the list of a local node has.
  func count(of node: Int) -> Int {
    guard length > 0 else { return 0 }
    return Int(node < ownedCount ? owned.counts[node] : ghosts.counts[node - ownedCount])
  }

  /// The list of an owned node, nearest first: z of its neighbours.
  func closeness(of node: Int) -> [Float] { length == 0 ? [] : owned.closeness(of: node) }
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
    guard length > 0 else { return ListOverlap() }
    let others = source < ownedCount ? owned : ghosts
    let (list, otherList) = (owned.nodes.span, others.nodes.span)
    var overlap = ListOverlap()
    var (near, weighted) = (Sum(0), Sum(0))
    var a = target * length
    var b = (source < ownedCount ? source : source - ownedCount) * length
    let aEnd = a + Int(owned.counts[target])
    let bEnd = b + count(of: source)
    while a < aEnd, b < bEnd {
      let (x, y) = (list[a], otherList[b])
      if x == y {
        let (p, q) = (owned.closeness[a], others.closeness[b])
        overlap.sharedCount += 1
        if owned.place(at: a) < nearLength, others.place(at: b) < nearLength {
          overlap.nearSharedCount += 1
          near += Sum(fixedPoint(p * q))
        }
        weighted += Sum(
          fixedPoint(
            listWeight(p, farthest: farthest[target]) * listWeight(q, farthest: farthest[source])))
        a += 1
        b += 1
      } else if x < y {
        a += 1
      } else {
        if y == name { overlap.placeAtSource = others.place(at: b) }
        b += 1
      }
    }
    while b < bEnd, overlap.placeAtSource < 0 {
      if otherList[b] == name { overlap.placeAtSource = others.place(at: b) }
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
