import Communication
import DistributedGraphs
import GraphBaselines
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism

/// Points, their neighbours, and what methods have found of them that serves several settings.
struct BaselinePoints {
  let source: FeatureRows
  let points: NodePartition
  /// Owned. Unit rows.
  let rows: StoredRows
  let readingCost: PhaseCost
  /// The neighbours that methods share; nil if none were searched.
  let neighbors: Neighbors?
  let options: SearchOptions
  let invalidRows: InvalidRowPolicy
  let workers: Workers
  /// Replicated. Whether HDBSCAN may compare all pairs.
  let comparesAllPairs: Bool

  private var graph: NeighborGraph?
  private var partitions: [FirstNeighborPartition]?
  private var dendrogram: AverageLinkage?
  private var trees: [Int: SingleLinkage] = [:]

  struct Neighbors {
    /// Owned.
    let lists: NeighborLists
    /// How they were searched, and what that took.
    let search: SearchSummary
    let cost: PhaseCost
  }

  /// Reads the rows and searches their neighbours.
  ///
  /// > Collective: over `communicator`. As the search.
  ///
  /// - Parameters:
  ///   - listLength: Replicated. Places of the lists; nil searches none, for methods that do without.
  ///   - progress: Of the search.
  /// - Throws: ``AgreedFailure`` on every rank for rows that cannot be read, or have no direction and the policy
  ///   refuses such rows.
  init(
    _ source: FeatureRows, listLength: Int?, searching options: SearchOptions,
    invalid invalidRows: InvalidRowPolicy, using workers: Workers,
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws {
    points = NodePartition(sharing: source.rowCount, among: communicator.size)
    let points = points
    let (readingCost, rows) = try PhaseCost.measuring(on: communicator) {
      try source.unitRows(
        points.owned(by: communicator.rank), invalid: invalidRows, using: workers, on: $0)
    }
    (self.readingCost, self.rows) = (readingCost, rows)
    neighbors = try listLength.map { listLength in
      let (cost, found) = try PhaseCost.measuring(on: communicator) {
        try nearestNeighbors(
          of: rows, listLength: listLength, by: options, in: points, using: workers, on: $0,
          progress: progress)
      }
      return Neighbors(lists: found.lists, search: found.summary, cost: cost)
    }
    self.source = source
    self.options = options
    self.invalidRows = invalidRows
    self.workers = workers
    comparesAllPairs = PairWork(of: source).isBearable
  }

  /// Forgets what methods have found, so that the next is measured with all its work.
  mutating func forget() {
    (graph, partitions, dendrogram, trees) = (nil, nil, nil, [:])
  }
}

extension BaselinePoints {
  /// The cluster of every owned point, by whichever numbers below the number of points.
  ///
  /// > Collective: over `communicator`, as the method.
  ///
  /// - Returns: Nil if there is no such clustering: a partition of FINCH after the last.
  /// - Precondition: Neighbours were searched, or the method does without.
  mutating func clusters(
    by setting: BenchmarkSetting, on communicator: some Communicator
  ) throws -> [Int64]? {
    switch setting {
    case .components(let distance):
      try thresholdComponents(of: lists, above: 1 - distance, in: points, on: communicator)
        .map(\.index)
    case .dbscan(let radius, let minimumPoints):
      try densityClusters(
        of: neighborGraph(on: communicator),
        by: DensityOptions(radius: radius, minimumPoints: minimumPoints), on: communicator
      ).map(\.index)
    case .hdbscan(let minimumClusterSize, let minimumSamples):
      try CondensedTree(
        tree(minimumSamples: minimumSamples, on: communicator),
        minimumClusterSize: minimumClusterSize
      ).clusters()[points.owned(by: communicator.rank)].map(\.index)
    case .finch(let partition): try firstNeighborPartition(partition, on: communicator)
    case .averageLinkage(let distance):
      try dendrogram(on: communicator).clusters(above: 1 - distance, on: communicator).map(\.index)
    case .infomap(let neighborCount):
      try cluster(
        source,
        by: FlowPlan(
          neighborCount: neighborCount, search: options, invalidRows: invalidRows, workers: workers),
        on: communicator
      ).labels
    }
  }

  private var lists: NeighborLists {
    guard let neighbors else { preconditionFailure("no neighbours were searched") }
    return neighbors.lists
  }

  private mutating func neighborGraph(on communicator: some Communicator) throws -> NeighborGraph {
    let found = try graph ?? NeighborGraph(lists, in: points, on: communicator)
    graph = found
    return found
  }

  private mutating func firstNeighborPartition(
    _ number: Int, on communicator: some Communicator
  ) throws -> [Int64]? {
    let found =
      try partitions
      ?? firstNeighborPartitions(
        of: rows, along: lists, searching: options, in: points, using: workers, on: communicator)
    partitions = found
    return number <= found.count ? found[number - 1].labels : nil
  }

  private mutating func dendrogram(on communicator: some Communicator) throws -> AverageLinkage {
    let found =
      try dendrogram ?? AverageLinkage(of: rows, in: points, using: workers, on: communicator)
    dendrogram = found
    return found
  }

  private mutating func tree(
    minimumSamples: Int, on communicator: some Communicator
  ) throws -> SingleLinkage {
    if let tree = trees[minimumSamples] { return tree }
    let forest = try ReachabilityForest(
      of: comparesAllPairs ? rows : nil, along: lists.prefix(BenchmarkMethod.treeListLength),
      minimumSamples: minimumSamples, in: points, using: workers, on: communicator)
    let tree = try SingleLinkage(of: forest, on: communicator)
    trees[minimumSamples] = tree
    return tree
  }
}
