public import Communication
internal import DistributedGraphs
internal import Glibc

/// What a search of nearest neighbours is expected to cost a rank.
///
/// The traffic of an exact search follows from its code. That of an approximate one, and what it compares, depends on how
/// many partitions it takes, which the data decide, and on how many ranks search the cells that a node is in.
public struct SearchCost: Sendable {
  /// Exact or approximate, as ``nearestNeighbors(of:listLength:by:in:named:keptIn:using:on:progress:)`` chooses.
  public let method: SearchMethod
  /// Pairs of all ranks, as ``SearchSummary`` counts them.
  public private(set) var comparedPairs = 0.0
  /// Of a rank: pairs of rows in blocks, and pairs in cells or with their centres.
  public private(set) var blockPairs = 0.0
  public private(set) var cellPairs = 0.0
  /// Of a rank: how often a row is looked at in a cell.
  public private(set) var visits = 0.0
  /// Partitions of an approximate search; 0 of an exact one.
  public private(set) var partitionCount = 0
  public private(set) var traffic = ExpectedTraffic()

  /// - Parameters:
  ///   - shape: Of the search, on the rank with the most rows.
  ///   - options: As those of the search.
  ///   - isNamed: Whether nodes have other names than their indices.
  ///   - isDiffuse: Whether neighbourhoods have so many dimensions that a few cells hold few of the neighbours.
  ///   - partitionCount: How many partitions an approximate search takes; nil for what most data take.
  ///   - ranks: As many as those of the shape.
  public init(
    of shape: SearchMemory, by options: SearchOptions, isNamed: Bool, isDiffuse: Bool,
    partitionCount: Int? = nil, among ranks: ExpectedRanks
  ) {
    precondition(
      ranks.count == shape.rankCount, "\(ranks.count) ranks for \(shape.rankCount)")
    let plan = SearchPlan(nodeCount: shape.nodeCount, listLength: shape.listLength)
    method = plan.choice(by: options).method
    let nodes = SearchedNodes(shape, isNamed: isNamed, among: ranks)
    if method == .approximate {
      let effort = SearchEffort(isDiffuse: isDiffuse)
      searchCells(
        of: nodes, plan, effort,
        partitionCount: partitionCount ?? effort.partitionCount(for: options.recall, plan),
        options.division)
    } else {
      comparedPairs = plan.exactPairs
      blockPairs = comparedPairs / ranks.size
      traffic = nodes.ofBlocks(options.division)
    }
  }
}

/// The nodes of a search, spread evenly over the ranks.
private struct SearchedNodes {
  /// N and n = N / p.
  let count: Double
  let ofRank: Double
  let columnCount: Double
  /// Of a row as it is stored, of its name, and of a list with its bound.
  let rowBytes: Double
  let nameBytes: Double
  let listBytes: Double
  /// Places that can be filled.
  let capacity: Double
  let shape: SearchMemory
  let ranks: ExpectedRanks

  init(_ shape: SearchMemory, isNamed: Bool, among ranks: ExpectedRanks) {
    count = Double(shape.nodeCount)
    ofRank = count / ranks.size
    columnCount = Double(shape.columnCount)
    rowBytes = shape.bytesPerRow
    nameBytes = isNamed ? 8 : 0
    capacity = Double(min(shape.listLength, max(shape.nodeCount - 1, 0)))
    listBytes = 12 * capacity + 4
    self.shape = shape
    self.ranks = ranks
  }

  /// As ``nearestNeighbors(of:listLength:dividedBy:in:named:using:on:progress:)``: blocks go halfway round the ring, and lists
  /// home.
  func ofBlocks(_ division: SearchDivision) -> ExpectedTraffic {
    guard ranks.count > 1, capacity > 0 else { return ExpectedTraffic() }
    let steps = Double(ranks.count / 2)
    let pieces = Double(division.pieceCount)
    let block = ofRank / pieces
    func lists(by distance: Double) -> ExpectedTraffic {
      2 * ranks.passing(block * (listBytes - 4) / 2, by: distance)
        + ranks.passing(block * 4, by: distance)
    }
    let names = nameBytes > 0 ? ranks.passing(block * nameBytes) : ExpectedTraffic()
    let step = ranks.passing(block * rowBytes) + lists(by: 1) + names
    return pieces * (steps * step + lists(by: steps))
  }

  /// As ``SearchSamples``, of nodes that all have a direction.
  var ofSamples: ExpectedTraffic { ranks.allGather(40) }

  /// As the exact neighbours of a thousand nodes, by which the recall is estimated.
  var ofRecallSample: ExpectedTraffic {
    let sampled = min(RecallSample.wantedCount, count)
    return ranks.allGather(sampled / ranks.size * (rowBytes + 8))
      + ranks.exchange(sampled * ranks.otherShare, of: 4 * capacity)
  }

  /// As ``CellTree``.
  func tree(ofCells cellCount: Double) -> ExpectedTraffic {
    let groups = cellCount.squareRoot().rounded()
    let leaders = min(CellTree.rowsPerGroup * groups, count)
    let sampled = min(CellTree.rowsPerCell * cellCount, count)
    return ranks.allGather(leaders / ranks.size * (rowBytes + 8))
      + ranks.allGather(4 * groups)
      + cells(ofRows: sampled / ranks.size)
      + ranks.allGather(4 * columnCount * cellCount / ranks.size)
  }

  /// What finding the centres of groups' cells sends: sampled rows to the ranks of their groups.
  private func cells(ofRows count: Double) -> ExpectedTraffic {
    ranks.count == 1
      ? ExpectedTraffic() : ranks.exchange(count * ranks.otherShare, of: rowBytes + 8)
  }

  /// As ``CellMembership``.
  var membership: ExpectedTraffic {
    ranks.allGather(
      min(CellMembership.sampleCount, count) / ranks.size * 8 * Double(CellMembership.limit - 1))
  }
}

extension SearchCost {
  /// Adds what an approximate search costs.
  private mutating func searchCells(
    of nodes: SearchedNodes, _ plan: SearchPlan, _ effort: SearchEffort, partitionCount: Int,
    _ division: SearchDivision
  ) {
    let (ranks, n) = (nodes.ranks, nodes.ofRank)
    let sampled = min(RecallSample.wantedCount, nodes.count) * nodes.count
    comparedPairs = sampled
    blockPairs = sampled / ranks.size
    let estimate = ranks.allGather(48)
    // Whether data are diffuse is seen in the cells of other data.
    traffic = nodes.ofRecallSample + ranks.allGather(16)
    if effort.isDiffuse { traffic += nodes.tree(ofCells: Double(plan.cellCount)) }
    let cellCount = Double(plan.cellCount(by: effort))
    let pairs = pairsOfPartition(nodes.count, cellCount, effort)
    for number in 0..<partitionCount {
      traffic += nodes.ofSamples + nodes.tree(ofCells: cellCount) + nodes.membership
      traffic += ranks.sums(2 * cellCount)
      traffic += travel(of: nodes, cellCount, effort, division, isFirst: number == 0)
      traffic += estimate
      comparedPairs += pairs
      cellPairs += pairs / ranks.size
      visits += n * effort.meanCells
    }
    self.partitionCount = partitionCount
  }

  /// Pairs within the cells of a partition, and of nodes and centres.
  private func pairsOfPartition(
    _ nodeCount: Double, _ cellCount: Double, _ effort: SearchEffort
  ) -> Double {
    let groups = Int(cellCount.squareRoot().rounded())
    // Measured on generated points: cells in which many rows are have more members than the mean.
    let crowding = effort.isDiffuse ? 0.97 : 1.1
    return nodeCount
      * (CellTree.pairsPerRow(inGroups: groups, ofCells: cellCount, by: effort)
        + effort.meanCells * crowding * nodeCount / cellCount)
  }

  /// As ``searchCells(of:_:_:named:into:using:on:keep:progress:)``: rows go to the ranks of their cells, and neighbours back.
  private func travel(
    of nodes: SearchedNodes, _ cellCount: Double, _ effort: SearchEffort,
    _ division: SearchDivision, isFirst: Bool
  ) -> ExpectedTraffic {
    let ranks = nodes.ranks
    guard ranks.count > 1 else { return ExpectedTraffic() }
    let slabs = CellTasks.slabCount(
      members: nodes.ofRank, visits: nodes.ofRank * effort.meanCells, rowByteCount: nodes.rowBytes,
      listByteCount: 12 * nodes.capacity, isAlone: false, division)
    let slabCount = Double(slabs)
    let guests =
      nodes.ofRank / slabCount
      * effort.awayRanks(
        ofCells: cellCount, among: ranks.size * slabCount, otherShare: ranks.otherShare)
    let words = 16 * guests + 4 * nodes.ofRank * effort.meanCells * ranks.otherShare / slabCount
    // Lists are full after a partition; of the next ones only what is better comes back.
    let found = isFirst ? nodes.capacity : min(1.5, nodes.capacity)
    let slab =
      ranks.exchange(guests, of: words / max(guests, 1))
      + ranks.exchange(guests, of: nodes.rowBytes) + ranks.exchange(guests, of: 4)
      + ranks.exchange(guests, of: 12 * found)
    return ranks.exchange(ranks.size - 1, of: 16 * slabCount) + slabCount * slab
  }
}

extension SearchEffort {
  /// How often a row goes to another rank, in all slabs.
  ///
  /// The cells of a row lie in several groups, each on any rank, and those of a group on several ranks once a rank has fewer
  /// cells than a group. Measured on generated points, in 30 to 300 cells of a few ranks, its m cells are in
  /// g = m − (m − g₀) exp(−0.55 p / √C) places by chance, g₀ = √C / 10, 0.46 m at most; so a row goes to
  /// p (1 − (1 − 1/p)^g) ranks.
  ///
  /// - Parameters:
  ///   - cellCount: C.
  ///   - partCount: p, or ranks times slabs.
  func awayRanks(ofCells cellCount: Double, among partCount: Double, otherShare: Double) -> Double {
    let groups = max(cellCount, 1).squareRoot()
    let least = min(0.46 * meanCells, groups / 10)
    let places = meanCells - (meanCells - least) * exp(-0.55 * partCount / groups)
    return partCount * (1 - pow(1 - 1 / partCount, places)) * otherShare
  }

  /// How many partitions an approximate search is expected to take for a recall.
  func partitionCount(for recall: Double, _ plan: SearchPlan) -> Int {
    // Measured on generated points: a partition finds this much, and of so few cells those that a node visits hold all
    // that matters.
    if isDiffuse ? plan.cellCount(by: self) <= 128 : recall <= 0.95 { return 1 }
    return SearchPlan.expectedPartitions(for: recall, isDiffuse: isDiffuse)
  }
}
