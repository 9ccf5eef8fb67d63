public import Communication
internal import DistributedGraphs
public import Evaluation
public import Parallelism

/// A clustering of the points of a fit and of new ones. Each rank holds its share of the points.
public struct ClusteringUpdate: Sendable {
  /// Owned points, those of the fit first. Numbers go on where clusters do; those of other clusters follow upon the fit's.
  public let labels: [Int64]
  /// Replicated. All labels are below.
  public let labelBound: Int
  /// Replicated. How the clusters of the fit changed, by its points alone.
  public let changes: ClusterChanges
  /// Replicated. Clusters that have points of the fit and new ones: those with most new ones first, then by label.
  public let grown: [Growth]
  /// Replicated. Clusters of new points alone: the largest first, then by label.
  public let founded: [Growth]
  /// What the method found, with clusters numbered 0, 1, 2, … as they first appear.
  public internal(set) var clustering: Clustering
  /// Owned nodes of level 0. Their neighbours among all of them.
  let lists: NeighborLists

  /// A cluster that has new points.
  public struct Growth: Codable, Equatable, Sendable {
    public var label: Int64
    /// Its points, new ones among them.
    public var pointCount: Int
    public var newPointCount: Int
  }
}

extension ClusteringUpdate {
  /// Compares what was found with the fit, and numbers its clusters.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per point of the fit, as ``matchedClusters(from:to:on:)`` and
  /// > ``clusterChanges(from:to:on:)``, and 16 bytes per cluster to every rank.
  ///
  /// - Parameter keepsNumbers: Replicated. Whether clusters that go on keep their numbers.
  init(
    of clustering: Clustering, after fit: FittedClustering, along lists: NeighborLists,
    keepingNumbers keepsNumbers: Bool, on communicator: some Communicator
  ) throws {
    let after = try clustering.points.fetch(
      clustering.labels, at: fit.points.owned(by: communicator.rank).map { GlobalNode($0) },
      on: communicator)
    var numbers = Array(0..<Int64(clustering.clusterCount))
    if keepsNumbers {
      let matches = try matchedClusters(from: fit.labels, to: after, on: communicator)
      var next = Int64(fit.settings.clusterCount)
      for cluster in numbers.indices {
        numbers[cluster] = matches[Int64(cluster)] ?? next
        if matches[Int64(cluster)] == nil { next += 1 }
      }
      labelBound = Int(next)
    } else {
      labelBound = numbers.count
    }
    labels = clustering.labels.map { [numbers] in numbers[Int($0)] }
    changes = try clusterChanges(
      from: fit.labels, to: after.map { [numbers] in numbers[Int($0)] }, on: communicator)

    func sizes(_ labels: [Int64]) throws -> [Int64] {
      var counts = Array(repeating: Int64(0), count: numbers.count)
      for label in labels { counts[Int(label)] += 1 }
      return try communicator.sums(counts)
    }
    let (all, old) = (try sizes(clustering.labels), try sizes(after))
    let growths = numbers.indices.filter { all[$0] > old[$0] }.map {
      Growth(
        label: numbers[$0], pointCount: Int(all[$0]), newPointCount: Int(all[$0] - old[$0]))
    }.sorted { ($1.newPointCount, $0.label) < ($0.newPointCount, $1.label) }
    grown = growths.filter { $0.newPointCount < $0.pointCount }
    founded = growths.filter { $0.newPointCount == $0.pointCount }
    self.clustering = clustering
    self.lists = lists
  }
}

extension FittedClustering {
  /// The clustering that an update has made of a fit.
  ///
  /// > Collective: over `communicator`. As reading the points, and finding copies.
  ///
  /// - Parameter source: Replicated. All points, as the update had them.
  /// - Throws: ``AgreedFailure`` on every rank if the points cannot be read; ``ModelError`` never.
  public init(
    _ fit: FittedClustering, after update: ClusteringUpdate, of source: some EmbeddingSource,
    using workers: Workers = Workers(), on communicator: some Communicator
  ) throws {
    var settings = fit.settings
    settings.theta = update.clustering.choice.listLength?.threshold
    settings.clusterCount = update.labelBound
    try self.init(
      of: source, labels: update.labels, settings, model: fit.model, along: update.lists,
      using: workers, on: communicator)
  }
}
