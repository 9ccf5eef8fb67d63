internal import Datasets
internal import Evaluation

/// A merge as it is kept for all of a hierarchy: 40 bytes.
struct Link {
  var level: Int32
  var probability: Float
  var similarity: Float
  /// Input points.
  var point, parent: Int
  /// Distinct points on the node's side.
  var splitCount: Int
}

/// All merges of a hierarchy, and the counts of one pass over its levels.
struct Links {
  private(set) var links: [Link] = []
  private(set) var levels: [HierarchyReport.Level] = []
  private(set) var judgements: [HierarchyReport.Judgement] = []

  /// - Throws: ``DataError`` if levels contradict each other or the labels.
  init(of hierarchy: StoredHierarchy, labels: [Int], truth: [Int64]?) throws {
    var memberCounts: [Int] = []
    var expected: [Int] = []
    for summary in hierarchy.summary.levels {
      let level = try hierarchy.level(summary.level)
      if summary.level == 0 {
        memberCounts = Array(repeating: 1, count: level.nodeCount)
      } else if level.inputPoint != expected {
        throw DataError(
          path: "\(hierarchy.path)/level-\(summary.level)/nodes.npy",
          problem: "other points than the peaks of level \(summary.level - 1)")
      }
      let split = level.subtreeCounts(memberCounts)
      let tau = hierarchy.summary.threshold(ofLevel: summary.level)
      let place = min(summary.level, 1)
      if judgements.count == place { judgements.append(.init(summary.level, tau, truth != nil)) }
      let nodeTruth = try truth.map { try hierarchy.truth(of: level, points: $0) }
      var calibration = truth.map { _ in ProbabilityCalibration() }
      let merges = try judgements[place].add(
        level, truth: nodeTruth, edgeCount: summary.edgeCount, to: &calibration
      ) { node, edge in
        let (point, parent) = (level.inputPoint[node], level.inputPoint[edge.source])
        guard labels[point] == labels[parent] else {
          throw DataError(
            path: "\(hierarchy.path)/level-\(summary.level)/parent.npy",
            problem: "row \(node): merges the points \(point) and \(parent), which have the labels "
              + "\(labels[point]) and \(labels[parent]) in labels.npy")
        }
        links.append(
          Link(
            level: Int32(summary.level), probability: edge.probability,
            similarity: edge.similarity, point: point, parent: parent, splitCount: split[node]))
      }
      levels.append(
        .init(
          level: summary.level, tau: tau, nodeCount: summary.nodeCount,
          edgeCount: summary.edgeCount, keptEdgeCount: summary.keptEdgeCount,
          mergedCount: summary.mergedCount, clusterCount: summary.clusterCount,
          lowestMergeProbability: merges.lowest, meanMergeProbability: merges.mean,
          calibration: calibration))
      let peaks = (0..<level.nodeCount).filter { level.parent[$0] == $0 }
      expected = peaks.map { level.inputPoint[$0] }
      memberCounts = peaks.map { split[$0] }
    }
    let rootLabels = Set(expected.map { labels[$0] })
    guard expected.isEmpty || rootLabels.count == expected.count else {
      throw DataError(
        path: "\(hierarchy.path)/labels.npy",
        problem: "the \(expected.count) nodes that are left have \(rootLabels.count) labels; "
          + "expected one each")
    }
  }
}

extension StoredHierarchy {
  /// The true label of every node of a level: the most frequent of its points, of these the lowest; of level 0, whose copies
  /// are not told, that of its input point.
  ///
  /// - Parameter truth: Of all points.
  fileprivate func truth(of level: StoredLevel, points truth: [Int64]) throws -> [Int64] {
    guard level.number > 0 else { return level.inputPoint.map { truth[$0] } }
    let clusters = try labels(afterLevel: level.number - 1, of: truth.indices).map { Int($0) }
    let main = mainTruthOfClusters(
      clusters, truth, clusterCount: summary.levels[level.number - 1].clusterCount)
    return level.inputPoint.map { main[clusters[$0]].truth }
  }
}

extension HierarchyReport.Judgement {
  fileprivate init(_ level: Int, _ tau: Double?, _ hasTruth: Bool) {
    let zeros = Array(repeating: 0, count: Self.binCount)
    self.init(
      firstLevel: level, lastLevel: level, tau: tau, edges: zeros, merges: zeros, nodes: zeros,
      peaks: zeros, trueEdges: hasTruth ? zeros : nil)
  }

  /// Counts a level, and hands every merge to `body`.
  ///
  /// - Parameters:
  ///   - truth: Of every node.
  ///   - calibration: Counts the edges, too, if there is a truth.
  /// - Returns: The lowest p of the merges, and the mean.
  fileprivate mutating func add(
    _ level: StoredLevel, truth: [Int64]?, edgeCount expectedCount: Int,
    to calibration: inout ProbabilityCalibration?,
    _ body: (Int, StoredLevel.Edge) throws -> Void
  ) throws -> (lowest: Double?, mean: Double?) {
    lastLevel = level.number
    var edgeCount = 0
    var mergeCount = 0
    var lowest = Double.infinity
    var sum = 0.0  // in the order of nodes
    try level.forEachNode { node, list in
      edgeCount += list.count
      for edge in list {
        let bin = Self.bin(Double(edge.probability))
        edges[bin] += 1
        if let truth {
          let isTrue = truth[node] == truth[edge.source]
          trueEdges![bin] += isTrue ? 1 : 0
          calibration!.count(edge.probability, isTrue: isTrue)
        }
      }
      let bin = Self.bin((Double(level.density[node]) + 1) / 2)
      nodes[bin] += 1
      guard let edge = try level.parentEdge(of: node, among: list) else {
        peaks[bin] += 1
        return
      }
      let probability = Double(edge.probability)
      merges[Self.bin(probability)] += 1
      mergeCount += 1
      lowest = min(lowest, probability)
      sum += probability
      try body(node, edge)
    }
    guard edgeCount == expectedCount else {
      throw DataError(
        path: level.similarityPath,
        problem: "\(edgeCount) edges; expected \(expectedCount), as in \(StoredHierarchy.marker)")
    }
    return mergeCount == 0 ? (nil, nil) : (lowest, sum / Double(mergeCount))
  }

  /// The bin of a number of 0 ... 1; of others, which rounding makes, the nearest.
  static func bin(_ value: Double) -> Int {
    Int(max(0, min(Double(binCount - 1), (value * Double(binCount)).rounded(.down))))
  }
}
