import Charts
import Communication
import Datasets
import DistributedGraphs
import Evaluation

/// What the page of a comparison shows: how labels changed, how much they agree, and rows of the clusters.
struct ComparisonPage {
  /// The files of labels.
  let before: String
  let after: String
  let changes: ClusterChanges
  /// Of the labels after, with those before as the truth.
  let metrics: ClusteringMetrics
  /// The longest list of changes of each kind.
  let top: Int
  /// What rows are called, of those that are shown.
  let names: [Int: String]
  /// The first rows of the clusters that are shown, by their labels before.
  let rowsBefore: [Int64: [Int]]
  /// The same by their labels after.
  let rowsAfter: [Int64: [Int]]

  /// Rows that stand for a cluster.
  static let rowCount = 3
  /// Clusters of a change that are listed.
  static let clusterCount = 10

  /// The page; the same bytes whenever it is made.
  var html: String {
    Page(
      title: "Changes from \(before) to \(after)", summary: summary,
      sections: [agreementSection]
        + [ClusterChanges.Kind.split, .merged, .rearranged].compactMap { section(of: $0) }
    ).html
  }

  private var summary: String {
    "\(grouped(changes.pointCount)) points: \(grouped(metrics.truth.clusterCount)) clusters became "
      + "\(grouped(metrics.predicted.clusterCount)); \(grouped(changes.movedPointCount)) points moved."
  }

  private var agreementSection: Page.Section {
    func row(_ name: String, _ values: PrecisionRecall) -> [String] {
      [name] + [values.precision, values.recall, values.f].map { decimal($0, places: 4) }
    }
    func sizes(_ name: String, _ counts: Evaluation.ClusterCounts) -> [String] {
      [
        name, grouped(counts.clusterCount), grouped(counts.singletonCount),
        decimal(counts.sizes.median, places: 1), decimal(counts.sizes.mean, places: 1),
        grouped(counts.sizes.maximum),
      ]
    }
    return Page.Section(
      heading: "Before and after",
      body: [
        .table(
          Page.Table(
            header: ["", "clusters", "of one point", "median size", "mean", "largest"],
            rows: [sizes("before", metrics.truth), sizes("after", metrics.predicted)])),
        .table(
          Page.Table(
            caption: "Clusters that share points, directly or by others, are one change",
            header: ["", "changes", "clusters before", "after", "points"],
            rows: changes.totals.map {
              [
                $0.kind.rawValue, grouped($0.changeCount), grouped($0.clustersBefore),
                grouped($0.clustersAfter), grouped($0.pointCount),
              ]
            })),
        .table(
          Page.Table(
            caption: "How well the labels after agree with those before, taken as the truth",
            header: ["", "precision", "recall", "F"],
            rows: [row("pairwise", metrics.pairwise), row("BCubed", metrics.bcubed)])),
        .text(
          "NMI \(decimal(metrics.nmi, places: 4)), ARI \(decimal(metrics.ari, places: 4))."),
      ])
  }

  private func section(of kind: ClusterChanges.Kind) -> Page.Section? {
    let all = changes.totals.first { $0.kind == kind }!.changeCount
    guard all > 0 else { return nil }
    let shown = changes.shown(of: kind, top: top)
    let heading =
      switch kind {
      case .same: "The same"
      case .split: "Split: one cluster became several"
      case .merged: "Merged: several clusters became one"
      case .rearranged: "Rearranged: several clusters became several others"
      }
    return Page.Section(
      heading: heading,
      body: [
        .text(
          "\(shown.count < all ? "\(shown.count) of \(grouped(all)) changes, t" : "T")hose that moved most points "
            + "first. Of a cluster its label, its points, and its first rows."),
        .table(
          Page.Table(
            header: ["moved", "points", "before", "after"],
            rows: shown.map {
              [
                grouped($0.movedPointCount), grouped($0.pointCount),
                text(of: $0.before, rowsBefore), text(of: $0.after, rowsAfter),
              ]
            })),
      ])
  }

  private func text(of clusters: [ClusterChanges.Cluster], _ rows: [Int64: [Int]]) -> String {
    let shown = clusters.prefix(Self.clusterCount).map { cluster in
      let first = (rows[cluster.label] ?? []).map { row in
        names[row].map { "\(row) \($0)" } ?? "\(row)"
      }
      let more = first.count < cluster.size ? ", …" : ""
      return "\(cluster.title) (\(grouped(cluster.size)): \(first.joined(separator: ", "))\(more))"
    }
    return
      (shown
      + (clusters.count > shown.count ? ["and \(clusters.count - shown.count) more"] : []))
      .joined(separator: "; ")
  }
}

extension ClusterChanges {
  /// The changes of a kind that a page shows.
  func shown(of kind: Kind, top: Int) -> [Change] {
    Array(changes.lazy.filter { $0.kind == kind }.prefix(top))
  }
}

/// The first points of some clusters. Replicated.
///
/// > Collective: over `communicator`. A round of 16 bytes for each cluster, rank and point.
///
/// - Parameters:
///   - labels: Owned. The labels of this rank's points, which are consecutive.
///   - count: Replicated. How many points of each.
///   - clusters: Replicated. Their labels.
func firstPoints(
  _ labels: [Int64], ofEach count: Int, of clusters: Set<Int64>, on communicator: some Communicator
) throws -> [Int64: [Int]] {
  let first = try communicator.exclusivePrefixSum(labels.count)
  var found: [Int64: Int] = [:]
  var own: [FirstPoint] = []
  for (place, label) in labels.enumerated()
  where clusters.contains(label) && found[label, default: 0] < count {
    found[label, default: 0] += 1
    own.append(FirstPoint(label: label, point: Int64(first + place)))
  }
  // By rank, so ascending.
  var points: [Int64: [Int]] = [:]
  for entry in try communicator.allGather(own).values
  where points[entry.label, default: []].count < count {
    points[entry.label, default: []].append(Int(entry.point))
  }
  return points
}

private struct FirstPoint: Message {
  var label: Int64
  var point: Int64
}
