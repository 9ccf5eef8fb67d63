internal import Communication
package import DistributedGraphs
package import Parallelism

/// The lists of the owned nodes, sorted so that two of them are compared in one pass.
///
/// Memory: 14 bytes per owned node and place of a list.
package struct NeighborContext: Sendable {
  /// Replicated. K: places of a list.
  let length: Int
  /// Replicated. m: the first places, those that make edges.
  let nearLength: Int
  /// Owned.
  let owned: SortedLists

  /// Sorts this rank's lists.
  ///
  /// - Parameters:
  ///   - lists: Owned. Places of no positive similarity count as empty. Consumed: sorted in their own
  ///     memory, unless somebody else keeps them.
  package init(
    _ lists: consuming NeighborLists, nearLength: Int, scales: ClosenessScales,
    using workers: Workers = Workers()
  ) {
    length = lists.listLength
    self.nearLength = nearLength
    owned = SortedLists(consume lists, scales: scales, using: workers)
  }

  /// The lists of the ghosts of a piece.
  ///
  /// > Collective: over `communicator`. One round, `16 · length` bytes per ghost of the piece.
  func lists(
    of piece: GhostPiece, using workers: Workers, on communicator: some Communicator
  ) throws -> SortedLists {
    var leaving: [ListEntry] = []
    leaving.reserveCapacity(piece.boundary.values.count * length)
    for node in piece.boundary.values {
      for place in 0..<length { leaving.append(owned.entry(at: Int(node.index) * length + place)) }
    }
    let arrived = try communicator.exchange(
      Buckets(values: leaving, counts: piece.boundary.counts.map { $0 * length }),
      receiving: piece.counts.map { $0 * length })
    return SortedLists(arrived.values, length: length, using: workers)
  }

  /// What travels of a list, in bytes.
  var listByteCount: Int { length * MemoryLayout<ListEntry>.size }

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
  /// The place of i in the list of j, and its z there; −1 and 0 if it is not there.
  var placeAtSource = -1
  var closenessAtSource: Float = 0
}

extension NeighborContext {
  /// The overlap of the lists of two owned nodes, as ``overlap(ofTarget:named:with:of:)``.
  package func overlap(
    ofTarget target: Int, named name: GlobalNode, withSource source: Int
  ) -> ListOverlap {
    overlap(ofTarget: target, named: name, with: source, of: owned)
  }

  /// The overlap of the lists of an edge's two ends.
  ///
  /// Sums are of integers, so they do not depend on how nodes are named: of 64 bits for lists of up to
  /// ``shortLength`` places, of 128 for longer ones.
  ///
  /// - Parameters:
  ///   - target: i, an owned node.
  ///   - name: That of i in the whole graph.
  ///   - source: The list of j among `others`.
  /// - Complexity: O(length).
  func overlap(
    ofTarget target: Int, named name: GlobalNode, with source: Int, of others: SortedLists
  ) -> ListOverlap {
    length <= Self.shortLength
      ? overlap(ofTarget: target, named: name, with: source, of: others, addingIn: Int64.self)
      : overlap(ofTarget: target, named: name, with: source, of: others, addingIn: Int128.self)
  }

  /// −8 ≤ z ≤ 2 and 0.02 ≤ w ≤ 10.02, so a product has at most 2⁴⁷ units, and 2¹⁵ of them 2⁶².
  package static let shortLength = 1 << 15

  package func overlap<Sum: FixedWidthInteger>(
    ofTarget target: Int, named name: GlobalNode, withSource source: Int, addingIn sum: Sum.Type
  ) -> ListOverlap {
    overlap(ofTarget: target, named: name, with: source, of: owned, addingIn: sum)
  }

  @inline(__always)
  private func overlap<Sum: FixedWidthInteger>(
    ofTarget target: Int, named name: GlobalNode, with source: Int, of others: SortedLists,
    addingIn: Sum.Type
  ) -> ListOverlap {
    guard length > 0 else { return ListOverlap() }
    let (list, otherList) = (owned.nodes.span, others.nodes.span)
    let (farthest, otherFarthest) = (owned.farthest[target], others.farthest[source])
    var overlap = ListOverlap()
    var (near, weighted) = (Sum(0), Sum(0))
    var a = target * length
    var b = source * length
    let aEnd = a + Int(owned.counts[target])
    let bEnd = b + Int(others.counts[source])
    func noteTarget(_ place: Int) {
      overlap.placeAtSource = others.place(at: place)
      overlap.closenessAtSource = others.closeness[place]
    }
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
            listWeight(p, farthest: farthest) * listWeight(q, farthest: otherFarthest)))
        a += 1
        b += 1
      } else if x < y {
        a += 1
      } else {
        if y == name { noteTarget(b) }
        b += 1
      }
    }
    while b < bEnd, overlap.placeAtSource < 0 {
      if otherList[b] == name { noteTarget(b) }
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
