public import Communication

/// Which rank assigns which group of new points.
///
/// The rank to which a hash of its name leads counts a group's points, and its nodes in the fit. Groups with new points are
/// then dealt so that every rank has about as much work as any other. No label depends on it.
struct GroupDeal {
  /// Owned new points. The rank that assigns each one's group.
  let ownersOfPoints: [Rank]
  /// Owned nodes of the fit. The same; nil in groups without new points.
  let ownersOfNodes: [Rank?]
  /// The groups that are counted here.
  private let counts: [GroupCount]
  /// The rank of each, if it has new points.
  private let owners: [Int32]

  /// > Collective: over `communicator`. 32 bytes from every rank for each group that it has points or nodes of, and back 4; and
  /// > two rounds of 8 bytes per rank.
  ///
  /// - Parameters:
  ///   - points: Owned. The group of every new point.
  ///   - nodes: Owned. The group of every node of the fit.
  init(
    ofPoints points: [GroupName], andNodes nodes: [GroupName], on communicator: some Communicator
  ) throws {
    var here = GroupCounts()
    let groupOfPoint = points.map { here.add(GroupCount(name: $0, pointCount: 1)) }
    let groupOfNode = nodes.map { here.add(GroupCount(name: $0, nodeCount: 1)) }
    let (sent, places) = Buckets.sorting(here.groups, into: communicator.size) {
      $0.name.owner(among: communicator.size)
    }
    let arrived = try communicator.allToAll(sent)
    var all = GroupCounts()
    let groupOfArrived = arrived.values.map { all.add($0) }
    let groups = all.groups
    let owners = try ranksSharing(groups.map { $0.cost }, on: communicator)
    let answers = try communicator.exchange(
      Buckets(
        values: groupOfArrived.map { groups[$0].pointCount > 0 ? owners[$0] : -1 },
        counts: arrived.counts), receiving: sent.counts
    ).values
    let ownerHere = places.map { answers[$0] }
    ownersOfPoints = groupOfPoint.map { Rank(Int(ownerHere[$0])) }
    ownersOfNodes = groupOfNode.map { ownerHere[$0] < 0 ? nil : Rank(Int(ownerHere[$0])) }
    counts = groups
    self.owners = owners
  }

  /// What the ranks have of these groups, at most.
  ///
  /// > Collective: over `communicator`. The sums of 16 bytes for each rank, and a round of 32 bytes per rank.
  func largestShare(on communicator: some Communicator) throws -> GroupShare {
    let size = communicator.size
    var shares = Array(repeating: Int64(0), count: 2 * size)
    var largest = GroupCount(name: GroupName(low: 0, high: 0))
    for (group, owner) in zip(counts, owners) where group.pointCount > 0 {
      shares[Int(owner)] += Int64(group.pointCount)
      shares[size + Int(owner)] += Int64(group.nodeCount)
      if largest.size < group.size { largest = group }
    }
    shares = try communicator.sums(shares)
    largest = try communicator.allReduce(largest) { $0.size < $1.size ? $1 : $0 }
    return GroupShare(
      pointCount: Int(shares[..<size].max()!), nodeCount: Int(shares[size...].max()!),
      largestGroup: (pointCount: largest.pointCount, nodeCount: largest.nodeCount))
  }
}

/// What ranks have of new points in groups, and of the nodes of a fit in the same groups, at most. Replicated.
public struct GroupShare: Sendable {
  /// New points of a rank.
  package let pointCount: Int
  /// Nodes of the fit.
  package let nodeCount: Int
  /// Of the group with the most points and nodes.
  package let largestGroup: (pointCount: Int, nodeCount: Int)
}

extension FittedClustering {
  /// What ranks have of new points in groups, and of this clustering in the same groups, at most.
  ///
  /// > Collective: over `communicator`. 32 bytes from every rank for each group that it has points or nodes of, and back 4; and
  /// > some rounds of a few bytes per rank.
  ///
  /// - Parameter names: Owned. The group of every new point.
  /// - Precondition: This clustering has groups.
  public func largestShare(
    of names: [GroupName], on communicator: some Communicator
  ) throws -> GroupShare {
    try GroupDeal(ofPoints: names, andNodes: groups!, on: communicator)
      .largestShare(on: communicator)
  }
}

/// How many new points and nodes of a fit a group has, as it travels.
private struct GroupCount: Message {
  let name: GroupName
  var pointCount = 0
  var nodeCount = 0

  var size: Int { pointCount + nodeCount }

  /// The pairs of new points with all, and what every node is besides. 0 without new points.
  var cost: Int {
    pointCount == 0 ? 0 : size * (pointCount + NodeGroups.pairsPerNode)
  }
}

/// Counts of groups, in the order in which these are first named.
private struct GroupCounts {
  private(set) var groups: [GroupCount] = []
  private var placeOf: [GroupName: Int] = [:]

  /// Adds to what is known of a group.
  ///
  /// - Returns: The group's place in ``groups``.
  mutating func add(_ count: GroupCount) -> Int {
    guard let place = placeOf[count.name] else {
      placeOf[count.name] = groups.count
      groups.append(count)
      return groups.count - 1
    }
    groups[place].pointCount += count.pointCount
    groups[place].nodeCount += count.nodeCount
    return place
  }
}
