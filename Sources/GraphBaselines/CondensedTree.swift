public import DistributedGraphs

/// The clusters of HDBSCAN: those parts of a tree of merges that stay longest, in which clusters smaller than a least
/// size do not count.
///
/// Seen from the root, a cluster goes on while only small parts leave it, and ends where it splits into two that are
/// both large enough. λ is 1 / distance. A cluster's stability is the sum over its points of the λ at which each
/// leaves it, less the λ at which the cluster began. Of a cluster and those below it the one, or the others, are taken
/// that are more stable together (excess of mass); the root is never taken.
/// [Campello, Moulavi and Sander 2013; McInnes, Healy and Astels 2017]
public struct CondensedTree: Sendable {
  /// The cluster at which every point leaves the tree. Shape `[pointCount]`.
  private var clusterOfPoint: [Int]
  /// The cluster from which each has split; 0 is the root, and those above come first.
  private var parent = [0]
  /// λ at which each began.
  private var birth = [0.0]
  private var stability = [0.0]

  /// Distances below this count as this: the distance of points that are equal, but for rounding.
  private static let leastDistance = 1e-6

  /// - Parameter minimumClusterSize: At least 2.
  /// - Complexity: O(points).
  public init(_ tree: SingleLinkage, minimumClusterSize: Int) {
    precondition(minimumClusterSize > 1, "clusters of \(minimumClusterSize) points")
    let pointCount = tree.pointCount
    clusterOfPoint = Array(repeating: 0, count: pointCount)
    guard let root = tree.children.indices.last else { return }
    var size = Array(repeating: 1, count: pointCount)
    for (first, second) in tree.children { size.append(size[first] + size[second]) }
    let leaves = Leaves(of: tree, sizes: size)
    /// The cluster of every node that a large part has reached; nil below parts that are too small.
    var cluster: [Int?] = Array(repeating: nil, count: size.count)
    cluster[pointCount + root] = 0
    for merge in tree.children.indices.reversed() {
      guard let own = cluster[pointCount + merge] else { continue }
      let distance = max(
        Double(tree.squaredDistances[merge]).squareRoot(), Self.leastDistance)
      let lambda = 1 / distance
      let parts = [tree.children[merge].first, tree.children[merge].second]
      let isSplit = parts.allSatisfy { size[$0] >= minimumClusterSize }
      for part in parts {
        if size[part] >= minimumClusterSize, !isSplit {
          cluster[part] = own
          continue
        }
        stability[own] += (lambda - birth[own]) * Double(size[part])
        if isSplit {
          cluster[part] = parent.count
          parent.append(own)
          birth.append(lambda)
          stability.append(0)
        } else {
          for point in leaves.points(below: part) { clusterOfPoint[point] = own }
        }
      }
    }
  }

  /// A name of its cluster for every point: the first point of the cluster; for noise, the point itself.
  ///
  /// - Complexity: O(points + clusters).
  public func clusters() -> [GlobalNode] {
    var ofThoseBelow = Array(repeating: 0.0, count: parent.count)
    var isTaken = Array(repeating: false, count: parent.count)
    for cluster in parent.indices.dropFirst().reversed() {
      isTaken[cluster] = ofThoseBelow[cluster] <= stability[cluster]
      ofThoseBelow[parent[cluster]] += max(stability[cluster], ofThoseBelow[cluster])
    }
    // The uppermost that is taken, from the root down.
    var taken = Array(repeating: 0, count: parent.count)
    for cluster in parent.indices.dropFirst() {
      let above = taken[parent[cluster]]
      taken[cluster] = above > 0 ? above : isTaken[cluster] ? cluster : 0
    }
    var firstPoint: [Int: Int] = [:]
    return clusterOfPoint.enumerated().map { point, cluster in
      guard taken[cluster] > 0 else { return GlobalNode(point) }
      if let first = firstPoint[taken[cluster]] { return GlobalNode(first) }
      firstPoint[taken[cluster]] = point
      return GlobalNode(point)
    }
  }
}

/// The points of a tree of merges, so that those below any node follow each other.
private struct Leaves {
  private let order: [Int]
  private let start: [Int]
  private let sizes: [Int]

  init(of tree: SingleLinkage, sizes: [Int]) {
    var start = Array(repeating: 0, count: sizes.count)
    for merge in tree.children.indices.reversed() {
      let (first, second) = tree.children[merge]
      start[first] = start[tree.pointCount + merge]
      start[second] = start[first] + sizes[first]
    }
    var order = Array(repeating: 0, count: tree.pointCount)
    for point in 0..<tree.pointCount { order[start[point]] = point }
    self.order = order
    self.start = start
    self.sizes = sizes
  }

  func points(below node: Int) -> ArraySlice<Int> { order[start[node]..<start[node] + sizes[node]] }
}
