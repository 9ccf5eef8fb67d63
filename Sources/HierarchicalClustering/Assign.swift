public import Communication
public import DistributedGraphs
public import NeighborSearch
internal import Parallelism

/// The clusters of new points. Each rank holds its share of them.
public struct Assignment: Sendable {
  /// Owned points. A cluster of the fit, or a new one: numbers go on after the fit's, in the order in which new
  /// clusters first appear.
  public var labels: [Int64]
  /// Which rank owns which of the new points.
  public var points: NodePartition
  /// Replicated. How many points have the direction of one of the fit, and its label.
  public var copyCount = 0
  /// Replicated. How many others are in clusters of the fit.
  public var joinedCount = 0
  /// Replicated. How many clusters are new.
  public var newClusterCount = 0
  /// Replicated. How neighbours were searched; nil if all points are copies.
  public var search: SearchSummary?
  /// Replicated. What each phase cost. The points that join nothing are clustered in ``Phase/label``.
  public var costs: [Phase: PhaseCost] = [:]
}

/// Assigns new points to the clusters of a fit, or to new ones. The fit does not change.
///
/// A point with the direction of one of the fit gets its label. The others find neighbours among the points of the fit
/// and each other, and what clustered the fit judges the edges to them: flow by weights, a network by probabilities.
/// A point joins the fit once more of the weight of its edges leads to the fit's clusters, and to points that have
/// joined them, than half of what would lead there if neighbours of the fit and new ones were dealt by chance:
///
///     Σ w(i, j) over joined j  >  Σ w(i, j) · n / (n + m) / 2        n nodes of the fit, m new ones
///
/// It takes the cluster with the most weight, of equal ones the lower number. This repeats until no point joins. What is
/// left is clustered by itself, as the fit was. So points of an identity that the fit has not seen found a cluster,
/// even if some of them are near one of the fit's.
///
/// The labels are the same, bit for bit, on any number of ranks and threads. They depend on which points come together.
///
/// > Collective: over `base`. As ``nearestNeighbors(ofFirst:of:listLength:by:in:named:inTilesOf:using:on:progress:)``, then
/// > as the judge over the nodes of the fit and the new ones, 8 bytes per ghost in each round, and as
/// > ``cluster(_:by:observer:on:)-(_,MethodPlan,_,_)`` for the rest.
///
/// With groups every group is assigned by itself, as if there were no other: its points join clusters of the fit in their
/// group, or found new ones there. A group's points come together on one rank; of the fit only groups with new points
/// travel.
///
/// - Parameters:
///   - source: Replicated. The new points, as the fit's model wants them (``EmbeddingSource/transformed(for:using:)``); every rank reads only its own rows, and some of the rest.
///   - groups: Owned. The group of every new point, if the fit has groups.
/// - Throws: ``AgreedFailure`` on every rank if there is an error in the input; ``ModelError`` never, as the model and its
///   options have clustered the fit.
/// - Precondition: As many columns as the fit has, unless there are no points. Groups as the fit has them.
public func assign(
  _ source: some EmbeddingSource, within groups: [GroupName]? = nil, to fit: FittedClustering,
  by options: AssigningOptions,
  observer: some ClusteringObserver = NoObserver(), on base: some Communicator
) throws -> Assignment {
  precondition(
    source.dimensions == fit.settings.dimensions || source.rowCount == 0,
    "\(source.dimensions) columns for a fit of \(fit.settings.dimensions)")
  precondition((groups != nil) == fit.hasGroups, "groups of the fit or of new points alone")
  guard let groups else {
    return try assignAsOne(source, to: fit, by: options, observer: observer, on: base)
  }
  let communicator = CountingCommunicator(base)
  let clock = PhaseClock(communicator, observer)
  try clock.measure(.read) { _ in
    let points = NodePartition(sharing: source.rowCount, among: communicator.size)
    _ = try source.load(
      points.owned(by: communicator.rank), invalid: options.invalidRows, using: options.workers,
      on: communicator)
  }
  let grouped = try clock.measure(.partition) { _ in
    try GroupedAssignment(source, in: groups, to: fit, by: options, on: communicator)
  }
  var assignment = try clock.measure(.network) { progress in
    try grouped.run(on: communicator, progress: progress)
  }
  assignment.costs = try clock.finishLevel(LevelCounts()).costs
  return assignment
}

/// Assigns points that may all join each other.
func assignAsOne(
  _ source: some EmbeddingSource, to fit: FittedClustering, by options: AssigningOptions,
  observer: some ClusteringObserver = NoObserver(), on base: some Communicator
) throws -> Assignment {
  let communicator = CountingCommunicator(base)
  let clock = PhaseClock(communicator, observer)
  let run = try clock.measure(.read) { _ in
    try ClusteringRun(
      reading: source, invalid: options.invalidRows, asStored: false, using: options.workers,
      on: communicator)
  }
  var new = try clock.measure(.copies) { _ in
    try NewNodes(run, of: source, beside: fit, using: options.workers, on: communicator)
  }
  var assignment = Assignment(labels: [], points: run.points)
  if new.areOpen {
    let (edges, search) = try new.edges(by: options, measuredBy: clock, on: communicator)
    assignment.search = search
    assignment.newClusterCount = try clock.measure(.label) { _ in
      try new.join(along: edges, on: communicator)
      return new.settle(
        try new.clusterRest(along: edges, of: source, by: options, on: communicator))
    }
  }
  assignment.labels = try new.labelsOfPoints(on: communicator)
  (assignment.copyCount, assignment.joinedCount) = try new.pointCounts(on: communicator)
  assignment.costs = try clock.finishLevel(LevelCounts()).costs
  return assignment
}
