internal import CHighland
internal import Datasets
internal import HierarchicalClustering
internal import Parallelism

/// What a clustering did and what it cost, with the keys of `highland cluster --report`.
struct ClusteringReport: Encodable {
  struct Parameters: Encodable {
    let method: ClusteringMethod
    let comparison: MethodComparison?
    let k: Int
    let invalidRows: InvalidRowPolicy.RawValue
    // Of networks.
    var model: String?
    var tau: Double?
    var tauLater: Double?
    var tauTrials: [SilhouetteTrial]?
    var tauDeciding: Double?
    var granularity: Granularity?
    var maximumLevels: Int?
    // Of flow.
    var kTrials: [ListLengthTrial]?

    init(_ task: ClusteringTask, _ clustering: Clustering) {
      comparison = clustering.comparison
      switch clustering.choice {
      case .listLength(let choice):
        method = .flow
        k = choice.neighborCount
        invalidRows = task.flow!.invalidRows.rawValue
        kTrials = choice.trials.isEmpty ? nil : choice.trials
      case .thresholds(let choice):
        let network = task.network!
        method = .network
        k = network.plan.neighborCount
        invalidRows = network.plan.invalidRows.rawValue
        model = network.name
        tau = choice.thresholds.first
        tauLater = choice.thresholds.later
        tauTrials = choice.trials.isEmpty ? nil : choice.trials
        tauDeciding = choice.deciding
        granularity = network.plan.granularity
        maximumLevels = network.plan.maximumLevels
      }
    }
  }

  let highland = HIGHLAND_VERSION
  let parameters: Parameters
  let threadCount: Int
  let pointCount: Int
  let dimensions: Int
  let clusterCount: Int
  let singletonCount: Int
  let stopReason: StopReason
  let reading: PhaseCost
  let labeling: PhaseCost
  let levels: [LevelSummary]
  let elapsedSeconds: Double

  init(_ task: ClusteringTask, _ clustering: Clustering, elapsedSeconds: Double) {
    parameters = Parameters(task, clustering)
    threadCount = task.workers.count
    pointCount = task.features.rowCount
    dimensions = task.features.columnCount
    clusterCount = clustering.clusterCount
    singletonCount = clustering.singletonCount
    stopReason = clustering.stopReason
    reading = clustering.reading
    labeling = clustering.labeling
    levels = clustering.levels
    self.elapsedSeconds = elapsedSeconds
  }
}
