public import Communication
public import DistributedGraphs
internal import LinearAlgebra
public import NeighborSearch
public import Parallelism

extension ClusteringRun {
  /// Gives every group its owner, or all ranks a part of it, and the nodes of level 0 on each rank the order of groups
  /// and, within each, of points.
  ///
  /// Groups are in the order of their first points. Each rank owns consecutive ones, about as much work as any
  /// other; of divided groups, which come first, each has an equal share of consecutive nodes.
  ///
  /// > Collective: over `communicator`. As ``GroupOwners/init(of:in:dividing:on:)``; 32 bytes per node and back 8; then,
  /// > unless order and owners are right already, every node's row travels to its new owner.
  ///
  /// - Parameter fewNodes: Replicated. A group of no more nodes after a level is done.
  mutating func deal(
    _ groups: PointGroups, fewNodes: Int, on communicator: some Communicator
  ) throws {
    precondition(
      groups.firstPoint.count == points.owned(by: communicator.rank).count
        && level.isInInputOrder, "groups of \(groups.firstPoint.count) points")
    let group = try points.fetch(groups.firstPoint, at: level.inputPoint, on: communicator)
    let owners = try GroupOwners(
      of: group, in: points, dividing: !groups.staysWhole, on: communicator)

    let members = group.indices.map {
      GroupMember(
        group: group[$0], point: level.inputPoint[$0], memberCount: level.memberCounts[$0],
        owner: owners.ofNodes[$0],
        divided: Int32(owners.divided[group[$0]] ?? owners.divided.count))
    }
    let (sent, bucketPlaces) = Buckets.sorting(members, into: communicator.size) {
      Rank(Int($0.owner))
    }
    let arrived = try communicator.allToAll(sent)
    let order =
      zip(arrived.values, arrived.values.dropFirst()).allSatisfy { $0 < $1 }
      ? Array(arrived.values.indices)
      : arrived.values.indices.sorted { arrived.values[$0] < arrived.values[$1] }
    let dividedCount = owners.divided.count
    var sizes = Array(repeating: 0, count: dividedCount)
    var pointCounts = sizes
    var last: GlobalNode?
    for member in order.lazy.map({ arrived.values[$0] }) {
      if member.divided == dividedCount, member.group != last {
        sizes.append(0)
        pointCounts.append(0)
        last = member.group
      }
      let place = member.divided < dividedCount ? Int(member.divided) : sizes.count - 1
      sizes[place] += 1
      pointCounts[place] += Int(member.memberCount)
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
    level.groups = try NodeGroups(
      sizes: sizes, dividedCount: dividedCount, pointCounts: pointCounts, fewNodes: fewNodes,
      on: communicator)
  }

  /// The nearest neighbours of every owned node within its group, as long as that may merge further.
  ///
  /// Whole groups are searched where they are, and then each divided one by all ranks, as if there were no other. On
  /// every rank the nodes of a group are in the order of input points, by which ties break.
  ///
  /// > Collective: over `communicator`. Three rounds of some bytes per rank; for each divided group two more, and
  /// > what a search of its nodes sends.
  func neighborsWithinGroups(
    length: Int, by options: SearchOptions, using workers: Workers,
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws -> (lists: NeighborLists, summary: SearchSummary) {
    let groups = level.groups!
    let divided = length > 0 ? groups.openDivided : []
    let counts = try groups.nodeCounts(on: communicator)
    func pairs(_ group: Int) -> Double { Double(counts[group]) * Double(counts[group] - 1) / 2 }
    let whole = groups.openWhole
    let pairsOfWhole = whole.reduce(0) { $0 + pairs($1) }
    let all =
      pairsOfWhole + divided.reduce(0) { $0 + pairs($1) } / Double(communicator.size)
    var done = divided.isEmpty ? 1 : pairsOfWhole / max(all, 1)
    var (lists, summary) = try communicator.agree {
      try nearestNeighbors(
        of: level.rows.directions, listLength: length, by: options,
        within: whole.map { groups.ranges[$0] },
        namedFrom: level.nodes.owned(by: communicator.rank).lowerBound, using: workers,
        progress: { try progress($0 * done) })
    }
    summary.comparedPairs = try communicator.sums([summary.comparedPairs])[0]
    // Of the rank with a large group, if there is one.
    var isInPart = try communicator.any(summary.reason == GroupSearch.reasonInPart)
    if !divided.isEmpty {
      var (neighbors, similarities) = (consume lists).takeArrays()
      for group in divided {
        let range = groups.ranges[group]
        let share = pairs(group) / Double(communicator.size) / max(all, 1)
        // One that has become small is searched as small groups are.
        var options = options
        if counts[group] <= NodeGroups.mostWhole { options.method = .exact }
        let found = try self.neighbors(
          withinDivided: range, length: length, by: options, using: workers, on: communicator,
          progress: { try progress(min(done + $0 * share, 1)) })
        neighbors.replaceSubrange(
          range.lowerBound * length..<range.upperBound * length, with: found.lists.neighbors)
        similarities.replaceSubrange(
          range.lowerBound * length..<range.upperBound * length, with: found.lists.similarities)
        summary.comparedPairs += found.summary.comparedPairs
        isInPart = isInPart || found.summary.method == .approximate
        done += share
      }
      lists = NeighborLists(
        listLength: length, neighbors: neighbors, similarities: similarities)
    }
    summary.reason = isInPart ? GroupSearch.reasonInPart : GroupSearch.reason
    return (lists, summary)
  }

  /// The nearest neighbours of a divided group's nodes on this rank, among those of all ranks.
  ///
  /// In the search a node's name is its place in the group, as if there were no other group.
  ///
  /// > Collective: over `communicator`. Two rounds of 8 bytes per rank, and what a search sends.
  private func neighbors(
    withinDivided range: Range<Int>, length: Int, by options: SearchOptions,
    using workers: Workers, on communicator: some Communicator,
    progress: (Double) throws -> Void
  ) throws -> (lists: NeighborLists, summary: SearchSummary) {
    let members = NodePartition(
      firstNode: (try communicator.gatherOne(range.count) + [0]).exclusivePrefixSums())
    let first = level.nodes.owned(by: communicator.rank).lowerBound + range.lowerBound
    let firsts = try communicator.gatherOne(first)
    let rows = level.rows.directions
    let found = try nearestNeighbors(
      of: range == 0..<rows.rowCount ? rows : rows.stored(ofRows: Array(range)),
      listLength: length, by: options, in: members, using: workers, on: communicator,
      progress: progress)
    var (neighbors, similarities) = found.lists.takeArrays()
    for place in neighbors.indices where neighbors[place] != NeighborLists.none {
      let owner = members.owner(of: neighbors[place])
      let offset = Int(neighbors[place].index) - members.owned(by: owner).lowerBound
      neighbors[place] = GlobalNode(firsts[owner.index] + offset)
    }
    return (
      NeighborLists(listLength: length, neighbors: neighbors, similarities: similarities),
      found.summary
    )
  }
}

extension PointGroups {
  /// How many points the rank with most of them will own.
  ///
  /// > Collective: over `communicator`. As ``GroupOwners/init(of:in:dividing:on:)``, and 8 bytes from every rank to every other.
  public func largestShare(of points: NodePartition, on communicator: some Communicator) throws
    -> Int
  {
    let owners = try GroupOwners(
      of: firstPoint, in: points, dividing: !staysWhole, on: communicator)
    var counts = Array(repeating: 0, count: communicator.size)
    for owner in owners.ofNodes { counts[Int(owner)] += 1 }
    return Int(try communicator.sums(counts.map { Int64($0) }).max()!)
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

/// A node of a group, as it travels. In the order of divided groups, whole groups, then points.
private struct GroupMember: Message, Comparable {
  let group: GlobalNode
  let point: GlobalNode
  let memberCount: Int64
  let owner: Int32
  /// Which of the divided groups it is of; their number for a whole one.
  let divided: Int32

  static func < (a: Self, b: Self) -> Bool {
    (a.divided, a.group, a.point) < (b.divided, b.group, b.point)
  }
}
