import Evaluation
import GraphClassification

/// What `highland graphs benchmark --json` prints.
struct GraphsBenchmarkReport: Encodable {
  var highland = highlandVersion
  var collection: String
  /// What nodes are seen by.
  var featureColumns: String
  var folds: Int
  /// The file that they are of; nil if they were drawn.
  var splits: String?
  var repeats: Int
  var seed: UInt64
  /// At most.
  var epochs: Int
  var patience: Int
  var rankCount: Int
  var threadCount: Int
  var networks: [Entry]

  struct Entry: Encodable {
    var network: String
    /// The grid.
    var settings: [Settings]
    /// Over folds, of the mean accuracy of each.
    var testAccuracy: Spread
    var folds: [GraphBenchmark.Fold]
    var elapsedSeconds: Double

    init(
      network: String, _ plans: [GraphTrialPlan], _ folds: [GraphBenchmark.Fold],
      elapsedSeconds: Double
    ) {
      self.network = network
      self.folds = folds
      self.elapsedSeconds = elapsedSeconds
      settings = plans.map(Settings.init)
      testAccuracy = Spread(folds)
    }

    /// In how many folds which settings were chosen, the most frequent first.
    fileprivate var choices: String {
      let counts = settings.indices.map { place in folds.count { $0.chosen == place } }
      return counts.indices.filter { counts[$0] > 0 }.sorted {
        (-counts[$0], $0) < (-counts[$1], $1)
      }
      .map { "\(settings[$0].text) × \(counts[$0])" }.joined(separator: "; ")
    }
  }

  struct Settings: Encodable {
    var hidden: Int
    var dropout: Double
    var learningRate: Double

    init(_ plan: GraphTrialPlan) {
      hidden = plan.hidden
      dropout = plan.dropout
      learningRate = plan.training.learningRate
    }

    fileprivate var text: String { "\(hidden), \(dropout), \(learningRate)" }
  }

  /// A row per network, and what was chosen.
  var table: String {
    func percent(_ share: Double) -> String { decimal(100 * share, places: 1) }
    var rows = [["network", "accuracy %", "deviation", "seconds"]]
    for entry in networks {
      rows.append([
        entry.network, percent(entry.testAccuracy.mean), percent(entry.testAccuracy.deviation),
        decimal(entry.elapsedSeconds, places: 1),
      ])
    }
    return
      (aligned(rows) + ["", "chosen (hidden, dropout, learning rate) × folds"]
      + networks.map { "\($0.network): \($0.choices)" } + ["nodes are seen by \(featureColumns)"])
      .joined(separator: "\n")
  }
}
