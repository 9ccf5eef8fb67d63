import Charts
import Datasets
import DistributedGraphs
import Evaluation
import HierarchicalClustering
import NeighborSearch
import Parallelism

/// What `highland benchmark` found about a method.
struct BenchmarkEntry: Encodable {
  var method: String
  /// By name, as given or as the method chose them.
  var parameters: [String: Double]
  var parameterText: String
  var chosenBy: Choice
  var metrics: ClusteringMetrics
  /// Without the search of the lists that methods share. Nil of an oracle.
  var cost: PhaseCost?
  /// Of trying parameters on the training set, or of training.
  var tuning: PhaseCost?
  /// Of the rank that took most, rows and shared lists included; nil where the system cannot tell.
  var peakMemoryBytes: Int?
  /// All settings that were tried, on the training set or, without one, on the test set.
  var trials: [Trial] = []

  /// Where parameters come from.
  enum Choice: String, Encodable {
    /// They were best on the training set.
    case train
    /// They are what is usual.
    case usual
    /// They were best on the labels that they are compared with: a bound, and no result.
    case oracle
    /// The method chose them, without labels.
    case itself
  }

  struct Trial: Encodable {
    var parameters: [String: Double]
    var clusterCount: Int
    var pairwiseF: Double?
    var bcubedF: Double?

    init(_ trial: BenchmarkTrial) {
      func number(_ value: Double) -> Double? { value.isNaN ? nil : value }
      parameters = trial.setting.parameters
      clusterCount = trial.metrics.predicted.clusterCount
      pairwiseF = number(trial.metrics.pairwise.f)
      bcubedF = number(trial.metrics.bcubed.f)
    }
  }

  init(
    _ method: BenchmarkMethod, _ setting: BenchmarkSetting?, _ choice: Choice,
    _ metrics: ClusteringMetrics, cost: BenchmarkCost?
  ) {
    self.method = method.rawValue
    parameters = setting?.parameters ?? [:]
    parameterText = setting?.text ?? ""
    chosenBy = choice
    self.metrics = metrics
    self.cost = cost?.cost
    peakMemoryBytes = cost?.peakMemoryBytes
  }
}

/// What `highland benchmark --json` prints.
struct BenchmarkReport: Encodable {
  var highland = highlandVersion
  var features: String
  var labels: String
  var trainFeatures: String?
  var trainLabels: String?
  var pointCount: Int
  var dimensions: Int
  /// k of the lists that methods share, and how they were searched.
  var k: Int
  var search: SearchSummary
  var readingCost: PhaseCost
  var searchCost: PhaseCost
  /// Whether hdbscan compared all pairs; else it saw the neighbour lists alone.
  var hdbscanComparesAllPairs: Bool
  var rankCount: Int
  var threadCount: Int
  var entries: [BenchmarkEntry]

  init(
    features: String, labels: String, trainFeatures: String?, trainLabels: String?,
    neighborCount: Int, test: BenchmarkSet, along neighbors: BaselinePoints.Neighbors,
    rankCount: Int, entries: [BenchmarkEntry]
  ) {
    self.features = features
    self.labels = labels
    self.trainFeatures = trainFeatures
    self.trainLabels = trainLabels
    pointCount = test.input.points.nodeCount
    dimensions = test.input.source.dimensions
    k = neighborCount
    readingCost = test.input.readingCost
    (search, searchCost) = (neighbors.search, neighbors.cost)
    hdbscanComparesAllPairs = test.input.comparesAllPairs
    self.rankCount = rankCount
    threadCount = test.input.workers.count
    self.entries = entries
  }

  private static let header = [
    "method", "parameters", "by", "clusters", "pairwise F", "BCubed F", "NMI", "ARI", "seconds",
    "tuning s", "peak MB",
  ]

  private var rows: [[String]] {
    entries.map { entry in
      let metrics = entry.metrics
      func seconds(_ cost: PhaseCost?) -> String {
        cost.map { decimal($0.elapsedSeconds, places: 2) } ?? "–"
      }
      return [
        entry.method, entry.parameterText, entry.chosenBy.rawValue,
        "\(metrics.predicted.clusterCount)",
      ]
        + [metrics.pairwise.f, metrics.bcubed.f, metrics.nmi, metrics.ari].map {
          decimal($0, places: 4)
        } + [
          seconds(entry.cost), seconds(entry.tuning),
          entry.peakMemoryBytes.map { decimal(Double($0) / 1e6, places: 0) } ?? "–",
        ]
    }
  }

  /// What the table is about.
  private var account: String {
    var text =
      "\(pointCount) points of \(dimensions) columns, "
      + "\(entries.first?.metrics.truth.clusterCount ?? 0) true clusters; \(rankCount) "
      + "\(rankCount == 1 ? "rank" : "ranks") of \(threadCount) "
      + "\(threadCount == 1 ? "thread" : "threads"). Shared lists, k = \(k): "
      + "\(decimal(searchCost.elapsedSeconds, places: 2)) s, \(search.method.rawValue)."
    if entries.contains(where: { $0.chosenBy == .oracle }) {
      text +=
        " Rows by oracle have the parameters that are best on these labels: a bound, and no result."
    }
    if !hdbscanComparesAllPairs, entries.contains(where: { $0.method == "hdbscan" }) {
      text += " hdbscan saw the shared lists alone, not all pairs."
    }
    return text
  }

  /// A row per method.
  var table: String { (aligned([Self.header] + rows) + ["", account]).joined(separator: "\n") }

  /// The table and a chart, as a page to look at.
  var page: String {
    func bars(_ name: String, _ value: (BenchmarkEntry) -> Double) -> BarChart.Series {
      BarChart.Series(
        name: name,
        values: entries.map {
          let value = value($0)
          return value.isNaN ? 0 : value
        })
    }
    return Page(
      title: "Methods on \(features)", summary: account,
      sections: [
        Page.Section(
          heading: "Agreement with the labels",
          body: [
            .bars(
              BarChart(
                title: "F by row of the table", xLabel: "row", yLabel: "F",
                places: .names(entries.indices.map { "\($0 + 1)" }),
                series: [
                  bars("BCubed F") { $0.metrics.bcubed.f },
                  bars("pairwise F") { $0.metrics.pairwise.f },
                ])),
            .table(
              Page.Table(
                header: ["row"] + Self.header,
                rows: rows.enumerated().map { ["\($0 + 1)"] + $1 })),
          ])
      ]
    ).html
  }
}
