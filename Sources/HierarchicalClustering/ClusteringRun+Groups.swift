public import Communication
public import DistributedGraphs
public import NeighborSearch
public import Parallelism

extension ClusteringRun {
  /// Gives every group one owner, and the nodes of level 0 the order of groups and, within each, of points.
  ///
  /// Groups are in the order of their first points. Each rank owns consecutive ones, about as much work as any
  /// other.
  ///
  /// > Collective: over `communicator`. Two fetches and a scatter of a few words per node, 24 bytes per node and
  /// > back 8; then, unless order and owners are right already, every node's row travels to its new owner.
  ///
  /// - Parameter fewNodes: Replicated. A group of no more nodes after a level is done.
  mutating func deal(
    _ groups: PointGroups, fewNodes: Int, on communicator: some Communicator
  ) throws {
    precondition(
      groups.firstPoint.count == points.owned(by: communicator.rank).count,
      "groups of \(groups.firstPoint.count) points")
    let group = try points.fetch(groups.firstPoint, at: level.inputPoint, on: communicator)
    let owner = try ownersOfGroups(group, of: points, on: communicator)

    let members = group.indices.map {
      GroupMember(
        group: group[$0], point: level.inputPoint[$0], memberCount: level.memberCounts[$0],
        owner: owner[$0])
    }
    let (sent, bucketPlaces) = Buckets.sorting(members, into: communicator.size) {
      Rank(Int($0.owner))
    }
    let arrived = try communicator.allToAll(sent)
    let order =
      zip(arrived.values, arrived.values.dropFirst()).allSatisfy { $0 < $1 }
      ? Array(arrived.values.indices)
      : arrived.values.indices.sorted { arrived.values[$0] < arrived.values[$1] }
    var sizes: [Int] = []
    var pointCounts: [Int] = []
    var last: GlobalNode?
    for member in order.lazy.map({ arrived.values[$0] }) {
      if member.group != last {
        sizes.append(0)
        pointCounts.append(0)
        last = member.group
      }
      sizes[sizes.count - 1] += 1
      pointCounts[sizes.count - 1] += Int(member.memberCount)
    }

    let counts = try communicator.gatherOne(order.count)
    let nodes = NodePartition(firstNode: (counts + [0]).exclusivePrefixSums())
    let first = nodes.owned(by: communicator.rank).lowerBound
    var placeOfArrived = Array(repeating: GlobalNode(0), count: order.count)
    for (place, index) in order.enumerated() { placeOfArrived[index] = GlobalNode(first + place) }
    let places = try communicator.exchange(
      Buckets(values: placeOfArrived, counts: arrived.counts), receiving: sent.counts
    ).values
    let place = bucketPlaces.map { places[$0] }
    let oldFirst = level.nodes.owned(by: communicator.rank).lowerBound
    let isMoved = place.indices.contains { place[$0] != GlobalNode(oldFirst + $0) }
    if try communicator.any(isMoved || nodes != level.nodes) {
      try reorder(to: place, in: nodes, on: communicator)
    }
    level.groups = NodeGroups(sizes: sizes, pointCounts: pointCounts, fewNodes: fewNodes)
  }

  /// The nearest neighbours of every owned node within its group, as long as that may merge further.
  ///
  /// Groups are whole, and their nodes are in the order of input points, by which ties break.
  ///
  /// > Collective: over `communicator`. Three rounds of some bytes per rank.
  func neighborsWithinGroups(
    length: Int, by options: SearchOptions, using workers: Workers,
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws -> (lists: NeighborLists, summary: SearchSummary) {
    var (lists, summary) = try communicator.agree {
      try nearestNeighbors(
        of: level.rows.directions, listLength: length, by: options, within: level.groups!.open,
        namedFrom: level.nodes.owned(by: communicator.rank).lowerBound, using: workers,
        progress: progress)
    }
    summary.comparedPairs = try communicator.sums([summary.comparedPairs])[0]
    // Of the rank with a large group, if there is one.
    let isInPart = try communicator.any(summary.reason == GroupSearch.reasonInPart)
    summary.reason = isInPart ? GroupSearch.reasonInPart : GroupSearch.reason
    return (lists, summary)
  }
}

extension PointGroups {
  /// How many points the rank with most of them will own.
  ///
  /// > Collective: over `communicator`. A scatter and a fetch of 8 bytes per point, and 8 bytes from every rank to every other.
  public func largestShare(of points: NodePartition, on communicator: some Communicator) throws
    -> Int
  {
    var counts = Array(repeating: 0, count: communicator.size)
    for owner in try ownersOfGroups(firstPoint, of: points, on: communicator) {
      counts[Int(owner)] += 1
    }
    return Int(try communicator.sums(counts.map { Int64($0) }).max()!)
  }
}

/// The rank that every owned node's group goes to.
///
/// Of n nodes there are n² pairs, and what each node is besides.
private func ownersOfGroups(
  _ group: [GlobalNode], of points: NodePartition, on communicator: some Communicator
) throws -> [Int32] {
  var sizesHere: [GlobalNode: Int] = [:]
  for name in group { sizesHere[name, default: 0] += 1 }
  let names = sizesHere.keys.sorted()
  var sizes = Array(repeating: 0, count: points.owned(by: communicator.rank).count)
  try points.scatter(
    names.map { sizesHere[$0]! }, to: names, into: &sizes, on: communicator, combining: +=)
  // 2⁶² is the cost of a group of 2 · 10⁹ nodes.
  let costs = sizes.map { $0 * ($0 + NodeGroups.pairsPerNode) }
  return try points.fetch(
    ranksSharing(costs, on: communicator), at: group, on: communicator)
}

extension NodeGroups {
  /// A node of a group is as much work as so many pairs, besides those that it is in.
  static let pairsPerNode = 500
}

/// A rank for each piece of work: successive pieces, and about as much work for every rank.
///
/// > Collective: over `communicator`. Two rounds of 8 bytes per rank.
///
/// - Parameter costs: Owned. Of pieces in an order over all ranks.
func ranksSharing(_ costs: [Int], on communicator: some Communicator) throws -> [Int32] {
  let cost = costs.reduce(0, +)
  let total = Double(max(try communicator.sum(cost), 1))
  var before = try communicator.exclusivePrefixSum(cost)
  return costs.map { cost in
    defer { before += cost }
    let middle = (Double(before) + Double(cost) / 2) / total
    return Int32(min(Int(middle * Double(communicator.size)), communicator.size - 1))
  }
}

/// The nearest neighbours of every owned point within its group.
///
/// > Collective: over `communicator`. What reading and dealing groups send; then every list goes to its point's owner.
///
/// - Returns: Lists of `listLength` places, with empty places if a group has fewer other points.
public func nearestNeighbors(
  of source: some EmbeddingSource, listLength: Int, by options: SearchOptions,
  within groups: PointGroups, invalid: InvalidRowPolicy, using workers: Workers,
  on communicator: some Communicator, progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: SearchSummary) {
  var run = try ClusteringRun(
    reading: source, invalid: invalid, asStored: false, using: workers, on: communicator)
  try run.deal(groups, fewNodes: 0, on: communicator)
  let (lists, summary) = try run.neighborsWithinGroups(
    length: listLength, by: options, using: workers, on: communicator, progress: progress)
  guard !run.level.isInInputOrder || run.level.nodes != run.points else { return (lists, summary) }
  return (
    try lists.moved(
      to: run.level.inputPoint, in: run.points, renamingFrom: run.level.nodes, on: communicator),
    summary
  )
}

/// A node of a group, as it travels. In the order of groups, then points.
private struct GroupMember: Message, Comparable {
  let group: GlobalNode
  let point: GlobalNode
  let memberCount: Int64
  let owner: Int32

  static func < (a: Self, b: Self) -> Bool { (a.group, a.point) < (b.group, b.point) }
}
