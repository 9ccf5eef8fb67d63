import Evaluation
import GraphClassification
import GraphCollections

/// What `highland graphs train` did: the JSON of `--report`.
struct GraphsReport: Codable {
  var highland = highlandVersion
  var collection: String
  var network: GraphArchitecture
  /// What nodes are seen by: labels, attributes, degree, with commas; or constant.
  var features: String
  /// In words and numbers of columns.
  var featureColumns: String
  /// Lines of the adjacency file that were left out.
  var ignored: GraphCollection.IgnoredEdges
  /// Edges of one direction in the files, taken in both.
  var oneWayEdges: Int
  /// Files of the collection that no network uses.
  var unusedFiles: [String]
  var training: GraphTrainingOptions
  var foldCount: Int
  var validationShare: Double
  var rankCount: Int
  var groupCount: Int
  var threadCount: Int
  var parameterCount: Int
  /// One per seed and fold.
  var folds: [Fold]
  var testAccuracy: Spread?
  var validationAccuracy: Spread?
  /// Rows are true classes, columns predicted ones, as `classes`; summed over folds and seeds.
  var confusion: [[Int]]
  var classes: [Int]
  /// Of the steps of training alone, the median over epochs.
  var secondsPerEpoch: Double
  var elapsedSeconds: Double
  var memory: MemoryReport
  /// The mean over folds, with `--diagnostics`.
  var smoothing: SmoothingProfile?

  struct Fold: Codable {
    var fold: Int
    var seed: UInt64
    var selectedEpoch: Int
    var epochCount: Int
    var validation: GraphMetrics?
    var test: GraphMetrics?
    /// Indices of graphs, from 0.
    var split: GraphSplit?
    var epochs: [EpochRecord]?
  }

  init(
    _ command: GraphsTrainCommand, of graphs: GraphCollection, plan: GraphTrialPlan,
    architecture: GraphArchitecture,
    tasks: [GraphTrialTask], results: [GraphTrialResult], rankCount: Int,
    groupCount: Int, threadCount: Int, elapsedSeconds: Double, memory: MemoryReport
  ) {
    collection = command.directory
    network = architecture
    let columns = plan.columns.present(in: graphs)
    features = columns.isEmpty ? "constant" : columns.names.joined(separator: ",")
    featureColumns = NodeEncoder(columns, of: graphs, fittedTo: []).description
    ignored = graphs.ignored
    oneWayEdges = graphs.oneWayEdges
    unusedFiles = graphs.unusedFiles
    let labels = graphs.classLabels
    training = plan.training
    foldCount = command.folds
    validationShare = command.validationShare
    self.rankCount = rankCount
    self.groupCount = groupCount
    self.threadCount = threadCount
    self.elapsedSeconds = elapsedSeconds
    self.memory = memory
    parameterCount = architecture.parameterCount
    classes = labels
    folds = zip(tasks, results).map {
      Fold(
        fold: $0.fold, seed: $0.seed, selectedEpoch: $1.selectedEpoch,
        epochCount: $1.epochs.count, validation: $1.validation, test: $1.test, split: $0.split,
        epochs: $1.epochs)
    }
    let tests = results.compactMap(\.test)
    testAccuracy = tests.isEmpty ? nil : Spread(tests.map(\.accuracy))
    let validations = results.compactMap(\.validation)
    validationAccuracy = validations.isEmpty ? nil : Spread(validations.map(\.accuracy))
    confusion = labels.indices.map { row in
      labels.indices.map { column in tests.reduce(0) { $0 + $1.confusion[row][column] } }
    }
    let seconds = results.flatMap { $0.epochs.map(\.elapsedSeconds) }.sorted()
    secondsPerEpoch = seconds.isEmpty ? 0 : seconds[seconds.count / 2]
    let profiles = results.compactMap(\.smoothing)
    smoothing = profiles.isEmpty ? nil : SmoothingProfile(meanOf: profiles)
  }

  /// Without splits and epochs: what fits on a screen.
  var withoutCurves: GraphsReport {
    var report = self
    for index in report.folds.indices {
      report.folds[index].split = nil
      report.folds[index].epochs = nil
    }
    return report
  }

  /// A row per fold, the mean and deviation, the confusion matrix.
  var table: String {
    func share(_ value: Double?) -> String { value.map { decimal($0, places: 4) } ?? "–" }
    var rows = [["seed", "fold", "epoch", "validation", "test", "test graphs"]]
    for fold in folds {
      rows.append([
        "\(fold.seed)", "\(fold.fold + 1)", "\(fold.selectedEpoch)/\(fold.epochCount)",
        share(fold.validation?.accuracy), share(fold.test?.accuracy),
        "\(fold.test?.graphCount ?? 0)",
      ])
    }
    if folds.count > 1 {
      rows.append(["", "mean", "", share(validationAccuracy?.mean), share(testAccuracy?.mean), ""])
      rows.append([
        "", "deviation", "", share(validationAccuracy?.deviation), share(testAccuracy?.deviation),
        "",
      ])
    }
    var lines = aligned(rows)
    lines.append("")
    if testAccuracy == nil {
      lines.append("no graphs to test on")
    } else {
      lines.append("graphs by true class (rows) and predicted class (columns)")
      lines += confusionTable(confusion, classes: classes)
    }
    if let smoothing {
      lines.append("")
      lines.append("mean cosine distance of a graph's nodes after each layer")
      lines.append(smoothing.nodeDistances.map { decimal($0, places: 4) }.joined(separator: "  "))
      if !smoothing.clusterDistances.isEmpty {
        lines.append("and of its clusters after each pooling")
        lines.append(
          smoothing.clusterDistances.map { decimal($0, places: 4) }.joined(separator: "  "))
      }
    }
    lines.append("")
    lines.append("nodes are seen by \(featureColumns)")
    lines.append(
      "\(parameterCount) parameters, \(decimal(secondsPerEpoch, places: 4)) s per epoch")
    return lines.joined(separator: "\n")
  }
}

/// Rows of true classes, columns of predicted ones.
func confusionTable(_ confusion: [[Int]], classes: [Int]) -> [String] {
  aligned(
    [[""] + classes.map(String.init)]
      + zip(classes, confusion).map { [String($0)] + $1.map(String.init) })
}

/// Columns of text, to the right.
func aligned(_ rows: [[String]]) -> [String] {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
      .joined(separator: "  ")
  }
}
