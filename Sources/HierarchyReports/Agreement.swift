internal import Communication
internal import Evaluation

/// A point's place in the table of clusters and true labels.
private struct Cell: Comparable {
  var cluster: Int
  var truth: Int64

  static func < (a: Self, b: Self) -> Bool { (a.cluster, a.truth) < (b.cluster, b.truth) }
}

/// Calls `body` with every cell that has points and how many, by cluster, then by true label.
private func forEachCell(
  _ labels: [Int], _ truth: [Int64], _ body: (Int, Int64, Int) -> Void
) {
  let cells = zip(labels, truth).map { Cell(cluster: $0, truth: $1) }.sorted()
  var start = 0
  while start < cells.count {
    var end = start + 1
    while end < cells.count, cells[end] == cells[start] { end += 1 }
    body(cells[start].cluster, cells[start].truth, end - start)
    start = end
  }
}

/// The most frequent true label of every cluster, the smallest of equals, and how many points have it.
func mainTruthOfClusters(
  _ labels: [Int], _ truth: [Int64], clusterCount: Int
) -> [(truth: Int64, count: Int)] {
  var main = Array(repeating: (truth: Int64(0), count: 0), count: clusterCount)
  forEachCell(labels, truth) { cluster, truth, count in
    if count > main[cluster].count { main[cluster] = (truth, count) }
  }
  return main
}

extension HierarchyReport.Agreement {
  init(_ lists: ClusterLists, labels: [Int], truth: [Int64], mixed: [Int], top: Int) throws {
    metrics = try compareLabels(
      truth: truth, predicted: labels.map { Int64($0) }, on: SingleRank())
    pointsByPurity = Array(repeating: 0, count: 10)
    let main = lists.mainTruths ?? []
    for (cluster, size) in lists.sizes.enumerated() {
      pointsByPurity[min(9, 10 * main[cluster].count / size)] += size
    }
    purity =
      labels.isEmpty ? nil : Double(main.reduce(0) { $0 + $1.count }) / Double(labels.count)
    mostMixed = mixed.map { lists.cluster($0) }

    var found: [Int64: HierarchyReport.TrueCluster] = [:]
    forEachCell(labels, truth) { cluster, truth, count in
      var entry =
        found[truth]
        ?? .init(truth: truth, size: 0, clusterCount: 0, mainCluster: cluster, mainCount: 0)
      entry.size += count
      entry.clusterCount += 1
      if count > entry.mainCount { (entry.mainCluster, entry.mainCount) = (cluster, count) }
      found[truth] = entry
    }
    mostSpread = found.values.filter { $0.clusterCount > 1 }.first(top) { a, b in
      (b.size - b.mainCount, a.truth) < (a.size - a.mainCount, b.truth)
    }
  }
}
