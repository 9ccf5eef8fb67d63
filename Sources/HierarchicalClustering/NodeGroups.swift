public import Communication
public import DistributedGraphs
internal import RandomNumbers

/// Which points are clustered with each other: no edge joins points of two groups, and no cluster has points of
/// two.
public struct PointGroups: Equatable, Sendable {
  /// Owned points. The first point of the group that each is of.
  public let firstPoint: [GlobalNode]
  /// Replicated. Whether every group has one owner, so that nodes have the same order on any number of ranks.
  let staysWhole: Bool

  /// - Parameter staysWhole: Replicated. Whether even large groups are not divided among the ranks.
  public init(firstPoint: [GlobalNode], staysWhole: Bool = false) {
    self.firstPoint = firstPoint
    self.staysWhole = staysWhole
  }

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

/// The groups of a level. Some large ones are divided among all ranks; each of the others has one owner. Of each group a
/// rank has consecutive nodes, in the order of their input points, and later ranks have later nodes.
struct NodeGroups: Equatable, Sendable {
  /// Owned. The places of each group's nodes among the owned ones, ascending and without gap: of the divided groups,
  /// where this rank may have none, and then of the whole groups that it owns, none of which is empty.
  private(set) var ranges: [Range<Int>]
  /// Replicated. How many groups are divided: the first of ``ranges``.
  let dividedCount: Int
  /// How many points each group has on all ranks: what sums over its points are measured by.
  private(set) var pointCounts: [Int]
  /// Whether each group may merge further: not after a level in which it merged nothing, or which left
  /// it few nodes. Like all that is known of groups, replicated for those that are divided.
  private(set) var isOpen: [Bool]
  /// Replicated. A group of no more nodes after a level is done.
  private let fewNodes: Int
  /// How often the threshold of each group was raised.
  private var raises: [Int]

  /// > Collective: over `communicator`, if there are divided groups. Two sums of 8 bytes for each.
  ///
  /// - Parameters:
  ///   - sizes: Owned. Nodes of each group: of every divided one, and then of whole ones.
  ///   - dividedCount: Replicated.
  ///   - pointCounts: Owned. Points of each group.
  ///   - fewNodes: Replicated. A group of no more nodes after a level is done.
  init(
    sizes: [Int], dividedCount: Int, pointCounts: [Int], fewNodes: Int,
    on communicator: some Communicator
  ) throws {
    let starts = (sizes + [0]).exclusivePrefixSums()
    ranges = sizes.indices.map { starts[$0]..<starts[$0 + 1] }
    self.dividedCount = dividedCount
    self.fewNodes = fewNodes
    raises = sizes.map { _ in 0 }
    self.pointCounts = pointCounts
    isOpen = []
    self.pointCounts = try ofAllRanks(pointCounts, on: communicator)
    isOpen = try ofAllRanks(sizes, on: communicator).map { $0 > 1 }
  }

  /// The divided groups that may merge further. Replicated.
  var openDivided: [Int] { (0..<dividedCount).filter { isOpen[$0] } }

  /// The groups of this rank alone that may merge further.
  var openWhole: [Int] { ranges.indices.dropFirst(dividedCount).filter { isOpen[$0] } }

  var isAnyOpen: Bool { isOpen.contains(true) }

  /// What was counted of each group here, on all ranks.
  ///
  /// > Collective: over `communicator`, if there are divided groups. A sum of 8 bytes for each.
  func ofAllRanks(_ counts: [Int], on communicator: some Communicator) throws -> [Int] {
    guard dividedCount > 0 else { return counts }
    let divided = try communicator.sums(counts[..<dividedCount].map { Int64($0) })
    return divided.map { Int($0) } + counts[dividedCount...]
  }

  /// How many nodes each group has on all ranks.
  ///
  /// > Collective: as ``ofAllRanks(_:on:)``.
  func nodeCounts(on communicator: some Communicator) throws -> [Int] {
    try ofAllRanks(ranges.map(\.count), on: communicator)
  }

  /// The groups after their nodes merged.
  ///
  /// > Collective: as ``ofAllRanks(_:on:)``, twice.
  ///
  /// - Parameter peaks: The places of the nodes that remain, ascending: the nodes of the next level.
  func merged(into peaks: [Int], on communicator: some Communicator) throws -> NodeGroups {
    var next = self
    var place = 0
    for (group, range) in ranges.enumerated() {
      let start = place
      while place < peaks.count, peaks[place] < range.upperBound { place += 1 }
      next.ranges[group] = start..<place
    }
    let (before, after) = (
      try nodeCounts(on: communicator), try next.nodeCounts(on: communicator)
    )
    next.isOpen = ranges.indices.map {
      isOpen[$0] && after[$0] < before[$0] && after[$0] > fewNodes
    }
    return next
  }

  /// Opens the groups that must merge further, and closes all others.
  ///
  /// - Parameter needs: What each group needs.
  /// - Returns: Whether there are any.
  mutating func open(by needs: [NeededMerges]) -> Bool {
    isOpen = needs.map { $0.count > 0 }
    return isAnyOpen
  }

  /// The most raises of a threshold; the last merges nothing.
  private static let mostRaises = 6

  /// Raises the thresholds of groups that ended with too few nodes, as long as that brings more.
  ///
  /// > Collective: as ``ofAllRanks(_:on:)``, twice.
  ///
  /// - Parameter last: The groups after the last level.
  /// - Returns: Whether there are any here.
  mutating func raiseThresholds(
    ofFewerThan fewest: Int, in last: NodeGroups, on communicator: some Communicator
  ) throws -> Bool {
    var isAny = false
    let (first, last) = (
      try nodeCounts(on: communicator), try last.nodeCounts(on: communicator)
    )
    for group in ranges.indices
    where last[group] < min(fewest, first[group]) && raises[group] < Self.mostRaises {
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
  /// > Collective: over `communicator`. Five rounds of 8 bytes per rank, and ``ofAllRanks(_:on:)``.
  func summary(on communicator: some Communicator) throws -> GroupSummary {
    let counts = try nodeCounts(on: communicator)
    let groupCount = dividedCount + (try communicator.sum(ranges.count - dividedCount))
    let nodeCount = try communicator.sum(ranges.last?.upperBound ?? 0)
    return GroupSummary(
      groupCount: groupCount, meanClusters: Double(nodeCount) / Double(max(groupCount, 1)),
      leastClusters: groupCount == 0 ? 0 : -(try communicator.maximum(-(counts.min() ?? .max))),
      mostClusters: try communicator.maximum(counts.max() ?? 0),
      mostPoints: try communicator.maximum(pointCounts.max() ?? 0))
  }
}
