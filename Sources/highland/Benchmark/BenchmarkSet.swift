import Communication
import Datasets
import DistributedGraphs
import Evaluation
import GraphBaselines
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism

/// Points with labels, their neighbours, and what methods have found of them that serves several settings.
struct BenchmarkSet {
  let source: FeatureFiles
  /// Owned. The true label of every point.
  let labels: [Int64]
  let points: NodePartition
  /// Owned. Unit rows.
  let rows: StoredRows
  /// Owned. The neighbours that methods share.
  let lists: NeighborLists
  let graph: NeighborGraph
  /// How the neighbours were searched, and what reading and searching took.
  let search: SearchSummary
  let readingCost: PhaseCost
  let searchCost: PhaseCost
  let options: SearchOptions
  let invalidRows: InvalidRowPolicy
  let workers: Workers
  /// Replicated. Whether HDBSCAN may compare all pairs.
  let comparesAllPairs: Bool

  private var partitions: [FirstNeighborPartition]?
  private var dendrogram: AverageLinkage?
  private var trees: [Int: SingleLinkage] = [:]

  /// Reads the rows and searches their neighbours.
  ///
  /// > Collective: over `communicator`. As the search, and 8 bytes per ghost.
  ///
  /// - Parameter neighborCount: k, the point itself included.
  /// - Throws: ``AgreedFailure`` on every rank for rows that cannot be read, or have no direction and the policy
  ///   refuses such rows.
  init(
    _ source: FeatureFiles, labels: [Int64], neighborCount: Int, searching options: SearchOptions,
    invalid invalidRows: InvalidRowPolicy, comparingAllPairs comparesAllPairs: Bool,
    using workers: Workers,
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws {
    points = NodePartition(sharing: source.rowCount, among: communicator.size)
    let points = points
    let (readingCost, rows) = try PhaseCost.measuring(on: communicator) {
      try source.unitRows(
        points.owned(by: communicator.rank), invalid: invalidRows, using: workers, on: $0)
    }
    let (searchCost, found) = try PhaseCost.measuring(on: communicator) {
      try nearestNeighbors(
        of: rows, listLength: neighborCount - 1, by: options, in: points, using: workers,
        on: $0, progress: progress)
    }
    (self.readingCost, self.rows, self.searchCost) = (readingCost, rows, searchCost)
    (lists, search) = found
    graph = try NeighborGraph(lists, in: points, on: communicator)
    self.source = source
    self.labels = labels
    self.options = options
    self.invalidRows = invalidRows
    self.comparesAllPairs = comparesAllPairs
    self.workers = workers
  }

  /// Forgets what methods have found, so that the next is measured with all its work.
  mutating func forget() {
    (partitions, dendrogram, trees) = (nil, nil, [:])
  }

  /// How well clusters agree with the labels.
  ///
  /// > Collective: over `communicator`, as ``compareLabels(truth:predicted:on:)``.
  func metrics(
    of clusters: [Int64], on communicator: some Communicator
  ) throws -> ClusteringMetrics {
    try compareLabels(truth: labels, predicted: clusters, on: communicator)
  }
}

extension BenchmarkSet {
  /// The cluster of every owned point, by whichever numbers.
  ///
  /// > Collective: over `communicator`, as the method.
  ///
  /// - Returns: Nil if there is no such clustering: a partition of FINCH after the last.
  mutating func clusters(
    by setting: BenchmarkSetting, on communicator: some Communicator
  ) throws -> [Int64]? {
    switch setting {
    case .components(let distance):
      try thresholdComponents(of: lists, above: 1 - distance, in: points, on: communicator)
        .map(\.index)
    case .dbscan(let radius, let minimumPoints):
      try densityClusters(
        of: graph, by: DensityOptions(radius: radius, minimumPoints: minimumPoints),
        on: communicator
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
