public import Communication
public import DistributedGraphs
internal import RandomNumbers

/// Which points are clustered with each other: no edge joins points of two groups, and no cluster has points of
/// two.
public struct PointGroups: Equatable, Sendable {
  /// Owned points. The first point of the group that each is of.
  public let firstPoint: [GlobalNode]

  public init(firstPoint: [GlobalNode]) { self.firstPoint = firstPoint }

  /// How many groups there are.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  public func count(in points: NodePartition, on communicator: some Communicator) throws -> Int {
    let first = points.owned(by: communicator.rank).lowerBound
    return try communicator.sum(
      firstPoint.indices.count { firstPoint[$0] == GlobalNode(first + $0) })
  }
}

/// What a group is called in any file: a hash of 128 bits, so that groups of two files can be compared.
///
/// Those of 2³² groups are the same by chance with a probability of 2⁻⁶⁴.
public struct GroupName: Hashable, Sendable, BitwiseCopyable {
  let low: Int64
  let high: Int64

  init(low: Int64, high: Int64) {
    self.low = low
    self.high = high
  }

  /// - Parameter text: The name; a number has its decimal digits.
  public init(_ text: some Collection<UInt8>) {
    var (low, high) = (UInt64(text.count), ~UInt64(text.count))
    for byte in text {
      low = mixed(low ^ UInt64(byte))
      high = mixed(high &+ UInt64(byte) &* 0x2545_F491_4F6C_DD1D)
    }
    (self.low, self.high) = (Int64(bitPattern: low), Int64(bitPattern: high))
  }

  /// The rank, of so many, that knows about it.
  func owner(among rankCount: Int) -> Rank {
    Rank(Int(UInt64(bitPattern: low) % UInt64(rankCount)))
  }
}

/// The groups of a level. Each has one owner, whose nodes are in the order of groups and, within each, of
/// their input points.
struct NodeGroups: Equatable, Sendable {
  /// Owned. The places of each group's nodes among the owned ones. Ascending, without gap; never empty.
  private(set) var ranges: [Range<Int>]
  /// Owned. How many points each group has: what sums over its points are measured by.
  let pointCounts: [Int]
  /// Owned. Whether each group may merge further: not after a level in which it merged nothing, or which left
  /// it few nodes.
  private(set) var isOpen: [Bool]
  /// Replicated. A group of no more nodes after a level is done.
  private let fewNodes: Int
  /// Owned. How often the threshold of each group was raised.
  private var raises: [Int]

  /// - Parameters:
  ///   - sizes: Owned. Nodes of each group.
  ///   - pointCounts: Owned. Points of each group.
  ///   - fewNodes: Replicated. A group of no more nodes after a level is done.
  init(sizes: [Int], pointCounts: [Int], fewNodes: Int) {
    let starts = (sizes + [0]).exclusivePrefixSums()
    ranges = sizes.indices.map { starts[$0]..<starts[$0 + 1] }
    self.pointCounts = pointCounts
    self.fewNodes = fewNodes
    isOpen = sizes.map { $0 > 1 }
    raises = sizes.map { _ in 0 }
  }

  /// The groups that may merge further.
  var open: [Range<Int>] { ranges.indices.filter { isOpen[$0] }.map { ranges[$0] } }

  var isAnyOpen: Bool { isOpen.contains(true) }

  /// The groups after their nodes merged.
  ///
  /// - Parameter peaks: The places of the nodes that remain, ascending: the nodes of the next level.
  func merged(into peaks: [Int]) -> NodeGroups {
    var next = self
    var place = 0
    for (group, range) in ranges.enumerated() {
      let start = place
      while place < peaks.count, peaks[place] < range.upperBound { place += 1 }
      next.ranges[group] = start..<place
      let count = place - start
      next.isOpen[group] = isOpen[group] && count < range.count && count > fewNodes
    }
    return next
  }

  /// Opens the groups that bounds require to merge, and closes all others.
  ///
  /// - Parameter memberCounts: Owned nodes.
  /// - Returns: Whether there are any.
  mutating func open(by bounds: GroupBounds, _ memberCounts: [Int64]) -> Bool {
    isOpen = ranges.map { bounds.requireMerging(memberCounts[$0]) }
    return isAnyOpen
  }

  /// The most raises of a threshold; the last merges nothing.
  private static let mostRaises = 6

  /// Raises the thresholds of groups that ended with too few nodes, as long as that brings more.
  ///
  /// - Parameter last: The groups after the last level.
  /// - Returns: Whether there are any.
  mutating func raiseThresholds(ofFewerThan fewest: Int, in last: NodeGroups) -> Bool {
    var isAny = false
    for (group, range) in last.ranges.enumerated()
    where range.count < min(fewest, ranges[group].count) && raises[group] < Self.mostRaises {
      raises[group] += 1
      isAny = true
    }
    return isAny
  }

  /// The distance that edges into every node must be below: each raise of a threshold quarters it, and after the
  /// last there is none.
  func limits(above threshold: Double) -> [Float] {
    ofNodes(
      raises.map {
        $0 == Self.mostRaises ? 0 : Float((1 - threshold) / Double(1 << (2 * $0)))
      })
  }

  /// What is known of each group, for every one of its nodes.
  func ofNodes<T>(_ values: [T]) -> [T] {
    var all: [T] = []
    all.reserveCapacity(ranges.last?.upperBound ?? 0)
    for (range, value) in zip(ranges, values) { all += repeatElement(value, count: range.count) }
    return all
  }
}

/// How many clusters groups have. Replicated.
public struct GroupSummary: Codable, Equatable, Sendable {
  public var groupCount: Int
  public var meanClusters: Double
  public var leastClusters: Int
  public var mostClusters: Int
  /// Points of the largest group.
  public var mostPoints: Int
}

extension NodeGroups {
  /// How many nodes groups have.
  ///
  /// > Collective: over `communicator`. Five rounds of 8 bytes per rank.
  func summary(on communicator: some Communicator) throws -> GroupSummary {
    let counts = ranges.map(\.count)
    let groupCount = try communicator.sum(ranges.count)
    let nodeCount = try communicator.sum(counts.reduce(0, +))
    return GroupSummary(
      groupCount: groupCount, meanClusters: Double(nodeCount) / Double(max(groupCount, 1)),
      leastClusters: groupCount == 0 ? 0 : -(try communicator.maximum(-(counts.min() ?? .max))),
      mostClusters: try communicator.maximum(counts.max() ?? 0),
      mostPoints: try communicator.maximum(pointCounts.max() ?? 0))
  }
}
