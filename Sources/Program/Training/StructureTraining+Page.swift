import Charts
import DiscriminantTransforms
import Evaluation
import HierarchyReports
import Training

extension StructureTraining {
  /// The curves of a run, as a page to look at.
  func page(of run: RunDescription, summary: String) -> String {
    var sections = lengths.trials.isEmpty ? [] : [lengths.section]
    sections.append(
      Page.Section(
        heading: "Loss",
        body: [
          .chart(
            LineChart(
              title: "Cross entropy of edges", xLabel: "epoch", yLabel: "loss",
              series: [
                LineChart.Series(
                  name: "training", points: epochs.map { .init(x: Double($0.epoch), y: $0.loss) })
              ]))
        ]))
    if let chosen = trials.chosen { sections.append(thresholds(chosen)) }
    if transformChoice.summary != nil { sections.append(transformChoice.section) }
    sections.append(calibration.section)
    sections.append(Page.Section(heading: "Settings", body: [.table(run.table)]))
    return Page(
      title: "Training on \(run.features)", summary: summary, sections: sections
    ).html
  }

  private func thresholds(_ chosen: ThresholdTrial) -> Page.Section {
    /// One τ for all levels.
    let single = trials.filter { $0.threshold == $0.laterThreshold && $0.resolution == nil }
      .sorted { $0.threshold < $1.threshold }
    func series(_ name: String, _ value: (ThresholdTrial) -> Double) -> LineChart.Series {
      LineChart.Series(
        name: name, points: single.map { .init(x: $0.threshold, y: value($0)) })
    }
    let rows = trials.sorted {
      ($0.resolution ?? 0, $0.threshold, $0.laterThreshold)
        < ($1.resolution ?? 0, $1.threshold, $1.laterThreshold)
    }.map { trial in
      [
        trial.resolution == nil ? "\(trial.threshold)" : "",
        trial.resolution.map { "\($0)" } ?? "", "\(trial.laterThreshold)",
        decimal(trial.pairwiseF, places: 4),
        decimal(trial.bcubedF, places: 4), decimal(trial.identityF, places: 4),
        trial == chosen ? "chosen" : "",
      ]
    }
    return Page.Section(
      heading: "Thresholds",
      body: [
        .chart(
          LineChart(
            title: "Clustering, one τ for all levels", xLabel: "τ", yLabel: "F",
            series: [
              series("pairwise F") { $0.pairwiseF }, series("BCubed F") { $0.bcubedF },
              series("identity F") { $0.identityF },
            ],
            lines: chosen.resolution == nil
              ? [.vertical(at: chosen.threshold, label: "chosen for level 0")] : [])),
        .table(
          Page.Table(
            header: [
              "τ of level 0", "γ of level 0", "τ later", "pairwise F", "BCubed F", "identity F", "",
            ],
            rows: rows)),
      ])
  }
}

extension LevelCalibration {
  private var identities: String {
    isOfHeldOut ? "identities that were not learned from" : "the identities that were learned from"
  }

  /// The errors of levels, in a line.
  var summary: String {
    "expected calibration error of \(identities): "
      + levels.enumerated().map { level, calibration in
        (calibration.expectedCalibrationError.map { decimal($0, places: 3) } ?? "no edges")
          + " at level \(level)"
      }.joined(separator: ", ")
  }

  fileprivate var section: Page.Section {
    Page.Section(
      heading: "Calibration",
      body: [
        .text(
          "Of the edges with about the same p, how many are true: those between nodes with the same label, which is that "
            + "of most of their points. Measured on the edges into nodes of \(identities), at every level of clustering "
            + "above the thresholds that were chosen."
            + (isOfHeldOut
              ? "" : " Of others p may be further from the truth (--validation-fraction)."))
      ] + calibrationBlocks(of: Array(levels.enumerated())))
  }
}

extension LengthChoice {
  /// The trials, in a line; nil if there was no choice.
  var summary: String? {
    guard !trials.isEmpty else { return nil }
    return "k = \(neighborCount) by F of held-out identities: "
      + trials.map { "\(decimal($0.score, places: 4)) at \($0.neighborCount)" }
      .joined(separator: ", ") + "."
  }

  fileprivate var section: Page.Section {
    func series(_ name: String, _ value: (LengthTrial) -> Double) -> LineChart.Series {
      LineChart.Series(
        name: name, points: trials.map { .init(x: Double($0.neighborCount), y: value($0)) })
    }
    return Page.Section(
      heading: "Length of lists",
      body: [
        .chart(
          LineChart(
            title: "Clustering of identities that were held out", xLabel: "k", yLabel: "F",
            series: [series("pairwise F") { $0.pairwiseF }, series("BCubed F") { $0.bcubedF }],
            lines: [.vertical(at: Double(neighborCount), label: "chosen")])),
        .table(
          Page.Table(
            header: ["k", "context K", "halves of identities", "pairwise F", "BCubed F", ""],
            rows: trials.map {
              [
                "\($0.neighborCount)", "\($0.contextLength)", "\($0.halfCount)",
                decimal($0.pairwiseF, places: 4), decimal($0.bcubedF, places: 4),
                $0.neighborCount == neighborCount ? "chosen" : "",
              ]
            })),
      ])
  }
}

extension TransformChoice {
  /// What was tried, in a line; nil if nothing was to be.
  var summary: String? {
    guard let asTheyAre else { return obstacle.map { "No transform was tried: \($0)." } }
    let scores =
      "\(decimal(asTheyAre.score, places: 4)) without"
      + (best.map { ", \(decimal($0.score, places: 4)) with the best" } ?? "")
    return (chosen?.settings.map { "Transform of \($0)" } ?? "No transform")
      + " by F of identities that transforms were not learned from: \(scores)"
      + (thresholds.map {
        ", and \(decimal(($0.pairwiseF + $0.bcubedF) / 2, places: 4)) above other thresholds"
      } ?? "") + "."
  }

  fileprivate var section: Page.Section {
    var body: [Page.Block] = [.text(summary ?? "")]
    if !trials.isEmpty {
      body.append(
        .text(
          "The thresholds and the calibration of this page are of rows as they are."
            + (thresholds.map {
              " On transformed rows others were better, which the model has: "
                + ($0.resolution.map { "γ = \($0)" } ?? "τ = \($0.threshold)")
                + " at level 0, τ = \($0.laterThreshold) later."
            } ?? "")))
      body.append(
        .table(
          Page.Table(
            header: ["transform", "halves of identities", "pairwise F", "BCubed F", ""],
            rows: ([asTheyAre].compactMap(\.self) + trials).map {
              [
                $0.settings?.description ?? "none", "\($0.halfCount)",
                decimal($0.pairwiseF, places: 4), decimal($0.bcubedF, places: 4),
                $0.settings == chosen?.settings ? "chosen" : "",
              ]
            })))
    }
    return Page.Section(heading: "Transform of rows", body: body)
  }
}
