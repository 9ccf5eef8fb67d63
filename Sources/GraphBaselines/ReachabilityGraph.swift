public import Communication
public import DistributedGraphs
internal import NeighborSearch

/// An edge between two points, and their mutual reachability.
public struct ReachabilityEdge: Message, Hashable, Comparable {
  /// The square of the mutual reachability distance.
  public var squaredDistance: Float
  public var lower: GlobalNode
  public var upper: GlobalNode

  init(_ squaredDistance: Float, _ a: GlobalNode, _ b: GlobalNode) {
    self.squaredDistance = squaredDistance
    lower = min(a, b)
    upper = max(a, b)
  }

  static let none = ReachabilityEdge(.infinity, GlobalNode(Int64.max), GlobalNode(Int64.max))

  public static func < (a: Self, b: Self) -> Bool {
    (a.squaredDistance, a.lower, a.upper) < (b.squaredDistance, b.lower, b.upper)
  }
}

/// The square of the Euclidean distance of two unit rows.
func squaredDistance(ofSimilarity similarity: Float) -> Float { max(0, 2 - 2 * similarity) }

/// The neighbour graph with mutual reachability for the length of its edges, in both directions.
struct ReachabilityGraph {
  /// Owned. The square of the core distance of every point: to its m-th neighbour.
  let squaredCore: [Float]
  /// Owned. No point outside its list is nearer, in mutual reachability squared.
  let bound: [Float]
  /// Owned. Row i is `rowOffsets[i] ..< rowOffsets[i + 1]`.
  let rowOffsets: [Int]
  /// Owned. The other end of every edge, and the square of its length. Rows ascend by (length, other end).
  let others: [GlobalNode]
  let squaredLengths: [Float]
  /// Local. Which other ends are points of other ranks, and the local names of all.
  let halo: Halo
  let columns: [LocalNode]

  /// > Collective: over `communicator`. 4 bytes per ghost, 24 per edge, and twice 8 per ghost for who they are.
  ///
  /// - Parameter minimumSamples: m. If a point has fewer neighbours, its last is taken.
  init(
    _ lists: NeighborLists, minimumSamples: Int, in points: NodePartition,
    on communicator: some Communicator
  ) throws {
    let owned = points.owned(by: communicator.rank)
    let length = lists.listLength
    let counts = (0..<owned.count).map { row in
      let list = row * length..<(row + 1) * length
      return lists.neighbors[list].firstIndex(of: NeighborLists.none).map { $0 - list.lowerBound }
        ?? length
    }
    func squared(_ list: Int, _ place: Int) -> Float {
      squaredDistance(ofSimilarity: lists.similarities[list * length + place])
    }
    let core = counts.indices.map { list in
      counts[list] == 0 ? 0 : squared(list, min(minimumSamples, counts[list]) - 1)
    }
    bound = counts.indices.map { list in
      counts[list] < length ? .infinity : max(core[list], squared(list, length - 1))
    }
    squaredCore = core

    let listed = counts.indices.flatMap { list in
      lists.neighbors[list * length..<list * length + counts[list]]
    }
    let (listedHalo, listedColumns) = try Halo.localizing(listed, in: points, on: communicator)
    let coreOfAll = try listedHalo.extend(core, on: communicator)
    var ends: [End] = []
    ends.reserveCapacity(listed.count)
    for list in counts.indices {
      for place in 0..<counts[list] {
        let other = coreOfAll[Int(listedColumns[ends.count].index)]
        ends.append(
          End(
            point: GlobalNode(owned.lowerBound + list), neighbor: listed[ends.count],
            squaredLength: max(core[list], other, squared(list, place))))
      }
    }
    let reversed = try points.deliver(
      ends.map { End(point: $0.neighbor, neighbor: $0.point, squaredLength: $0.squaredLength) },
      width: 1, to: ends.map(\.neighbor), on: communicator
    ).rows
    // An edge in the lists of both its points is there twice, with the same bits.
    ends = (ends + reversed).sorted()
    ends = ends.indices.filter { $0 == 0 || ends[$0] != ends[$0 - 1] }.map { ends[$0] }
    var rowCounts = Array(repeating: 0, count: owned.count + 1)
    for end in ends { rowCounts[Int(end.point.index) - owned.lowerBound] += 1 }
    rowOffsets = rowCounts.exclusivePrefixSums()
    others = ends.map(\.neighbor)
    squaredLengths = ends.map(\.squaredLength)
    (halo, columns) = try Halo.localizing(others, in: points, on: communicator)
  }

  /// An edge as one of its points sees it.
  private struct End: Message, Hashable, Comparable {
    var point: GlobalNode
    var neighbor: GlobalNode
    var squaredLength: Float

    static func < (a: Self, b: Self) -> Bool {
      (a.point, a.squaredLength, a.neighbor) < (b.point, b.squaredLength, b.neighbor)
    }
  }
}
