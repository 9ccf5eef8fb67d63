public import Communication
internal import GraphNetworks
internal import LinearAlgebra
public import NeighborSearch

/// What a run is expected to cost, phase by phase and level by level, on the rank that has most to do.
///
/// It follows from the sizes and options of a job and from what is expected of the data, without any data.
public struct ExpectedRun: Sendable {
  public let job: ClusteringJob
  public let data: ExpectedData
  /// In the order of the run.
  public private(set) var phases: [ExpectedPhase] = []
  /// Nodes of every level, and what is left after the last one.
  public let nodeCounts: [Int]
  /// How each level is searched, and the partitions of approximate searches.
  public private(set) var searches: [(method: SearchMethod, partitionCount: Int)] = []

  public init(of job: ClusteringJob, expecting data: ExpectedData = ExpectedData()) {
    self.job = job
    self.data = data
    guard let (network, goal) = job.network else {
      nodeCounts = [job.pointCount]
      expectNeighbors()
      return
    }
    let fewNodes = network.settings.mergesFewNodes ? 1 : job.neighborCount
    let counts = data.nodeCounts(
      from: job.pointCount, fewNodes: fewNodes, maximumLevels: goal.maximumLevels)
    nodeCounts = counts
    expectClustering(network, goal, fewNodes: fewNodes)
  }

  /// Wall time, from the first row to the answer.
  public func seconds(at rates: Rates) -> Double {
    phases.reduce(0) { $0 + $1.seconds(at: rates, of: job) }
  }

  /// The most memory, of what grows with the points.
  public var memoryBytes: Double { phases.reduce(0) { max($0, $1.memoryBytes) } }

  /// The most memory, of what grows with the points, that the command reckons with before it begins.
  ///
  /// - Parameter half: Whether half of the nodes of every level are taken to merge; if not, hardly any.
  public func boundBytes(mergingHalf half: Bool) -> Double {
    let shape = job.searchShape(nodeCount: job.pointCount, level: 0)
    guard let (network, _) = job.network else { return neighborBytes(shape, isDiffuse: nil) }
    return ClusteringMemory(
      rowCount: shape.rowCount, pointCount: job.pointCount, columnCount: job.columnCount,
      element: job.element, rankCount: job.ranks.count, neighborCount: job.neighborCount,
      keepsLists: false, model: .structure(network), coarseShare: half ? 0.5 : 1
    ).bytes(by: job.search)
  }

  public var flops: Double { phases.reduce(0) { $0 + $1.flops } }

  public var traffic: ExpectedTraffic {
    phases.reduce(into: ExpectedTraffic()) { $0 += $1.traffic }
  }

  public var diskBytes: Double { phases.reduce(0) { $0 + $1.diskBytes } }
}

extension ExpectedRun {
  private var points: Double { Double(job.pointCount) / job.ranks.size }

  /// Reading the rows.
  private var reading: ExpectedPhase {
    let ranks = job.ranks
    let numbers = points * Double(job.columnCount)
    return ExpectedPhase(
      .read, nodeCount: job.pointCount, work: [.readNumbers: numbers],
      ranks.allGather(1) + ranks.allGather(8) + ranks.allGather(4),
      diskBytes: numbers * Double(job.element.byteCount))
  }

  /// As `highland knn`.
  private mutating func expectNeighbors() {
    let shape = job.searchShape(nodeCount: job.pointCount, level: 0)
    let cost = SearchCost(
      of: shape, by: job.search, isNamed: false, isDiffuse: data.isDiffuse,
      partitionCount: data.partitionCount, among: job.ranks)
    var search = ExpectedPhase(search: cost, of: job, level: nil, nodeCount: job.pointCount)
    let places = Double(shape.listLength)
    search.memoryBytes = neighborBytes(shape, isDiffuse: data.isDiffuse)
    search.diskBytes = 12 * points * places
    var reading = reading
    reading.memoryBytes = Double(shape.rowCount) * shape.bytesPerRow
    phases = [reading, search]
    searches = [(cost.method, cost.partitionCount)]
  }

  /// Of a search, and of writing what it found: indices are copied then.
  private func neighborBytes(_ shape: SearchMemory, isDiffuse: Bool?) -> Double {
    max(
      shape.bytes(by: job.search, isDiffuse: isDiffuse),
      Double(shape.rowCount) * (shape.bytesPerRow + 20 * Double(shape.listLength)))
  }

  /// As ``cluster(_:by:observer:on:)`` with a network of structure.
  private mutating func expectClustering(
    _ network: StructureNetwork, _ goal: ClusteringJob.NetworkGoal, fewNodes: Int
  ) {
    let memory = ExpectedMemory(of: job, network, nodeCounts: nodeCounts, data)
    let levels = levels(of: nodeCounts, network)
    searches = levels.map {
      let cost = $0.searchCost(by: job.search)
      return (cost.method, cost.partitionCount)
    }
    phases = [reading, copies]
    for level in levels {
      phases.append(level.neighbors(by: job.search))
      if level.number == 0, goal.movesNodes, job.ranks.count > 1 { phases.append(level.dealing) }
      phases += [level.graph, level.judging]
      if level.number == 0, goal.choosesThreshold { phases.append(trials(by: network)) }
      phases += [level.decoding, level.coarsening(keepingRows: !level.isLast)]
    }
    phases.append(
      ExpectedLevel.labeling(of: job, clusterCount: levels.last!.nextCount))
    for place in phases.indices { phases[place].memoryBytes = memory.bytes(of: phases[place]) }
  }

  /// The levels of so many nodes each.
  private func levels(of counts: [Int], _ network: StructureNetwork) -> [ExpectedLevel] {
    counts.indices.map { number in
      let isLast = number + 1 == counts.count
      let merges = isLast && number < data.sharesApart.count
      let next =
        isLast
        ? merges ? max(1, Int(Double(counts[number]) * data.sharesApart[number])) : counts[number]
        : counts[number + 1]
      return ExpectedLevel(
        job: job, data: data, number: number, nodeCount: counts[number], nextCount: next,
        isLast: isLast, network: network)
    }
  }

  /// As ``duplicateRoots(of:where:within:in:named:using:on:)`` of points without copies.
  private var copies: ExpectedPhase {
    let ranks = job.ranks
    var traffic = ranks.allGather(1)
    if ranks.count > 1 {
      let away = points * ranks.otherShare
      traffic += ranks.allToAll(away, of: 24) + ranks.exchange(away, of: 8)
    }
    return ExpectedPhase(
      .copies, level: 0, nodeCount: job.pointCount,
      work: [.hashedNumbers: points * Double(job.columnCount)], traffic)
  }

  /// As ``ClusteringRun/chooseThresholds(along:of:by:measuredBy:on:)``: a trial is a clustering from level 0's linkage on, with
  /// searches of a lower recall, and the silhouette of what it finds.
  private func trials(by network: StructureNetwork) -> ExpectedPhase {
    // Trials of higher thresholds leave more nodes: measured on generated points.
    let counts = nodeCounts.enumerated().map { $0 == 0 ? $1 : min(nodeCounts[0], $1 + $1 * 3 / 10) }
    let levels = levels(of: counts, network)
    var options = job.search
    options.recall = min(options.recall, SearchOptions.trialRecall)
    var parts: [ExpectedPhase] = []
    for level in levels {
      if level.number > 0 { parts += [level.neighbors(by: options), level.graph, level.judging] }
      parts += [level.decoding, level.coarsening(keepingRows: true)]
    }
    parts.append(levels[0].separation(clusterCount: levels.last!.nextCount))
    var phase = levels[0].deciding
    phase.add(parts, times: Double(data.trialCount))
    return phase
  }
}
