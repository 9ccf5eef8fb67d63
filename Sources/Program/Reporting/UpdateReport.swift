import DistributedGraphs
import Evaluation
import HierarchicalClustering
import NeighborSearch

/// What `highland update` did: the JSON of `--report`.
struct UpdateReport: Encodable {
  var highland = highlandVersion
  /// The files of all points, those of the run first.
  var features: [String]
  /// The directory of the clustering before.
  var run: String
  var rankCount: Int
  var threadCount: Int
  /// Points of the run and new ones.
  var pointCount: Int
  var newPointCount: Int
  var dimensions: Int
  /// What clustered the run, and now all points.
  var method: ClusteringMethod
  var k: Int
  var clusterCount: Int
  /// Clusters of new points alone.
  var newClusterCount: Int
  /// Clusters of points of the run that have new ones.
  var grownClusterCount: Int
  /// What became of the clusters of the run, by its points; of changes no more than `--top`, as of the next two.
  var changes: ClusterChanges
  var grown: [ClusteringUpdate.Growth]
  var founded: [ClusteringUpdate.Growth]
  var reading: PhaseCost
  var labeling: PhaseCost
  var levels: [LevelSummary]
  var elapsedSeconds: Double
  var memory: MemoryReport

  init(
    features: [String], run: String, rankCount: Int, threadCount: Int,
    of update: ClusteringUpdate, after fit: FittedClustering, top: Int, elapsedSeconds: Double,
    memory: MemoryReport
  ) {
    let clustering = update.clustering
    self.features = features
    self.run = run
    self.rankCount = rankCount
    self.threadCount = threadCount
    pointCount = clustering.points.nodeCount
    newPointCount = pointCount - fit.points.nodeCount
    dimensions = fit.settings.dimensions
    method = fit.settings.method
    k = fit.settings.neighborCount
    clusterCount = clustering.clusterCount
    newClusterCount = update.founded.count
    grownClusterCount = update.grown.count
    changes = update.changes
    changes.changes = Array(changes.changes.prefix(top))
    grown = Array(update.grown.prefix(top))
    founded = Array(update.founded.prefix(top))
    reading = clustering.reading
    labeling = clustering.labeling
    levels = clustering.levels
    self.elapsedSeconds = elapsedSeconds
    self.memory = memory
  }

  /// What it says to people.
  var account: String {
    let sum =
      "\(quantity(newPointCount, "new point")) beside \(pointCount - newPointCount): "
      + "\(quantity(clusterCount, "cluster")), \(newClusterCount) of them new; \(grownClusterCount) grew"
    let grown = grown.map {
      "grew: \($0.label) (\($0.pointCount - $0.newPointCount)) became \($0.pointCount)"
    }
    let founded = founded.map { "new: \($0.label) (\($0.pointCount))" }
    return ([sum] + grown + founded + [changes.account]).joined(separator: "\n")
  }
}
