internal import Communication
internal import GraphNetworks
internal import NeighborSearch

/// What grows with the points while a clustering runs, phase by phase: the formulas of ``ClusteringMemory`` with the ghosts
/// and nodes that are expected, in place of the most that there can be.
struct ExpectedMemory {
  private let job: ClusteringJob
  private let need: ClusteringMemory
  private let options: SearchOptions
  private let nodeCounts: [Int]

  init(
    of job: ClusteringJob, _ network: StructureNetwork, nodeCounts: [Int], _ data: ExpectedData
  ) {
    self.job = job
    self.nodeCounts = nodeCounts
    options = job.search
    func ghostsPerNode(_ number: Int) -> Double {
      let level = ExpectedLevel(
        job: job, data: data, number: number, nodeCount: nodeCounts[number],
        nextCount: nodeCounts[number], isLast: true, network: network)
      return level.owned > 0 ? level.ghosts / level.owned : 0
    }
    need = ClusteringMemory(
      rowCount: job.searchShape(nodeCount: job.pointCount, level: 0).rowCount,
      pointCount: job.pointCount, columnCount: job.columnCount, element: job.element,
      rankCount: job.ranks.count, neighborCount: job.neighborCount, keepsLists: false,
      model: .structure(network),
      expecting: ClusteringMemory.Expectation(
        ghostsPerNode: nodeCounts.indices.map(ghostsPerNode), isDiffuse: data.isDiffuse))
  }

  /// - Parameter phase: Of the job.
  func bytes(of phase: ExpectedPhase) -> Double {
    switch phase.phase {
    case .thresholds:
      // Trials go through all later levels, while level 0 is kept.
      nodeCounts.indices.dropFirst().reduce(bytes(of: .coarsen, atLevel: 0)) { most, level in
        [Phase.neighbors, .network, .coarsen].reduce(most) {
          max($0, bytes(of: $1, atLevel: level) + need.bytesKeptForTrials(by: options))
        }
      }
    default: bytes(of: phase.phase, atLevel: phase.level ?? 0)
    }
  }

  private func bytes(of phase: Phase, atLevel level: Int) -> Double {
    func pairs(_ level: Int) -> Double {
      ExpectedLevel.connections * Double(nodeCounts[min(level, nodeCounts.count - 1)])
        / job.ranks.size
    }
    return need.bytes(
      of: phase, atLevel: (level, nodeCounts[level]),
      next: nodeCounts[min(level + 1, nodeCounts.count - 1)],
      pairs: (pairs(level), pairs(level + 1)), by: options)
  }
}
