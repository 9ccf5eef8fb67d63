public import Datasets
internal import Evaluation

extension HierarchyReport {
  /// Reads a hierarchy, level by level.
  ///
  /// - Parameters:
  ///   - truth: The true labels of all points, if known.
  ///   - names: What people call the points; the few that are shown are read.
  ///   - coordinates: Where the points lie in a plane, for a map of them. Shape `[points × 2]`.
  ///   - top: How many clusters and merges each list has at most.
  /// - Throws: ``DataError`` if a file is missing or contradicts the others.
  /// - Complexity: O(N log N + places of lists) for N points. In memory are about 100 bytes per
  ///   point; lists of neighbours are read in blocks.
  /// - Precondition: As many true labels and names as points.
  public init(
    of hierarchy: StoredHierarchy, truth: [Int64]? = nil, names: NameFile? = nil,
    coordinates: ArrayFile? = nil, top: Int
  ) throws {
    let summary = hierarchy.summary
    let count = summary.pointCount
    precondition(
      truth.map { $0.count == count } ?? true && names.map { $0.count == count } ?? true,
      "\(truth?.count ?? count) true labels, \(names?.count ?? count) names of \(count) points")
    precondition(coordinates.map { $0.shape == [count, 2] } ?? true, "places of \(count) points")
    let labels = try hierarchy.finalLabels()
    let links = try Links(of: hierarchy, labels: labels, truth: truth)
    var lists = ClusterLists(
      labels: labels, clusterCount: summary.clusterCount, links: links.links, truth: truth)

    self.hierarchy = summary.parameters
    highland = summary.highland
    pointCount = count
    dimensions = summary.dimensions
    copyCount = lists.sizes.reduce(0, +) - lists.distinctCounts.reduce(0, +)
    stopReason = summary.stopReason
    clusters = ClusterCounts(sizes: lists.sizes)
    sizeClasses = SizeClass.classes(of: lists.sizes)
    levels = links.levels
    judgements = links.judgements

    let mergeIndices = lists.mostAtStake(top)
    let largest = lists.largest(top)
    let leastCertain = lists.leastCertain(top)
    let mixed = lists.mostMixed(top)
    lists.collectExamples(of: largest + leastCertain + mixed)
    // Known only now: which points are shown.
    let shown = lists.shownPoints(of: largest + leastCertain + mixed, merges: mergeIndices)
    let mapped =
      coordinates == nil ? [] : Array(stride(from: 0, to: count, by: Map.step(of: count)))
    lists.names = try names?.names(of: shown.union(mapped)) ?? [:]

    self.largest = largest.map { lists.cluster($0) }
    self.leastCertain = leastCertain.map { lists.cluster($0) }
    mostAtStake = mergeIndices.map { lists.merge($0) }
    agreement = try truth.map { truth in
      try Agreement(lists, labels: labels, truth: truth, mixed: mixed, top: top)
    }
    map = try coordinates.map { try Map(at: $0, labels: labels) { lists.point($0) } }
  }
}

extension HierarchyReport.SizeClass {
  /// The classes from one point to the largest of the sizes, empty ones between them included.
  static func classes(of sizes: [Int]) -> [Self] {
    var classes: [Self] = []
    for size in sizes {
      let place = Int.bitWidth - 1 - size.leadingZeroBitCount
      while classes.count <= place {
        let smallest = 1 << classes.count
        classes.append(
          Self(smallest: smallest, largest: 2 * smallest - 1, clusterCount: 0, pointCount: 0))
      }
      classes[place].clusterCount += 1
      classes[place].pointCount += size
    }
    return classes
  }
}
