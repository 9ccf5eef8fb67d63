internal import Communication
internal import DistributedGraphs
internal import Glibc
internal import GraphNetworks
internal import NeighborSearch
internal import SimilarityStructure

/// A level of a clustering by a network that has not been run: what its phases will cost.
///
/// The functions follow those of a run, in the same order: what a phase sends is written as the phase is, in
/// ``ExpectedRanks``.
struct ExpectedLevel {
  let job: ClusteringJob
  let data: ExpectedData
  let number: Int
  /// N of this level, of the next, and of level 0.
  let nodeCount: Int
  let nextCount: Int
  /// Whether no level follows.
  let isLast: Bool
  let network: StructureNetwork

  var ranks: ExpectedRanks { job.ranks }
  /// Nodes and points of a rank.
  var owned: Double { Double(nodeCount) / ranks.size }
  var points: Double { Double(job.pointCount) / ranks.size }
  var columns: Double { Double(job.columnCount) }
  private var isFirst: Bool { number == 0 }
  var movesNodes: Bool { job.network!.goal.movesNodes && ranks.count > 1 }

  /// Edges of a node, and of a rank.
  var nearLength: Double { Double(min(job.neighborCount - 1, max(nodeCount - 1, 0))) }
  var edges: Double { owned * nearLength }

  /// The share of a rank's edges whose source is another rank's.
  ///
  /// At later levels the nodes of a rank are near each other, but those that merge are gone: measured on generated points.
  var cutShare: Double {
    guard movesNodes else { return ranks.otherShare }
    let later = (number == 1 ? 1 : 1.35) * (0.13 + 0.1 * log2(ranks.size))
    let byChance = isFirst ? data.cutByChance : min(1, later)
    return ranks.otherShare * byChance
  }

  /// Of a rank.
  var ghosts: Double {
    guard ranks.count > 1 else { return 0 }
    let most = ranks.ghostsOfScattered(Double(nodeCount), inLists: nearLength)
    // Several edges come from the same ghost: measured on generated points.
    return movesNodes ? min(most, (isFirst ? 0.65 : 0.44) * cutShare * edges) : most
  }

  /// Whether nodes have other names than their indices in a search: where they are not in the order of the input, and where
  /// an approximate search draws some by their names.
  private func hasNames(by options: SearchOptions) -> Bool {
    guard !isFirst else { return false }
    var options = options
    options.expectsDiffuse = true
    let plan = SearchPlan(nodeCount: nodeCount, listLength: job.listLength)
    return movesNodes || plan.choice(by: options).method == .approximate
  }

  /// How this level is searched.
  func searchCost(by options: SearchOptions) -> SearchCost {
    var options = options
    options.expectsDiffuse = !isFirst
    return SearchCost(
      of: job.searchShape(nodeCount: nodeCount, level: number), by: options,
      isNamed: hasNames(by: options),
      isDiffuse: !isFirst || data.isDiffuse, partitionCount: isFirst ? data.partitionCount : nil,
      among: ranks)
  }

  /// As ``NeighborSource``.
  func neighbors(by options: SearchOptions) -> ExpectedPhase {
    var phase = ExpectedPhase(
      search: searchCost(by: options), of: job, level: number, nodeCount: nodeCount)
    if hasNames(by: options) {
      // Lists hold input points, whose owners tell the nodes.
      let places = Double(min(job.listLength, max(nodeCount - 1, 0)))
      phase.traffic += ranks.fetch(owned * places * ranks.otherShare, of: 8)
    }
    return phase
  }

  /// As ``NeighborGraph``.
  var graph: ExpectedPhase {
    ExpectedPhase(
      .graph, level: number, nodeCount: nodeCount, work: [.graphEdges: edges],
      ranks.halo(ofGhosts: ghosts))
  }

  /// As ``Level/structureFeatures(_:_:nearLength:using:on:)`` and ``StructureNetwork/linkage(of:using:on:)``.
  var judging: ExpectedPhase {
    let (width, places) = (Double(network.width), Double(job.listLength))
    var traffic = ExpectedTraffic()
    if isFirst { traffic += ranks.allGather(8) + ranks.allGather(16 * (columns + 1)) }
    traffic += ranks.pieces(ghosts, of: 16 * places)
    traffic += ranks.scatter(ghosts, of: 8)
    traffic += ranks.extend(ghosts, of: Double(StructureFeatures.structureByteCount))
    if isFirst { traffic += ranks.sums(Double(StructureNetwork.strangenessCount)) }
    traffic += ranks.pieces(ghosts, of: 4 * width)
    let flops = edges * network.flopsPerEdge + owned * network.flopsPerNode
    return ExpectedPhase(
      .network, level: number, nodeCount: nodeCount, work: [.judgedEdges: edges], flops: flops,
      traffic)
  }

  /// As ``bestDenserNeighbor(_:above:in:breakingTies:named:on:)`` and ``compressPaths(_:in:on:)``.
  var decoding: ExpectedPhase {
    let merged = owned - Double(nextCount) / ranks.size
    // Trees are some five steps deep where most nodes merge.
    let share = merged / max(owned, 1)
    let rounds = share > 0.5 ? 5 : share > 0 ? 4 : 1
    var traffic = ranks.extend(ghosts, of: 4)
    if movesNodes { traffic += ranks.extend(ghosts, of: 8) }
    // A node asks until its parent is a root: half of them once more.
    var asking = merged * cutShare
    for _ in 0..<rounds {
      traffic += ranks.fetch(asking, of: 8) + ranks.allGather(1)
      asking /= 2
    }
    traffic += ranks.allGather(8)
    return ExpectedPhase(
      .decode, level: number, nodeCount: nodeCount, work: [.decodedEdges: edges], traffic)
  }
}

extension ExpectedPhase {
  /// The search of a level.
  init(search cost: SearchCost, of job: ClusteringJob, level: Int?, nodeCount: Int) {
    let flopsPerPair = 2 * Double(job.columnCount)
    // Most pairs of a rank, by the mean.
    let imbalance = cost.method == .approximate ? 1.03 : 1
    self.init(
      .neighbors, level: level, nodeCount: nodeCount,
      work: [
        .blockFlops: flopsPerPair * cost.blockPairs, .blockPairs: cost.blockPairs,
        .cellFlops: imbalance * flopsPerPair * cost.cellPairs, .cellVisits: cost.visits,
      ], flops: flopsPerPair * (cost.blockPairs + cost.cellPairs), cost.traffic)
  }
}
