internal import CHighland
internal import Datasets
internal import HierarchicalClustering
internal import Parallelism

/// What a clustering did and what it cost, with the keys of `highland cluster --report`.
struct ClusteringReport: Encodable {
  let highland = HIGHLAND_VERSION
  let parameters: ClusteringAccount
  let rankCount: Int
  let threadCount: Int
  let pointCount: Int
  let dimensions: Int
  let clusterCount: Int
  let singletonCount: Int
  let groups: GroupSummary?
  let stopReason: StopReason
  let reading: PhaseCost
  let labeling: PhaseCost
  let levels: [LevelSummary]
  let elapsedSeconds: Double

  init(
    _ task: ClusteringTask<some EmbeddingSource>, _ clustering: Clustering, elapsedSeconds: Double
  ) {
    parameters = ClusteringAccount(of: clustering, by: task.plan, with: task.model)
    rankCount = task.rankCount
    threadCount = task.workers.count
    pointCount = task.features.rowCount
    dimensions = task.features.dimensions
    clusterCount = clustering.clusterCount
    singletonCount = clustering.singletonCount
    groups = clustering.groups
    stopReason = clustering.stopReason
    reading = clustering.reading
    labeling = clustering.labeling
    levels = clustering.levels
    self.elapsedSeconds = elapsedSeconds
  }
}
