public import Communication
internal import DistributedGraphs

/// How the clusters of one labelling of points became those of another. Replicated.
///
/// Clusters that share points, directly or by others, are one change: see ``Kind``.
public struct ClusterChanges: Codable, Equatable, Sendable {
  /// What became of clusters that share points.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// One cluster has the same points as before.
    case same
    /// One cluster became several.
    case split
    /// Several clusters became one.
    case merged
    /// Several clusters became several others.
    case rearranged
  }

  /// All changes of one kind together.
  public struct Total: Codable, Equatable, Sendable {
    public var kind: Kind
    public var changeCount = 0
    public var clustersBefore = 0
    public var clustersAfter = 0
    public var pointCount = 0
  }

  /// A cluster of either labelling.
  public struct Cluster: Codable, Equatable, Sendable {
    public var label: Int64
    public var size: Int
    /// What the label is called, where labels are names.
    public var name: String?

    /// The name, or else the label.
    public var title: String { name ?? "\(label)" }
  }

  /// Clusters that share points with each other, and with no others.
  public struct Change: Codable, Equatable, Sendable {
    public var kind: Kind
    public var pointCount: Int
    /// Points outside the cells that match clusters of both: the largest cell, then the largest of clusters that are not
    /// matched yet, and so on; of equal ones that with the lower labels.
    public var movedPointCount: Int
    /// Largest first, then by label.
    public var before: [Cluster]
    public var after: [Cluster]
  }

  public var pointCount: Int
  public var movedPointCount: Int
  /// One for every kind.
  public var totals: [Total]
  /// All that are not the same: those with the most moved points first, then the lowest label before.
  public var changes: [Change]

  /// Gives clusters their names.
  ///
  /// - Parameters:
  ///   - before: By label; nil where labels are no names.
  ///   - after: The same.
  /// - Precondition: Labels are in the ranges of the names.
  public mutating func name(before: [String]?, after: [String]?) {
    func name(_ clusters: inout [Cluster], _ names: [String]?) {
      guard let names else { return }
      for place in clusters.indices { clusters[place].name = names[Int(clusters[place].label)] }
    }
    for place in changes.indices {
      name(&changes[place].before, before)
      name(&changes[place].after, after)
    }
  }
}

/// How the clusters of one labelling became those of another.
///
/// > Collective: over `communicator`. Six rounds: the lengths; every rank's pairs of clusters that share points to one
/// > rank each, 24 bytes; and all such pairs to every rank.
///
/// - Parameters:
///   - before: Owned. The labels of this rank's points. Any values; only equality counts.
///   - after: Owned. Other labels of the same points, in the same order.
/// - Throws: On every rank, the same ``LabelComparisonError`` if the lengths differ on any rank.
/// - Complexity: O(points on a rank), and O(c log c) for c pairs of clusters that share points.
public func clusterChanges(
  from before: [Int64], to after: [Int64], on communicator: some Communicator
) throws -> ClusterChanges {
  let (cells, pointCount) = try sharedCells(before, after, on: communicator)
  var changes = components(of: cells).map { ClusterChanges.Change($0) }
  let totals = ClusterChanges.Kind.allCases.map { kind in
    changes.lazy.filter { $0.kind == kind }.reduce(into: ClusterChanges.Total(kind: kind)) {
      $0.changeCount += 1
      $0.clustersBefore += $1.before.count
      $0.clustersAfter += $1.after.count
      $0.pointCount += $1.pointCount
    }
  }
  changes.removeAll { $0.kind == .same }
  changes.sort { a, b in
    (b.movedPointCount, a.before.map(\.label).min()!)
      < (a.movedPointCount, b.before.map(\.label).min()!)
  }
  return ClusterChanges(
    pointCount: pointCount, movedPointCount: changes.reduce(0) { $0 + $1.movedPointCount },
    totals: totals, changes: changes)
}

/// Which cluster of another labelling each cluster goes on, and so may take the number of. Replicated.
///
/// Clusters of both are matched by the points that they share: those that share most points, then those that share most of
/// clusters that are not matched yet, and so on; of equal ones those with the lower labels. The points outside of matched
/// pairs are ``ClusterChanges/movedPointCount``.
///
/// > Collective: over `communicator`. Six rounds, as ``clusterChanges(from:to:on:)``.
///
/// - Parameters:
///   - before: Owned. The labels of this rank's points. Any values; only equality counts.
///   - after: Owned. Other labels of the same points, in the same order.
/// - Returns: For clusters after their match before; those without one are left out.
/// - Throws: On every rank, the same ``LabelComparisonError`` if the lengths differ on any rank.
public func matchedClusters(
  from before: [Int64], to after: [Int64], on communicator: some Communicator
) throws -> [Int64: Int64] {
  var matched: Set<Int64> = []
  var matches: [Int64: Int64] = [:]
  for cell in try sharedCells(before, after, on: communicator).cells
  where matches[cell.after] == nil && matched.insert(cell.before).inserted {
    matches[cell.after] = cell.before
  }
  return matches
}

/// The cells of both labellings, the largest first, as they are matched; and how many points there are. Replicated.
///
/// > Collective: over `communicator`. Six rounds.
private func sharedCells(
  _ before: [Int64], _ after: [Int64], on communicator: some Communicator
) throws -> (cells: [Cell], pointCount: Int) {
  let pointCount = try agreedPointCount(before, after, on: communicator)
  let cells = try labelPairs(before, after, on: communicator).replicated(on: communicator)
    .entries.map { Cell(before: $0.key.truth, after: $0.key.predicted, count: $0.sum) }
    .sorted { ($1.count, $0.before, $0.after) < ($0.count, $1.before, $1.after) }
  return (cells, pointCount)
}

/// How many points a cluster of each labelling share.
private struct Cell {
  let before: Int64
  let after: Int64
  let count: Int
}

/// The cells of clusters that are connected by cells, in the order in which components first occur; of each in their order.
private func components(of cells: [Cell]) -> [[Cell]] {
  // Clusters before, then those after.
  func places(from first: Int, _ labels: [Int64]) -> [Int64: Int] {
    labels.reduce(into: [:]) { places, label in
      if places[label] == nil { places[label] = first + places.count }
    }
  }
  let before = places(from: 0, cells.map(\.before))
  let after = places(from: before.count, cells.map(\.after))
  var sets = DisjointSets(count: before.count + after.count)
  for cell in cells { sets.unite(before[cell.before]!, after[cell.after]!) }
  // Clusters before have the lower places, in the order of their first cells, and so have components.
  let numbers = sets.numbers
  var components = Array(repeating: [Cell](), count: (numbers.max() ?? -1) + 1)
  for cell in cells { components[numbers[before[cell.before]!]].append(cell) }
  return components
}

extension ClusterChanges.Change {
  /// - Parameter cells: Of one component, the largest first.
  fileprivate init(_ cells: [Cell]) {
    var sizesBefore: [Int64: Int] = [:]
    var sizesAfter: [Int64: Int] = [:]
    var matchedBefore: Set<Int64> = []
    var matchedAfter: Set<Int64> = []
    var (all, kept) = (0, 0)
    for cell in cells {
      all += cell.count
      sizesBefore[cell.before, default: 0] += cell.count
      sizesAfter[cell.after, default: 0] += cell.count
      guard !matchedBefore.contains(cell.before), !matchedAfter.contains(cell.after) else {
        continue
      }
      matchedBefore.insert(cell.before)
      matchedAfter.insert(cell.after)
      kept += cell.count
    }
    func clusters(_ sizes: [Int64: Int]) -> [ClusterChanges.Cluster] {
      sizes.map { ClusterChanges.Cluster(label: $0.key, size: $0.value) }
        .sorted { ($1.size, $0.label) < ($0.size, $1.label) }
    }
    let kind: ClusterChanges.Kind =
      switch (sizesBefore.count, sizesAfter.count) {
      case (1, 1): .same
      case (1, _): .split
      case (_, 1): .merged
      default: .rearranged
      }
    self.init(
      kind: kind, pointCount: all, movedPointCount: all - kept, before: clusters(sizesBefore),
      after: clusters(sizesAfter))
  }
}
