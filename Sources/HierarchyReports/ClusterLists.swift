/// The clusters of a hierarchy, and which of them and of their merges to show.
///
/// Every order is total: ties are broken by label, level and input point.
struct ClusterLists {
  /// Of every cluster.
  let sizes: [Int]
  let distinctCounts: [Int]
  /// With the truth: the most frequent label and how many points have it.
  let mainTruths: [(truth: Int64, count: Int)]?
  /// What the points that are shown are called.
  var names: [Int: String] = [:]
  private let labels: [Int]
  private let links: [Link]
  private let truth: [Int64]?
  /// Of every cluster, the place of its least probable merge in `links`; −1 without.
  private let weakest: [Int]
  private var examples: [Int: [Int]] = [:]
  private var bridges: [Int: [Int]] = [:]

  init(labels: [Int], clusterCount: Int, links: [Link], truth: [Int64]?) {
    self.labels = labels
    self.links = links
    self.truth = truth
    var sizes = Array(repeating: 0, count: clusterCount)
    for label in labels { sizes[label] += 1 }
    // A tree of m − 1 merges has m ends.
    var distinctCounts = Array(repeating: 1, count: clusterCount)
    for link in links { distinctCounts[labels[link.point]] += 1 }
    self.sizes = sizes
    self.distinctCounts = distinctCounts
    var weakest = Array(repeating: -1, count: clusterCount)
    for place in links.indices {
      let cluster = labels[links[place].point]
      if weakest[cluster] < 0
        || Doubt(links[place], of: distinctCounts[cluster])
          < Doubt(links[weakest[cluster]], of: distinctCounts[cluster])
      {
        weakest[cluster] = place
      }
    }
    self.weakest = weakest
    mainTruths = truth.map { mainTruthOfClusters(labels, $0, clusterCount: clusterCount) }
  }

  // Which

  func largest(_ count: Int) -> [Int] {
    sizes.indices.first(count) { (sizes[$1], $0) < (sizes[$0], $1) }
  }

  func leastCertain(_ count: Int) -> [Int] {
    sizes.indices.filter { weakest[$0] >= 0 }.first(count) {
      (doubt(weakest[$0]), $0) < (doubt(weakest[$1]), $1)
    }
  }

  /// Without the truth none.
  func mostMixed(_ count: Int) -> [Int] {
    guard let mainTruths else { return [] }
    func others(_ cluster: Int) -> Int { sizes[cluster] - mainTruths[cluster].count }
    return sizes.indices.filter { others($0) > 0 }.first(count) {
      (others($1), $0) < (others($0), $1)
    }
  }

  /// Places of merges.
  func mostAtStake(_ count: Int) -> [Int] {
    links.indices.first(count) { (stake($1), doubt($0)) < (stake($0), doubt($1)) }
  }

  /// Finds the first points and the least probable merges of some clusters, in one pass over all.
  mutating func collectExamples(of clusters: [Int]) {
    for cluster in clusters {
      examples[cluster] = []
      bridges[cluster] = []
    }
    for (point, label) in labels.enumerated() {
      if let count = examples[label]?.count, count < HierarchyReport.exampleCount {
        examples[label]!.append(point)
      }
    }
    for (place, link) in links.enumerated() {
      bridges[labels[link.point]]?.append(place)
    }
    for cluster in Set(clusters) {
      bridges[cluster] = bridges[cluster]!.first(HierarchyReport.bridgeCount) {
        doubt($0) < doubt($1)
      }
    }
  }

  func shownPoints(of clusters: [Int], merges: [Int]) -> Set<Int> {
    var points = Set(clusters.flatMap { examples[$0]! })
    for place in clusters.flatMap({ bridges[$0]! }) + merges {
      points.formUnion([links[place].point, links[place].parent])
    }
    return points
  }

  // What to show of them

  func cluster(_ label: Int) -> HierarchyReport.Cluster {
    HierarchyReport.Cluster(
      label: label, size: sizes[label], distinctCount: distinctCounts[label],
      certainty: weakest[label] < 0 ? nil : Double(links[weakest[label]].probability),
      bridges: bridges[label]!.map { merge($0) }, examples: examples[label]!.map { point($0) },
      mainTruth: mainTruths?[label].truth,
      purity: mainTruths.map { Double($0[label].count) / Double(sizes[label]) })
  }

  func merge(_ place: Int) -> HierarchyReport.Merge {
    let link = links[place]
    let cluster = labels[link.point]
    return HierarchyReport.Merge(
      cluster: cluster, distinctCount: distinctCounts[cluster], level: Int(link.level),
      point: point(link.point), parent: point(link.parent),
      probability: Double(link.probability), similarity: Double(link.similarity),
      splitCount: link.splitCount, stake: stake(place))
  }

  func point(_ row: Int) -> HierarchyReport.Point {
    HierarchyReport.Point(row: row, name: names[row], truth: truth?[row])
  }

  private func doubt(_ place: Int) -> Doubt {
    Doubt(links[place], of: distinctCounts[labels[links[place].point]])
  }

  /// (1 − p) · a · b.
  private func stake(_ place: Int) -> Double {
    let link = links[place]
    let others = distinctCounts[labels[link.point]] - link.splitCount
    return (1 - Double(link.probability)) * Double(link.splitCount) * Double(others)
  }
}

/// The order of merges from the least probable; of equal p, from the one that parts the cluster most
/// evenly.
private struct Doubt: Comparable {
  let link: Link
  let smallerPart: Int

  init(_ link: Link, of distinctCount: Int) {
    self.link = link
    smallerPart = min(link.splitCount, distinctCount - link.splitCount)
  }

  static func < (a: Self, b: Self) -> Bool {
    (a.link.probability, -a.smallerPart, a.link.level, a.link.point)
      < (b.link.probability, -b.smallerPart, b.link.level, b.link.point)
  }

  static func == (a: Self, b: Self) -> Bool { !(a < b) && !(b < a) }
}

extension Collection {
  /// The first `count` elements in order, without sorting all.
  ///
  /// - Complexity: O(n + changes · count), where the later an element comes, the more rarely it
  ///   changes the list.
  func first(_ count: Int, by precedes: (Element, Element) -> Bool) -> [Element] {
    var chosen: [Element] = []
    for element in self {
      if chosen.count == count {
        guard let last = chosen.last, precedes(element, last) else { continue }
        chosen.removeLast()
      }
      let place = chosen.firstIndex { precedes(element, $0) } ?? chosen.count
      chosen.insert(element, at: place)
    }
    return chosen
  }
}
