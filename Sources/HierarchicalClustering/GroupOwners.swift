internal import Communication
internal import DistributedGraphs

/// Which ranks own which groups: most groups have one owner, and some large ones are divided among all ranks.
///
/// Of n nodes there are n² pairs, and what each node is besides. Groups are dealt whole. As long as a rank then has a
/// quarter more work than the mean, the largest group of more than ``NodeGroups/mostWhole`` nodes is divided,
/// and the others are dealt anew; of these deals the best counts. Equal groups, as many as ranks, stay whole, because
/// nothing travels within those.
struct GroupOwners {
  /// Owned. The rank of every node.
  let ofNodes: [Int32]
  /// Replicated. The divided groups, by their names, in the order of these.
  let divided: [GlobalNode: Int]

  /// > Collective: over `communicator`. A scatter and a fetch of 8 bytes per node; 16 bytes from every rank to every other for
  /// > each of its groups that may be divided, at most four for each rank; three rounds of 8 bytes per rank for each that is tried;
  /// > 8 bytes from every rank to every other for each that is divided.
  ///
  /// - Parameters:
  ///   - group: Owned. The name of every node's group: one of its points. Ranks have nodes in the order of input points.
  ///   - points: Which rank owns which points.
  ///   - divides: Replicated. Whether groups may be divided.
  init(
    of group: [GlobalNode], in points: NodePartition, dividing divides: Bool,
    on communicator: some Communicator
  ) throws {
    var sizesHere: [GlobalNode: Int] = [:]
    for name in group { sizesHere[name, default: 0] += 1 }
    let names = sizesHere.keys.sorted()
    let owned = points.owned(by: communicator.rank)
    var sizes = Array(repeating: 0, count: owned.count)
    try points.scatter(
      names.map { sizesHere[$0]! }, to: names, into: &sizes, on: communicator, combining: +=)
    var costs = sizes.map(NodeGroups.cost(ofNodes:))
    let tried =
      divides && communicator.size > 1
      ? try Self.largestGroups(sizes, costs, firstName: owned.lowerBound, on: communicator) : []
    let deal = try Self.bestDeal(of: &costs, dividing: tried, owned, on: communicator)
    let largest = tried.prefix(deal.dividedCount).sorted { $0.name < $1.name }
    divided = Dictionary(uniqueKeysWithValues: largest.enumerated().map { ($1.name, $0) })

    var owners = try points.fetch(deal.owners, at: group, on: communicator)
    if !largest.isEmpty {
      let here = largest.map { sizesHere[$0.name] ?? 0 }
      let counts = try communicator.allGather(
        here, counts: Array(repeating: here.count, count: communicator.size))
      // The place of the next node of each group.
      var next = largest.indices.map { place in
        communicator.ranks.prefix(communicator.rank.index).reduce(0) {
          $0 + counts[$1][counts[$1].startIndex + place]
        }
      }
      let shares = largest.map { NodePartition(sharing: $0.nodeCount, among: communicator.size) }
      for node in group.indices {
        guard let place = divided[group[node]] else { continue }
        owners[node] = Int32(shares[place].owner(of: GlobalNode(next[place])).index)
        next[place] += 1
      }
    }
    ofNodes = owners
  }

  /// A group that may be divided.
  private struct LargeGroup: Message {
    let name: GlobalNode
    let nodeCount: Int

    var cost: Int { NodeGroups.cost(ofNodes: nodeCount) }
  }

  /// The groups that are more than a quarter of a rank's share of the work, the largest first.
  ///
  /// > Collective: over `communicator`. A sum of 8 bytes; then 16 bytes from every rank to every other for each.
  private static func largestGroups(
    _ sizes: [Int], _ costs: [Int], firstName: Int, on communicator: some Communicator
  ) throws -> [LargeGroup] {
    let share = Double(try communicator.sum(costs.reduce(0, +))) / Double(communicator.size)
    let large = sizes.indices.filter {
      sizes[$0] > NodeGroups.mostWhole && 4 * Double(costs[$0]) > share
    }
    return try communicator.allGather(
      large.map { LargeGroup(name: GlobalNode(firstName + $0), nodeCount: sizes[$0]) }
    ).values.sorted {
      $0.nodeCount == $1.nodeCount ? $0.name < $1.name : $0.nodeCount > $1.nodeCount
    }
  }

  /// How many groups to divide, and the ranks of the others.
  ///
  /// > Collective: over `communicator`. Three rounds of 8 bytes per rank for each deal.
  ///
  /// - Parameters:
  ///   - costs: Owned. Of each group, by its name.
  ///   - groups: Replicated. Those that may be divided, in the order in which that is tried.
  private static func bestDeal(
    of costs: inout [Int], dividing groups: [LargeGroup], _ owned: Range<Int>,
    on communicator: some Communicator
  ) throws -> (owners: [Int32], dividedCount: Int) {
    var best = (owners: try ranksSharing(costs, on: communicator), dividedCount: 0)
    guard !groups.isEmpty else { return best }
    /// The work of the rank with most, in parts of the mean.
    func mostWork(_ owners: [Int32], _ costs: [Int], sharing shared: Double) throws -> Double {
      var loads = Array(repeating: 0.0, count: communicator.size)
      for (owner, cost) in zip(owners, costs) { loads[Int(owner)] += Double(cost) }
      let all = try communicator.sums(loads)
      let mean = (all.reduce(0, +) + shared) / Double(communicator.size)
      return (all.max()! + shared / Double(communicator.size)) / mean
    }
    var least = try mostWork(best.owners, costs, sharing: 0)
    var shared = 0.0
    for (place, group) in groups.enumerated() where least > 1.25 {
      let index = Int(group.name.index)
      if owned.contains(index) { costs[index - owned.lowerBound] = 0 }
      shared += Double(group.cost)
      let owners = try ranksSharing(costs, on: communicator)
      let most = try mostWork(owners, costs, sharing: shared)
      if most < least { (least, best) = (most, (owners, place + 1)) }
    }
    return best
  }
}

extension NodeGroups {
  /// A node of a group is as much work as so many pairs, besides those that it is in.
  static let pairsPerNode = 500

  /// The work of a group in pairs: 2⁶² of 2 · 10⁹ nodes.
  static func cost(ofNodes count: Int) -> Int { count * (count + pairsPerNode) }

  /// A group of no more nodes is not divided. The search compares all pairs of one.
  static let mostWhole = 2048
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
