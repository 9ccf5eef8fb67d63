import DistributedGraphs
import HierarchicalClustering
import NeighborSearch

/// What `highland assign` did: the JSON of `--report`.
struct AssignmentReport: Encodable {
  var highland = highlandVersion
  var features: String
  /// The directory of the clustering.
  var run: String
  var rankCount: Int
  var threadCount: Int
  var pointCount: Int
  var dimensions: Int
  /// What clustered the run, and now the points that join nothing.
  var method: ClusteringMethod
  var k: Int
  /// Clusters of the run.
  var clusterCount: Int
  /// Clusters that points found.
  var newClusterCount: Int
  /// Points of every cluster, those of the run and new ones together; those that were found come last.
  var clusterSizes: [Int64]
  /// Points with the direction of one of the run.
  var copyCount: Int
  /// Other points that are in clusters of the run.
  var joinedCount: Int
  var search: SearchSummary?
  var elapsedSeconds: Double
  /// By the names of phases.
  var phases: [String: PhaseCost]
  var memory: MemoryReport

  init(
    features: String, run: String, rankCount: Int, threadCount: Int, of assignment: Assignment,
    to fit: FittedClustering.Settings, clusterSizes: [Int64], elapsedSeconds: Double,
    memory: MemoryReport
  ) {
    self.clusterSizes = clusterSizes
    self.features = features
    self.run = run
    self.rankCount = rankCount
    self.threadCount = threadCount
    pointCount = assignment.points.nodeCount
    dimensions = fit.dimensions
    method = fit.method
    k = fit.neighborCount
    clusterCount = fit.clusterCount
    newClusterCount = assignment.newClusterCount
    copyCount = assignment.copyCount
    joinedCount = assignment.joinedCount
    search = assignment.search
    self.elapsedSeconds = elapsedSeconds
    phases = Dictionary(
      uniqueKeysWithValues: assignment.costs.map { ($0.key.rawValue, $0.value) })
    self.memory = memory
  }

  /// What it says to people.
  var account: String {
    let founding = pointCount - copyCount - joinedCount
    return (search?.account.map { "\($0)\n" } ?? "")
      + "\(pointCount) points: \(copyCount) are copies of the run's, \(joinedCount) join its "
      + "\(clusterCount) clusters, and \(founding) found \(newClusterCount) new ones"
  }
}
